//! The Common LUT Format: what must be read, and what must be refused with its
//! reason. The files are OpenColorIO's; what they do to pixels is compared in
//! the worker's tests, where both rooms meet.

use platefarm_model::Code;
use platefarm_standards::clf::Clf;
use std::fs;
use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/clf").join(folder);
    let whole =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aces/clf").join(folder);
    let folder = if whole.exists() { whole } else { own };
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "clf"))
        .collect();
    files.sort();
    files
}

#[test]
fn what_is_legal_is_read() {
    let mut read = 0;
    for folder in ["", "smpte_only", "pre-smpte_only"] {
        for path in files(folder) {
            let clf = Clf::parse(&fs::read(&path).unwrap())
                .unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
            assert!(!clf.chain.0.is_empty() || clf.name.is_some(), "{}", path.display());
            read += 1;
        }
    }
    assert!(read >= 30, "only {read} files");
}

#[test]
fn what_is_illegal_is_refused_with_its_place() {
    let mut refused = 0;
    for folder in ["illegal", "smpte_only/illegal", "pre-smpte_only/illegal"] {
        for path in files(folder) {
            let fault = Clf::parse(&fs::read(&path).unwrap())
                .expect_err(&format!("{} was taken", path.display()));
            assert_eq!(fault.code, Code::BadLook, "{}", path.display());
            assert!(!fault.message.is_empty(), "{}", path.display());
            refused += 1;
        }
    }
    assert!(refused >= 37, "only {refused} files");
}

#[test]
fn every_beginning_of_a_file_is_refused_or_read() {
    for path in files("").into_iter().chain(files("illegal")) {
        let bytes = fs::read(&path).unwrap();
        if bytes.len() > 6000 {
            continue;
        }
        for end in 0..bytes.len() {
            let _ = Clf::parse(&bytes[..end]);
        }
    }
}

/// Section 5.4 of the format: an element that is not known is an error, whatever its attributes are.
#[test]
fn an_unknown_element_is_refused_for_being_unknown() {
    let text = r#"<ProcessList id="x" compCLFversion="3">
        <Matrix inBitDepth="32f" outBitDepth="32f"><Array dim="3 3">1 0 0 0 1 0 0 0 1</Array></Matrix>
        <B>Some test</B></ProcessList>"#;
    let fault = Clf::parse(text.as_bytes()).unwrap_err();
    assert_eq!(fault.message, "'B' is no node of the format");
    assert_eq!(fault.place.as_deref(), Some("ProcessList/B[2]: B"));
}

#[test]
fn a_refusal_names_node_and_place() {
    let text = r#"<ProcessList id="x" compCLFversion="3">
        <Matrix inBitDepth="32f" outBitDepth="32f"><Array dim="3 3">1 0 0 0 1 0 0 0 1</Array></Matrix>
        <Range inBitDepth="32f" outBitDepth="32f"><minInValue>zero</minInValue></Range>
        </ProcessList>"#;
    let fault = Clf::parse(text.as_bytes()).unwrap_err();
    assert!(fault.message.contains("zero"), "{fault}");
    assert_eq!(fault.place.as_deref(), Some("ProcessList/Range[2]: minInValue"));
}
