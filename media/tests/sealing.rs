//! Directories sealed and held against their seal; the reference tool's own
//! histories where the shared data is there.

use platefarm_media::hash::xxh128;
use platefarm_media::mhl::{
    self, CreateOptions, Created, Known, Prepared, Scope, SealMeta, examine, verify,
};
use platefarm_model::{Code, Outcome, Timestamp};
use platefarm_standards::mhl::{Creator, Format, Manifest, exit_code, words};
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

fn meta() -> SealMeta {
    SealMeta {
        created: Timestamp(1_790_000_000_000_000),
        creator: Creator {
            host: "node".into(),
            tool: ("platefarm".into(), Some("0.1.0".into())),
            ..Creator::default()
        },
    }
}

/// Adds a generation `minutes` after the first.
fn create(root: &Path, minutes: i64, formats: &[Format], renames: bool) -> Created {
    let SealMeta { created, creator } = meta();
    let options = CreateOptions {
        formats: formats.to_vec(),
        ignore: Vec::new(),
        directories: true,
        renames,
        only: Vec::new(),
        creator,
        created: created.plus_millis(minutes * 60_000),
    };
    mhl::create(root, &options).unwrap()
}

/// What is wrong, in words, without directory hashes.
fn problems(root: &Path) -> Vec<String> {
    words(&examine(root, Scope::default()).problems)
}

/// A seal that has not its name yet.
fn prepare(root: &Path, known: &Known) -> Outcome<Prepared> {
    let staging = root.join(".platefarm/t9");
    fs::create_dir_all(&staging).unwrap();
    mhl::prepare(root, &staging, &meta(), known, &|_, _| ())
}

/// Seals, and returns the manifest.
fn seal(root: &Path) -> Outcome<PathBuf> {
    let prepared = prepare(root, &Known::default())?;
    assert_eq!(prepared.problems, []);
    prepared.publish()?;
    fs::remove_dir_all(root.join(".platefarm/t9")).unwrap();
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

/// What a look will read is the sum of the files that the manifests name.
#[test]
fn the_manifests_say_how_much_is_read() {
    let dir = package();
    assert_eq!(mhl::recorded_bytes(dir.path()), None, "no history");
    create(dir.path(), 0, &[Format::Xxh128], false);
    let manifest = mhl::info(dir.path()).0;
    let files: Vec<PathBuf> =
        manifest[0].generations[0].1.files().map(|file| dir.path().join(&file.path)).collect();
    assert!(files.len() >= 9, "{files:?}");
    let sizes = files.iter().map(|path| fs::metadata(path).unwrap().len()).sum();
    assert_eq!(mhl::recorded_bytes(dir.path()), Some(sizes));
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

/// What a file is meant to be is what is sealed; what it was when it was read back is held against
/// that, before there is a seal to be seen.
#[test]
fn a_seal_is_held_against_the_files_before_it_is_there() {
    let dir = package();
    let root = dir.path();
    let (name, staged) = ("report.json", root.join(".platefarm/t9/report.json"));
    let meant = |text: &str| Known {
        meant: [(name.to_owned(), xxh128(text.as_bytes()))].into(),
        ..Known::default()
    };
    assert_eq!(prepare(root, &meant("{}")).unwrap().problems, []);
    let wrong = prepare(root, &meant("{ }")).unwrap().problems;
    assert_eq!(wrong.iter().map(|fault| fault.code).collect::<Vec<_>>(), [Code::HashMismatch]);
    assert!(wrong[0].place.as_deref().is_some_and(|place| place.contains(name)), "{wrong:?}");
    // What is known to have been read is not read again.
    let found = Known { found: meant("{ }").meant, ..meant("{ }") };
    assert_eq!(prepare(root, &found).unwrap().problems, []);
    assert!(!root.join("ascmhl").exists(), "nothing has a name yet");
    // A file that comes with the seal is in it, as it will be.
    fs::write(&staged, "{ }").unwrap();
    let coming = Known { coming: [(name.to_owned(), staged.clone())].into(), ..meant("{ }") };
    let prepared = prepare(root, &coming).unwrap();
    assert_eq!(prepared.problems, []);
    prepared.publish().unwrap();
    assert_eq!(codes(root), [Code::HashMismatch], "it has not come");
    fs::rename(&staged, root.join(name)).unwrap();
    assert_eq!(verify(root), []);
}

/// What was read a moment ago is not read again, but it is held against the seal; a file that is
/// recorded with another hash is read for that.
#[test]
fn what_is_known_of_a_file_is_held_against_its_seal() {
    let dir = package();
    let root = dir.path();
    seal(root).unwrap();
    let name = "A_010/frames/A_010.1004.exr";
    let known = |text: &str| HashMap::from([(name.to_owned(), xxh128(text.as_bytes()))]);
    let whole = "1004".repeat(1000);
    assert_eq!(mhl::verify_known(root, &known(&whole)), []);
    let wrong = mhl::verify_known(root, &known("else"));
    assert_eq!(wrong.iter().map(|fault| fault.code).collect::<Vec<_>>(), [Code::HashMismatch]);
    // By its size it is the same; whoever was told its hash does not look.
    fs::write(root.join(name), "4001".repeat(1000)).unwrap();
    assert_eq!(mhl::verify_known(root, &known(&whole)), []);
    assert_eq!(codes(root), [Code::HashMismatch]);
    let sum = mhl::recorded_bytes(root).unwrap();
    assert_eq!(mhl::recorded_bytes_but(root, |path| path == name), Some(sum - 4000));
    fs::write(root.join(name), &whole).unwrap();
    create(root, 1, &[Format::Xxh128, Format::Md5], false);
    assert_eq!(mhl::verify_known(root, &known("else")), []);
}

/// The seal that is replaced goes where the new one lay, in one step. Whoever lost the lease while
/// it sealed, and its directory with that, replaces none.
#[test]
fn a_seal_is_replaced_by_whoever_still_works_here() {
    let dir = package();
    let root = dir.path();
    let first = fs::read(seal(root).unwrap()).unwrap();
    fs::write(root.join("A_010/notes.txt"), "more").unwrap();
    let late = prepare(root, &Known::default()).unwrap();
    fs::remove_dir_all(root.join(".platefarm/t9")).unwrap();
    prepare(root, &Known::default()).unwrap().publish().unwrap();
    assert_eq!(verify(root), []);
    let replaced = fs::read_dir(root.join(".platefarm/t9/ascmhl")).unwrap().flatten();
    let mut replaced = replaced.map(|entry| fs::read(entry.path()).unwrap());
    assert!(replaced.any(|bytes| bytes == first), "it is there until the new one is");
    fs::remove_dir_all(root.join(".platefarm/t9")).unwrap();
    assert!(late.publish().is_err());
    assert_eq!(verify(root), []);
}

/// Somebody runs `mhl create` while a package is sealed: what that made is not exchanged away.
#[test]
fn a_seal_replaces_the_history_that_was_read_and_no_other() {
    for sealed_before in [false, true] {
        let dir = package();
        let root = dir.path();
        if sealed_before {
            seal(root).unwrap();
            fs::write(root.join("A_010/notes.txt"), "more").unwrap();
        }
        let late = prepare(root, &Known::default()).unwrap();
        let made = create(root, 1, &[Format::Xxh128], false).appended.generations;
        let fault = late.publish().unwrap_err();
        assert_eq!(fault.code, Code::Overtaken, "{fault}");
        assert!(root.join("ascmhl").join(&made[0].name).exists());
        assert_eq!(verify(root), []);
    }
}

/// A chain that cannot be read is not one that is not there: nothing is put in its place.
#[cfg(unix)]
#[test]
fn a_history_that_cannot_be_read_is_not_replaced() {
    let dir = package();
    let root = dir.path();
    seal(root).unwrap();
    fs::write(root.join("A_010/notes.txt"), "more").unwrap();
    let (chain, aside) = (root.join("ascmhl/ascmhl_chain.xml"), root.join("ascmhl/aside"));
    fs::rename(&chain, &aside).unwrap();
    // A link to itself stands for the volume: nobody can read through it.
    std::os::unix::fs::symlink(&chain, &chain).unwrap();
    assert_eq!(prepare(root, &Known::default()).unwrap_err().code, Code::FileUnreadable);
    fs::remove_file(&chain).unwrap();
    fs::rename(&aside, &chain).unwrap();
    seal(root).unwrap();
    assert_eq!(verify(root), []);
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
        let found = examine(&dir, Scope::default());
        let verdict = &json["spec_verdict"];
        let expected: Vec<&str> =
            verdict["problems"].as_array().unwrap().iter().filter_map(|w| w.as_str()).collect();
        let (mut ours, mut theirs) = (words(&found.problems), expected.clone());
        ours.sort();
        theirs.sort_unstable();
        if ours != theirs || found.problems.is_empty() != (verdict["result"] == "pass") {
            wrong.push(format!("{name}: {ours:?}, expected {theirs:?}: {found:?}"));
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(checked > 40, "only {checked} cases");
}

/// The whole way of a card: sealed, verified in another format, renamed, changed, added to.
#[test]
fn a_history_grows_and_every_generation_verifies() {
    let dir = package();
    let root = dir.path();
    assert_eq!(problems(root), ["no_history"]);
    let first = create(root, 0, &[], false);
    assert_eq!((first.appended.new, first.appended.verified), (10, 0));
    assert_eq!(first.appended.problems, []);
    assert_eq!(problems(root), [""; 0]);
    assert_eq!(verify(root), [], "directory hashes too");

    // A new format beside the old one, which is what is verified.
    let second = create(root, 1, &[Format::Md5, Format::C4], false);
    assert_eq!((second.appended.new, second.appended.verified), (0, 10));
    let (manifest, faults) = Manifest::parse(second.appended.generations[0].manifest.as_bytes());
    assert_eq!(faults, []);
    let formats = |m: &Manifest| -> Vec<Format> {
        m.files().next().unwrap().digests.iter().map(|d| d.digest.format()).collect()
    };
    assert_eq!(formats(&manifest.unwrap()), [Format::C4, Format::Md5, Format::Xxh128]);
    assert_eq!(verify(root), []);

    // A rename is told; without that it is a file that went and one that came.
    fs::rename(root.join("report.json"), root.join("A_010/report.json")).unwrap();
    assert_eq!(problems(root), ["missing:report.json", "new:A_010/report.json"]);
    let third = create(root, 2, &[], true);
    let renamed = [("A_010/report.json".to_owned(), "report.json".to_owned())];
    assert_eq!(third.appended.renamed, renamed);
    assert_eq!(third.appended.problems, []);
    assert_eq!(problems(root), [""; 0]);

    // What is changed fails, is recorded as failed, and goes on failing.
    let frame = root.join("A_010/frames/A_010.1004.exr");
    let whole = fs::read(&frame).unwrap();
    fs::write(&frame, "changed").unwrap();
    let fourth = create(root, 3, &[Format::Xxh64], false);
    assert_eq!(words(&fourth.appended.problems), ["modified:A_010/frames/A_010.1004.exr"]);
    assert_eq!(exit_code(&fourth.appended.problems), 11);
    assert!(fourth.appended.generations[0].manifest.contains("action=\"failed\""));
    assert_eq!(problems(root), ["modified:A_010/frames/A_010.1004.exr"]);
    fs::write(&frame, whole).unwrap();
    assert_eq!(problems(root), [""; 0]);

    // What is missing is said, and the rest is recorded.
    fs::remove_file(root.join("A_010/report.json")).unwrap();
    let fifth = create(root, 4, &[], false);
    assert_eq!(words(&fifth.appended.problems), ["missing:A_010/report.json"]);
    assert_eq!(fifth.appended.generations[0].number, 5);
    assert!(!root.join(".platefarm/mhl-1").exists());
    let history = fs::read_dir(root.join("ascmhl")).unwrap().count();
    assert_eq!(history, 6, "five manifests and the chain");
}

/// A card inside has its own history; a run above adds to it and refers to it.
#[test]
fn histories_inside_get_their_own_generation() {
    let dir = package();
    let root = dir.path();
    create(&root.join("A_010"), 0, &[Format::Xxh64], false);
    let above = create(root, 1, &[Format::Xxh64], false);
    let roots: Vec<(&str, u64)> =
        above.appended.generations.iter().map(|g| (g.root.as_str(), g.number)).collect();
    assert_eq!(roots, [("A_010", 2), ("", 1)]);
    let outer = &above.appended.generations[1].manifest;
    assert!(outer.contains("A_010/ascmhl/0002_A_010_") && !outer.contains("frames"), "{outer}");
    assert_eq!(verify(root), []);
    // The child may go on alone: what the parent refers to is older, and that is allowed.
    create(&root.join("A_010"), 2, &[Format::Xxh64], false);
    assert_eq!(verify(root), []);
    fs::write(root.join("A_010/frames/A_010.1001.exr"), "x").unwrap();
    assert_eq!(problems(root), ["modified:A_010/frames/A_010.1001.exr"]);
}

/// Nothing is added to what is damaged, and nothing of it is touched.
/// `mhl create n3; mhl create n3/sub`: the outer history knows `sub/y` too, which is there.
#[test]
fn a_history_that_comes_later_inside_hides_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("a"), "a").unwrap();
    fs::write(root.join("sub/y"), "y").unwrap();
    create(root, 0, &[Format::Xxh128], true);
    create(&root.join("sub"), 1, &[Format::Md5], true);
    assert_eq!(problems(root), [""; 0]);
    // A file of the same content that comes is no renaming of one that is there.
    fs::write(root.join("b"), "y").unwrap();
    let more = create(root, 2, &[Format::Xxh128], true);
    assert_eq!((more.appended.renamed, more.appended.problems), (vec![], vec![]));
    assert_eq!(problems(root), [""; 0]);
    // What both know is told once, by either's hash.
    fs::write(root.join("sub/y"), "z").unwrap();
    assert_eq!(problems(root), ["modified:sub/y"]);
    fs::remove_file(root.join("sub/y")).unwrap();
    assert_eq!(problems(root), ["missing:sub/y"]);
}

/// A file that was damaged before its own history began is not what the outer one sealed.
#[test]
fn what_the_outer_history_knows_still_holds() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("sub/y"), "y").unwrap();
    create(root, 0, &[Format::Xxh128], true);
    fs::write(root.join("sub/y"), "z").unwrap();
    create(&root.join("sub"), 1, &[Format::Md5], true);
    assert_eq!(problems(root), ["modified:sub/y"]);
    for minutes in 2..4 {
        let again = create(root, minutes, &[Format::Sha1], true);
        assert_eq!(words(&again.appended.problems), ["modified:sub/y"]);
        assert_eq!(again.appended.verified, 0);
    }
    assert_eq!(problems(root), ["modified:sub/y"]);
}

/// A file that only the outer history knows, changed: no run of the inner one makes it an original,
/// so that it is told until it is what it was, and then no more.
#[test]
fn what_was_modified_is_told_in_every_run() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("sub/x"), "x").unwrap();
    fs::write(root.join("sub/y"), "y").unwrap();
    create(root, 0, &[Format::Xxh128], true);
    fs::remove_file(root.join("sub/y")).unwrap();
    create(&root.join("sub"), 1, &[Format::Md5], true);
    fs::write(root.join("sub/y"), "z").unwrap();
    for minutes in 2i64..5 {
        let made = create(root, minutes, &[Format::Md5], true);
        assert_eq!(words(&made.appended.problems), ["modified:sub/y"], "run {minutes}");
        let inner = &made.appended.generations[0];
        assert_eq!((inner.root.as_str(), inner.number), ("sub", minutes.unsigned_abs()));
        assert!(inner.manifest.contains("action=\"failed\""), "{}", inner.manifest);
        assert_eq!(problems(root), ["modified:sub/y"]);
    }
    // The inner one by itself knows of it only that it was wrong, and makes nothing right of that.
    let alone = create(&root.join("sub"), 5, &[Format::Md5], true);
    assert_eq!(words(&alone.appended.problems), ["manifest_schema:only failed"]);
    assert_eq!(problems(&root.join("sub")), ["manifest_schema:only failed"]);
    assert_eq!(problems(root), ["modified:sub/y"]);
    fs::write(root.join("sub/y"), "y").unwrap();
    let mended = create(root, 6, &[Format::Md5], true);
    assert_eq!(mended.appended.problems, []);
    assert_eq!(verify(root), []);
}

/// The outer history knows `sub/y`, the inner one that it is `sub/z` by now.
#[test]
fn a_rename_in_an_inner_history_is_no_loss_for_the_outer_one() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("sub")).unwrap();
    fs::write(root.join("sub/y"), "y").unwrap();
    create(root, 0, &[Format::Xxh128], true);
    create(&root.join("sub"), 1, &[Format::Md5], true);
    fs::rename(root.join("sub/y"), root.join("sub/z")).unwrap();
    let renamed = create(root, 2, &[Format::Xxh128], true).appended;
    assert_eq!(renamed.renamed, [("sub/z".to_owned(), "sub/y".to_owned())]);
    assert_eq!(renamed.problems, []);
    assert_eq!(problems(root), [""; 0]);
    // What the outer one sealed holds under the new name, and what comes under the old one is
    // another file. One of its content further out is no rename of what is there.
    fs::write(root.join("sub/y"), "another").unwrap();
    fs::write(root.join("b"), "y").unwrap();
    let later = create(root, 3, &[Format::Xxh128], true).appended;
    assert_eq!((later.problems, later.renamed, later.new), (vec![], vec![], 2));
    assert_eq!(problems(root), [""; 0]);
    fs::write(root.join("sub/z"), "changed").unwrap();
    assert_eq!(problems(root), ["modified:sub/z"]);
    fs::remove_file(root.join("sub/z")).unwrap();
    assert_eq!(problems(root), ["missing:sub/z"]);
}

/// Links and pipes are in no seal, and the seal says so.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_told() {
    let dir = package();
    let root = dir.path();
    std::os::unix::fs::symlink("report.json", root.join("link")).unwrap();
    let made = create(root, 0, &[Format::Xxh128], true);
    let told = |notices: &[platefarm_model::Fault]| -> Vec<String> {
        let ours = notices.iter().filter(|n| n.code == Code::NotSealed);
        ours.filter_map(|n| n.place.clone()).collect()
    };
    assert_eq!(told(&made.appended.notices), ["link"]);
    let checked = examine(root, Scope::default());
    assert_eq!((told(&checked.notices), checked.problems), (vec!["link".into()], vec![]));
    // What a pattern leaves out is left out knowingly: from the run on that names it.
    let SealMeta { created, creator } = meta();
    let options = CreateOptions {
        formats: Vec::new(),
        ignore: vec!["li*".into()],
        directories: true,
        renames: false,
        only: Vec::new(),
        creator,
        created: created.plus_millis(60_000),
    };
    let made = mhl::create(root, &options).unwrap();
    assert_eq!(told(&made.appended.notices), [""; 0]);
    assert_eq!(told(&examine(root, Scope::default()).notices), [""; 0]);
    std::os::unix::fs::symlink("report.json", root.join("other")).unwrap();
    assert_eq!(told(&examine(root, Scope::default()).notices), ["other"]);
}

#[test]
fn a_damaged_history_is_left_as_it_is() {
    let dir = package();
    let root = dir.path();
    create(root, 0, &[], false);
    let chain = root.join("ascmhl/ascmhl_chain.xml");
    let text =
        fs::read_to_string(&chain).unwrap().replace("<c4>", "<md5>").replace("</c4>", "</md5>");
    fs::write(&chain, &text).unwrap();
    let refused = create(root, 1, &[], false);
    assert_eq!(words(&refused.appended.problems), ["chain_invalid:not c4"]);
    assert_eq!(refused.appended.generations, []);
    assert_eq!(fs::read_to_string(&chain).unwrap(), text);
    assert_eq!(fs::read_dir(root.join("ascmhl")).unwrap().count(), 2);
}

/// Lists of version 1, in the forms that tools wrote; the values are those of the commands
/// md5sum, sha1sum and xxhsum -H1.
#[test]
fn lists_of_version_one_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir(root.join("Clips")).unwrap();
    fs::write(root.join("Clips/A.mov"), "abcd\n").unwrap();
    let list = |hash: &str| {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<hashlist version=\"1.1\"><creatorinfo>\
             <tool>T</tool></creatorinfo><hash><file>Clips/A.mov</file><size>5</size>{hash}</hash></hashlist>"
        );
        fs::write(root.join("Clips_2020-01-01.mhl"), text).unwrap();
        problems(root)
    };
    // "abcd" and a line end: the official sample of ASC MHL has its xxh64.
    for good in [
        "<xxhash64be>0ea03b369a463d9d</xxhash64be>",
        "<xxhash64>9d3d469a363ba00e</xxhash64>",
        "<md5>f5ac8127b3b6b85cdc13f237c6005d80</md5>",
        "<md5>F5AC8127B3B6B85CDC13F237C6005D80</md5><xxhash64be>0ea03b369a463d9d</xxhash64be>",
    ] {
        assert_eq!(list(good), [""; 0], "{good}");
    }
    assert_eq!(list("<md5>f5ac8127b3b6b85cdc13f237c6005d81</md5>"), ["modified:Clips/A.mov"]);
    fs::remove_file(root.join("Clips/A.mov")).unwrap();
    assert_eq!(list("<md5>f5ac8127b3b6b85cdc13f237c6005d80</md5>"), ["missing:Clips/A.mov"]);
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
