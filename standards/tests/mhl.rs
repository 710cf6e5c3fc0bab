//! ASC MHL against histories that the reference tool made, sound and damaged.
//! The fixtures are a part of the cases; where the whole set stands beside the
//! repository, all of it runs.

use platefarm_model::{Code, Timestamp};
use platefarm_standards::mhl::{
    self, Author, CHAIN_FILE, Checked, Creator, DIRECTORY, Entry, Format, Found, FoundFile, Hasher,
    HistoryFiles, Kind, Manifest, Problem, Process, Run, Seal, Sealed, append, check,
    check_directories, needed, seal, wanted,
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
                self.found.files.push(FoundFile {
                    path: relative,
                    size: bytes.len() as u64,
                    modified: None,
                    digests: hasher.finish(),
                });
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

    fn check(&self) -> Checked {
        check(&self.files(), &self.found)
    }

    fn check_directories(&self) -> Vec<Problem> {
        check_directories(&self.files(), &self.found).unwrap()
    }
}

struct Case {
    name: String,
    tree: Tree,
    problems: BTreeSet<String>,
    /// Name of the directory that the history seals.
    folder: String,
    json: Value,
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
                folder: case["root"].as_str().unwrap().rsplit('/').next().unwrap().to_owned(),
                json: case,
            });
        }
    }
    assert!(all.len() >= 10);
    all
}

/// Problems in the words of the verdicts.
fn words(problems: &[Problem]) -> BTreeSet<String> {
    mhl::words(problems).into_iter().collect()
}

#[test]
fn verdicts_are_the_specifications() {
    for case in cases() {
        let checked = case.tree.check();
        assert_eq!(words(&checked.problems), case.problems, "{}: {checked:#?}", case.name);
        // The reference tool's exit code, where it says the same thing.
        let verdict = &case.json["spec_verdict"];
        let rc = case.json["reference"]["verify"]["rc"].as_u64();
        let code = mhl::exit_code(&checked.problems);
        if let Some(rc) = rc.filter(|_| verdict["reference_verify_agrees"] == true) {
            assert_eq!(u64::from(code), rc, "{}", case.name);
        }
        assert_eq!(code == 0, verdict["result"] == "pass", "{}", case.name);
    }
}

/// What is right and ought to be known.
#[test]
fn what_came_and_does_no_harm_is_noticed() {
    let all = cases();
    for (name, places) in
        [("f15-empty-dir-added", 1), ("f25-nested-card-added", 1), ("v06-nested-two-cards", 0)]
    {
        for case in all.iter().filter(|case| case.name == name) {
            let checked = case.tree.check();
            assert_eq!(checked.notices.len(), places, "{name}: {:?}", checked.notices);
        }
    }
}

/// The generation that the reference tool added to each case, made by us: files with their sizes,
/// hashes and actions, directory hashes, references, patterns.
#[test]
fn generations_are_the_reference_tools() {
    let mut compared = 0;
    for case in cases() {
        let create = &case.json["reference"]["create"];
        let Some(expected) = create["new_generations"].as_object().filter(|m| !m.is_empty()) else {
            continue;
        };
        let words: Vec<&str> = create["cmd"].as_str().unwrap().split(' ').collect();
        let formats: Vec<Format> = words
            .windows(2)
            .filter(|w| w[0] == "-h")
            .map(|w| Format::parse(w[1]).unwrap())
            .collect();
        let run = Run {
            folder: &case.folder,
            created: CREATED,
            creator: creator(),
            process: Process::InPlace,
            formats: &formats,
            ignore: &[],
            directories: true,
            renames: words.contains(&"-dr"),
            only: &[],
        };
        let files = case.tree.files();
        let needs = needed(&files, &case.tree.found, &run);
        let mut found = case.tree.found.clone();
        for file in &mut found.files {
            let formats = needs.get(&file.path).map_or(&[] as &[Format], Vec::as_slice);
            file.digests.retain(|digest| formats.contains(&digest.format()));
        }
        let appended = append(&files, &found, &run).unwrap();
        if appended.generations.is_empty() {
            // Nothing is added to a history that is damaged; the reference tool adds to some.
            assert!(appended.problems.iter().any(|p| p.kind.is_of_history()), "{}", case.name);
            continue;
        }
        if appended.problems.iter().any(|p| p.kind == Kind::Unclear) {
            // We compare the bytes of a value, the reference tool its text.
            continue;
        }
        let rc = create["rc"].as_u64().unwrap() as u8;
        // A directory of a file's name is found there, and counts as the file.
        if case.name != "f11-file-became-directory" {
            assert_eq!(mhl::exit_code(&appended.problems), rc, "{}: {appended:?}", case.name);
        }
        assert_eq!(appended.generations.len(), expected.len(), "{}", case.name);
        for made in &appended.generations {
            let root = if made.root.is_empty() { "." } else { &made.root };
            let theirs = expected[root].as_array().unwrap().last().unwrap();
            let (manifest, faults) = Manifest::parse(made.manifest.as_bytes());
            assert_eq!(faults, [], "{}", case.name);
            compare_generation(&case.name, &manifest.unwrap(), theirs);
            let name = theirs["file"].as_str().unwrap().split("<TS>").next().unwrap().to_owned();
            assert!(made.name.starts_with(&name), "{}: {} {name}", case.name, made.name);
        }
        compared += 1;
    }
    // The fixtures of the crate alone do not say what the reference tool made.
    assert!(compared >= 30 || directories().len() == 1, "{compared}");
}

fn compare_generation(case: &str, ours: &Manifest, theirs: &Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let files: BTreeSet<(String, Option<u64>, Vec<String>)> = ours
        .files()
        .map(|file| {
            let entries = file.digests.iter().map(|d| {
                let action = format!("{:?}", d.action.unwrap()).to_lowercase();
                format!("{} {} {action}", d.digest.format().name(), d.digest)
            });
            (file.path.clone(), file.size, entries.collect())
        })
        .collect();
    let expected: BTreeSet<(String, Option<u64>, Vec<String>)> = theirs["hashes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| {
            let entries = file["entries"].as_array().unwrap().iter();
            let entry = |e: &Value| format!("{} {} {}", text(&e[0]), text(&e[1]), text(&e[2]));
            // An empty file has no size there.
            let size = file["size"].as_str().map_or(0, |size| size.parse().unwrap());
            (text(&file["path"]), Some(size), entries.map(entry).collect())
        })
        .collect();
    assert_eq!(files, expected, "{case}");
    let tree = |content: &Value, structure: &Value| -> BTreeSet<String> {
        let all = content.as_object().into_iter().flatten();
        all.map(|(format, value)| {
            format!("{format} {} {}", text(value), text(&structure[format.as_str()]))
        })
        .collect()
    };
    let own = |pairs: &[mhl::TreeDigest]| -> BTreeSet<String> {
        let pair = |p: &mhl::TreeDigest| {
            format!("{} {} {}", p.content.format().name(), p.content, p.structure)
        };
        pairs.iter().map(pair).collect()
    };
    let root = &theirs["root"];
    assert_eq!(own(&ours.root), tree(&root["content"], &root["structure"]), "{case}");
    let directories: BTreeSet<_> =
        ours.directories().map(|d| (d.path.clone(), own(&d.digests))).collect();
    let expected: BTreeSet<_> = theirs["directories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| (text(&d["path"]), tree(&d["content"], &d["structure"])))
        .collect();
    assert_eq!(directories, expected, "{case}");
    let ignore: Vec<String> = theirs["ignore"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(ours.ignore, ignore, "{case}");
    assert_eq!(ours.references.len(), theirs["references"].as_array().unwrap().len(), "{case}");
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
    for (name, word) in [
        ("h11-consistent-forgery", "directory_modified:"),
        ("f15-empty-dir-added", "directory_modified:."),
    ] {
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
            tree.files.push(FoundFile { digests: digests.cloned().collect(), ..file.clone() });
        }
        assert_eq!(check(&case.tree.files(), &tree).problems, []);
        tree.files[0].digests.clear();
        assert_eq!(check(&case.tree.files(), &tree).problems[0].kind, Kind::Modified);
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
    FoundFile {
        path: path.into(),
        size: content.len() as u64,
        modified: None,
        digests: vec![Format::Xxh128.of(content.as_bytes())],
    }
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
    assert_eq!(check(&history, &there).problems, []);
    assert_eq!(check_directories(&history, &there).unwrap(), []);

    there.files[0] = found("report.json", "x");
    there.files[1].path = "a/B.exr".into();
    there.directories.pop();
    let expected = ["modified:report.json", "missing:a/b.exr", "new:a/B.exr", "missing:empty"];
    let got = words(&check(&history, &there).problems);
    assert_eq!(got, expected.into_iter().map(str::to_owned).collect());

    let touched = sealed.manifest.replace("report.json", "report.jsom");
    let mut history = files_of(&sealed);
    history.manifests[0].1 = touched.as_bytes();
    let problems = check(&[history], &there).problems;
    assert!(problems.iter().any(|p| p.word() == "manifest_modified:1"), "{problems:?}");
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let good = entry("a", "1");
    for path in ["/a", "../a", "a/../b", "a//b", "", "a\u{1}"] {
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

/// What libxml2 says of a document by one of the official schemas. Needs
/// `xmllint` (Debian: libxml2-utils) and fails without it.
fn lint(schema: &str, text: &str) -> (bool, String) {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mhl/schema");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("document.xml");
    std::fs::write(&file, text).unwrap();
    let output = std::process::Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([&schemas.join(schema), &file])
        .output()
        .expect("xmllint is needed: install libxml2-utils");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_seal_is_valid_by_the_schemas() {
    let full = Creator {
        authors: vec![
            Author { name: "A & B".into(), email: Some("a@b.c".into()), ..Author::default() },
            Author {
                name: "C".into(),
                phone: Some("1".into()),
                role: Some("DIT".into()),
                email: None,
            },
        ],
        location: Some("Berlin".into()),
        comment: Some("<none>".into()),
        ..creator()
    };
    for (entries, creator) in
        [(vec![entry("a/b & c.exr", "1"), entry("d", "")], full), (vec![], creator())]
    {
        let sealed = seal(&entries, &Seal { creator, ..sealing(&[]) }).unwrap();
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

/// Every format at once, asked for in another order than the schema's; then a second generation
/// with a file that was renamed, which the reference tool knows by its `original` hash.
#[test]
fn generations_of_every_format_are_valid_by_the_schema() {
    let reversed: Vec<Format> = Format::ALL.into_iter().rev().collect();
    let mut run = Run {
        folder: "card",
        created: CREATED,
        creator: creator(),
        process: Process::InPlace,
        formats: &reversed,
        ignore: &[],
        directories: true,
        renames: true,
        only: &[],
    };
    let file = |path: &str, content: &str| FoundFile {
        path: path.into(),
        size: content.len() as u64,
        modified: Some(CREATED),
        digests: Format::ALL.iter().map(|format| format.of(content.as_bytes())).collect(),
    };
    let mut found =
        Found { files: vec![file("a/b", "1"), file("c", "")], directories: vec!["e".into()] };
    let first = append(&[], &found, &run).unwrap().generations.remove(0);
    let (valid, words) = lint("ASCMHL.xsd", &first.manifest);
    assert!(valid, "{words}\n{}", first.manifest);
    let history = [HistoryFiles {
        root: "",
        chain: Some(first.chain.as_bytes()),
        manifests: vec![(&first.name, first.manifest.as_bytes())],
    }];
    found.files[0] = file("a/moved", "1");
    run.formats = &[Format::Xxh64, Format::C4];
    let second = append(&history, &found, &run).unwrap();
    assert_eq!(second.renamed, [("a/moved".to_owned(), "a/b".to_owned())]);
    let second = &second.generations[0];
    let (valid, words) = lint("ASCMHL.xsd", &second.manifest);
    assert!(valid, "{words}\n{}", second.manifest);
    let (manifest, _) = Manifest::parse(second.manifest.as_bytes());
    let manifest = manifest.unwrap();
    let moved = manifest.files().find(|file| file.path == "a/moved").unwrap();
    assert_eq!(moved.previous_path.as_deref(), Some("a/b"));
    assert!(moved.digests.iter().all(|d| d.action == Some(mhl::Action::Original)));
}

proptest! {
    #[test]
    fn any_tree_that_seals_verifies(
        paths in prop::collection::btree_set("[a-c]{1,2}(/[a-c é&<]{0,3}[a-c]){0,3}", 0..12),
    ) {
        let entries: Vec<Entry> = paths.iter().map(|path| entry(path, path)).collect();
        // Only a path that is both a file and a directory cannot be sealed.
        if let Ok(sealed) = seal(&entries, &sealing(&[])) {
            let there = Found {
                files: paths.iter().map(|path| found(path, path)).collect(),
                directories: Vec::new(),
            };
            let history = [files_of(&sealed)];
            prop_assert_eq!(check(&history, &there).problems, []);
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
        // White space between the elements of a chain says nothing; a manifest is sealed to the byte.
        let said = |bytes: &[u8]| mhl::Chain::parse(bytes).ok();
        let unchanged =
            said(&chain) == said(sealed.chain.as_bytes()) && manifest == sealed.manifest.as_bytes();
        let problems = check(std::slice::from_ref(&history), &there).problems;
        prop_assert_eq!(problems.is_empty(), unchanged);
    }
}
