//! One FFmpeg for a range of frames, whatever the order in which threads ask.

use super::*;

fn numbered(path: &Path, frames: u32) {
    let source = format!("testsrc2=s=64x48:r=24,trim=end_frame={frames}");
    let status = std::process::Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", &source])
        .args(["-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"])
        .arg(path)
        .status()
        .expect("FFmpeg, see `cargo xtask test`");
    assert!(status.success());
}

#[test]
fn a_range_costs_one_seek() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mov");
    numbered(&path, 60);
    let clip = MovieClip::open(&Sequence::whole(&path)).unwrap();
    // As four reader threads ask: nearly in order.
    for four in (20..40).collect::<Vec<i64>>().chunks(4) {
        for index in [1, 0, 3, 2].map(|i| four[i]) {
            clip.read(index).unwrap();
        }
    }
    assert_eq!(clip.frames.starts(), 1);
    // Far ahead, and back: each sought anew.
    clip.read(59).unwrap();
    clip.read(0).unwrap();
    assert_eq!(clip.frames.starts(), 2, "59 is within reach of 39, 0 is not");
}
