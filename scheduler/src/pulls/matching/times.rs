//! Whether a clip holds a run of timecode, and where in it: read as it stands,
//! or as systems that count differently may have meant it.

use super::{ClipKey, Query};
use platefarm_model::{FrameRate, Timecode};

/// Where a run of the list begins in a clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    /// Index within the clip of the first frame; -1 when it lies one frame before the clip.
    pub(super) index: i64,
    /// Frames of the clip per frame of the list, as a ratio.
    pub(super) per_frame: [i64; 2],
    /// Frames of the list before its first within that frame of the clip.
    pub(super) phase: i64,
    /// How the timecode was read, where that was not as it stands.
    pub(super) read_as: Reading,
}

/// How a timecode was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// As it stands.
    Plain,
    /// One frame beyond an end of the clip.
    OneFrame,
    /// In the rate and drop frame mode of the clip.
    Sibling,
    /// So many hours later.
    Shifted(i64),
    /// From midnight, since the clip has none.
    Untimed,
}

/// Why a clip does not hold an event.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Not {
    /// It counts in another rate.
    Rate(FrameRate),
    /// One drops frame numbers, the other does not.
    DropFrame,
    /// Frames from the clip to the event, for ordering.
    Outside(i64),
    /// It has no timecode.
    Untimed,
}

/// Every frame of the list lies in the clip, at the same rate.
pub(super) fn inside(clip: &ClipKey, query: &Query<'_>) -> Result<At, Not> {
    as_it_stands(clip, clip.start.ok_or(Not::Untimed)?, query)
}

/// The same, of a clip that begins at `start`.
fn as_it_stands(clip: &ClipKey, start: Timecode, query: &Query<'_>) -> Result<At, Not> {
    counted_alike(start, query.start)?;
    let index = place(clip, start, query.start, query.written, 0)?;
    Ok(At { index, per_frame: [1, 1], phase: 0, read_as: Reading::Plain })
}

/// The same, where a list counts one frame too many at either end.
pub(super) fn one_frame(clip: &ClipKey, query: &Query<'_>) -> Option<At> {
    let start = clip.start?;
    counted_alike(start, query.start).ok()?;
    let index = place(clip, start, query.start, query.written, 1).ok()?;
    Some(At { index, per_frame: [1, 1], phase: 0, read_as: Reading::OneFrame })
}

/// The same hour, minute, second and frame read in the clip's own count: at
/// 24 for 23.976, drop frame for non-drop, and at double or half the rate.
pub(super) fn sibling(clip: &ClipKey, query: &Query<'_>) -> Option<At> {
    in_its_count(clip, clip.start?, query)
}

/// The same, of a clip that begins at `start`.
fn in_its_count(clip: &ClipKey, start: Timecode, query: &Query<'_>) -> Option<At> {
    let given = query.start;
    if (start.rate, start.drop_frame) == (given.rate, given.drop_frame) {
        return None;
    }
    let (theirs, ours) = (start.rate.timebase(), given.rate.timebase());
    let [h, m, s, frame] = given.fields();
    let (frame, phase, per_frame) = match (theirs, ours) {
        (a, b) if a == b => (frame, 0, [1, 1]),
        (a, b) if a == 2 * b => (frame * 2, 0, [2, 1]),
        (a, b) if 2 * a == b => (frame / 2, i64::from(frame % 2), [1, 2]),
        _ => return None,
    };
    let read = Timecode::from_fields(h, m, s, frame, start.rate, start.drop_frame).ok()?;
    let frames = scaled(query.written, phase, per_frame);
    let index = place(clip, start, read, frames, 0).ok()?;
    Some(At { index, per_frame, phase, read_as: Reading::Sibling })
}

/// An hour earlier or later: programmes begin at hour one, cameras at zero.
/// (A day is no shift: timecode is counted around midnight.)
pub(super) fn shifted(clip: &ClipKey, query: &Query<'_>) -> Option<At> {
    let start = clip.start?;
    counted_alike(start, query.start).ok()?;
    let hour = query.start.frames_per_day() / 24;
    [1, -1].into_iter().find_map(|hours| {
        let read = query.start.plus(hours * hour);
        let index = place(clip, start, read, query.written, 0).ok()?;
        Some(At { index, per_frame: [1, 1], phase: 0, read_as: Reading::Shifted(hours) })
    })
}

/// Where a clip does not say when it begins: as if that were midnight.
pub(super) fn untimed(clip: &ClipKey, query: &Query<'_>) -> Option<At> {
    if clip.start.is_some() {
        return None;
    }
    let rate = clip.rate.unwrap_or(query.start.rate);
    let midnight = Timecode { frames: 0, rate, drop_frame: query.start.drop_frame };
    let at = as_it_stands(clip, midnight, query).ok();
    let at = at.or_else(|| in_its_count(clip, midnight, query))?;
    Some(At { read_as: Reading::Untimed, ..at })
}

/// `frames` of the list, `phase` of them behind where a frame of the clip begins, in frames of the clip,
/// none lost.
pub(in crate::pulls) fn scaled(frames: i64, phase: i64, [up, down]: [i64; 2]) -> i64 {
    ((phase + frames) * up + down - 1).div_euclid(down)
}

/// Whether a clip's timecode counts as the list counts.
fn counted_alike(start: Timecode, like: Timecode) -> Result<(), Not> {
    if start.rate != like.rate {
        return Err(Not::Rate(start.rate));
    }
    if start.drop_frame != like.drop_frame {
        return Err(Not::DropFrame);
    }
    Ok(())
}

/// Where `frames` frames from `at` on lie in the clip, of which up to `slack`
/// may lie before its start or behind its end. Counted around midnight: a clip
/// may run over it, and a list writes 00:00.
fn place(
    clip: &ClipKey,
    start: Timecode,
    at: Timecode,
    frames: i64,
    slack: i64,
) -> Result<i64, Not> {
    let day = at.frames_per_day();
    let count = i64::try_from(clip.frames).unwrap_or(i64::MAX);
    let mut index = (at.frames - start.frames).rem_euclid(day);
    if day - index <= slack {
        index -= day;
    }
    let end = index.saturating_add(frames);
    // Something of it must be there.
    if end <= count.saturating_add(slack) && index < count && end > 0 {
        return Ok(index);
    }
    // How far the event lies behind the clip's end, or before its start.
    Err(Not::Outside((end - count).min(day - index)))
}
