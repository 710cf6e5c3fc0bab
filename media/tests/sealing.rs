//! Directories sealed and held against their seal; the reference tool's own
//! histories where the shared data is there.

use platefarm_media::mhl::{self, SealMeta, verify};
use platefarm_model::{Code, Outcome, Timestamp};
use platefarm_standards::mhl::Creator;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn meta() -> SealMeta {
    SealMeta {
        created: Timestamp(1_790_000_000_000_000),
        creator: Creator {
            date: String::new(),
            host: "node".into(),
            tool: ("platefarm".into(), Some("0.1.0".into())),
            author: None,
            location: None,
            comment: None,
        },
    }
}

/// Seals, and returns the manifest.
fn seal(root: &Path) -> Outcome<PathBuf> {
    let staging = root.join(".platefarm/t9");
    fs::create_dir_all(&staging).unwrap();
    mhl::seal(root, &staging, &meta(), &HashMap::new())?;
    fs::remove_dir_all(&staging).unwrap();
    let files = fs::read_dir(root.join("ascmhl")).unwrap().flatten().map(|entry| entry.path());
    Ok(files.into_iter().find(|path| path.extension().is_some_and(|e| e == "mhl")).unwrap())
}

fn package() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("A_010/frames")).unwrap();
    fs::create_dir_all(root.join(".platefarm/t1")).unwrap();
    fs::create_dir_all(root.join("empty")).unwrap();
    for frame in 1001..1010 {
        let name = format!("A_010/frames/A_010.{frame}.exr");
        fs::write(root.join(name), frame.to_string().repeat(1000)).unwrap();
    }
    fs::write(root.join("report.json"), "{}").unwrap();
    fs::write(root.join(".platefarm/t1/staged"), "not delivered").unwrap();
    dir
}

fn codes(dir: &Path) -> Vec<Code> {
    verify(dir).into_iter().map(|f| f.code).collect()
}

#[test]
fn what_was_sealed_verifies_and_what_changed_does_not() {
    let dir = package();
    let root = dir.path();
    assert_eq!(codes(root), [Code::BadManifest], "no history yet");
    let manifest = seal(root).unwrap();
    let text = fs::read_to_string(&manifest).unwrap();
    assert!(text.contains("A_010/frames/A_010.1001.exr") && !text.contains("staged"));
    assert_eq!(verify(root), []);
    assert_eq!(seal(root).unwrap(), manifest, "a second seal changes nothing");
    assert_eq!(fs::read_to_string(&manifest).unwrap(), text);

    let frame = root.join("A_010/frames/A_010.1004.exr");
    let whole = fs::read(&frame).unwrap();
    fs::write(&frame, "changed").unwrap();
    assert_eq!(codes(root), [Code::HashMismatch]);
    assert!(verify(root)[0].place.as_deref().unwrap().contains("A_010.1004.exr"));
    fs::remove_file(&frame).unwrap();
    assert_eq!(codes(root), [Code::MissingFiles]);
    fs::write(&frame, whole).unwrap();
    fs::write(root.join("A_010/extra.txt"), "x").unwrap();
    assert_eq!(codes(root), [Code::ExtraFiles]);
    fs::remove_file(root.join("A_010/extra.txt")).unwrap();
    assert_eq!(verify(root), []);
    fs::write(&manifest, text.replace("1004", "1005")).unwrap();
    assert!(codes(root).contains(&Code::BadManifest), "the chain knows its manifests");
}

#[test]
fn a_seal_that_was_interrupted_is_made_anew() {
    let dir = package();
    fs::create_dir(dir.path().join("ascmhl")).unwrap();
    fs::write(dir.path().join("ascmhl/0001_half.mhl"), "<hash").unwrap();
    seal(dir.path()).unwrap();
    assert_eq!(verify(dir.path()), []);
    assert!(!dir.path().join("ascmhl/0001_half.mhl").exists());
}

/// Histories of the reference tool (ascmhl 1.2), sound and damaged, with the verdict of the
/// specification's text. They lie beside the repository, not in it.
#[test]
fn histories_of_the_reference_tool_get_the_specifications_verdict() {
    let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/mhl/given");
    let Ok(cases) = fs::read_dir(&given) else {
        eprintln!("the shared histories are not here; the tests above stand alone");
        return;
    };
    // Directory hashes find here what hashes of files alone cannot.
    let found_by_directories =
        ["f15-empty-dir-added", "f25-nested-card-added", "h11-consistent-forgery"];
    // Upper-case digits and white space around them: the same hash; the cases leave the choice open.
    let accepted = ["h15-hash-uppercase", "h16-hash-whitespace"];
    let (mut checked, mut wrong) = (0, Vec::new());
    for case in cases.flatten() {
        let Ok(json) = fs::read(case.path().join("case.json")) else { continue };
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        let copy = tempfile::tempdir().unwrap();
        let root = json["root"].as_str().unwrap();
        let dir = copy.path().join(root);
        copy_tree(&case.path().join(root), &dir);
        for empty in json["empty_dirs"].as_array().into_iter().flatten() {
            fs::create_dir_all(dir.join(empty.as_str().unwrap())).unwrap();
        }
        let name = case.file_name().into_string().unwrap();
        let passes = json["spec_verdict"]["result"] == "pass";
        let sound = accepted.contains(&name.as_str())
            || passes && !found_by_directories.contains(&name.as_str());
        let faults = verify(&dir);
        if faults.is_empty() != sound {
            wrong.push(format!("{name}: {faults:?}"));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 40, "only {checked} cases");
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
