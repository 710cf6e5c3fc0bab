//! Which source frames an edit list shows.
//!
//! A list says it in several ways: a cut as a range, a dissolve as two lines
//! of which the first has no length, a speed change as a rate beside the range,
//! a frozen frame as a rate of zero. Here each becomes a take: a first frame
//! and a count.
//!
//! The two sides of a dissolve are two takes. Where the outgoing line goes on
//! from the event before it, which is the rule, its frames become the tail of
//! that event's take, so that the shot is one plate.
//!
//! [`speed`](super::speed) says what a speed makes of a take.

use super::speed::{foreign, motion, of_neither, retimed, several, shown};
use platefarm_model::{Code, Fault, Timecode};
use platefarm_standards::editlist::{EditList, Event, MotionEffect};

/// A run of source frames.
#[derive(Clone, Debug)]
pub(super) struct Take<'a> {
    pub(super) event: &'a Event,
    /// Clip name of this side.
    pub(super) clip_name: Option<&'a str>,
    /// Source file of this side.
    pub(super) source_file: Option<&'a str>,
    /// First frame as the list writes it.
    pub(super) start: Timecode,
    /// Frames as the list writes them, at least one: these the clip must have.
    pub(super) written: i64,
    /// Frames needed before `start`: a reversed shot counts down from it.
    pub(super) lead: i64,
    /// Frames needed in all, at least one, counted from `start - lead`.
    pub(super) count: i64,
    /// Source frames that the event shows, at least one: not more than `count`, which takes in
    /// what the list only writes, and all readings of a list that can be read in several ways.
    pub(super) shows: i64,
    /// Frames of the edit that it lasts, a transition behind it included.
    pub(super) record: i64,
    /// Source frames per frame of record; 1 when the list names no speed.
    pub(super) speed: f64,
    /// What was assumed.
    pub(super) notes: Vec<Fault>,
}

/// What becomes of an event.
pub(super) enum Verdict<'a> {
    /// Frames are wanted.
    Take(Take<'a>),
    /// None are needed, and why.
    Skip(&'a Event, Fault),
    /// None are needed: it is heard, not seen.
    Sound(&'a Event),
    /// It cannot be understood, and why.
    Reject(&'a Event, Fault),
}

/// Where an event stands, for messages.
pub(super) fn place(event: &Event) -> String {
    format!("event {}, line {}", event.number, event.line)
}

/// Every event of the list, in its order: exactly one verdict each.
pub(super) fn takes(edl: &EditList) -> Vec<Verdict<'_>> {
    let mut verdicts: Vec<Verdict<'_>> = Vec::with_capacity(edl.events.len());
    for (i, event) in edl.events.iter().enumerate() {
        let next = edl.events.get(i + 1);
        let verdict = match outgoing_of(event, next) {
            Some(into) => outgoing(event, into, &mut verdicts),
            None => {
                let before = i.checked_sub(1).map(|before| &edl.events[before]);
                let said = before.is_some_and(|b| outgoing_of(b, Some(event)).is_some());
                if event.transition.mixes() && event.is_picture() && !said {
                    outgoing_unsaid(event, &mut verdicts);
                }
                one(event, before)
            }
        };
        verdicts.push(verdict);
    }
    verdicts
}

fn skip<'a>(event: &'a Event, why: impl Into<String>) -> Verdict<'a> {
    Verdict::Skip(event, Fault::new(Code::EventSkipped, why))
}

/// An event that is not the outgoing line of a transition.
fn one<'a>(event: &'a Event, before: Option<&'a Event>) -> Verdict<'a> {
    if let Some(verdict) = without_media(event) {
        return verdict;
    }
    let mixes = event.transition.mixes();
    let clip_name = match (&event.to_clip_name, mixes) {
        (Some(to), true) => Some(to.as_str()),
        _ => event.clip_name.as_deref(),
    };
    let other_reel = before.filter(|b| outgoing_of(b, Some(event)).is_some());
    let other_reel = other_reel.map(|b| b.reel.as_str());
    let told = motion(event, event, other_reel);
    let take = Take {
        event,
        clip_name,
        source_file: event.source_file.as_deref(),
        start: event.source.start,
        written: 1,
        lead: 0,
        count: 1,
        shows: 1,
        record: 0,
        speed: 1.0,
        notes: match other_reel {
            Some(other) => of_neither(event, other),
            None => several(event, told).into_iter().collect(),
        },
    };
    measured(take, told)
}

/// Events that no camera file stands behind.
fn without_media(event: &Event) -> Option<Verdict<'_>> {
    if !event.is_picture() {
        return Some(Verdict::Sound(event));
    }
    if !event.enabled {
        return Some(skip(event, "the event is switched off: no plate"));
    }
    if let Some(doubt) = &event.doubt {
        return Some(Verdict::Reject(event, doubt.clone()));
    }
    if event.is_black() {
        return Some(skip(event, format!("'{}' is black: no plate", event.reel)));
    }
    let named =
        event.clip_name.is_some() || event.to_clip_name.is_some() || event.source_file.is_some();
    if event.is_auxiliary() && !named {
        return Some(skip(event, format!("'{}' names no camera clip: no plate", event.reel)));
    }
    None
}

/// Fills in how many frames are needed.
fn measured<'a>(mut take: Take<'a>, told: Option<&MotionEffect>) -> Verdict<'a> {
    let event = take.event;
    let (source, record) = (event.source.frames(), event.record.frames());
    if source < 0 || record < 0 {
        let (span, what) =
            if source < 0 { (&event.source, "source") } else { (&event.record, "record") };
        let message = format!(
            "the {what} out {} lies before the {what} in {}",
            span.end_text, span.start_text
        );
        return Verdict::Reject(event, Fault::new(Code::BadEdlLine, message));
    }
    if source == 0 && record == 0 {
        return skip(event, "an event without length needs no plate");
    }
    (take.written, take.record) = (source.max(1), record);
    let told = told.filter(|_| !event.freeze);
    let frozen = event.freeze.then_some(0.0);
    match frozen.or_else(|| told.map(|m| m.speed(take.start.rate))) {
        Some(speed) if speed != 1.0 => {
            take.notes.extend(told.and_then(|m| foreign(event, m)));
            retimed(&mut take, source, speed);
        }
        _ => plain(&mut take, source, record),
    }
    Verdict::Take(take)
}

fn plain(take: &mut Take<'_>, source: i64, record: i64) {
    (take.count, take.shows) = (source, source);
    if source == record {
        return;
    }
    let note = if source == 0 {
        (take.count, take.shows) = (record, record);
        Fault::new(
            Code::RetimeIgnored,
            format!("the event has no source length; its {record} frames of record are taken"),
        )
        .remedy("Check the plate against the edit.")
    } else if (source - record).abs() == 1 {
        // Lists made across rates are off by one; a frame too many does no harm.
        (take.count, take.shows) = (source.max(record), source.min(record).max(1));
        Fault::new(
            Code::RetimeIgnored,
            format!(
                "the event has {source} frames of source and {record} of record; the longer is taken"
            ),
        )
        .remedy("Nothing: the plate covers both.")
    } else {
        Fault::new(
            Code::RetimeIgnored,
            format!(
                "the event shows {source} source frames in {record} without naming a speed; the source frames are taken"
            ),
        )
    };
    take.notes.push(note.at(place(take.event)));
}

/// The event that `event` goes over into, when `event` is the first of the two
/// lines of a transition: without length, at the record time of the second.
fn outgoing_of<'a>(event: &Event, next: Option<&'a Event>) -> Option<&'a Event> {
    next.filter(|next| {
        next.transition.mixes()
            && !event.transition.mixes()
            && event.is_picture()
            && next.is_picture()
            && event.record.frames() == 0
            && event.record.start.frames == next.record.start.frames
    })
}

/// The outgoing side: the tail of the take before it where it goes on from
/// there, else a take of its own.
fn outgoing<'a>(event: &'a Event, into: &'a Event, before: &mut [Verdict<'a>]) -> Verdict<'a> {
    let frames = i64::from(into.transition.frames());
    if event.is_black() {
        return skip(event, format!("'{}' is black: no plate", event.reel));
    }
    if frames == 0 {
        return skip(event, "a transition without length needs no outgoing frames");
    }
    let told = motion(event, into, Some(&into.reel));
    let clip_name = into.clip_name.as_deref().or(event.clip_name.as_deref());
    if let Some(take) = last(before, event).filter(|take| goes_on(take, event, clip_name)) {
        extend(take, frames);
        let what = format!(
            "its {frames} frames of transition into event {} are the tail of event {}",
            into.number, take.event.number
        );
        take.notes.push(
            Fault::new(Code::EventSkipped, what.clone())
                .at(place(event))
                .remedy("Nothing: the plate holds them."),
        );
        return skip(event, what);
    }
    if event.is_auxiliary() && clip_name.is_none() && event.source_file.is_none() {
        return skip(event, format!("'{}' names no camera clip: no plate", event.reel));
    }
    let mut take = Take {
        event,
        clip_name,
        source_file: event.source_file.as_deref(),
        start: event.source.start,
        written: event.source.frames().max(1),
        lead: 0,
        count: frames,
        shows: frames,
        record: frames,
        speed: 1.0,
        notes: Vec::new(),
    };
    let frozen = event.freeze.then_some(0.0);
    match frozen.or_else(|| told.map(|m| m.speed(take.start.rate))) {
        Some(speed) if speed != 1.0 => retimed(&mut take, 0, speed),
        _ => {}
    }
    Verdict::Take(take)
}

/// A transition on one line, as some systems write it: what goes out is the shot that ends where it
/// begins. Where none does, it comes out of black.
fn outgoing_unsaid(into: &Event, before: &mut [Verdict<'_>]) {
    let frames = i64::from(into.transition.frames());
    let begins = into.record.start.frames;
    let out = last(before, into).filter(|take| take.event.record.end.frames == begins);
    let Some(take) = out.filter(|_| frames > 0) else { return };
    extend(take, frames);
    let what = format!(
        "the transition into event {} has no line for what goes out: its {frames} frames are the tail of event {}",
        into.number, take.event.number
    );
    take.notes.push(
        Fault::new(Code::EventSkipped, what)
            .at(place(into))
            .remedy("Nothing: the plate holds them."),
    );
}

/// The last take on the track of an event.
fn last<'t, 'a>(before: &'t mut [Verdict<'a>], event: &Event) -> Option<&'t mut Take<'a>> {
    before.iter_mut().rev().find_map(|verdict| match verdict {
        Verdict::Take(take) if take.event.track == event.track => Some(take),
        _ => None,
    })
}

/// Adds what a take shows in so many frames of record more.
fn extend(take: &mut Take<'_>, frames: i64) {
    let more = shown(frames, take.speed);
    take.count += more;
    take.shows += more;
    take.record += frames;
    // Backwards it goes on below what was shown.
    if take.speed < 0.0 {
        take.lead += more;
    }
}

/// Whether the outgoing line continues a take without a break.
fn goes_on(take: &Take<'_>, event: &Event, clip_name: Option<&str>) -> bool {
    let before = take.event;
    let day = event.source.start.frames_per_day();
    let at = event.source.start.frames;
    let ends = |end: i64| (at - end).rem_euclid(day) == 0;
    let same_name = match (take.clip_name, clip_name) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        // A reel that stands for any file says nothing of its own.
        _ => !event.is_auxiliary(),
    };
    // A reversed take goes on below its first frame, or where its range ends as the list writes it.
    let first = take.start.frames - take.lead;
    let below = take.speed < 0.0 && [take.start.frames, first, first - 1].into_iter().any(ends);
    before.reel.eq_ignore_ascii_case(&event.reel)
        && same_name
        && (ends(before.source.end.frames) || below)
        && before.record.end.frames == event.record.start.frames
}
