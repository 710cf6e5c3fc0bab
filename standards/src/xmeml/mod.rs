//! Final Cut Pro 7 XML (`xmeml`), as Premiere, Resolve, Hiero and Final Cut write it.
//!
//! Files, clips and sequences are defined once and referred to by their id
//! after that; a clip counts its in and out from the first frame of its file,
//! whose timecode the file says; a clip beside a transition has no start or
//! end of its own (`-1`), its in and out hold the frames of the transition,
//! and the transition says where the cut is.
//!
//! Source: Final Cut Pro XML Interchange Format, versions 1 to 5 (Apple).

mod clip;
mod retime;

use crate::editlist::{Budget, EditList, Event, Format, Item, Mix, bounded, cut_to, lay};
use crate::xml::{self, Element};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::collections::HashMap;

/// Reads the sequence of a document; `rate` counts where it says none.
///
/// # Errors
/// [`Code::BadEditList`] when it is not XML, or holds no sequence, or one beyond the limits;
/// [`Code::TooLarge`] beyond [`limits::MAX_TIMELINE_BYTES`].
pub fn parse(bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    bounded(bytes, limits::MAX_TIMELINE_BYTES)?;
    let (text, encoding) = crate::edl::decode(bytes);
    let root = xml::read_declared(text.as_bytes(), Code::BadEditList)?;
    if &*root.name != "xmeml" {
        return Err(Fault::new(Code::BadEditList, format!("'{}' is not xmeml", root.name)));
    }
    let mut sequences = Vec::new();
    top_sequences(&root, &mut sequences);
    let Some(sequence) = sequences.first() else {
        return Err(Fault::new(Code::BadEditList, "there is no sequence in it")
            .remedy("Export the sequence, not a clip or a filter."));
    };
    let own = rate_of(sequence);
    let rate = own.or(rate).unwrap_or(FrameRate::FPS_24);
    let mut list = EditList { encoding, ..EditList::new(Format::Xmeml, rate) };
    list.title = sequence.text_of("name").unwrap_or_default().to_owned();
    let mut definitions = HashMap::new();
    define(&root, &mut definitions);
    let mut walk =
        Walk { rate, definitions: &definitions, warnings: Vec::new(), budget: Budget::default() };
    if sequences.len() > 1 {
        let names: Vec<&str> =
            sequences[1..].iter().map(|s| s.text_of("name").unwrap_or("?")).collect();
        walk.warnings.push(format!(
            "the document holds {} sequences; '{}' is read, not {}",
            sequences.len(),
            list.title,
            names.join(", ")
        ));
    }
    if own.is_none() {
        walk.warnings.push(format!("the sequence names no rate; {rate} is taken"));
    }
    let start = sequence.child("timecode").and_then(|t| timecode(t, rate));
    let start = start.unwrap_or(Timecode { frames: 0, rate, drop_frame: false });
    list.events = walk.sequence(sequence, start)?;
    for (i, event) in list.events.iter_mut().enumerate() {
        event.line = i + 1;
        event.number = format!("{:03}", i + 1);
    }
    let told = walk.warnings.into_iter().map(|what| Fault::new(Code::BadEditList, what));
    list.warnings = told.collect();
    Ok(list)
}

/// Sequences that lie in the document, its projects and bins, and not in clips.
fn top_sequences<'a>(element: &'a Element, found: &mut Vec<&'a Element>) {
    for child in &element.children {
        match &*child.name {
            "sequence" if child.child("media").is_some() => found.push(child),
            "project" | "bin" | "children" => top_sequences(child, found),
            _ => {}
        }
    }
}

/// Files, clips and sequences by their kind and id.
type Definitions<'a> = HashMap<(&'a str, &'a str), &'a Element>;

/// The definition is the one that has something in it.
fn define<'a>(element: &'a Element, found: &mut Definitions<'a>) {
    for child in &element.children {
        if matches!(&*child.name, "file" | "clip" | "sequence")
            && !child.children.is_empty()
            && let Some(id) = child.attribute("id")
        {
            found.entry((&child.name, id)).or_insert(child);
        }
        define(child, found);
    }
}

/// `rate`: a timebase, slowed by 1001/1000 when it is of NTSC.
fn rate_of(element: &Element) -> Option<FrameRate> {
    let rate = element.child("rate")?;
    let base: u32 = rate.text_of("timebase")?.parse().ok().filter(|base| *base <= 1000)?;
    let ntsc = rate.text_of("ntsc").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if ntsc { FrameRate::new(base * 1000, 1001).ok() } else { FrameRate::new(base, 1).ok() }
}

/// `timecode`: a frame count with its own rate, or a text.
fn timecode(element: &Element, rate: FrameRate) -> Option<Timecode> {
    let rate = rate_of(element).unwrap_or(rate);
    let drop = element.text_of("displayformat").is_some_and(|text| text == "DF");
    let drop_frame = drop && rate.timebase().is_multiple_of(30);
    match number(element, "frame") {
        Some(frames) => Some(Timecode { frames, rate, drop_frame }),
        None => Timecode::parse(element.text_of("string")?, rate).ok(),
    }
}

/// A whole number below an element; fractions are cut.
fn number(element: &Element, name: &str) -> Option<i64> {
    let value: f64 = element.text_of(name)?.parse().ok()?;
    (value.abs() < 1e12).then_some(value as i64)
}

fn is_false(element: &Element, name: &str) -> bool {
    element.text_of(name).is_some_and(|text| text.eq_ignore_ascii_case("false"))
}

struct Walk<'a> {
    rate: FrameRate,
    definitions: &'a Definitions<'a>,
    warnings: Vec<String>,
    budget: Budget,
}

impl<'a> Walk<'a> {
    /// The element, or what its id refers to.
    fn resolve(&self, element: &'a Element) -> &'a Element {
        let id = element.attribute("id").filter(|_| element.children.is_empty());
        id.and_then(|id| self.definitions.get(&(&*element.name, id))).copied().unwrap_or(element)
    }

    fn sequence(&mut self, sequence: &'a Element, start: Timecode) -> Outcome<Vec<Event>> {
        let mut events = Vec::new();
        let Some(media) = sequence.child("media") else { return Ok(events) };
        for (kind, letter) in [("video", 'V'), ("audio", 'A')] {
            let tracks = media.child(kind).into_iter().flat_map(|m| m.all("track"));
            for (i, track) in tracks.enumerate() {
                let label = match (letter, i) {
                    ('V', 0) => "V".to_owned(),
                    _ => format!("{letter}{}", i + 1),
                };
                let mut laid = self.track(track, start, letter == 'V')?;
                for event in &mut laid {
                    event.track.clone_from(&label);
                    event.enabled &= !is_false(track, "enabled");
                }
                events.extend(laid);
            }
        }
        Ok(events)
    }

    fn track(&mut self, track: &'a Element, start: Timecode, picture: bool) -> Outcome<Vec<Event>> {
        let mut items = Vec::new();
        let mut end = 0;
        for (i, child) in track.children.iter().enumerate() {
            self.budget.spend()?;
            let near = |at: Option<usize>| {
                at.and_then(|at| track.children.get(at))
                    .filter(|e| &*e.name == "transitionitem")
                    .and_then(Transition::of)
            };
            match &*child.name {
                "transitionitem" => {
                    if let Some(transition) = Transition::of(child) {
                        items.push(Item::Mix(transition.mix(child, start)));
                    }
                }
                "clipitem" | "generatoritem" => {
                    let edges = [near(i.checked_sub(1)), near(Some(i + 1))];
                    let Some(place) = clip::place(child, edges) else {
                        let name = child.text_of("name").unwrap_or("?");
                        self.warnings.push(format!("'{name}' has no place in its track"));
                        continue;
                    };
                    if place.record[0] > end {
                        items.push(Item::Gap);
                    }
                    end = place.record[1];
                    items.push(self.clip(child, &place, start, picture)?);
                }
                _ => {}
            }
        }
        Ok(lay(items))
    }

    fn clip(
        &mut self,
        item: &'a Element,
        place: &clip::Place,
        start: Timecode,
        picture: bool,
    ) -> Outcome<Item> {
        let at = start.plus(place.record[0]);
        let Some(inner) = item.child("sequence").map(|s| self.resolve(s)) else {
            let file = clip::file(item).map(|file| self.resolve(file));
            let event = clip::event(item, file, place, at, &mut self.warnings);
            return Ok(Item::Clip(Box::new(event)));
        };
        let name = inner.text_of("name").or(item.text_of("name")).unwrap_or("nested");
        let inner_rate = rate_of(inner).unwrap_or(self.rate);
        if inner_rate != self.rate {
            self.warnings.push(format!(
                "nested sequence '{name}' counts at {inner_rate}, the one around it at {}",
                self.rate
            ));
        }
        let zero = Timecode { frames: 0, rate: inner_rate, drop_frame: false };
        let events = self.budget.inside(|budget| {
            let mut walk = Walk {
                rate: inner_rate,
                definitions: self.definitions,
                warnings: Vec::new(),
                budget,
            };
            let events = walk.sequence(inner, zero);
            self.warnings.append(&mut walk.warnings);
            (events, walk.budget)
        })?;
        let own = |event: &Event| event.track.starts_with('V') == picture;
        let events = events.into_iter().filter(own).collect();
        let speed = retime::constant(item).unwrap_or(1.0);
        let seen = ((place.record[1] - place.record[0]) as f64 * speed.abs()).round() as i64;
        let first = place.source[0];
        let mut events = cut_to(events, [first, first + seen.max(1)], at, speed, Some(name));
        for event in &mut events {
            event.enabled &= !is_false(item, "enabled");
        }
        Ok(Item::Nested(events))
    }
}

/// Where a transition lies in its track, in frames of the sequence.
#[derive(Clone, Copy)]
pub(super) struct Transition {
    start: i64,
    end: i64,
    /// The cut that it lies around.
    cut: i64,
}

impl Transition {
    fn of(item: &Element) -> Option<Self> {
        let (start, end) = (number(item, "start")?, number(item, "end")?);
        if end < start || end - start > 1_000_000 {
            return None;
        }
        let cut = match item.text_of("alignment").unwrap_or_default() {
            "start" | "start-black" => start,
            "end" | "end-black" => end,
            _ => start + (end - start) / 2,
        };
        Some(Self { start, end, cut })
    }

    fn mix(self, item: &Element, start: Timecode) -> Mix {
        let effect = item.child("effect");
        let name = effect.and_then(|e| e.text_of("name")).map(str::to_owned);
        let wipe = effect
            .and_then(|e| e.text_of("effectcategory").or(e.text_of("name")))
            .is_some_and(|text| text.to_ascii_lowercase().contains("wipe"));
        Mix {
            wipe: wipe.then_some(1),
            before: self.cut - self.start,
            after: self.end - self.cut,
            at: start.plus(self.cut),
            name,
        }
    }
}
