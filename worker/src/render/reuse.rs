//! Frames that an earlier delivery has: taken over instead of rendered, when
//! they are still what their hash says. A frame that is not is rendered, as
//! if nobody had spoken of it.

use platefarm_media::{hash, publish};
use platefarm_model::job::{FrameResult, StageMillis};
use platefarm_model::recipe::{RenderSpec, ReusedFrame};
use platefarm_model::{FrameRange, Outcome};
use std::path::Path;
use std::time::Instant;

/// What stands in place of a backend for frames that nobody rendered.
pub const TAKEN_OVER: &str = "taken over";

/// Work on a run of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment<'a> {
    /// Render them.
    Render(FrameRange),
    /// Take one over, or render it when that cannot be.
    TakeOver(&'a ReusedFrame),
}

/// What to do with `frames`, in ascending order.
#[must_use]
pub fn segments(spec: &RenderSpec, frames: FrameRange) -> Vec<Segment<'_>> {
    let mut known: Vec<&ReusedFrame> =
        spec.reuse.iter().filter(|known| frames.contains(known.frame)).collect();
    known.sort_by_key(|known| known.frame);
    known.dedup_by_key(|known| known.frame);
    let mut segments = Vec::new();
    let mut next = frames.first();
    for known in known {
        segments.extend(FrameRange::new(next, known.frame - 1).ok().map(Segment::Render));
        segments.push(Segment::TakeOver(known));
        next = known.frame + 1;
    }
    segments.extend(FrameRange::new(next, frames.last()).ok().map(Segment::Render));
    segments
}

/// Takes a frame over into the attempt; nothing when it is not what it was.
///
/// # Errors
/// When the staging directory cannot be made.
pub fn take_over(
    spec: &RenderSpec,
    known: &ReusedFrame,
    attempt: &str,
) -> Outcome<Option<FrameResult>> {
    let out_dir = Path::new(&spec.out_dir);
    let name = spec.naming.file_name(known.frame);
    let to = publish::stage_dir(out_dir, attempt)?.join(&name);
    let begun = Instant::now();
    Ok(staged(known, &to).map(|bytes| FrameResult {
        frame: known.frame,
        staged: to.display().to_string(),
        published: out_dir.join(&name).display().to_string(),
        xxh128: known.xxh128.clone(),
        bytes,
        backend: TAKEN_OVER.into(),
        millis: StageMillis::from([("take over".into(), begun.elapsed().as_secs_f64() * 1000.0)]),
        non_finite: 0,
    }))
}

/// Links or copies the frame, and compares what is staged with its hash. The
/// size when it is the frame.
fn staged(known: &ReusedFrame, to: &Path) -> Option<u64> {
    let from = Path::new(&known.file);
    // Left by this attempt before it was interrupted.
    let _ = std::fs::remove_file(to);
    if std::fs::hard_link(from, to).is_err() {
        std::fs::copy(from, to).ok()?;
        std::fs::File::open(to).and_then(|file| file.sync_all()).ok()?;
    }
    match hash::xxh128_file(to) {
        Ok((bytes, found)) if found == known.xxh128 => Some(bytes),
        _ => {
            tracing::warn!(
                file = known.file,
                "an earlier frame is not what it was; it is rendered"
            );
            // What is staged and no frame is cleared away with the attempt.
            let _ = std::fs::remove_file(to);
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::recipe::FrameNaming;

    fn spec(out_dir: &Path, reuse: Vec<ReusedFrame>) -> RenderSpec {
        let naming = FrameNaming { stem: "b".into(), padding: 4 };
        let json = serde_json::json!({
            "source": "/ocf/a.dng", "source_first": 0, "frames": "1001-1010",
            "out_dir": out_dir, "naming": naming,
        });
        RenderSpec { reuse, ..serde_json::from_value(json).unwrap() }
    }

    fn known(dir: &Path, frame: i64, content: &str) -> ReusedFrame {
        let file = dir.join(format!("a.{frame}.exr"));
        std::fs::write(&file, content).unwrap();
        let file = file.display().to_string();
        ReusedFrame { frame, file, xxh128: hash::xxh128(b"picture") }
    }

    #[test]
    fn frames_are_done_in_order_whatever_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let known = [1003, 1001, 1007, 1020].map(|f| known(dir.path(), f, "picture"));
        let spec = spec(dir.path(), known.to_vec());
        let range = |a, b| Segment::Render(FrameRange::new(a, b).unwrap());
        let over = |i: usize| Segment::TakeOver(&known[i]);
        let wanted = [over(1), range(1002, 1002), over(0), range(1004, 1006), over(2)];
        assert_eq!(segments(&spec, FrameRange::new(1001, 1007).unwrap()), wanted);
        let one = FrameRange::new(1008, 1009).unwrap();
        assert_eq!(segments(&spec, one), [Segment::Render(one)]);
    }

    #[test]
    fn a_frame_is_taken_over_only_while_it_is_what_it_was() {
        let dir = tempfile::tempdir().unwrap();
        let [good, bad] =
            [(1001, "picture"), (1002, "Picture")].map(|(f, t)| known(dir.path(), f, t));
        let out = dir.path().join("b");
        let spec = spec(&out, vec![]);
        let result = take_over(&spec, &good, "t1").unwrap().unwrap();
        assert_eq!(std::fs::read_to_string(&result.staged).unwrap(), "picture");
        assert!(result.published.ends_with("b/b.1001.exr"), "{}", result.published);
        assert_eq!(take_over(&spec, &bad, "t1").unwrap(), None);
        let gone = ReusedFrame { file: "/nowhere".into(), ..good };
        assert_eq!(take_over(&spec, &gone, "t1").unwrap(), None);
    }
}
