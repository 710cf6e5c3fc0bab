//! Objects on a real S3 server: what is read, written, published and refused.
//!
//! The server is moto's (`pip install 'moto[server]'`), a process of its own
//! with its own reading of the protocol; it keeps conditions on writes. It
//! stands behind a relay that can drop, delay and count what passes.

mod relay;
mod server;

use platefarm_media::mhl::{self, Known, SealMeta};
use platefarm_media::publish;
use platefarm_media::storage::{self, File};
use platefarm_model::{Code, Timestamp};
use platefarm_standards::mhl::Creator;
use server::Server;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Bytes that are the same on every machine and compress badly.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..count).map(|_| next()).collect()
}

fn at(bucket: &str, key: &str) -> PathBuf {
    format!("s3://{bucket}/{key}").into()
}

#[test]
fn an_object_is_read_as_a_file_is() {
    let Some(server) = Server::shared() else { return };
    let bucket = server.bucket();
    let path = at(&bucket, "A001/clip 1/frame.000001.dng");
    // More than one range, and an odd end.
    let bytes = noise(20 * 1024 * 1024 + 77);
    publish::write_flushed(&path, &bytes).unwrap();
    let metadata = storage::metadata(&path).unwrap();
    assert!(metadata.is_file() && !metadata.is_dir() && metadata.len() == bytes.len() as u64);
    assert_eq!(storage::read(&path).unwrap(), bytes);

    // As readers do: a head, a jump, small steps, a large piece, past the end.
    let mut file = File::open(&path).unwrap();
    let mut head = [0; 4096];
    file.read_exact(&mut head).unwrap();
    assert_eq!(head[..], bytes[..4096]);
    file.seek(SeekFrom::Start(9_000_001)).unwrap();
    let mut steps = Vec::new();
    file.by_ref().take(700_000).read_to_end(&mut steps).unwrap();
    assert_eq!(steps, bytes[9_000_001..9_700_001]);
    let mut large = vec![0; 10_000_000];
    file.seek(SeekFrom::End(-10_000_000)).unwrap();
    file.read_exact(&mut large).unwrap();
    assert_eq!(large, bytes[bytes.len() - 10_000_000..]);
    assert_eq!(file.read(&mut head).unwrap(), 0);
    file.seek(SeekFrom::Start(1 << 40)).unwrap();
    assert_eq!(file.read(&mut head).unwrap(), 0);
    assert!(file.seek(SeekFrom::Current(-(1 << 41))).is_err());

    let missing = File::open(at(&bucket, "A001/none")).unwrap_err();
    assert_eq!(missing.kind(), std::io::ErrorKind::NotFound);
    assert_eq!(
        storage::metadata(at("no-such-bucket-here", "a")).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
}

#[test]
fn directories_are_what_lies_below_them() {
    let Some(server) = Server::shared() else { return };
    let bucket = server.bucket();
    for key in ["a/1.dng", "a/2.dng", "a/b/3.dng", "ab/4.dng"] {
        publish::write_flushed(&at(&bucket, key), b"x").unwrap();
    }
    let names = |key: &str| {
        let entries = storage::read_dir(at(&bucket, key)).unwrap();
        let mut names: Vec<_> = entries
            .into_iter()
            .map(Result::unwrap)
            .map(|e| (e.file_name().into_string().unwrap(), e.is_dir()))
            .collect();
        names.sort();
        names
    };
    let own = |name: &str, dir| (name.to_owned(), dir);
    assert_eq!(names("a"), [own("1.dng", false), own("2.dng", false), own("b", true)]);
    assert_eq!(names(""), [own("a", true), own("ab", true)]);
    assert!(storage::metadata(at(&bucket, "a")).unwrap().is_dir());
    assert!(storage::metadata(at(&bucket, "")).unwrap().is_dir());
    assert!(
        storage::metadata(at(&bucket, "a/1")).is_err(),
        "a beginning of a name is no directory"
    );
}

#[test]
fn an_object_that_is_replaced_in_the_middle_is_not_read_half() {
    let Some(server) = Server::shared() else { return };
    let path = at(&server.bucket(), "frame.dng");
    publish::write_flushed(&path, &noise(3_000_000)).unwrap();
    let mut file = File::open(&path).unwrap();
    let mut head = [0; 100];
    file.read_exact(&mut head).unwrap();
    publish::write_flushed(&path, &vec![7; 3_000_000]).unwrap();
    file.seek(SeekFrom::Start(2_000_000)).unwrap();
    let error = file.read_exact(&mut head).unwrap_err();
    assert!(error.to_string().contains(Code::Overtaken.text()), "{error}");
}

/// The store holds what arrives against its hash; that all of it is there is seen by us.
#[test]
fn an_object_that_is_not_all_there_is_found_and_removed() {
    let Some(server) = Server::shared() else { return };
    let path = at(&server.bucket(), "plates/.platefarm/t7/A_010.1001.exr");
    let meant = noise(300_000);
    let hash = platefarm_media::hash::xxh128(&meant);
    publish::write_flushed(&path, &meant).unwrap();
    publish::verify(&path, 300_000, &hash).unwrap();
    publish::write_flushed(&path, &meant[..200_000]).unwrap();
    for _ in ["it is short", "and then it is gone"] {
        let fault = publish::verify(&path, 300_000, &hash).unwrap_err();
        assert_eq!(fault.code, Code::WriteFailed, "{fault}");
        assert!(!publish::is_staged(&path).unwrap());
    }
}

#[test]
fn a_name_is_given_once_and_never_taken_by_a_fenced_worker() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "plates");
    let published = out.join("A_010.1001.exr");
    let stage = |attempt: &str, bytes: &[u8]| {
        let staged = publish::stage_dir(&out, attempt).unwrap().join("A_010.1001.exr");
        publish::write_flushed(&staged, bytes).unwrap();
        staged
    };
    let (first, late) = (stage("t7", b"first"), stage("t5", b"other"));
    publish::publish(&first, &published).unwrap();
    assert_eq!(storage::read(&published).unwrap(), b"first");
    assert!(!publish::is_staged(&first).unwrap(), "nothing stays behind");
    publish::publish(&first, &published).unwrap();
    // A worker that was away while its frame went to another.
    let refused = publish::publish(&late, &published).unwrap_err();
    assert_eq!(refused.code, Code::Overtaken);
    assert_eq!(storage::read(&published).unwrap(), b"first");
    publish::discard(&late).unwrap();
    publish::discard(&late).unwrap();
    // The same bytes again are no quarrel.
    let again = stage("t9", b"first");
    publish::publish(&again, &published).unwrap();
    // A run of one's own replaces what it made before.
    let own = stage("local-here-1", b"second");
    publish::publish(&own, &published).unwrap();
    assert_eq!(storage::read(&published).unwrap(), b"second");
    // Nothing staged and nothing published.
    let gone = publish::publish(&late, &out.join("A_010.1002.exr")).unwrap_err();
    assert_eq!(gone.code, Code::WriteFailed);
    // A frame larger than one part.
    let bytes = noise(40 * 1024 * 1024 + 3);
    let large = stage("t8", &bytes);
    publish::publish(&large, &out.join("large.exr")).unwrap();
    assert!(storage::read(out.join("large.exr")).unwrap() == bytes);
}

/// Many workers, one name: whoever is told that it has it had a later lease
/// than whoever had it before, and at the end it holds the bytes of the latest.
#[test]
fn of_many_that_race_for_a_name_the_latest_lease_has_it() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "plates");
    let published = out.join("f.1001.exr");
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let race = |i: u32| {
            let (out, published) = (&out, &published);
            scope.spawn(move || {
                let staged = publish::stage_dir(out, &format!("t{i}")).unwrap().join("f.1001.exr");
                publish::write_flushed(&staged, format!("bytes of {i}").as_bytes()).unwrap();
                (i, publish::publish(&staged, published))
            })
        };
        let threads: Vec<_> = (0..8).map(race).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let won = outcomes.iter().filter(|(_, o)| o.is_ok()).map(|(i, _)| *i);
    let latest = won.max().expect("somebody has it");
    assert_eq!(latest, 7, "nobody is later than the last: {outcomes:?}");
    assert_eq!(storage::read(&published).unwrap(), format!("bytes of {latest}").as_bytes());
    let refused = |o: &Result<_, platefarm_model::Fault>| o.as_ref().err().map(|f| f.code);
    for (_, outcome) in &outcomes {
        assert!(matches!(refused(outcome), None | Some(Code::Overtaken)), "{outcome:?}");
    }
}

/// Two workers seal one package: a chain is replaced as it was read, so that whoever lost the lease
/// meanwhile is refused, and nothing is left of its seal.
#[test]
fn of_two_that_seal_at_once_one_has_the_seal() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "sealed");
    publish::write_flushed(&out.join("a/f.1001.exr"), b"bytes").unwrap();
    let prepare = |attempt: &str, minutes: i64| {
        let staging = publish::stage_dir(&out, attempt).unwrap();
        let tool = ("platefarm".into(), None);
        let meta = SealMeta {
            created: Timestamp(1_790_000_000_000_000).plus_millis(minutes * 60_000),
            creator: Creator { host: "node".into(), tool, ..Creator::default() },
        };
        mhl::prepare(&out, &staging, &meta, &Known::default(), &|_, _| ()).unwrap()
    };
    let (early, late) = (prepare("t3", 0), prepare("t4", 1));
    late.publish().unwrap();
    assert_eq!(early.publish().unwrap_err().code, Code::Overtaken);
    assert_eq!(mhl::verify(&out), []);
    // What is sealed anew replaces what was, under the same condition.
    publish::write_flushed(&out.join("a/f.1002.exr"), b"more").unwrap();
    let (early, late) = (prepare("t5", 2), prepare("t6", 3));
    late.publish().unwrap();
    assert_eq!(early.publish().unwrap_err().code, Code::Overtaken);
    assert_eq!(mhl::verify(&out), []);
    let left = storage::read_dir(out.join("ascmhl")).unwrap();
    assert_eq!(left.len(), 2, "a manifest and the chain: {left:?}");
    // Of two within one second both have one name for their manifest.
    publish::write_flushed(&out.join("a/f.1003.exr"), b"yet more").unwrap();
    let early = prepare("t7", 4);
    publish::write_flushed(&out.join("a/f.1004.exr"), b"and more").unwrap();
    prepare("t8", 4).publish().unwrap();
    let fault = early.publish().unwrap_err();
    assert_eq!(fault.code, Code::Overtaken);
    assert!(fault.remedy_text().contains("seal it again"), "{fault}");
    assert_eq!(mhl::verify(&out), []);
}

/// Whoever stalls after its seal has its name takes away what that replaced, and nothing of a
/// successor, whose manifest is there before its chain. What an interrupted run left goes with the next seal.
#[test]
fn a_late_sweep_takes_no_manifest_of_a_successor() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "swept");
    let prepare = |attempt: &str, minutes: i64| {
        let staging = publish::stage_dir(&out, attempt).unwrap();
        let tool = ("platefarm".into(), None);
        let meta = SealMeta {
            created: Timestamp(1_790_000_000_000_000).plus_millis(minutes * 60_000),
            creator: Creator { host: "node".into(), tool, ..Creator::default() },
        };
        mhl::prepare(&out, &staging, &meta, &Known::default(), &|_, _| ()).unwrap()
    };
    publish::write_flushed(&out.join("a/f.1001.exr"), b"bytes").unwrap();
    prepare("t3", 0).publish().unwrap();
    publish::write_flushed(&out.join("a/f.1002.exr"), b"more").unwrap();
    let stalled = prepare("t4", 1);
    let successors = out.join("ascmhl/0001_swept_2027-01-01_000000Z.mhl");
    publish::write_flushed(&successors, b"its chain is still to come").unwrap();
    stalled.publish().unwrap();
    assert!(storage::metadata(&successors).is_ok());
    // It was interrupted, and its own successor makes a seal that holds.
    prepare("t5", 2).publish().unwrap();
    assert_eq!(mhl::verify(&out), []);
    assert!(storage::metadata(&successors).is_err());
}

#[test]
fn attempts_are_cleared_away() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "plates");
    for attempt in ["t1", "t2", "t30"] {
        let dir = publish::stage_dir(&out, attempt).unwrap();
        publish::write_flushed(&dir.join("a/b.exr"), b"x").unwrap();
    }
    publish::remove_attempt(&out, "t1").unwrap();
    assert_eq!(publish::remove_leftovers(&out, |attempt| attempt == "t30").unwrap(), 1);
    let left = storage::read_dir(out.join(publish::STAGING)).unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(publish::stage_dir(&out, "../x").unwrap_err().code, Code::OutsideRoot);
}

/// Connections that break, and answers of a busy store, are tried again.
#[test]
fn what_breaks_on_the_way_is_tried_again() {
    let Some(server) = Server::shared() else { return };
    let path = at(&server.bucket(), "frame.dng");
    let bytes = noise(6_000_000);
    publish::write_flushed(&path, &bytes).unwrap();
    server.relay().break_next(3);
    assert!(storage::read(&path).unwrap() == bytes);
    server.relay().refuse_next(3);
    assert!(storage::read(&path).unwrap() == bytes);
    server.relay().refuse_next(2);
    publish::write_flushed(&path, b"new").unwrap();
    assert_eq!(storage::read(&path).unwrap(), b"new");
}

/// A store that gave the name and was not heard has given it.
#[test]
fn a_name_that_was_given_unheard_is_had() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "plates");
    let staged = publish::stage_dir(&out, "t3").unwrap().join("unheard.1001.exr");
    publish::write_flushed(&staged, b"bytes").unwrap();
    let published = out.join("unheard.1001.exr");
    let name = "plates/unheard.1001.exr";
    server.relay().lose_the_answer_to(name);
    publish::publish(&staged, &published).unwrap();
    assert!(server.relay().has_lost(name));
    assert_eq!(storage::read(&published).unwrap(), b"bytes");
    assert!(!publish::is_staged(&staged).unwrap());
}

/// A worker is late with a name, and the package step gives it meanwhile: both have given it.
#[test]
fn two_may_give_the_same_bytes_their_name_at_once() {
    let Some(server) = Server::shared() else { return };
    let out = at(&server.bucket(), "plates");
    for i in 0..20 {
        let name = format!("f.{}.exr", 1001 + i);
        let staged = publish::stage_dir(&out, "t4").unwrap().join(&name);
        publish::write_flushed(&staged, b"bytes").unwrap();
        let published = out.join(&name);
        std::thread::scope(|scope| {
            let give = || scope.spawn(|| publish::publish(&staged, &published));
            for given in [give(), give(), give()] {
                given.join().unwrap().unwrap();
            }
        });
        assert_eq!(storage::read(&published).unwrap(), b"bytes");
        assert!(!publish::is_staged(&staged).unwrap());
    }
}

/// A file of any size has its name when all of it is there: nobody else's name is taken, what was
/// done is not done again, and a last answer that is lost loses nothing.
#[test]
fn a_file_goes_up_in_parts_under_its_name() {
    let Some(server) = Server::shared() else { return };
    let (out, dir) = (at(&server.bucket(), "turnover"), tempfile::tempdir().unwrap());
    let published = out.join("review/movie.mov");
    let hand_over = |attempt: &str, bytes: &[u8]| {
        let file = dir.path().join("movie.mov");
        std::fs::write(&file, bytes).unwrap();
        let staged = publish::stage_dir(&out, attempt).unwrap().join("movie.mov");
        let done = publish::hand_over(&file, &staged, &published);
        assert!(!publish::is_staged(&staged).unwrap());
        assert_eq!(file.exists(), done.is_err(), "what has its name is not kept twice");
        done.map_err(|fault| fault.code)
    };
    // Two whole parts of 16 MiB and an odd end.
    let bytes = noise(33 * 1024 * 1024 + 5);
    let last = "turnover/review/movie.mov?uploadId=";
    server.relay().lose_the_answer_to(last);
    hand_over("t7", &bytes).unwrap();
    assert!(server.relay().has_lost(last));
    assert!(storage::read(&published).unwrap() == bytes);
    hand_over("t8", &bytes).unwrap();
    let mut other = bytes.clone();
    other[20_000_000] ^= 1;
    assert_eq!(hand_over("t5", &other), Err(Code::Overtaken));
    assert!(storage::read(&published).unwrap() == bytes, "what a later lease wrote stays");
    hand_over("t9", &other).unwrap();
    assert!(storage::read(&published).unwrap() == other);
    hand_over("local-here-1", &bytes).unwrap();
    assert!(storage::read(&published).unwrap() == bytes);
    // Small ones go the way of frames.
    let small = out.join("small.mov");
    std::fs::write(dir.path().join("small"), b"small").unwrap();
    let staged = publish::stage_dir(&out, "t7").unwrap().join("small.mov");
    publish::hand_over(&dir.path().join("small"), &staged, &small).unwrap();
    assert_eq!(storage::read(&small).unwrap(), b"small");
}

/// Both see that the name is free, and both go up: the name is given once, at the last call.
#[test]
fn of_two_that_go_up_at_once_one_has_the_name() {
    let Some(server) = Server::shared() else { return };
    let (out, dir) = (at(&server.bucket(), "turnover"), tempfile::tempdir().unwrap());
    let published = out.join("movie.mov");
    let bytes = noise(40 * 1024 * 1024);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let go_up = |i: u8| {
            let (out, dir, published, bytes) = (&out, &dir, &published, &bytes);
            scope.spawn(move || {
                let mut bytes = bytes.clone();
                bytes[0] = i;
                let file = dir.path().join(format!("{i}.mov"));
                std::fs::write(&file, &bytes).unwrap();
                // No lease is later than the other, so that neither may replace.
                let staged = publish::stage_dir(out, "t7").unwrap().join(format!("{i}.mov"));
                (i, publish::hand_over(&file, &staged, published).map_err(|fault| fault.code))
            })
        };
        let threads = [go_up(1), go_up(2)];
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    let won: Vec<u8> = outcomes.iter().filter(|(_, o)| o.is_ok()).map(|(i, _)| *i).collect();
    let [won] = won.as_slice() else { panic!("{outcomes:?}") };
    let refused = outcomes.iter().filter(|(_, o)| *o == Err(Code::Overtaken));
    assert_eq!(refused.count(), 1, "{outcomes:?}");
    assert_eq!(storage::read(&published).unwrap()[0], *won);
}
