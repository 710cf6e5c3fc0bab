//! Bridges: the example with the real LibRaw, held against our own reader of
//! the same files; and bridges that crash, hang, lie and babble.

use platefarm_media::open;
use platefarm_media::source::bridge::{self, BridgeCommand};
use platefarm_model::raw::{Frame, Packing, Rect};
use platefarm_model::{Code, Fault, FrameRate};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn libraw(arguments: &[&str]) -> BridgeCommand {
    let script = root().join("bridges/libraw_bridge.py");
    let mut command = vec!["python3".into(), script.into_os_string()];
    command.extend(arguments.iter().map(Into::into));
    BridgeCommand { name: "libraw".into(), command, limit: Duration::from_secs(120) }
}

fn dng(clip: &str, file: &str) -> PathBuf {
    root().join("testclips/clips").join(clip).join(file).canonicalize().unwrap()
}

fn words(frame: &Frame) -> Vec<u16> {
    let layout = frame.layout.mosaic().unwrap();
    let bits = layout.packing.bits() as usize;
    let word = |row: &[u8], x: usize| {
        (x * bits..(x + 1) * bits)
            .fold(0, |acc, i| acc << 1 | u16::from(row[i / 8] >> (7 - i % 8) & 1))
    };
    frame
        .bytes
        .chunks_exact(layout.row_bytes)
        .flat_map(|row| {
            (0..layout.width as usize)
                .map(|x| match layout.packing {
                    Packing::U16Le => u16::from_le_bytes([row[2 * x], row[2 * x + 1]]),
                    _ => word(row, x),
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What LibRaw gives through the bridge is what our own reader gives of the same file.
#[test]
fn the_example_agrees_with_our_own_reader() {
    for (path, arguments) in [
        (dng("colorchart", "colorchart.dng"), vec![]),
        (dng("beachball-lin12", "A001_C001_000003.dng"), vec!["--shared"]),
    ] {
        let ours = open(&path, None).unwrap();
        let theirs = bridge::open(&libraw(&arguments), &path).unwrap();
        let (a, b) = (ours.layout().mosaic().unwrap(), theirs.layout().mosaic().unwrap());
        assert_eq!((a.width, a.height, a.active, a.bayer), (b.width, b.height, b.active, b.bayer));
        assert_eq!((a.levels.black, a.levels.white), (b.levels.black, b.levels.white));
        for (a, b) in a.white_balance.iter().zip(b.white_balance) {
            assert!((a / b - 1.0).abs() < 1e-3, "white balance {a} and {b}");
        }
        // LibRaw's matrix comes from the same ColorMatrix; it adapts white in the camera's own
        // space, ours by Bradford. Both leave a neutral neutral.
        for (a, b) in a.camera_to_aces.iter().zip(b.camera_to_aces) {
            assert!((b.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{b:?}");
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.2), "matrices {a:?} and {b:?}");
        }
        assert_eq!(words(&ours.read(0).unwrap()), words(&theirs.read(0).unwrap()));
        assert_eq!(theirs.info().vendor["bridge.name"], "libraw");
        assert_eq!(theirs.read(1).unwrap_err().code, Code::FrameOutsideClip);
        // What LibRaw's tools do not print is assumed, and said.
        let notes = &theirs.info().notes;
        for said in ["white level", "bit depth", "matrix", "one file as one clip"] {
            assert!(notes.iter().any(|n| n.message.contains(said)), "{said}: {notes:?}");
        }
    }
}

#[test]
fn the_example_keeps_to_the_protocol() {
    let report = bridge::check(&libraw(&[]), Some(&dng("beachball-lin12", "A001_C001_000003.dng")));
    assert_eq!(report.rules.len(), 15);
    for rule in &report.rules {
        assert!(rule.passed, "{} {}: {:?}", rule.rule, rule.asks, rule.fault);
    }
    assert_eq!(report.name.as_deref(), Some("libraw"));
}

/// A bridge that knows one made-up clip of `frames` frames of 4x2 pixels, with its vices spliced in.
fn made_up(vice: &str) -> BridgeCommand {
    let script = format!(
        r#"
import json, os, struct, sys, time
out = sys.stdout.buffer
def say(body, pixels=b""):
    out.write(json.dumps(body).encode() + b"\n" + pixels)
    out.flush()
LAYOUT = {{"kind": "rgb", "width": 4, "height": 2, "samples": "f32", "space": "lin_ap1_scene"}}
CLIP = {{"clip": 7, "frames": 3, "rate": "24000/1001", "timecode": "01:00:00:00", "layout": LAYOUT}}
def pixels(index):
    return struct.pack("<24f", *[index + i / 24 for i in range(24)])
for line in sys.stdin:
    request = json.loads(line)
    op, id = request["op"], request["id"]
    answer, data = {{"id": id, "ok": True}}, b""
    if op == "hello":
        answer.update(protocol=1, name="made up")
        folder = request["folder"]
    elif op == "open":
        answer.update(CLIP)
    elif op == "frame":
        data = pixels(request["index"])
        answer.update(bytes=len(data))
    {vice}
    say(answer, data)
"#
    );
    let command = vec!["python3".into(), "-c".into(), script.into()];
    BridgeCommand { name: "made up".into(), command, limit: Duration::from_secs(20) }
}

fn first_fault(command: &BridgeCommand) -> Fault {
    bridge::open(command, Path::new("/a/clip.xyz"))
        .and_then(|clip| clip.read(1))
        .err()
        .unwrap_or_else(|| panic!("{command:?} gets away with it"))
}

#[test]
fn an_honest_bridge_is_read() {
    let clip = bridge::open(&made_up(""), Path::new("/a/clip.xyz")).unwrap();
    let info = clip.info();
    assert_eq!(info.timing.rate, Some(FrameRate::new(24000, 1001).unwrap()));
    assert_eq!(info.timing.start.unwrap().to_string(), "01:00:00:00");
    assert_eq!((info.timing.frame_count, info.identity.clip_name.as_str()), (3, "clip"));
    let frame = clip.read(2).unwrap();
    let first =
        f32::from_le_bytes([frame.bytes[0], frame.bytes[1], frame.bytes[2], frame.bytes[3]]);
    assert_eq!((frame.bytes.len(), first), (96, 2.0));
    assert_eq!(clip.layout().rgb().unwrap().crop, Rect::of_size(4, 2));
}

#[test]
fn vices_are_named() {
    for (vice, code, said) in [
        // Lies about sizes.
        ("if op == 'frame': answer['bytes'] = 10**15", Code::BadBridge, "1000000000000000"),
        ("if op == 'frame': data = data[:90]; answer['bytes'] = 90", Code::BadBridge, "90"),
        ("if op == 'open': LAYOUT['width'] = 10**9; answer.update(CLIP)", Code::BadBridge, "limit"),
        ("if op == 'open': answer['frames'] = 0", Code::BadBridge, "0 frames"),
        (
            "if op == 'open': LAYOUT['crop'] = [2, 0, 3, 2]; answer.update(CLIP)",
            Code::BadBridge,
            "crop",
        ),
        // Lies about kinds.
        ("if op == 'open': LAYOUT['space'] = 'srgb'; answer.update(CLIP)", Code::BadBridge, "srgb"),
        ("if op == 'open': LAYOUT['samples'] = 'u9'; answer.update(CLIP)", Code::BadBridge, "u9"),
        ("if op == 'open': del answer['frames']", Code::BadBridge, "lacks"),
        ("if op == 'hello': answer['protocol'] = 3", Code::BadBridge, "protocol 3"),
        (
            "if op == 'frame': answer.update(via='carrier pigeon'); data = b''",
            Code::BadBridge,
            "pigeon",
        ),
        (
            "if op == 'frame': answer.update(via='file', path='/etc/passwd'); data = b''",
            Code::BadBridge,
            "file",
        ),
        // Babbles, answers another question, or none.
        (
            "if op == 'frame': print('I am working on it', flush=True)",
            Code::BadBridge,
            "working on it",
        ),
        ("if op == 'frame': answer['id'] = 1", Code::BadBridge, "answers 1 when"),
        ("if op == 'frame': del answer['ok']", Code::BadBridge, "ok"),
        ("if op == 'frame': answer = ['no', 'object']", Code::BadBridge, "no JSON object"),
        ("if op == 'frame': out.write(b'x' * 2000000)", Code::BadBridge, "no JSON object"),
        // Dies, and says why.
        (
            "if op == 'frame': sys.exit('licence server is down')",
            Code::DecoderFailed,
            "licence server",
        ),
        ("if op == 'frame': os.kill(os.getpid(), 11)", Code::DecoderFailed, "signal"),
        ("if op == 'hello': sys.exit(3)", Code::DecoderFailed, "exit status: 3"),
        // Refuses.
        (
            "if op == 'frame': data = b''; answer = {'id': id, 'ok': False, 'error': {'code': 'damaged', 'message': 'bad slice'}}",
            Code::BadStructure,
            "bad slice",
        ),
    ] {
        let fault = first_fault(&made_up(vice));
        assert_eq!(fault.code, code, "{vice}: {fault}");
        let text = format!("{fault} {:?}", fault.cause);
        assert!(text.contains(said), "{vice}: {text}");
        let place = fault.place.unwrap_or_default();
        assert!(
            place.contains("bridge 'made up'") && place.contains("clip.xyz"),
            "{vice}: {place}"
        );
    }
}

/// A frame is taken from the folder that the bridge was given, and the folder goes with the bridge.
#[test]
fn a_frame_comes_in_a_file_of_the_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("folder");
    let vice = format!(
        "if op == 'frame':\n        open({:?}, 'w').write(folder)\n        \
         answer.update(via='file', path=folder + '/f'); open(folder + '/f', 'wb').write(data); data = b''",
        mark.to_str().unwrap()
    );
    let clip = bridge::open(&made_up(&vice), Path::new("/a/clip.xyz")).unwrap();
    let frame = clip.read(2).unwrap();
    assert_eq!(&frame.bytes[..4], 2.0f32.to_le_bytes());
    let folder = PathBuf::from(std::fs::read_to_string(mark).unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0, "frames are taken away");
    drop(clip);
    assert!(!folder.exists());
}

/// Whatever file a bridge names, none but its own is read or removed; and a pipe is not waited for.
#[test]
fn no_file_is_removed_but_the_bridges_own() {
    let dir = tempfile::tempdir().unwrap();
    let original = dir.path().join("A001_C001.xyz");
    // As long as a frame of the made-up clip.
    std::fs::write(&original, [7; 96]).unwrap();
    for path in [
        "original",
        "folder + '/../' + os.path.relpath(original, os.path.dirname(folder))",
        "link(original, folder + '/link')",
        "link(os.path.dirname(original), folder + '/links') + '/A001_C001.xyz'",
        "moved(os.path.dirname(original)) + '/A001_C001.xyz'",
        "pipe(folder + '/pipe')",
        "folder",
        "folder + '/absent'",
        "os.path.basename(original)",
    ] {
        let vice = format!(
            r#"if op == 'frame':
        original = {:?}
        def link(to, at):
            os.symlink(to, at); return at
        def moved(to):
            os.rmdir(folder); return link(to, folder)
        def pipe(at):
            os.mkfifo(at); return at
        answer.update(via='file', path={path}); data = b''"#,
            original.to_str().unwrap()
        );
        let fault = bridge::open(&made_up(&vice), &original)
            .and_then(|clip| clip.read(0))
            .expect_err("a file that is not the bridge's is taken");
        assert_eq!(fault.code, Code::BadBridge, "{path}: {fault}");
        assert_eq!(fault.code.to_string(), "F0118");
        assert!(fault.message.contains("not taken for a frame"), "{path}: {fault}");
        assert_eq!(std::fs::read(&original).unwrap(), [7; 96], "{path}");
    }
}

#[test]
fn a_bridge_that_hangs_is_ended() {
    for vice in ["if op == 'frame': time.sleep(1000)", "if op == 'hello': time.sleep(1000)"] {
        let command = BridgeCommand { limit: Duration::from_secs(1), ..made_up(vice) };
        let begun = Instant::now();
        let fault = first_fault(&command);
        assert_eq!(fault.code, Code::DecoderHung, "{fault}");
        // Twice a second, and the starts of Python: not a thousand.
        assert!(begun.elapsed() < Duration::from_secs(500));
    }
}

/// One crash costs nothing: the bridge is started again, once for each frame.
#[test]
fn a_bridge_that_crashes_is_started_again() {
    let dir = tempfile::tempdir().unwrap();
    let mark = dir.path().join("crashed");
    let vice = format!(
        "if op == 'frame' and not os.path.exists({0:?}): open({0:?}, 'w').close(); os.abort()",
        mark.to_str().unwrap()
    );
    let clip = bridge::open(&made_up(&vice), Path::new("/a/clip.xyz")).unwrap();
    assert!(clip.read(1).is_ok() && mark.exists());
    assert!(clip.read(2).is_ok());
}

#[test]
fn what_is_no_program_is_said() {
    let command = |program: &str| BridgeCommand {
        name: "gone".into(),
        command: vec![program.into()],
        limit: Duration::from_secs(5),
    };
    let fault = first_fault(&command("/nonexistent/bridge"));
    assert_eq!(fault.code, Code::NoDecoder);
    assert!(fault.message.contains("/nonexistent/bridge"));
    // None of the rules is kept by nobody.
    let empty = BridgeCommand { command: Vec::new(), ..command("") };
    for (nobody, code) in
        [(command("/nonexistent/bridge"), Code::NoDecoder), (empty, Code::BadConfig)]
    {
        let report = bridge::check(&nobody, None);
        assert_eq!(report.rules.len(), 8);
        for rule in report.rules {
            assert_eq!(rule.fault.map(|f| f.code), Some(code), "{}", rule.rule);
        }
    }
}

/// The kit finds the vices that a careless author leaves in.
#[test]
fn the_kit_finds_what_is_wrong() {
    let failed = |vice: &str| -> Vec<&str> {
        let file = dng("colorchart", "colorchart.dng");
        let command = BridgeCommand { limit: Duration::from_secs(10), ..made_up(vice) };
        let report = bridge::check(&command, Some(&file));
        report.rules.iter().filter(|rule| !rule.passed).map(|rule| rule.rule).collect()
    };
    // The made-up bridge answers everything, whatever was asked, and dies of bad JSON.
    let careless = failed("");
    for rule in ["2", "3", "4", "5", "6", "7", "13", "14", "15"] {
        assert!(careless.contains(&rule), "{rule} is not found: {careless:?}");
    }
    for rule in ["1", "8", "10", "11", "12"] {
        assert!(!careless.contains(&rule), "{rule} is kept: {careless:?}");
    }
    // To crash is not to refuse.
    let crashing = failed(
        "if request.get('protocol') == [9999] or op == 'juggle' or request.get('clip') == 424242: os.abort()",
    );
    for rule in ["2", "3", "7"] {
        assert!(crashing.contains(&rule), "{rule} is not found: {crashing:?}");
    }
    let forgetful = failed("if op == 'frame': data = os.urandom(96)");
    assert!(forgetful.contains(&"12"), "{forgetful:?}");
}
