//! An edit list as JSON: one object per event, with the same fields whatever
//! the list was written as.
//!
//! Frames are counted at the timebase of their rate, drop frame included. Keys
//! that a list has no word for are left out or null.

use super::{Cdl, Change, Diff, EditList, Event, Side, Sop, Span, Transition};
use serde_json::{Map, Value, json};

/// The list as `platefarm edl show --json` prints it.
#[must_use]
pub fn to_json(list: &EditList) -> Value {
    json!({
        "format": list.format.name(),
        "title": list.title,
        "rate": list.rate.to_string(),
        "timebase": list.rate.timebase(),
        "encoding": list.encoding.name(),
        "fcm": list.frame_code_modes,
        "header_comments": list.remarks,
        "events": list.events.iter().map(event).collect::<Vec<_>>(),
        "unparsed": list.problems.iter().map(line_and_why).collect::<Vec<_>>(),
        "problems": list.problems,
        "warnings": list.warnings,
        "reels_look_cut": list.reels_look_cut(),
    })
}

/// `[line, message]`.
fn line_and_why(fault: &platefarm_model::Fault) -> Value {
    let place = fault.place.as_deref().unwrap_or_default();
    let line = place.rsplit(' ').next().and_then(|number| number.parse::<usize>().ok());
    json!([line, fault.message])
}

fn event(event: &Event) -> Value {
    let (source, record) = (&event.source, &event.record);
    let mut value = json!({
        "line": event.line,
        "number": event.number.parse::<u64>().ok(),
        "number_text": event.number,
        "reel": event.reel,
        "track": event.track,
        "transition": event.transition.to_string(),
        "transition_frames": transition_frames(event.transition),
        "src_in_tc": source.start_text, "src_out_tc": source.end_text,
        "rec_in_tc": record.start_text, "rec_out_tc": record.end_text,
        "src_in": source.start.frames, "src_out": source.end.frames,
        "rec_in": record.start.frames, "rec_out": record.end.frames,
        "src_dur": source.frames(), "rec_dur": record.frames(),
        "drop": source.start.drop_frame,
        "clip_name": event.clip_name,
        "to_clip_name": event.to_clip_name,
        "source_file": event.source_file,
        "m2": event.motion.iter().map(|m| json!([m.reel, m.fps, m.at])).collect::<Vec<_>>(),
        "freeze": event.freeze,
        "cdl": event.cdl.as_ref().map(cdl),
        "locators": event.locators.iter().map(|l| json!([l.at, l.color, l.text])).collect::<Vec<_>>(),
        "comments": event.remarks,
    });
    if let Some(map) = value.as_object_mut() {
        extras(event, map);
    }
    value
}

fn transition_frames(transition: Transition) -> Option<u32> {
    (transition != Transition::Cut).then(|| transition.frames())
}

/// What the list says; a part that it does not say is null.
fn cdl(cdl: &Cdl) -> Value {
    let [slope, offset, power] = match cdl.sop {
        Some(Sop { slope, offset, power }) => [Some(slope), Some(offset), Some(power)],
        None => [None; 3],
    };
    json!({ "slope": slope, "offset": offset, "power": power, "saturation": cdl.saturation })
}

/// What few events have.
fn extras(event: &Event, map: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| {
        map.insert(key.to_owned(), value);
    };
    if let Some(split) = &event.split {
        put("split", json!(split));
    }
    if !event.audio_channels.is_empty() {
        put("aud", json!(event.audio_channels));
    }
    if let Some(name) = &event.effect_name {
        put("effect_name", json!(name));
    }
    let wraps: Vec<&str> = [("source", &event.source), ("record", &event.record)]
        .into_iter()
        .filter(|(_, span): &(_, &Span)| span.crosses_midnight())
        .map(|(name, _)| name)
        .collect();
    if !wraps.is_empty() {
        put("midnight_wrap", json!(wraps));
    }
    if event.source.start.rate != event.record.start.rate {
        put("src_rate", json!(event.source.start.rate.to_string()));
    }
    for (key, text) in [("long_reel", &event.long_reel), ("umid", &event.umid)] {
        if let Some(text) = text {
            put(key, json!(text));
        }
    }
    if let Some(media) = &event.media {
        put("media", json!({ "start": media.start.frames, "frames": media.frames }));
    }
    if !event.remap.is_empty() {
        let points: Vec<_> = event.remap.iter().map(|p| [p.record, p.source]).collect();
        put("remap", json!(points));
    }
    if !event.enabled {
        put("enabled", json!(false));
    }
    if !event.within.is_empty() {
        put("within", json!(event.within));
    }
    if let Some(doubt) = &event.doubt {
        put("doubt", json!(doubt.message));
    }
}

/// A difference as `platefarm edl diff --json` prints it.
#[must_use]
pub fn diff_to_json(diff: &Diff<'_>) -> Value {
    let side = |side: Option<&Event>| {
        side.map(|event| {
            json!({
                "line": event.line, "number_text": event.number, "reel": event.reel, "track": event.track,
                "clip_name": event.clip_name,
                "src_in": event.source.start.frames, "src_out": event.source.end.frames,
                "rec_in": event.record.start.frames, "rec_out": event.record.end.frames,
            })
        })
    };
    let changed = diff.changed.iter().map(|changed| {
        json!({
            "before": side(changed.before),
            "after": side(changed.after),
            "changes": changed.changes.iter().map(|c| change(*c)).collect::<Vec<_>>(),
        })
    });
    json!({ "changed": changed.collect::<Vec<_>>(), "same": diff.same })
}

fn change(change: Change) -> Value {
    let kind = change.word();
    match change {
        Change::New | Change::Gone | Change::Regraded => json!({ "kind": kind }),
        Change::Extended { side, frames } | Change::Shortened { side, frames } => {
            let side = if side == Side::Head { "head" } else { "tail" };
            json!({ "kind": kind, "side": side, "frames": frames })
        }
        Change::Slipped { frames } => json!({ "kind": kind, "frames": frames }),
        Change::Moved { frames, rippled } => {
            json!({ "kind": kind, "frames": frames, "rippled": rippled })
        }
        Change::Retimed { from, to } => json!({ "kind": kind, "from": from, "to": to }),
    }
}
