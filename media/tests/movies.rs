//! Movies through FFmpeg: every frame carries its number in the picture, so
//! that what is read can be told from what was asked; colours are compared
//! with zimg, which shares no code with the reader.

use platefarm_media::card::inspect;
use platefarm_media::{Clip, open};
use platefarm_model::raw::{Frame, RgbSamples};
use platefarm_model::{Code, FrameRate};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const WIDTH: usize = 256;
const HEIGHT: usize = 128;
const BLOCK: usize = 32;
/// What the reader gives for 0 and 1 of a picture of luma and chroma.
const ZERO: f64 = 16_384.0;
const ONE: f64 = 49_152.0;

/// A frame whose blocks are the bits of its number.
fn picture(number: u32) -> Vec<u8> {
    (0..WIDTH * HEIGHT)
        .flat_map(|i| {
            let (x, y) = (i % WIDTH / BLOCK, i / WIDTH / BLOCK);
            let bit = number >> (y * (WIDTH / BLOCK) + x) & 1;
            [if bit == 1 { 220 } else { 30 }; 3]
        })
        .collect()
}

/// The number that a frame carries.
fn number(frame: &Frame) -> u32 {
    let columns = WIDTH / BLOCK;
    (0..(columns * HEIGHT / BLOCK).min(32)).fold(0, |number, bit| {
        let (x, y) = (bit % columns * BLOCK + BLOCK / 2, bit / columns * BLOCK + BLOCK / 2);
        let at = (y * WIDTH + x) * 6 + 2;
        let green = u16::from_le_bytes([frame.bytes[at], frame.bytes[at + 1]]);
        number | u32::from(f64::from(green) > (ZERO + ONE) / 2.0) << bit
    })
}

fn ffmpeg(args: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-hide_banner", "-v", "error", "-y"]).args(args);
    command
}

/// A movie of `frames` numbered frames.
fn movie(path: &Path, frames: u32, rate: &str, coding: &[&str]) -> PathBuf {
    let size = format!("{WIDTH}x{HEIGHT}");
    let mut child =
        ffmpeg(&["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size, "-r", rate, "-i", "-"])
            .args(coding)
            .arg(path)
            .stdin(Stdio::piped())
            .spawn()
            .expect("FFmpeg, see `cargo xtask test`");
    let mut stdin = child.stdin.take().unwrap();
    for number in 0..frames {
        stdin.write_all(&picture(number)).unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success(), "{path:?}");
    path.to_owned()
}

const PRORES: &[&str] = &["-c:v", "prores_ks", "-profile:v", "3", "-pix_fmt", "yuv422p10le"];
const PRORES_4444: &[&str] = &["-c:v", "prores_ks", "-profile:v", "4", "-pix_fmt", "yuva444p10le"];
const DNXHR: &[&str] = &["-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"];
const REC709: &[&str] =
    &["-vf", "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"];
const PQ: &[&str] =
    &["-vf", "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv"];
/// Long groups, frames stored out of order, leading pictures that need the group before.
const H264: &[&str] = &[
    "-c:v",
    "libx264",
    "-pix_fmt",
    "yuv420p",
    "-g",
    "50",
    "-bf",
    "3",
    "-x264-params",
    "open-gop=1",
];
const H265: &[&str] = &[
    "-c:v",
    "libx265",
    "-pix_fmt",
    "yuv420p10le",
    "-x265-params",
    "keyint=40:bframes=4:open-gop=1:log-level=error",
];

#[test]
fn every_frame_is_the_one_that_was_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    for (name, frames, rate, coding) in [
        ("prores.mov", 60, "24000/1001", PRORES),
        ("prores4444.mov", 30, "24", PRORES_4444),
        ("dnxhr.mov", 60, "25", DNXHR),
        ("dnxhr.mxf", 60, "30000/1001", DNXHR),
        ("h264.mp4", 160, "24000/1001", H264),
        ("h264.mov", 160, "60", H264),
        ("h264.mkv", 120, "24000/1001", H264),
        ("h265.mp4", 130, "25", H265),
    ] {
        let path = movie(&dir.path().join(name), frames, rate, coding);
        let clip = open(&path, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        let info = clip.info();
        assert_eq!(info.timing.frame_count, u64::from(frames), "{name}");
        assert_eq!(info.timing.rate, Some(rate.parse::<FrameRate>().unwrap()), "{name}");
        assert_eq!(info.identity.clip_name, name.split('.').next().unwrap());
        let last = i64::from(frames) - 1;
        // On from the middle, back, to the ends, and every few.
        let asked = [last / 2, last / 2 + 1, last / 2 + 3, 7, 6, 0, last, last - 1, 1, 2];
        for index in asked.into_iter().chain((0..last).rev().step_by(13)) {
            let frame = clip.read(index).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(i64::from(number(&frame)), index, "{name}");
        }
        assert_eq!(clip.read(last + 1).unwrap_err().code, Code::FrameOutsideClip);
        assert_eq!(clip.read(-1).unwrap_err().code, Code::FrameOutsideClip);
    }
}

/// Several threads, each asking for its own frames, as a render does.
#[test]
fn threads_get_their_frames() {
    let dir = tempfile::tempdir().unwrap();
    let path = movie(&dir.path().join("a.mp4"), 96, "24", H264);
    let clip = open(&path, None).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let clip: &dyn Clip = clip.as_ref();
            scope.spawn(move || {
                for index in (thread..96).step_by(4) {
                    assert_eq!(i64::from(number(&clip.read(index).unwrap())), index);
                }
            });
        }
    });
}

/// A movie that was cut without being coded anew begins within a group: what the edit list leaves out
/// is no frame. How many there are is FFmpeg's own count of what it decodes.
#[test]
fn an_edit_list_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let whole = movie(&dir.path().join("whole.mp4"), 120, "24", H264);
    let cut = dir.path().join("cut.mov");
    let mut command = ffmpeg(&["-ss", "1.3", "-i"]);
    command.arg(&whole).args(["-c", "copy", "-t", "2"]).arg(&cut);
    assert!(command.status().unwrap().success());
    let counted = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames"])
        .args(["-of", "csv=p=0"])
        .arg(&cut)
        .output()
        .unwrap();
    let counted: u64 = String::from_utf8(counted.stdout).unwrap().trim().parse().unwrap();
    let clip = open(&cut, None).unwrap();
    // At the end the order of storage shows: frames were cut off between ones that were kept.
    let stored = clip.info().timing.frame_count;
    assert!((counted..=counted + 1).contains(&stored), "{stored} stored, {counted} decoded");
    let first = number(&clip.read(0).unwrap());
    for index in (0..counted as i64 - 4).rev().step_by(7).chain(0..9) {
        let frame = clip.read(index).unwrap_or_else(|e| panic!("{index}: {e}"));
        assert_eq!(i64::from(number(&frame)), i64::from(first) + index);
    }
}

/// Frames of a rate that varies are counted as they are stored, and said to be.
#[test]
fn a_rate_that_varies_is_said() {
    let dir = tempfile::tempdir().unwrap();
    // Every third frame of the second half is left out.
    let select = "select='lt(n,20)+not(eq(mod(n,3),0))'";
    let coding = ["-vf", select, "-vsync", "vfr", "-c:v", "libx264", "-pix_fmt", "yuv420p"];
    let path = movie(&dir.path().join("a.mp4"), 60, "24", &coding);
    let clip = open(&path, None).unwrap();
    let kept: Vec<i64> = (0..60).filter(|n| *n < 20 || n % 3 != 0).collect();
    assert_eq!(clip.info().timing.frame_count, kept.len() as u64);
    assert!(clip.info().notes.iter().any(|n| n.message.contains("rate varies")));
    for index in [0, 19, 20, 21, 22, 30, kept.len() as i64 - 1, 5] {
        let frame = clip.read(index).unwrap();
        assert_eq!(i64::from(number(&frame)), kept[index as usize], "{index}");
    }
}

#[test]
fn tags_become_the_schema() {
    let dir = tempfile::tempdir().unwrap();
    let tags = ["-timecode", "01:02:03;04", "-metadata:s:v", "reel_name=A007R1AB"];
    let coding = [PRORES, &tags, REC709].concat();
    let path = movie(&dir.path().join("A007_C003_0101AB.mov"), 8, "30000/1001", &coding);
    let clip = open(&path, None).unwrap();
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "A007_C003_0101AB", "the whole name, digits too");
    assert_eq!(info.identity.reel_name.as_deref(), Some("A007R1AB"));
    let start = info.timing.start.unwrap();
    assert_eq!((start.to_string().as_str(), start.drop_frame), ("01:02:03;04", true));
    assert_eq!(clip.frame_timecode(2).unwrap().to_string(), "01:02:03;06");
    assert_eq!(info.picture.compression, "prores HQ");
    assert_eq!(info.picture.codec.as_deref(), Some("Apple ProRes 422 HQ"));
    assert_eq!((info.picture.bit_depth, info.picture.pixel_aspect), (10, 1.0));
    assert_eq!(info.vendor["movie.stream0.codec_tag_string"], "apch");
    let primaries = info.vendor.get("movie.stream0.color_primaries").map(String::as_str);
    assert_eq!(primaries, Some("bt709"), "{:#?}", info.vendor);
    assert_eq!(info.color_space.as_deref(), Some("Rec.709 camera, Rec.709 primaries"));
    assert!(clip.check_color().is_ok());
    assert_eq!(clip.layout().rgb().unwrap().samples, RgbSamples::U16);

    let coding = [DNXHR, &["-timecode", "10:00:00:00"]].concat();
    let path = movie(&dir.path().join("b.mxf"), 8, "24", &coding);
    let info = open(&path, None).unwrap().info().clone();
    assert_eq!(info.timing.start.unwrap().to_string(), "10:00:00:00");
    assert_eq!(info.picture.codec.as_deref(), Some("Avid DNxHR HQX"));
    assert!(info.identity.umid.is_some_and(|umid| umid.len() == 64));
}

/// A clip whose colours are not named exactly is described, and not guessed at.
#[test]
fn unknown_colours_are_not_guessed() {
    let dir = tempfile::tempdir().unwrap();
    let log = ["-metadata", "comment=recorded in ARRI LogC3"];
    for (name, coding) in [
        ("untagged.mov", PRORES.to_vec()),
        ("pq.mov", [PRORES, PQ].concat()),
        ("log.mov", [PRORES, REC709, &log].concat()),
    ] {
        let path = movie(&dir.path().join(name), 2, "24", &coding);
        let clip = open(&path, None).unwrap();
        let fault = clip.check_color().unwrap_err();
        assert_eq!(fault.code, Code::NoInputTransform, "{name}: {fault}");
        assert_eq!(number(&clip.read(1).unwrap()), 1, "{name}: its frames are read all the same");
    }
}

/// Within a code or two of zimg: matrix, range, and the place of the chroma.
#[test]
fn colours_are_zimgs() {
    let dir = tempfile::tempdir().unwrap();
    for (pixel_format, coder, matrix, range, location) in [
        ("yuv444p10le", "ffv1", "bt709", "tv", "left"),
        ("yuv422p10le", "ffv1", "bt709", "tv", "left"),
        ("yuv422p10le", "ffv1", "bt2020nc", "tv", "left"),
        ("yuv420p", "ffv1", "smpte170m", "tv", "left"),
        ("yuv420p10le", "ffv1", "bt709", "pc", "left"),
    ] {
        let path = dir.path().join("a.mkv");
        let status = ffmpeg(&["-f", "lavfi", "-i", "testsrc2=s=128x96:r=24", "-frames:v", "2"])
            .args(["-vf", &format!("noise=alls=20,format={pixel_format}"), "-c:v", coder])
            .args(["-colorspace", matrix, "-color_range", range])
            .args(["-color_primaries", "bt709", "-color_trc", "bt709"])
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
        let clip = open(&path, None).unwrap();
        let zimg_matrix = match matrix {
            "bt709" => "709",
            "bt2020nc" => "2020_ncl",
            _ => "170m",
        };
        let range = if range == "tv" { "limited" } else { "full" };
        let filter = format!(
            "zscale=matrixin={zimg_matrix}:rangein={range}:chromalin={location}:matrix=gbr:range=full:filter=bilinear,format=gbrpf32le"
        );
        let output = ffmpeg(&["-i"])
            .arg(&path)
            .args(["-vf", &filter, "-f", "rawvideo", "-pix_fmt", "gbrpf32le", "-"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let plane = 128 * 96;
        let frame = clip.read(1).unwrap();
        let value = |at: usize| {
            let bytes = &output.stdout[at * 4..][..4];
            f64::from(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        };
        let mut worst: f64 = 0.0;
        for pixel in 0..plane {
            for (color, of) in [2, 0, 1].into_iter().enumerate() {
                let theirs = value(3 * plane + of * plane + pixel);
                let theirs = (ZERO + theirs * (ONE - ZERO)).clamp(0.0, 65_535.0);
                let at = pixel * 6 + color * 2;
                let ours = f64::from(u16::from_le_bytes([frame.bytes[at], frame.bytes[at + 1]]));
                worst = worst.max((ours - theirs).abs());
            }
        }
        // zimg works in single precision, and rounds nothing; ours are whole codes.
        assert!(worst <= 1.0, "{pixel_format} {matrix} {range}: off by {worst} codes");
    }
}

#[test]
fn damage_is_named_and_ends() {
    let dir = tempfile::tempdir().unwrap();
    let path = movie(&dir.path().join("a.mov"), 24, "24", PRORES);
    let whole = std::fs::read(&path).unwrap();

    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let fault = open(&path, None).err().expect("the index is gone");
    assert_eq!(fault.code, Code::TruncatedFile, "{fault}");
    assert!(fault.cause.as_ref().unwrap().contains("moov"), "its own words: {fault}");
    assert!(fault.place.unwrap().contains("a.mov"));

    // A frame's bytes: that frame fails, the others are read.
    let mut damaged = whole.clone();
    let frame = damaged.windows(4).enumerate().filter(|(_, w)| *w == b"icpf").nth(10).unwrap().0;
    damaged[frame..frame + 64].fill(0xff);
    std::fs::write(&path, &damaged).unwrap();
    let clip = open(&path, None).unwrap();
    for index in (0..24).chain([10, 9, 11, 10]) {
        match clip.read(index) {
            Ok(frame) => assert_eq!(i64::from(number(&frame)), index),
            Err(fault) => {
                assert_eq!((index, fault.code), (10, Code::MissingFrame), "{fault}");
                assert!(fault.message.contains("invalid frame header"), "{fault}");
            }
        }
    }
    assert!(clip.read(10).is_err());

    // Frames that build on others: what is damaged is not concealed, what comes is right.
    let long = movie(&dir.path().join("long.mp4"), 60, "24", H264);
    let mut damaged = std::fs::read(&long).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle..middle + 40].fill(0xa5);
    std::fs::write(&long, &damaged).unwrap();
    let clip = open(&long, None).unwrap();
    let read: Vec<_> = (0..60).map(|index| clip.read(index)).collect();
    assert!(read.iter().any(Result::is_err), "nothing is said");
    assert!(read[..10].iter().all(Result::is_ok), "what stands before is sound");
    for fault in read.iter().filter_map(|frame| frame.as_ref().err()) {
        let codes = [Code::BadStructure, Code::MissingFrame, Code::DecoderFailed];
        assert!(codes.contains(&fault.code), "{fault}");
    }

    // A playlist that calls itself a movie reaches nothing.
    std::fs::write(&path, "#EXTM3U\n#EXTINF:1,\nfile:/etc/passwd\n").unwrap();
    assert_eq!(open(&path, None).err().unwrap().code, Code::DecoderFailed);
    std::fs::write(&path, "").unwrap();
    assert!(open(&path, None).is_err());
}

/// A copy that broke off is a problem of the card, wherever the container keeps its index.
#[test]
fn movies_that_broke_off_are_problems() {
    let dir = tempfile::tempdir().unwrap();
    let front = [PRORES, &["-movflags", "+faststart"]].concat();
    let fragments = [PRORES, &["-movflags", "+frag_keyframe+empty_moov"]].concat();
    for (name, coding) in [
        ("behind.mov", PRORES),
        ("front.mov", &front[..]),
        ("fragments.mov", &fragments[..]),
        ("a.mkv", PRORES),
        ("a.mxf", DNXHR),
    ] {
        let path = movie(&dir.path().join(name), 24, "24", coding);
        let problems = || inspect(std::slice::from_ref(&path)).problems;
        assert_eq!(problems(), [], "{name}");
        let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_len(path.metadata().unwrap().len() * 3 / 4).unwrap();
        let problems = problems();
        assert!(problems.iter().any(|p| p.code == Code::TruncatedFile), "{name}: {problems:?}");
    }
}
