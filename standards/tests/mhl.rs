//! ASC MHL against histories that the reference tool made, sound and damaged.
//! The fixtures are a part of the cases; where the whole set stands beside the
//! repository, all of it runs.

use platefarm_model::{Code, Fault, Timestamp};
use platefarm_standards::mhl::{
    CHAIN_FILE, Creator, DIRECTORY, Entry, Format, Found, FoundFile, Hasher, HistoryFiles,
    Manifest, Process, Seal, Sealed, check, check_directories, seal, wanted,
};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn directories() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let whole_set = here.join("../../shared/data/mhl/given");
    let mut all = vec![here.join("tests/fixtures/mhl")];
    all.extend(whole_set.is_dir().then_some(whole_set));
    all
}

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

/// A tree on disk, read whole: the cases are small.
#[derive(Default)]
struct Tree {
    found: Found,
    /// Root, chain and manifests of each.
    histories: Vec<(String, Option<Vec<u8>>, Files)>,
}

impl Tree {
    fn read(root: &Path, empty: &[String]) -> Self {
        let mut tree = Self::default();
        tree.walk(root, "");
        tree.found.directories.extend(empty.iter().cloned());
        tree
    }

    fn walk(&mut self, dir: &Path, at: &str) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let relative = if at.is_empty() { name.clone() } else { format!("{at}/{name}") };
            if path.is_dir() && name == DIRECTORY {
                self.history(&path, at);
            } else if path.is_dir() {
                self.found.directories.push(relative.clone());
                self.walk(&path, &relative);
            } else {
                let mut hasher = Hasher::new(&Format::ALL);
                // In two pieces, as a reader would.
                let bytes = std::fs::read(&path).unwrap();
                let (first, second) = bytes.split_at(bytes.len() / 2);
                hasher.update(first);
                hasher.update(second);
                self.found.files.push(FoundFile { path: relative, digests: hasher.finish() });
            }
        }
    }

    fn history(&mut self, dir: &Path, at: &str) {
        let mut manifests = Vec::new();
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if name.ends_with(".mhl") {
                manifests.push((name, std::fs::read(&path).unwrap()));
            }
        }
        self.histories.push((at.to_owned(), std::fs::read(dir.join(CHAIN_FILE)).ok(), manifests));
    }

    fn files(&self) -> Vec<HistoryFiles<'_>> {
        self.histories
            .iter()
            .map(|(root, chain, manifests)| HistoryFiles {
                root,
                chain: chain.as_deref(),
                manifests: manifests.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect(),
            })
            .collect()
    }

    fn check(&self) -> Vec<Fault> {
        check(&self.files(), &self.found)
    }

    fn check_directories(&self) -> Vec<Fault> {
        check_directories(&self.files(), &self.found).unwrap()
    }
}

struct Case {
    name: String,
    tree: Tree,
    problems: BTreeSet<String>,
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for dir in directories() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let dir = entry.unwrap().path();
            let Ok(text) = std::fs::read(dir.join("case.json")) else { continue };
            let case: Value = serde_json::from_slice(&text).unwrap();
            let strings = |value: &Value| -> Vec<String> {
                value.as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()).collect()
            };
            let root = dir.join(case["root"].as_str().unwrap());
            let verdict = &case["spec_verdict"];
            let problems: BTreeSet<String> = strings(&verdict["problems"]).into_iter().collect();
            assert_eq!(problems.is_empty(), verdict["result"] == "pass");
            all.push(Case {
                name: dir.file_name().unwrap().to_str().unwrap().to_owned(),
                tree: Tree::read(&root, &strings(&case["empty_dirs"])),
                problems,
            });
        }
    }
    assert!(all.len() >= 10);
    all
}

/// Our faults in the words of the verdicts; all that is wrong with a history is one word.
fn words(faults: &[Fault]) -> BTreeSet<String> {
    let word = |fault: &Fault| {
        let path = fault.place.clone().unwrap_or_default();
        match fault.code {
            Code::HashMismatch => format!("modified:{path}"),
            Code::MissingFiles => format!("missing:{path}"),
            Code::ExtraFiles => format!("new:{path}"),
            Code::BadManifest => "history".to_owned(),
            other => panic!("{other}"),
        }
    };
    faults.iter().map(word).collect()
}

#[test]
fn verdicts_are_the_specifications() {
    for case in cases() {
        let faults = case.tree.check();
        let mut expected: BTreeSet<String> = BTreeSet::new();
        for problem in &case.problems {
            match problem.split_once(':') {
                // Upper-case and padded values: the bytes are compared, they are the same.
                _ if problem == "modified?" => {}
                Some(("new", path)) if path.ends_with("/**") => {
                    let below = path.trim_end_matches("**");
                    let files = case.tree.found.files.iter().map(|file| &file.path);
                    expected
                        .extend(files.filter(|p| p.starts_with(below)).map(|p| format!("new:{p}")));
                }
                Some(("modified" | "missing" | "new", _)) => {
                    expected.insert(problem.clone());
                }
                _ => {
                    expected.insert("history".to_owned());
                }
            }
        }
        assert_eq!(words(&faults), expected, "{}: {faults:#?}", case.name);
    }
}

/// Every directory hash of the reference tool, in all six formats, is reproduced.
#[test]
fn directory_hashes_are_the_reference_tools() {
    let mut formats = BTreeSet::new();
    for case in cases() {
        if case.name.starts_with('v') {
            let faults = case.tree.check_directories();
            assert!(faults.is_empty(), "{}: {faults:#?}", case.name);
            for (_, _, manifests) in &case.tree.histories {
                let last = manifests.iter().max_by_key(|(name, _)| name).unwrap();
                let (manifest, _) = Manifest::parse(&last.1);
                formats.extend(manifest.unwrap().root.iter().map(|pair| pair.content.format()));
            }
        }
    }
    assert!(formats.len() >= 2, "{formats:?}");
}

/// What hashes of single files cannot see.
#[test]
fn directory_hashes_find_a_forgery_and_an_empty_directory() {
    for (name, word) in
        [("h11-consistent-forgery", "modified:"), ("f15-empty-dir-added", "modified:.")]
    {
        for case in cases().iter().filter(|case| case.name == name) {
            let faults = case.tree.check_directories();
            assert!(words(&faults).iter().any(|w| w.starts_with(word)), "{name}: {faults:?}");
        }
    }
}

#[test]
fn the_formats_to_hash_in_are_told() {
    for case in cases().iter().filter(|case| case.name == "v16-twelve-generations") {
        let wanted = wanted(&case.tree.files());
        let formats: BTreeSet<Format> = wanted.values().flatten().copied().collect();
        assert!(formats.len() > 1, "{formats:?}");
        // Hashing in one of them is enough; in none is a mismatch.
        let mut tree = Found::default();
        for file in &case.tree.found.files {
            let digests = file.digests.iter().filter(|d| wanted[&file.path][0] == d.format());
            tree.files
                .push(FoundFile { path: file.path.clone(), digests: digests.cloned().collect() });
        }
        assert_eq!(check(&case.tree.files(), &tree), []);
        tree.files[0].digests.clear();
        assert_eq!(check(&case.tree.files(), &tree)[0].code, Code::HashMismatch);
    }
}

/// A manifest that is read and written is the same manifest.
#[test]
fn manifests_survive_a_round_trip() {
    let mut read = 0;
    for case in cases().iter().filter(|case| case.name.starts_with('v')) {
        for (_, _, manifests) in &case.tree.histories {
            for (name, bytes) in manifests {
                let (manifest, faults) = Manifest::parse(bytes);
                assert!(faults.is_empty(), "{} {name}: {faults:?}", case.name);
                let manifest = manifest.unwrap();
                let (again, faults) = Manifest::parse(manifest.to_xml().as_bytes());
                assert!(faults.is_empty(), "{faults:?}");
                assert_eq!(again.unwrap(), manifest, "{} {name}", case.name);
                read += 1;
            }
        }
    }
    assert!(read >= 16, "{read}");
}

const CREATED: Timestamp = Timestamp(1_795_230_000_000_000);

fn creator() -> Creator {
    Creator {
        host: "render & 1".into(),
        tool: ("platefarm".into(), Some("0.1.0".into())),
        ..Creator::default()
    }
}

fn sealing(directories: &[String]) -> Seal<'_> {
    Seal {
        folder: "package",
        created: CREATED,
        creator: creator(),
        process: Process::InPlace,
        directories,
        ignore: &[],
    }
}

fn entry(path: &str, content: &str) -> Entry {
    Entry {
        path: path.into(),
        size: content.len() as u64,
        modified: Some(CREATED),
        xxh128: Format::Xxh128.of(content.as_bytes()).to_string(),
    }
}

fn found(path: &str, content: &str) -> FoundFile {
    FoundFile { path: path.into(), digests: vec![Format::Xxh128.of(content.as_bytes())] }
}

fn files_of(sealed: &Sealed) -> HistoryFiles<'_> {
    HistoryFiles {
        root: "",
        chain: Some(sealed.chain.as_bytes()),
        manifests: vec![(&sealed.manifest_name, sealed.manifest.as_bytes())],
    }
}

#[test]
fn what_is_sealed_verifies_and_what_is_changed_does_not() {
    let entries = [
        entry("report.json", "r"),
        entry("a/b.exr", "1"),
        entry("a/c&d é.exr", "2"),
        entry(".DS_Store", ""),
    ];
    let directories = ["empty".to_owned()];
    let sealed = seal(&entries, &sealing(&directories)).unwrap();
    assert_eq!(sealed.manifest_name, "0001_package_2026-11-21_030000Z.mhl");
    let history = [files_of(&sealed)];
    let mut there = Found {
        files: vec![found("report.json", "r"), found("a/b.exr", "1"), found("a/c&d é.exr", "2")],
        directories: vec!["a".into(), "empty".into()],
    };
    assert_eq!(check(&history, &there), []);
    assert_eq!(check_directories(&history, &there).unwrap(), []);

    there.files[0] = found("report.json", "x");
    there.files[1].path = "a/B.exr".into();
    there.directories.pop();
    let expected = ["modified:report.json", "missing:a/b.exr", "new:a/B.exr", "missing:empty"];
    let got = words(&check(&history, &there));
    assert_eq!(got, expected.into_iter().map(str::to_owned).collect());

    let touched = sealed.manifest.replace("report.json", "report.jsom");
    let mut history = files_of(&sealed);
    history.manifests[0].1 = touched.as_bytes();
    let faults = check(&[history], &there);
    assert!(faults.iter().any(|f| f.code == Code::BadManifest && f.message.contains("chain")));
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let good = entry("a", "1");
    for path in ["/a", "../a", "a/../b", "a//b", "", "a\u{1}", " a"] {
        let fault = seal(&[entry(path, "")], &sealing(&[])).unwrap_err();
        assert_eq!(fault.code, Code::BadManifest, "{path:?}");
    }
    assert!(seal(&[good.clone(), good.clone()], &sealing(&[])).is_err(), "twice");
    assert!(seal(&[good.clone(), entry("a/b", "")], &sealing(&[])).is_err(), "file and directory");
    let short = Entry { xxh128: "12".into(), ..good.clone() };
    assert!(seal(&[short], &sealing(&[])).is_err(), "hash");
    let folder = Seal { folder: "a/b", ..sealing(&[]) };
    assert!(seal(&[good], &folder).is_err(), "folder");
}

/// Values that the reference tool (ascmhl 1.2, `create -v`) printed for the same tree.
#[test]
fn directory_hashes_of_a_seal_are_the_reference_tools() {
    let entries = [
        entry("plates/A_010/A_010.1001.exr", "one"),
        entry("plates/A_010/A_010.1002.exr", "two"),
        entry("plates/Z/z.exr", ""),
        entry("report.json", "{}"),
    ];
    let sealed = seal(&entries, &sealing(&["empty".to_owned()])).unwrap();
    let (manifest, faults) = Manifest::parse(sealed.manifest.as_bytes());
    assert_eq!(faults, []);
    let manifest = manifest.unwrap();
    let mut pairs: Vec<(&str, String, String)> = manifest
        .directories()
        .map(|directory| (directory.path.as_str(), &directory.digests[0]))
        .chain([("", &manifest.root[0])])
        .map(|(path, pair)| (path, pair.content.to_string(), pair.structure.to_string()))
        .collect();
    pairs.sort();
    let printed = [
        ("", "cc026df90c689c9304ca20369be9cca3", "af761901e1915eb6d8276829d7fc469e"),
        ("empty", "99aa06d3014798d86001c324468d497f", "99aa06d3014798d86001c324468d497f"),
        ("plates", "c584eb583554b12c4e4410f6c2a7580c", "506e93fe69d77dfaaf52cb241cd941d9"),
        ("plates/A_010", "40a6a4546ba9b372d3e1fc517d8dc590", "790257766c537496c6aee137746d3fb5"),
        ("plates/Z", "88dffc9e4422ed4caabe9acf44c07a05", "c65d275a5a0524c82bde498a7f03c232"),
    ];
    assert_eq!(pairs, printed.map(|(path, c, s)| (path, c.to_owned(), s.to_owned())));
}

/// Both files are valid by the official schemas, judged by libxml2. Needs
/// `xmllint` (Debian: libxml2-utils) and fails without it.
#[test]
fn a_seal_is_valid_by_the_schemas() {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mhl/schema");
    let dir = tempfile::tempdir().unwrap();
    let full = Creator {
        author: Some(("A & B".into(), Some("a@b.c".into()))),
        location: Some("Berlin".into()),
        comment: Some("<none>".into()),
        ..creator()
    };
    for (entries, creator) in
        [(vec![entry("a/b & c.exr", "1"), entry("d", "")], full), (vec![], creator())]
    {
        let sealed = seal(&entries, &Seal { creator, ..sealing(&[]) }).unwrap();
        let lint = |schema: &str, text: &str| {
            let file = dir.path().join("document.xml");
            std::fs::write(&file, text).unwrap();
            let output = std::process::Command::new("xmllint")
                .args(["--nonet", "--noout", "--schema"])
                .args([&schemas.join(schema), &file])
                .output()
                .expect("xmllint is needed: install libxml2-utils");
            (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        for (schema, text) in
            [("ASCMHL.xsd", &sealed.manifest), ("ASCMHLDirectory.xsd", &sealed.chain)]
        {
            let (valid, words) = lint(schema, text);
            assert!(valid, "{words}\n{text}");
            let broken = text.replacen("path>", "pfad>", 2).replacen("process>", "prozess>", 2);
            assert!(!lint(schema, &broken).0, "the judge can say no");
        }
    }
}

proptest! {
    #[test]
    fn any_tree_that_seals_verifies(
        paths in prop::collection::btree_set("[a-c]{1,2}(/[a-c é&<]{0,3}[a-c]){0,3}", 0..12),
    ) {
        let entries: Vec<Entry> = paths.iter().map(|path| entry(path, path)).collect();
        // Only a path that is both a file and a directory, or blank at an end, cannot be sealed.
        if let Ok(sealed) = seal(&entries, &sealing(&[])) {
            let there = Found {
                files: paths.iter().map(|path| found(path, path)).collect(),
                directories: Vec::new(),
            };
            let history = [files_of(&sealed)];
            prop_assert_eq!(check(&history, &there), []);
            prop_assert_eq!(check_directories(&history, &there).unwrap(), []);
        }
    }

    #[test]
    fn no_manifest_or_chain_panics(cut in 0usize..2000, flip in 0usize..2000, to in any::<u8>()) {
        let sealed = seal(&[entry("a/b", "1"), entry("c", "2")], &sealing(&[])).unwrap();
        let damage = |text: &str| {
            let mut bytes = text.as_bytes().to_vec();
            let at = flip % bytes.len();
            bytes[at] = to;
            bytes.truncate(cut.max(1));
            bytes
        };
        let (chain, manifest) = (damage(&sealed.chain), damage(&sealed.manifest));
        let history = HistoryFiles {
            root: "",
            chain: Some(&chain),
            manifests: vec![(&sealed.manifest_name, &manifest)],
        };
        let there = Found { files: vec![found("a/b", "1"), found("c", "2")], directories: vec![] };
        let unchanged = chain == sealed.chain.as_bytes() && manifest == sealed.manifest.as_bytes();
        prop_assert_eq!(check(std::slice::from_ref(&history), &there).is_empty(), unchanged);
    }
}
