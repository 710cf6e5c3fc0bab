//! From a timeline's compositions to the events of a list.
//!
//! Items of a track follow each other; tracks of a stack lie over each other;
//! either may lie in a track as one item, of which its own source range says
//! what is seen.

use super::clip::{self, Place};
use super::{Time, drops, list, range, schema, text};
use crate::editlist::{Budget, EditList, Event, Format, Item, Mix, Span, cut_to, lay};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use serde_json::Value;

pub(super) fn edit_list(root: &Value, rate: Option<FrameRate>) -> Outcome<EditList> {
    let mut warnings = Vec::new();
    let (timeline, tracks) = timeline(root, &mut warnings)?;
    let start = timeline.get("global_start_time").and_then(Time::of);
    let own = start.and_then(Time::frame_rate).or_else(|| first_rate(tracks));
    let rate = own.or(rate).unwrap_or(FrameRate::FPS_24);
    let mut list = EditList::new(Format::Otio, rate);
    list.title = text(timeline, "name").unwrap_or_default().to_owned();
    if own.is_none() {
        warnings.push(format!("the timeline names no rate; {rate} is taken"));
    }
    let first = start.map_or(0, |start| start.frames_at(rate.as_f64()));
    let mut walk = Walk { rate, warnings, budget: Budget::default() };
    let at = Timecode { frames: first, rate, drop_frame: drops(timeline, rate) };
    list.events = walk.stack(tracks, at)?;
    for (i, event) in list.events.iter_mut().enumerate() {
        // A document has no lines that mean anything: its events are counted.
        event.line = i + 1;
        event.number = format!("{:03}", i + 1);
    }
    list.warnings =
        walk.warnings.into_iter().map(|what| Fault::new(Code::BadEditList, what)).collect();
    Ok(list)
}

/// The timeline that is meant, and what its tracks are in.
fn timeline<'a>(root: &'a Value, warnings: &mut Vec<String>) -> Outcome<(&'a Value, &'a Value)> {
    match schema(root).0 {
        "Timeline" => Ok((root, root.get("tracks").unwrap_or(&Value::Null))),
        "SerializableCollection" => {
            let all = list(root, "children");
            let mut timelines = all.iter().filter(|child| schema(child).0 == "Timeline");
            let Some(first) = timelines.next() else { return Ok((root, root)) };
            let others: Vec<&str> = timelines.map(|t| text(t, "name").unwrap_or("?")).collect();
            if !others.is_empty() {
                let name = text(first, "name").unwrap_or("?");
                warnings.push(format!(
                    "the collection holds {} timelines; '{name}' is read, not {}",
                    others.len() + 1,
                    others.join(", ")
                ));
            }
            Ok((first, first.get("tracks").unwrap_or(&Value::Null)))
        }
        "Stack" | "Track" | "Sequence" | "Clip" => Ok((root, root)),
        other => Err(Fault::new(Code::BadEditList, format!("'{other}' is no timeline"))
            .remedy("Export the timeline itself.")),
    }
}

/// The rate of the first clip that has one.
fn first_rate(value: &Value) -> Option<FrameRate> {
    if schema(value).0 == "Clip" {
        return clip::rate(value);
    }
    let gap = || range(value.get("source_range")).and_then(|(_, length)| length.frame_rate());
    list(value, "children").iter().find_map(first_rate).or_else(gap)
}

struct Walk {
    rate: FrameRate,
    warnings: Vec<String>,
    budget: Budget,
}

impl Walk {
    /// Events of everything that lies over each other, from `at`.
    fn stack(&mut self, stack: &Value, at: Timecode) -> Outcome<Vec<Event>> {
        let children = match schema(stack).0 {
            "Stack" | "SerializableCollection" => list(stack, "children"),
            _ => std::slice::from_ref(stack),
        };
        let mut events = Vec::new();
        let (mut pictures, mut sounds) = (0, 0);
        for child in children {
            let audio = text(child, "kind") == Some("Audio");
            let count = if audio { &mut sounds } else { &mut pictures };
            *count += 1;
            let track = match (audio, *count) {
                (true, n) => format!("A{n}"),
                (false, 1) => "V".to_owned(),
                (false, n) => format!("V{n}"),
            };
            let window = range(child.get("source_range")).filter(|_| is_track(child));
            let first = window.map_or(0, |(start, _)| start.frames_at(self.rate.as_f64()));
            // A list that was read from another keeps its record start as a negative first frame.
            let mut laid = self.track(child, at.plus(-first))?;
            if let Some((_, length)) = window.filter(|_| first >= 0) {
                let frames = length.frames_at(self.rate.as_f64());
                let seen = [at.frames, at.frames + frames];
                laid = cut_to(laid, seen, at, 1.0, None);
            }
            for event in &mut laid {
                event.track.clone_from(&track);
            }
            events.extend(laid);
        }
        Ok(events)
    }

    /// Events of what follows each other, from `at`.
    fn track(&mut self, track: &Value, at: Timecode) -> Outcome<Vec<Event>> {
        let children =
            if is_track(track) { list(track, "children") } else { std::slice::from_ref(track) };
        let mut items = Vec::new();
        let mut now = at;
        for child in children {
            self.budget.spend()?;
            let frames = self.length(child);
            items.push(match schema(child).0 {
                "Clip" => {
                    let place = Place { at: now, frames };
                    Item::Clip(Box::new(clip::event(child, &place, &mut self.warnings)))
                }
                "Transition" => Item::Mix(self.mix(child, now)),
                "Stack" | "Track" | "Sequence" => Item::Nested(self.nested(child, now, frames)?),
                "Gap" | "Filler" => Item::Gap,
                other => {
                    self.warnings.push(format!("an item of schema '{other}' is not read"));
                    Item::Gap
                }
            });
            now = now.plus(frames);
        }
        Ok(lay(items))
    }

    fn nested(&mut self, item: &Value, at: Timecode, frames: i64) -> Outcome<Vec<Event>> {
        let name = text(item, "name").unwrap_or("nested");
        let speed = list(item, "effects").iter().filter_map(|e| clip::scalar(e).ok().flatten());
        let speed = speed.reduce(|a, b| a * b).unwrap_or(1.0);
        if speed < 0.0 {
            self.warnings.push(format!("'{name}' runs backwards; its order is not turned"));
        }
        let zero = Timecode { frames: 0, ..at };
        let events = self.budget.inside(|budget| {
            let mut inner = Self { rate: self.rate, warnings: Vec::new(), budget };
            // Its own range says what is seen, here and not inside.
            let mut whole = item.clone();
            if let Some(object) = whole.as_object_mut() {
                object.insert("source_range".into(), Value::Null);
            }
            let events = inner.stack(&whole, zero);
            self.warnings.append(&mut inner.warnings);
            (events, inner.budget)
        })?;
        let first = range(item.get("source_range"))
            .map_or(0, |(start, _)| start.frames_at(self.rate.as_f64()));
        let seen = if speed == 0.0 { 1 } else { (frames as f64 * speed.abs()).round() as i64 };
        let mut events = cut_to(events, [first, first + seen], at, speed, Some(name));
        if speed == 0.0 {
            events.iter_mut().for_each(|event| event.record = Span::of(at, frames));
        }
        Ok(events)
    }

    /// Record frames of an item; a transition has none of its own.
    fn length(&self, item: &Value) -> i64 {
        let rate = self.rate.as_f64();
        let own =
            || range(item.get("source_range")).map(|(_, length)| length.frames_at(rate).max(0));
        match schema(item).0 {
            "Clip" => clip::length(item, rate).unwrap_or(0),
            "Transition" => 0,
            "Stack" => own().unwrap_or_else(|| {
                list(item, "children").iter().map(|child| self.length(child)).max().unwrap_or(0)
            }),
            "Track" | "Sequence" => own().unwrap_or_else(|| {
                list(item, "children").iter().map(|child| self.length(child)).sum()
            }),
            _ => own().unwrap_or(0),
        }
    }

    fn mix(&self, transition: &Value, at: Timecode) -> Mix {
        let rate = self.rate.as_f64();
        let offset = |key| {
            let time = transition.get(key).and_then(Time::of);
            time.map_or(0, |time| time.frames_at(rate).clamp(0, 1_000_000))
        };
        let kind = text(transition, "transition_type").unwrap_or_default();
        Mix {
            wipe: kind.contains("Wipe").then_some(1),
            before: offset("in_offset"),
            after: offset("out_offset"),
            at,
            name: text(transition, "name").map(str::to_owned),
        }
    }
}

fn is_track(value: &Value) -> bool {
    matches!(schema(value).0, "Track" | "Sequence")
}
