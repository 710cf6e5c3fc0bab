//! Files that mean harm: prefixes (every one of small seeds), changed bytes, and numbers at their
//! extremes, in seeds of every format. No reader may panic, go on for ever, or
//! hold more memory than a file of that size can be worth.
//!
//! The short and repeatable form of `cargo xtask fuzz`. Formats come from
//! [`SOURCES`], so a new reader without seeds fails here.

use peak_alloc::PeakAlloc;
use platefarm_media::sidecar::{self, SIDECARS};
use platefarm_media::sink;
use platefarm_media::source::Sequence;
use platefarm_media::{SOURCES, Source};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Formats whose files another program reads, in a process of its own: FFmpeg, a vendor's bridge.
const READ_ELSEWHERE: &[&str] = &["movie", "bridge"];
/// Most bytes that a reader may hold, beside so much for each byte of the file.
const ALLOWED: usize = 64 << 20;
/// Lossless JPEG and deflate make a thousand bytes of one; OpenEXR's DWA makes 32,768.
const EXPANSION: [(&str, usize); 3] = [("exr", 65_536), ("plate", 65_536), ("", 4096)];
/// Seeds of at most so many bytes are cut at each of them.
const EVERY_PREFIX: usize = 4096;
/// Prefixes of a longer seed, at a stride.
const PREFIXES: usize = 200;
/// Changed files of each seed, and of each kind of change.
const CHANGES: usize = 150;
/// A file that takes so long is taken for one that never ends.
const FOREVER: Duration = Duration::from_secs(120);

/// What reads the bytes: given a path whose file has them.
type Reader<'a> = dyn Fn(&Path, &[u8]) -> bool + 'a;

struct Trial<'a> {
    name: &'a str,
    read: &'a Reader<'a>,
    path: PathBuf,
    watch: &'a Sender<String>,
}

impl Trial<'_> {
    /// Reads `bytes`; whether that succeeded.
    fn run(&self, what: &str, bytes: &[u8]) -> bool {
        let label = format!("{} {what}", self.name);
        let _ = self.watch.send(label.clone());
        std::fs::write(&self.path, bytes).unwrap();
        let (result, held) =
            held(|| catch_unwind(AssertUnwindSafe(|| (self.read)(&self.path, bytes))));
        let expansion = EXPANSION.iter().find(|(name, _)| self.name.contains(name)).unwrap().1;
        let allowed = ALLOWED + expansion * bytes.len();
        assert!(held <= allowed, "{label}: {held} bytes held for {}", bytes.len());
        result.unwrap_or_else(|_| panic!("{label}: the reader panics"))
    }

    fn attack(&self, seed: &str, whole: &[u8]) {
        let every = whole.len() <= EVERY_PREFIX;
        let stride = if every { 1 } else { whole.len().div_ceil(PREFIXES) };
        for length in (0..whole.len()).step_by(stride) {
            self.run(&format!("{seed}: {length} bytes of {}", whole.len()), &whole[..length]);
        }
        // Structure is at the beginning of most files, so half of the changes are there.
        let mut random = Random(whole.len() as u64);
        for i in 0..CHANGES {
            let mut bytes = whole.to_vec();
            let reach = if i % 2 == 0 { bytes.len().min(1024) } else { bytes.len() };
            for _ in 0..=random.below(3) {
                bytes[random.below(reach)] = random.below(256) as u8;
            }
            self.run(&format!("{seed}: change {i}"), &bytes);
        }
        for i in 0..CHANGES {
            let mut bytes = whole.to_vec();
            let reach = if i % 2 == 0 { bytes.len().min(1024) } else { bytes.len() };
            let at = random.below(reach) & !1;
            let value = EXTREMES[random.below(EXTREMES.len())];
            let width = [2, 4, 8][random.below(3)].min(bytes.len() - at);
            // Of either byte order.
            let end = if i % 4 < 2 { &value[..width] } else { &value[8 - width..] };
            bytes[at..at + width].copy_from_slice(end);
            self.run(&format!("{seed}: extreme {i} at {at}"), &bytes);
        }
    }
}

/// Numbers that make sums overflow and sizes absurd: whole, little-endian; the ends serve shorter ones.
const EXTREMES: &[[u8; 8]] = &[
    [0; 8],
    [0xff; 8],
    [0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f],
    [0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff],
    [0x80, 0, 0, 0, 0, 0, 0, 0x80],
    [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0, 0, 0, 0x10, 0x10, 0, 0, 0],
    [1, 0, 0, 0, 0, 0, 0, 1],
];

/// A generator of the test's own (Knuth's constants), so that a failure repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// What `work` answers, and the most bytes that it held.
fn held<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    (result, ALLOCATOR.peak_usage().saturating_sub(before))
}

/// The files of a format: fixtures, and what fuzzing kept.
fn seeds(name: &str) -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for dir in [here.join("tests/fixtures").join(name), here.join("../fuzz/corpus").join(name)] {
        let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| {
            path.extension().is_none_or(|e| e != "json" && e != "md") && !path.ends_with("LICENSE")
        }));
    }
    files.sort();
    files
}

fn read_camera_file(source: &dyn Source, path: &Path, bytes: &[u8]) -> bool {
    let _ = source.probe(&bytes[..bytes.len().min(64 * 1024)], path);
    let sequence = if source.whole_clip() { Sequence::whole(path) } else { Sequence::single(path) };
    let Ok(clip) = source.open(sequence) else { return false };
    let last = clip.info().timing.frame_count.saturating_sub(1) as i64;
    [0, last].into_iter().all(|index| {
        clip.read(index).is_ok_and(|frame| {
            frame.layout.check(frame.bytes.len()).expect("a frame is as its layout says");
            true
        })
    })
}

/// Attacks the seeds of one reader. At least one of them is sound, or the test would show nothing.
fn attack_all(name: &str, extension: &str, watch: &Sender<String>, read: &Reader<'_>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(format!("A001_C001.{extension}"));
    let trial = Trial { name, read, path, watch };
    let folder = if name == "plate" { "exr" } else { name };
    let seeds = seeds(folder);
    let mut sound = 0;
    for seed in &seeds {
        let whole = std::fs::read(seed).unwrap();
        let label = seed.file_name().unwrap().to_string_lossy().into_owned();
        sound += usize::from(trial.run(&label, &whole));
        trial.attack(&label, &whole);
    }
    assert!(sound > 0, "no file of {} in fuzz/corpus/{folder} is readable", seeds.len());
}

#[test]
fn no_file_makes_a_reader_panic_hang_or_hold_what_it_is_not_worth() {
    let (_, control) = held(|| std::hint::black_box(vec![1u8; 100 << 20]));
    assert!((100 << 20..110 << 20).contains(&control), "the allocator's watch is blind: {control}");

    // What the `exr` crate stops on is contained, and not worth a trace for each file.
    let told = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_none_or(|place| !place.file().contains("/exr-")) {
            told(panic);
        }
    }));
    let (watch, labels) = channel::<String>();
    let watchman = std::thread::spawn(move || {
        let mut current = String::new();
        loop {
            match labels.recv_timeout(FOREVER) {
                Ok(label) => current = label,
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("{current}: not read after {FOREVER:?}");
                    std::process::abort();
                }
            }
        }
    });
    for source in SOURCES.iter().filter(|s| !READ_ELSEWHERE.contains(&s.name())) {
        let read = |path: &Path, bytes: &[u8]| read_camera_file(*source, path, bytes);
        attack_all(source.name(), source.extensions()[0], &watch, &read);
    }
    attack_all("plate", "exr", &watch, &|path, _| sink::exr::read(path).is_ok());
    attack_all("sidecar", "csv", &watch, &|_, bytes| {
        SIDECARS.iter().filter(|kind| sidecar::parse(**kind, bytes).is_ok()).count() > 0
    });
    drop(watch);
    watchman.join().unwrap();
}
