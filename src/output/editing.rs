//! Edit lists and what they differ in, for people.

use super::style;
use super::table::{self, Align};
use platefarm_model::{Code, Fault};
use platefarm_standards::editlist::{Change, Changed, Diff, EditList, Event, Side};

/// The events of a list, then what cannot be read or is not to be trusted.
pub(super) fn list(file: &str, list: &EditList) {
    let title = if list.title.is_empty() { "(no title)" } else { &list.title };
    say!(
        "{}  {file}: {} at {}, {}, {} events",
        style::strong(title),
        list.format.name(),
        list.rate,
        list.encoding.name(),
        list.events.len()
    );
    let rows: Vec<Vec<String>> = list.events.iter().map(row).collect();
    table::print(
        &[
            ("EVENT", Align::Key),
            ("TRACK", Align::Left),
            ("REEL", Align::Left),
            ("CUT", Align::Left),
            ("SOURCE IN", Align::Key),
            ("SOURCE OUT", Align::Key),
            ("RECORD IN", Align::Key),
            ("FRAMES", Align::Right),
            ("CLIP, AND WHAT THE LIST SAYS OF IT", Align::Left),
        ],
        &rows,
    );
    // What an export for CMX 3600 leaves of longer names.
    let cut = list.reels_look_cut().then(|| {
        let message = "no reel is longer than eight characters: names may be cut";
        Fault::new(Code::BadEdlReel, message).at(file)
    });
    for fault in told(list).chain(&cut) {
        say!("{} {fault}", style::missing("note"));
    }
}

/// Everything that is wrong with a list, or looks so.
fn told(list: &EditList) -> impl Iterator<Item = &Fault> {
    let doubts = list.events.iter().filter_map(|event| event.doubt.as_ref());
    list.problems.iter().chain(&list.warnings).chain(doubts)
}

fn row(event: &Event) -> Vec<String> {
    let transition = match event.transition.frames() {
        0 => event.transition.to_string(),
        frames => format!("{} {frames:03}", event.transition),
    };
    vec![
        event.number.clone(),
        event.track.clone(),
        event.reel.clone(),
        transition,
        event.source.start_text.clone(),
        event.source.end_text.clone(),
        event.record.start_text.clone(),
        event.record.frames().to_string(),
        remarks(event),
    ]
}

/// What few events have, in words.
fn remarks(event: &Event) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(event.to_clip_name.as_ref().or(event.clip_name.as_ref()).cloned());
    let rate = event.source.start.rate;
    words.extend(event.motion.iter().map(|m| format!("speed {:.1} %", m.speed(rate) * 100.0)));
    if event.freeze {
        words.push("freeze".into());
    }
    if !event.remap.is_empty() {
        words.push(format!("speed changes over {} points", event.remap.len()));
    }
    if event.cdl.is_some() {
        words.push("CDL".into());
    }
    match event.locators.len() {
        0 => {}
        1 => words.push("1 marker".into()),
        count => words.push(format!("{count} markers")),
    }
    if !event.within.is_empty() {
        words.push(format!("in {}", event.within.join(" > ")));
    }
    if !event.enabled {
        words.push("switched off".into());
    }
    words.join("; ")
}

/// What became of the shots.
pub(super) fn diff(diff: &Diff<'_>) {
    let name = |event: &Event| event.clip_name.clone().unwrap_or_else(|| event.reel.clone());
    // One shot that grows pushes all that follow: those are counted, not listed.
    let only_pushed = |changed: &&Changed<'_>| {
        matches!(changed.changes.as_slice(), [Change::Moved { rippled: true, .. }])
    };
    let pushed = diff.changed.iter().filter(only_pushed).count();
    let rows: Vec<Vec<String>> = diff
        .changed
        .iter()
        .filter(|changed| !only_pushed(changed))
        .map(|changed| {
            let number = |event: Option<&Event>| event.map_or("-".into(), |e| e.number.clone());
            let event = changed.after.or(changed.before);
            vec![
                number(changed.before),
                number(changed.after),
                event.map(|e| e.reel.clone()).unwrap_or_default(),
                event.map(name).unwrap_or_default(),
                changed.changes.iter().map(|c| words(*c)).collect::<Vec<_>>().join(", "),
            ]
        })
        .collect();
    if rows.is_empty() && pushed == 0 {
        say!("{}  every shot is the same ({})", style::state("done"), diff.same);
        return;
    }
    if !rows.is_empty() {
        table::print(
            &[
                ("BEFORE", Align::Key),
                ("AFTER", Align::Key),
                ("REEL", Align::Left),
                ("CLIP", Align::Left),
                ("WHAT CHANGED", Align::Left),
            ],
            &rows,
        );
    }
    let differ = rows.len();
    say!("{differ} shots differ, {pushed} are only pushed along, {} are the same", diff.same);
}

fn words(change: Change) -> String {
    let side = |side| if side == Side::Head { "head" } else { "tail" };
    match change {
        Change::New | Change::Gone => style::strong(change.word()),
        Change::Regraded => change.word().to_owned(),
        Change::Extended { side: at, frames } => format!("extended {frames} at the {}", side(at)),
        Change::Shortened { side: at, frames } => format!("shortened {frames} at the {}", side(at)),
        Change::Slipped { frames } => format!("slipped {frames:+}"),
        Change::Moved { frames, rippled: false } => format!("moved {frames:+}"),
        Change::Moved { frames, rippled: true } => format!("pushed {frames:+}"),
        Change::Retimed { from, to } => {
            format!("retimed {:.1} % to {:.1} %", from * 100.0, to * 100.0)
        }
    }
}
