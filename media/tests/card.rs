//! A card as it comes off the set: what `inspect` must say about gaps, empty
//! and damaged files, mixed sizes and cameras, names that stand twice, and
//! metadata exports. Cameras' own files, copied and damaged on purpose.

use platefarm_media::card::{self, Card};
use platefarm_model::{Code, Fault, format};
use std::fs;
use std::path::{Path, PathBuf};

fn clips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testclips/clips")
}

fn copy(from: &str, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(clips().join(from), to).unwrap();
}

fn beachball(to: &Path, name: &str, frames: &[u32]) {
    for frame in frames {
        copy(
            &format!("beachball/A001_C001_{frame:06}.dng"),
            &to.join(format!("{name}_{frame:06}.dng")),
        );
    }
}

fn inspect(path: &Path) -> Card {
    card::inspect(&[path.to_owned()])
}

fn said(problems: &[Fault], root: &Path) -> Vec<(Code, String)> {
    let root = format!("{}/", root.display());
    let line = |p: &Fault| {
        let place = p.place.clone().unwrap_or_default().replace(&root, "");
        (p.code, format!("{} [{place}]", p.message))
    };
    problems.iter().map(line).collect()
}

#[test]
fn a_sound_clip_has_no_problem_whichever_of_its_files_is_named() {
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C001", &[0, 1, 2, 3]);
    let whole = inspect(root.path());
    assert_eq!(whole.problems, []);
    assert_eq!(whole.clips.len(), 1);
    let files: Vec<PathBuf> =
        fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let by_files = card::inspect(&files);
    assert_eq!(by_files.clips.len(), 1, "a shell's *.dng is one clip");
    assert_eq!(by_files.clips[0].timing, whole.clips[0].timing);
}

#[test]
fn gaps_empty_and_damaged_files_are_reported_by_frame() {
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C001", &[0, 1, 4, 5, 6, 7]);
    fs::write(root.path().join("A001_C001_000005.dng"), []).unwrap();
    fs::write(root.path().join("A001_C001_000006.dng"), []).unwrap();
    fs::write(root.path().join("A001_C001_000007.dng"), b"II*\0nothing").unwrap();
    let card = inspect(root.path());
    assert_eq!(card.clips.len(), 1);
    assert_eq!(card.clips[0].timing.frame_count, 8);
    let said = said(&card.problems, root.path());
    assert_eq!(
        said[0],
        (Code::MissingFrame, "2 of 8 frames are missing: 2-3 [A001_C001_000000.dng]".into())
    );
    assert_eq!(
        said[1],
        (Code::TruncatedFile, "frames 5-6: the file is empty [A001_C001_000005.dng]".into())
    );
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].1.starts_with("frame 7: ") && said[2].1.contains("000007.dng"), "{said:?}");
}

#[test]
fn another_size_and_another_camera_in_a_sequence_are_named() {
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C001", &[0, 1, 2, 3, 4, 5]);
    // A still of another camera under the clip's names.
    for frame in [2, 3] {
        copy("colorchart/colorchart.dng", &root.path().join(format!("A001_C001_{frame:06}.dng")));
    }
    let card = inspect(root.path());
    let said = said(&card.problems, root.path());
    assert!(said.iter().all(|(code, _)| *code == Code::MixedClip), "{said:?}");
    for what in ["pictureSize is", "cameraModel is"] {
        assert!(
            said.iter().any(|(_, text)| text.starts_with("frames 2-3: ") && text.contains(what)),
            "{what}: {said:?}"
        );
    }
}

#[test]
fn a_frame_out_of_order_is_seen_by_its_timecode() {
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C001", &[0, 1, 2, 3, 4, 5]);
    copy("beachball/A001_C001_000003.dng", &root.path().join("A001_C001_000004.dng"));
    let said = said(&inspect(root.path()).problems, root.path());
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].1.starts_with("the timecode of frame 4 is "));
}

#[test]
fn names_that_stand_twice_are_named_with_both_places() {
    let root = tempfile::tempdir().unwrap();
    beachball(&root.path().join("a"), "A001_C001", &[0, 1]);
    beachball(&root.path().join("b"), "A001_C001", &[0, 1]);
    beachball(&root.path().join("b"), "A001_C002", &[0, 1]);
    let card = inspect(root.path());
    assert_eq!(card.clips.len(), 3);
    assert_eq!(
        said(&card.problems, root.path()),
        [(
            Code::DuplicateClip,
            "2 clips are named 'A001_C001' [a/A001_C001_000000.dng, b/A001_C001_000000.dng]".into()
        )]
    );
    let formats = format::cards(&card.clips);
    assert_eq!(formats.len(), 1, "one camera, one mode");
    assert_eq!(formats[0].clip_count, 3);
    assert_eq!(formats[0].key.camera_letter.as_deref(), Some("A"));
}

#[test]
fn what_is_not_there_or_is_no_media_is_a_problem() {
    let root = tempfile::tempdir().unwrap();
    let gone = inspect(&root.path().join("gone"));
    assert_eq!(gone.problems[0].code, Code::FileNotFound);
    let text = root.path().join("notes.txt");
    fs::write(&text, "shopping list").unwrap();
    assert_eq!(inspect(&text).problems[0].code, Code::UnknownFormat);
    let empty = root.path().join("A001_C001_000001.dng");
    fs::write(&empty, []).unwrap();
    let card = inspect(root.path());
    assert_eq!(said(&card.problems, root.path()).len(), 1);
    assert_eq!(card.problems[0].message, "the file is empty");
    assert!(card.clips.is_empty());
}

/// An export beside a clip completes it, when the card is inspected and when the clip is opened.
#[test]
fn an_export_beside_a_clip_completes_it() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar");
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C066_0303LZ", &[0, 1]);
    for name in
        ["A001_C066_0303LZ.static.csv", "A001_C066_0303LZ.frames.csv", "D001C005_210716AGM01.XML"]
    {
        fs::copy(fixtures.join(name), root.path().join(name)).unwrap();
    }
    let card = inspect(root.path());
    let names: Vec<&str> = card.clips.iter().map(|c| c.identity.clip_name.as_str()).collect();
    assert_eq!(names, ["A001_C066_0303LZ", "D001C005_210716AG"], "the other export stands alone");
    let clip = &card.clips[0];
    assert_eq!(clip.lens.make.as_deref(), Some("SIGMA"));
    assert_eq!(clip.sidecars.len(), 2);
    assert_eq!(clip.varies["focus"].frames, 2);
    assert!(clip.notes.iter().any(|note| note.code == Code::MetadataConflict), "another camera");

    let file = root.path().join("A001_C066_0303LZ_000001.dng");
    let opened = platefarm_media::open(&file, None).unwrap();
    assert_eq!(opened.info().lens, clip.lens);
    assert_eq!(opened.read(1).unwrap().layout, *opened.layout());
    let (scanned, faults) = platefarm_media::scan(root.path());
    assert_eq!((scanned.len(), faults.len()), (1, 0), "an export alone is nothing to pull from");
    assert_eq!(scanned[0].lens, clip.lens);
    // Named by one of its files, a clip has its export and no other clip's.
    assert_eq!(card::inspect(&[file]).clips.len(), 1);
}

/// Who waits is told how far it is; other tests look at the same time, so that it is this or more.
#[test]
fn a_look_says_how_far_it_is() {
    let root = tempfile::tempdir().unwrap();
    beachball(root.path(), "A001_C001", &[1, 2, 3]);
    fs::write(root.path().join("notes.txt"), "text").unwrap();
    let before = platefarm_media::source::looked();
    inspect(root.path());
    let card = platefarm_media::source::looked().since(before);
    assert!(card.seen >= 4 && card.media >= 3 && card.inspected >= 3, "{card:?}");
    let before = platefarm_media::source::looked();
    let _ = platefarm_media::scan(root.path());
    let scan = platefarm_media::source::looked().since(before);
    assert!(scan.seen >= 4 && scan.media >= 3 && scan.inspected >= 3, "{scan:?}");
}

fn fixture(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(of)
}

/// A copy that broke off is a problem, by every reader, whether the file is a clip of its own or a
/// frame of one; the same files whole are not.
#[test]
fn files_that_broke_off_are_problems() {
    for of in ["exr/zip.exr", "exr/tiles.exr", "exr/parts.exr", "dpx/10abe.dpx", "dpx/16le.dpx"] {
        let whole = fs::read(fixture(of)).unwrap();
        let extension = &of[of.len() - 3..];
        for kept in [whole.len(), whole.len() - 8, whole.len() * 3 / 4] {
            let cut = &whole[..kept];
            let sound = kept == whole.len();
            let root = tempfile::tempdir().unwrap();
            fs::write(root.path().join(format!("alone.{extension}")), cut).unwrap();
            let card = inspect(root.path());
            let codes: Vec<Code> = card.problems.iter().map(|p| p.code).collect();
            let expected = if sound { vec![] } else { vec![Code::TruncatedFile] };
            assert_eq!(codes, expected, "{of}, {kept} bytes: {:?}", card.problems);
            assert_eq!(card.clips.len(), 1, "its metadata are there");

            let root = tempfile::tempdir().unwrap();
            for frame in 1..=20 {
                let bytes = if frame == 13 { cut } else { &whole };
                fs::write(root.path().join(format!("a.{frame:04}.{extension}")), bytes).unwrap();
            }
            // Beside the cut file nothing but a timecode that stands still may be said.
            let problems = inspect(root.path()).problems;
            let said: Vec<&Fault> =
                problems.iter().filter(|p| p.code == Code::TruncatedFile).collect();
            assert_eq!(said.len(), usize::from(!sound), "{of}, {kept} bytes: {problems:?}");
            for problem in said {
                assert!(problem.message.starts_with("frame 12: "), "{problem}");
                let place = problem.place.as_deref().unwrap_or_default();
                assert!(place.contains("a.0013."), "{problem}");
            }
        }
    }
}

/// Opening a named pipe waits for a writer; nobody writes.
#[cfg(unix)]
#[test]
fn what_is_no_file_is_refused_before_it_is_opened() {
    let root = tempfile::tempdir().unwrap();
    for name in ["a.dng", "a.csv", "a"] {
        let path = root.path().join(name);
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let said = &inspect(&path).problems;
        assert_eq!(said.len(), 1, "{name}: {said:?}");
        assert!(said[0].message.contains("a named pipe"), "{said:?}");
        assert!(platefarm_media::open(&path, None).is_err(), "{name}");
    }
    let card = inspect(root.path());
    assert_eq!(card.problems.len(), 1, "the one that looks like media: {:?}", card.problems);
}
