//! What every fuzz target does with its bytes. A target fails when a reader
//! panics, when it runs for seconds (libFuzzer's own limit), and when it holds
//! more memory than an input of that size can be worth: nothing that a file
//! says makes us allocate without a limit.

use peak_alloc::PeakAlloc;
use platefarm_media::source::Sequence;
use platefarm_media::{SOURCES, sidecar, sink, source};
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_standards::{amf, clf, edl, editlist, fdl, look, mhl, otio};
use std::backtrace::Backtrace;
use std::fs;
use std::panic::PanicHookInfo;
use std::path::PathBuf;
use std::sync::{LazyLock, Once};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Most bytes that a reader may hold at once, beside so much for each byte of the input: tables and buffers.
const ALLOWED: usize = 64 << 20;
/// Bytes of memory for each byte of most inputs: lossless JPEG and deflate make a thousand of one.
const EXPANSION: usize = 4096;
/// Of OpenEXR: a byte of DWA may stand for 32,768 of a picture.
const EXPANSION_EXR: usize = 65_536;

/// Runs `read`, and panics when it held more than it may. `read` answers what it was entitled to
/// beyond that.
fn bounded(input: &[u8], expansion: usize, read: impl FnOnce() -> usize) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| std::panic::set_hook(Box::new(report)));
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let entitled = read();
    let most = ALLOCATOR.peak_usage().saturating_sub(before);
    let allowed = ALLOWED + expansion * input.len() + entitled;
    assert!(most <= allowed, "{most} bytes were held, {allowed} are allowed");
}

/// libFuzzer's own hook ends the process in the hook; but a panic that the reader contains is none.
/// Those of the `exr` crate, which are, are not even told.
fn report(panic: &PanicHookInfo<'_>) {
    let foreign = panic.location().is_some_and(|place| place.file().contains("/exr-"));
    if !foreign {
        eprintln!("{panic}\n{}", Backtrace::capture());
    }
}

/// A directory in memory for the one file that a reader is shown; the fuzzer's process removes it
/// with the machine's next start.
static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| {
    let shared = PathBuf::from("/dev/shm");
    let base = if shared.is_dir() { shared } else { std::env::temp_dir() };
    let directory = base.join(format!("platefarm-fuzz-{}", std::process::id()));
    fs::create_dir_all(&directory).expect("a scratch directory");
    directory
});

fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = DIRECTORY.join(name);
    fs::write(&path, bytes).expect("a scratch file");
    path
}

/// A camera file of the format `name`: probed, opened, its first and last frames read and held against their layout.
pub fn camera_file(name: &str, bytes: &[u8]) {
    let reader = SOURCES.iter().find(|s| s.name() == name).expect("a reader of that name");
    let path = file(&format!("clip.{}", reader.extensions()[0]), bytes);
    let expansion = if name == "exr" { EXPANSION_EXR } else { EXPANSION };
    bounded(bytes, expansion, || {
        let _ = reader.probe(&bytes[..bytes.len().min(64 * 1024)], &path);
        let sequence =
            if reader.whole_clip() { Sequence::whole(&path) } else { Sequence::single(&path) };
        let Ok(clip) = reader.open(sequence) else { return 0 };
        let last = clip.info().timing.frame_count as i64 - 1;
        for index in [0, last.clamp(0, i64::MAX), i64::MAX] {
            if let Ok(frame) = clip.read(index) {
                frame.layout.check(frame.bytes.len()).expect("a frame is as its layout says");
            }
        }
        // A few pixels may lie in a large display window, which is what is delivered.
        clip.layout().rgb().filter(|_| name == "exr").map_or(0, |layout| layout.bytes())
    });
}

/// One lossless JPEG stream: the strip of a small DNG that is sound, so that nothing but the
/// decoder stands between the fuzzer and its bytes.
pub fn ljpeg(stream: &[u8]) {
    /// 32 by 16 photosites in one strip, which is the end of the file.
    const DNG: &[u8] = include_bytes!("../corpus/dng/ljpeg.dng");
    /// StripByteCounts, one LONG, little-endian.
    const STRIP_BYTES: &[u8] = &[0x17, 1, 4, 0, 1, 0, 0, 0];
    let find = |what: &[u8]| {
        DNG.windows(what.len()).position(|window| window == what).expect("the DNG has it")
    };
    let (strip, count) = (find(&[0xff, 0xd8, 0xff]), find(STRIP_BYTES) + STRIP_BYTES.len());
    let mut bytes = [&DNG[..strip], stream].concat();
    bytes[count..count + 4].copy_from_slice(&(stream.len() as u32).to_le_bytes());
    camera_file("dng", &bytes);
}

/// What a bridge answers when it opens a clip.
pub fn bridge(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        drop(source::bridge::opened(bytes));
        0
    });
}

/// A plate, as the package reads it back.
pub fn plate(bytes: &[u8]) {
    let path = file("plate.exr", bytes);
    bounded(bytes, EXPANSION_EXR, || {
        drop(sink::exr::read(&path));
        0
    });
}

/// An edit list.
pub fn edl(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        drop(edl::parse(bytes, FrameRate::FPS_24));
        0
    });
}

/// A timeline or a log: OTIO, Final Cut XML, ALE, told by its content. An OTIO document is the
/// same again when it is written and read.
pub fn timeline(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        drop(editlist::read(bytes, Some(FrameRate::FPS_24)));
        if let Ok(document) = otio::Document::parse(bytes) {
            let again = otio::Document::parse(document.to_json().as_bytes());
            assert_eq!(again.expect("what we write is read"), document);
        }
        0
    });
}

/// A framing decision list; what is read can be written, and is the same again.
pub fn fdl(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        if let Ok(document) = fdl::Fdl::parse(bytes) {
            let text = document.to_json().expect("what was read is finite");
            fdl::Fdl::parse(text.as_bytes()).expect("what we write is read");
        }
        0
    });
}

/// An AMF: read, resolved without any file, and judged.
pub fn amf(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        if let Ok(amf) = amf::Amf::parse(bytes) {
            let nothing = |name: &str| -> Outcome<amf::Found> {
                Err(Fault::new(Code::UnresolvedTransform, format!("there is no '{name}'")))
            };
            drop(amf.resolve(&nothing));
            amf::validate(bytes).expect("what is read is judged");
        }
        0
    });
}

/// A look: taken for a Common LUT Format file, a `.cube`, and ASC CDL.
pub fn look(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        drop(clf::Clf::parse(bytes));
        drop(look::parse_cube(bytes));
        drop(look::parse_cdl(bytes));
        0
    });
}

/// A generation or a chain of an ASC MHL history, or a list of version 1.
pub fn mhl(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        drop(mhl::Manifest::parse(bytes));
        drop(mhl::Chain::parse(bytes));
        drop(mhl::legacy::List::parse(bytes));
        0
    });
}

/// A metadata export, taken for one of each maker.
pub fn sidecar(bytes: &[u8]) {
    bounded(bytes, EXPANSION, || {
        for kind in sidecar::SIDECARS {
            drop(sidecar::parse(*kind, bytes));
        }
        0
    });
}
