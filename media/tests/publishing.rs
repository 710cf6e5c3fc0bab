//! Files that appear whole or not at all, on disks that are full, closed or
//! somebody else's.

use platefarm_media::hash::xxh128;
use platefarm_media::publish::{
    STAGING, confined, discard, publish, remove_attempt, remove_leftovers, stage_dir, tidy_attempt,
    verify, write_atomic, write_fault, write_flushed,
};
use platefarm_model::Code;
use std::fs;
use std::io::{Error, ErrorKind};
use std::path::Path;

#[test]
fn a_frame_goes_from_its_attempt_to_its_name_once_and_again() {
    let out = tempfile::tempdir().unwrap();
    let stage = stage_dir(out.path(), "t17").unwrap();
    assert_eq!(stage, out.path().join(STAGING).join("t17"));
    let (staged, published) = (stage.join("a.1001.exr"), out.path().join("a.1001.exr"));
    write_flushed(&staged, b"picture").unwrap();
    assert!(!published.exists());
    publish(&staged, &published).unwrap();
    assert_eq!(fs::read(&published).unwrap(), b"picture");
    publish(&staged, &published).unwrap();
    publish(&staged, &published).unwrap();
    assert_eq!(fs::read(&published).unwrap(), b"picture");

    let lost = publish(&stage.join("b"), &out.path().join("b")).unwrap_err();
    assert_eq!(lost.code, Code::WriteFailed, "neither staged nor published");
    discard(&staged).unwrap();
    write_flushed(&staged, b"refused").unwrap();
    discard(&staged).unwrap();
    assert!(!staged.exists());
    remove_attempt(out.path(), "t17").unwrap();
    remove_attempt(out.path(), "t17").unwrap();
    assert!(!out.path().join(STAGING).exists(), "nothing is left behind");
}

/// Volumes that keep something else than they were given, in the ways in which they do.
#[test]
fn what_is_not_there_as_it_was_meant_is_found_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a.1001.exr");
    let meant: Vec<u8> = (0..3_000_000u32).map(|i| (i >> 3) as u8).collect();
    let hash = xxh128(&meant);
    let kept = |damage: fn(&mut Vec<u8>)| {
        write_flushed(&file, &meant).unwrap();
        let mut bytes = meant.clone();
        damage(&mut bytes);
        fs::write(&file, bytes).unwrap();
        verify(&file, meant.len() as u64, &hash)
    };
    kept(|_| {}).unwrap();
    assert!(file.exists());
    let damages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes[2_999_999] ^= 1,
        |bytes| bytes[8192..12288].fill(0),
        |bytes| bytes.truncate(4096),
        |bytes| bytes.push(0),
    ];
    for damage in damages {
        let fault = kept(damage).unwrap_err();
        assert_eq!(fault.code, Code::WriteFailed);
        assert!(fault.message.contains(&hash), "what was meant: {fault}");
        assert_eq!(fault.place.as_deref(), file.to_str());
        assert!(!file.exists(), "nobody takes it for a frame");
    }
    assert_eq!(verify(&file, 1, &hash).unwrap_err().code, Code::WriteFailed, "there is none");
}

#[test]
fn tidying_takes_what_is_empty_and_nothing_else() {
    let out = tempfile::tempdir().unwrap();
    let staging = out.path().join(STAGING);
    let kept = stage_dir(out.path(), "t1").unwrap().join("f");
    write_flushed(&kept, b"undecided").unwrap();
    stage_dir(out.path(), "t2").unwrap();
    tidy_attempt(out.path(), "t1").unwrap();
    tidy_attempt(out.path(), "t2").unwrap();
    assert!(kept.exists() && !staging.join("t2").exists());
    discard(&kept).unwrap();
    tidy_attempt(out.path(), "t1").unwrap();
    tidy_attempt(out.path(), "t1").unwrap();
    assert!(!staging.exists(), "the last one closes the door");
    assert_eq!(tidy_attempt(out.path(), "..").unwrap_err().code, Code::OutsideRoot);
}

/// Leases of one step begin and end at the same time on many workers.
#[test]
fn one_may_begin_while_another_tidies() {
    let out = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for worker in 0..4 {
            let out = out.path();
            scope.spawn(move || {
                for lease in 0..200 {
                    let attempt = format!("t{}", lease * 4 + worker);
                    let file = stage_dir(out, &attempt).unwrap().join("f");
                    fs::write(&file, b"x").unwrap();
                    discard(&file).unwrap();
                    tidy_attempt(out, &attempt).unwrap();
                }
            });
        }
    });
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 0);
}

#[test]
fn leftovers_go_and_the_living_stay() {
    let out = tempfile::tempdir().unwrap();
    assert_eq!(remove_leftovers(out.path(), |_| false).unwrap(), 0);
    for attempt in ["t1", "t2", "t3"] {
        write_flushed(&stage_dir(out.path(), attempt).unwrap().join("f"), b"x").unwrap();
    }
    assert_eq!(remove_leftovers(out.path(), |name| name == "t2").unwrap(), 2);
    assert!(out.path().join(STAGING).join("t2/f").exists());
    assert_eq!(remove_leftovers(out.path(), |_| false).unwrap(), 1);
    assert!(!out.path().join(STAGING).exists());
}

/// What a link leads to is somebody else's: nothing is staged there, and nothing cleared away.
#[cfg(unix)]
#[test]
fn attempts_are_not_kept_behind_a_link() {
    use std::os::unix::fs::symlink;
    let (out, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (out, elsewhere) = (out.path(), elsewhere.path());
    fs::create_dir_all(elsewhere.join("t1")).unwrap();
    fs::create_dir_all(elsewhere.join("t2")).unwrap();
    fs::write(elsewhere.join("t1/notes"), "theirs").unwrap();
    let untouched = || {
        let there = ["t1/notes", "t2"].iter().all(|name| elsewhere.join(name).exists());
        there && fs::read_dir(elsewhere).unwrap().count() == 2
    };
    symlink(elsewhere, out.join(STAGING)).unwrap();
    let refused = [
        stage_dir(out, "t3").map(drop),
        tidy_attempt(out, "t2"),
        remove_attempt(out, "t1"),
        remove_leftovers(out, |_| false).map(drop),
    ];
    for (number, refused) in refused.into_iter().enumerate() {
        assert_eq!(refused.unwrap_err().code, Code::OutsideRoot, "{number}");
    }
    assert!(untouched());
    // One attempt that is a link: it goes, and what it leads to stays.
    fs::remove_file(out.join(STAGING)).unwrap();
    fs::create_dir(out.join(STAGING)).unwrap();
    symlink(elsewhere, out.join(STAGING).join("t4")).unwrap();
    assert_eq!(stage_dir(out, "t4").unwrap_err().code, Code::OutsideRoot);
    assert_eq!(tidy_attempt(out, "t4").unwrap_err().code, Code::OutsideRoot);
    assert_eq!(remove_leftovers(out, |_| false).unwrap(), 1);
    assert!(untouched());
    // A link that has a file's name already is not written through.
    symlink(elsewhere.join("t1/notes"), out.join("a.exr")).unwrap();
    assert!(write_flushed(&out.join("a.exr"), b"ours").is_err());
    assert_eq!(fs::read(elsewhere.join("t1/notes")).unwrap(), b"theirs");
}

#[test]
fn an_atomic_write_replaces_whole_files_and_leaves_no_other() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join("report.json");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(fs::read_dir(out.path()).unwrap().count(), 1);
    let fault = write_atomic(&out.path().join("none/report.json"), b"x").unwrap_err();
    assert_eq!(fault.code, Code::WriteFailed);
    assert!(fault.place.unwrap().ends_with("none/report.json"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_to_be_full() {
    let fault = write_flushed(Path::new("/dev/full"), &[0; 4096]).unwrap_err();
    assert_eq!(fault.code, Code::DiskFull);
    assert!(fault.place.as_deref() == Some("/dev/full") && !fault.remedy_text().is_empty());
    assert!(Path::new("/dev/full").exists());
}

/// A real volume of 64 KiB, where mounting one is permitted.
#[cfg(target_os = "linux")]
#[test]
fn a_full_volume_keeps_what_was_finished_and_nothing_half() {
    let volume = tempfile::tempdir().unwrap();
    let mount = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "platefarm-test"])
        .arg(volume.path())
        .output();
    if !mount.is_ok_and(|m| m.status.success()) {
        eprintln!("mounting is not permitted here; /dev/full stands for the full disk");
        return;
    }
    let first = write_atomic(&volume.path().join("a"), &[1; 30_000]);
    let second = write_atomic(&volume.path().join("b"), &[2; 60_000]);
    let names: Vec<_> =
        fs::read_dir(volume.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let unmounted = std::process::Command::new("umount").arg(volume.path()).status();
    assert!(unmounted.is_ok_and(|s| s.success()));
    first.unwrap();
    assert_eq!(second.unwrap_err().code, Code::DiskFull);
    assert_eq!(names, ["a"], "no half file is left");
}

#[test]
fn errors_of_the_system_have_their_codes() {
    for (kind, code) in [
        (ErrorKind::StorageFull, Code::DiskFull),
        (ErrorKind::QuotaExceeded, Code::DiskFull),
        (ErrorKind::PermissionDenied, Code::NotWritable),
        (ErrorKind::ReadOnlyFilesystem, Code::NotWritable),
        (ErrorKind::TimedOut, Code::WriteFailed),
        (ErrorKind::NotADirectory, Code::NotWritable),
    ] {
        let fault = write_fault(Path::new("/out/a.exr"), &Error::from(kind));
        assert_eq!((fault.code, fault.place.as_deref()), (code, Some("/out/a.exr")));
        assert!(fault.cause.is_some());
    }
}

#[test]
fn the_output_directory_may_be_a_file() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(stage_dir(&file, "t1").unwrap_err().code, Code::NotWritable);
}

#[test]
fn names_do_not_leave_their_root() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    fs::create_dir(path.join("in")).unwrap();
    assert_eq!(confined(path, Path::new("in/new/a.exr")).unwrap(), path.join("in/new/a.exr"));
    for outside in ["../a", "in/../../a", "/etc/passwd", "", "in/.."] {
        let fault = confined(path, Path::new(outside)).unwrap_err();
        assert_eq!(fault.code, Code::OutsideRoot, "{outside}");
    }
    for name in ["..", ".", "", "a/b", "/a", "a/"] {
        assert_eq!(stage_dir(path, name).unwrap_err().code, Code::OutsideRoot, "'{name}'");
    }
    assert_eq!(confined(&path.join("none"), Path::new("a")).unwrap_err().code, Code::FileNotFound);
    #[cfg(unix)]
    {
        use std::os::unix::fs::symlink;
        let elsewhere = tempfile::tempdir().unwrap();
        symlink(elsewhere.path(), path.join("link")).unwrap();
        symlink(path.join("in"), path.join("inner")).unwrap();
        symlink(elsewhere.path().join("nothing"), path.join("dangling")).unwrap();
        for outside in ["link", "link/a.exr", "link/new/a.exr", "dangling", "dangling/a"] {
            let fault = confined(path, Path::new(outside)).unwrap_err();
            assert_eq!(fault.code, Code::OutsideRoot, "{outside}");
        }
        assert!(confined(path, Path::new("inner/a.exr")).is_ok(), "a link that stays inside");
    }
}
