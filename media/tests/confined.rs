//! A process that is kept within its roots: no link among media, exports and
//! plates leads out of them. It is so for the whole process, hence alone here.
#![cfg(unix)]

use platefarm_media::publish::{make_dirs, publish, stage_dir, write_flushed};
use platefarm_media::{hash, open, scan, sidecar, storage};
use platefarm_model::{Code, Fault};
use platefarm_testclips::{ClipSpec, write_clip};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

/// A fault that names what was not touched.
fn assert_refused(fault: Option<Fault>, place: &Path) {
    let fault = fault.unwrap_or_else(|| panic!("{} was touched", place.display()));
    assert_eq!(fault.code, Code::OutsideRoot, "{fault}");
    assert!(fault.to_string().contains(place.to_str().unwrap()), "{fault}");
}

#[test]
fn no_link_leads_out_of_where_a_process_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let (root, elsewhere) = (dir.join("root"), dir.join("elsewhere"));
    let spec = ClipSpec { frames: 3, width: 64, height: 48, ..ClipSpec::default() };
    let theirs = write_clip(&elsewhere, &spec).unwrap();
    let ours = write_clip(&root.join("roll"), &spec).unwrap();
    // The second frame, an export, a movie, a whole roll, and where plates go.
    fs::remove_file(&ours[1]).unwrap();
    symlink(&theirs[1], &ours[1]).unwrap();
    let (export, movie) = (root.join("roll/clip.csv"), root.join("clip.mov"));
    for (name, link) in [("clip.csv", &export), ("clip.mov", &movie)] {
        fs::write(elsewhere.join(name), "theirs").unwrap();
        symlink(elsewhere.join(name), link).unwrap();
    }
    let (card, edit) = (root.join("card"), root.join("plates/edit"));
    fs::create_dir(root.join("plates")).unwrap();
    symlink(&elsewhere, &card).unwrap();
    symlink(&elsewhere, &edit).unwrap();
    assert!(open(&ours[0], None).unwrap().read(1).is_ok(), "a person's links are followed");

    storage::confine(std::slice::from_ref(&root)).unwrap();
    storage::confine(std::slice::from_ref(&root)).unwrap();
    assert_eq!(storage::confine(std::slice::from_ref(&dir)).unwrap_err().code, Code::Internal);
    let clip = open(&ours[0], None).unwrap();
    assert!(clip.read(0).is_ok() && clip.read(2).is_ok());
    assert_refused(clip.read(1).err(), &ours[1]);
    assert_refused(open(&movie, None).err(), &movie);
    assert_refused(sidecar::read(&export).err(), &export);
    assert_refused(hash::xxh128_file(&theirs[0]).err(), &theirs[0]);
    let (clips, faults) = scan(&card);
    assert!(clips.is_empty());
    assert_refused(faults.into_iter().next(), &card);

    let before = fs::read_dir(&elsewhere).unwrap().count();
    let staged = stage_dir(&root.join("plates"), "t1").unwrap().join("f");
    write_flushed(&staged, b"picture").unwrap();
    assert_refused(publish(&staged, &edit.join("f")).err(), &edit);
    assert_refused(write_flushed(&edit.join("f"), b"x").err(), &edit);
    assert_refused(make_dirs(&edit.join("new")).err(), &edit);
    assert_refused(stage_dir(&edit, "t1").err(), &edit);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), before);
    publish(&staged, &root.join("plates/f")).unwrap();
    // What is on its way into a bucket is the process's own.
    let own = storage::scratch("movie-0");
    write_flushed(&own, b"movie").unwrap();
    assert!(hash::xxh128_file(&own).is_ok());
    fs::remove_file(&own).unwrap();
}
