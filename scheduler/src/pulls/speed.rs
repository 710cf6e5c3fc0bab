//! How a list says that a source runs at another speed, and which source
//! frames that shows.
//!
//! Forwards that is plain: from the in on, as many as the speed makes of the
//! record. Backwards it is not. Some systems write the range that is shown, and
//! the shot runs down from its out; some write the frame that is shown first,
//! and the shot runs down from its in; some leave the out as if nothing were
//! retimed. Where a range does not say which of them it was, the plate holds
//! the frames of all readings, and says so.

use super::take::{Take, place};
use platefarm_model::{Code, Fault};
use platefarm_standards::editlist::{Event, MotionEffect};

/// Frames that `record` frames show at `speed`: `ceil(record * |speed|)`, less
/// the noise of the product.
pub(super) fn shown(record: i64, speed: f64) -> i64 {
    (record as f64 * speed.abs() - 1e-6).ceil().max(0.0) as i64
}

/// Fills in which frames a speed shows. The list writes `source` of them.
pub(super) fn retimed(take: &mut Take<'_>, source: i64, speed: f64) {
    take.speed = speed;
    let record = take.record;
    let wanted = shown(record, speed).max(1);
    // Of a range whose length is the record's, slower, the clip need not have what is not shown.
    (take.shows, take.written) = (wanted, source.clamp(1, wanted));
    let what = if speed == 0.0 {
        take.count = 1;
        format!("the event holds one source frame for {record} of record")
    } else if speed < 0.0 {
        backwards(take, source, wanted)
    } else {
        take.count = source.max(wanted);
        let more = match take.count - wanted {
            0 => String::new(),
            _ => format!("; the list writes {source}, which are taken"),
        };
        let speed = speed * 100.0;
        format!(
            "the event shows {wanted} source frames in {record} of record, at {speed:.1} % speed{more}"
        )
    };
    take.notes.push(Fault::new(Code::RetimeIgnored, what).at(place(take.event)));
}

/// A shot that runs backwards over `wanted` source frames, of which the list
/// writes `source` from the in on.
fn backwards(take: &mut Take<'_>, source: i64, wanted: i64) -> String {
    let record = take.record;
    let speed = take.speed.abs() * 100.0;
    let shows = format!(
        "the event shows {wanted} source frames in {record} of record, at {speed:.1} % speed backwards"
    );
    if source <= 1 {
        // The one frame that it starts from; of none it may be the one before.
        take.lead = wanted - source;
        take.count = take.lead + 1;
        return format!("{shows}, down from its source in");
    }
    // A range of that length is the one that is shown, but for what was rounded away.
    let is_whole = (source - wanted).abs() <= 1;
    take.lead = if is_whole { (wanted - source).max(0) } else { wanted - 1 };
    // Lengths that are equal say that the out was not counted by the speed: then the in may be
    // the lowest frame, and those that are shown lie above it.
    take.count = take.lead + if source == record { source.max(wanted) } else { source };
    if is_whole {
        return shows;
    }
    format!(
        "{shows}, and the list writes {source}: it does not say whether they run down from the source in or from the out, so {} are taken",
        take.count
    )
}

/// The M2 that belongs to `side`; the lines of both sides of a transition
/// stand under its second line, `under`.
pub(super) fn motion<'e>(
    side: &Event,
    under: &'e Event,
    other_reel: Option<&str>,
) -> Option<&'e MotionEffect> {
    let mine: Vec<&MotionEffect> = under.motion.iter().filter(|m| is_of(m, side)).collect();
    let exact = mine.iter().rev().find(|m| m.at == side.source.start_text);
    match other_reel {
        // One side only: whatever stands there is meant; see `foreign`.
        None => exact.copied().or_else(|| mine.last().copied()).or(under.motion.last()),
        // Two sides of one reel are told apart by time only.
        Some(other) if same_reel(other, &side.reel) => exact.copied(),
        Some(_) => exact.copied().or_else(|| mine.last().copied()),
    }
}

/// What is to be said of a speed that stands under an event and names another reel.
pub(super) fn foreign(event: &Event, told: &MotionEffect) -> Option<Fault> {
    let names = [&event.clip_name, &event.to_clip_name, &event.source_file];
    let named = names.into_iter().flatten().any(|name| same_reel(&told.reel, name));
    (!is_of(told, event) && !named).then(|| {
        let message = format!(
            "the speed under the event is written for reel '{}'; it is taken for that of '{}'",
            told.reel, event.reel
        );
        Fault::new(Code::OtherSpeed, message).at(place(event))
    })
}

/// What is to be said of a shot of one source under which stands more than one speed: a list has no
/// way to say from where to where each holds.
pub(super) fn several(event: &Event, told: Option<&MotionEffect>) -> Option<Fault> {
    let told = told.filter(|_| !event.freeze)?;
    let other = event.motion.iter().find(|m| (m.fps - told.fps).abs() > 1e-9)?;
    let message = format!(
        "the event has several speeds: that of {} frames per second is taken, and not that of {}",
        told.fps, other.fps
    );
    Some(
        Fault::new(Code::RetimeIgnored, message)
            .at(place(event))
            .remedy("Check the plate against the edit: it may need more frames, as handles."),
    )
}

/// What is to be said of speeds under the second line of a transition that are of neither side.
pub(super) fn of_neither(into: &Event, other_reel: &str) -> Vec<Fault> {
    let others = into.motion.iter().filter(|m| !is_of(m, into) && !same_reel(&m.reel, other_reel));
    let said = others.map(|m| {
        let message = format!(
            "a speed of the transition is written for reel '{}', which is neither '{other_reel}' nor '{}': it is left out",
            m.reel, into.reel
        );
        Fault::new(Code::OtherSpeed, message).at(place(into))
    });
    said.collect()
}

/// Whether a speed is written for the reel of an event, or for none.
fn is_of(told: &MotionEffect, event: &Event) -> bool {
    let whole = event.long_reel.as_deref();
    told.reel.is_empty()
        || same_reel(&told.reel, &event.reel)
        || whole.is_some_and(|whole| same_reel(&told.reel, whole))
}

/// Equal, or one cut short of the other.
fn same_reel(a: &str, b: &str) -> bool {
    let shorter = a.len().min(b.len());
    a.eq_ignore_ascii_case(b)
        || (shorter >= 8
            && a.get(..shorter)
                .zip(b.get(..shorter))
                .is_some_and(|(a, b)| a.eq_ignore_ascii_case(b)))
}
