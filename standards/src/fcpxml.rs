//! Final Cut Pro X XML (`fcpxml`): the picture of its first sequence.
//!
//! All times are rational seconds. What lies in the spine follows each other;
//! what is connected to it has a lane and counts its offset in the time of what
//! it is connected to. Sound is not read: no plate comes of it.
//!
//! Source: FCPXML Reference, versions 1.8 to 1.11 (Apple).

use crate::editlist::{
    Budget, EditList, Event, Format, Item, Locator, Media, Mix, RemapPoint, Span, bounded, cut_to,
    lay, path_of,
};
use crate::xml::{self, Element};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::collections::HashMap;

/// Reads the first sequence of a document; `rate` counts where its format says none.
///
/// # Errors
/// [`Code::BadEditList`] when it is not XML, or holds no sequence, or one beyond the limits;
/// [`Code::TooLarge`] beyond [`limits::MAX_TIMELINE_BYTES`].
pub fn parse(bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    bounded(bytes, limits::MAX_TIMELINE_BYTES)?;
    let (text, encoding) = crate::edl::decode(bytes);
    let root = xml::read_declared(text.as_bytes(), Code::BadEditList)?;
    if &*root.name != "fcpxml" {
        return Err(Fault::new(Code::BadEditList, format!("'{}' is not fcpxml", root.name)));
    }
    let resources: HashMap<&str, &Element> = root
        .child("resources")
        .into_iter()
        .flat_map(|resources| &resources.children)
        .filter_map(|resource| Some((resource.attribute("id")?, resource)))
        .collect();
    let mut projects = Vec::new();
    find_projects(&root, &mut projects);
    let Some((title, sequence)) = projects.first().copied() else {
        return Err(Fault::new(Code::BadEditList, "there is no project with a sequence in it")
            .remedy("Export the project, not an event or a library."));
    };
    let own = rate_of(sequence, &resources);
    let rate = own.or(rate).unwrap_or(FrameRate::FPS_24);
    let mut walk =
        Walk { rate, resources: &resources, warnings: Vec::new(), budget: Budget::default() };
    if let Some(others) = projects.get(1..).filter(|others| !others.is_empty()) {
        let names: Vec<&str> = others.iter().map(|(name, _)| *name).collect();
        let all = projects.len();
        walk.warnings.push(format!(
            "the document holds {all} projects; '{title}' is read, not {}",
            names.join(", ")
        ));
    }
    if own.is_none() {
        walk.warnings.push(format!("the sequence names no rate; {rate} is taken"));
    }
    let mut list = EditList { encoding, ..EditList::new(Format::Fcpxml, rate) };
    list.title = title.to_owned();
    let drop_frame =
        sequence.attribute("tcFormat") == Some("DF") && rate.timebase().is_multiple_of(30);
    let start = seconds(sequence, "tcStart").map_or(0, |s| s.frames(rate));
    list.events = walk.spine(sequence, Timecode { frames: start, rate, drop_frame })?;
    for (i, event) in list.events.iter_mut().enumerate() {
        event.line = i + 1;
        event.number = format!("{:03}", i + 1);
    }
    let told = walk.warnings.into_iter().map(|what| Fault::new(Code::BadEditList, what));
    list.warnings = told.collect();
    Ok(list)
}

/// Projects with their sequences, in libraries and events too.
fn find_projects<'a>(element: &'a Element, found: &mut Vec<(&'a str, &'a Element)>) {
    for child in &element.children {
        match &*child.name {
            "project" => {
                let name = child.attribute("name").unwrap_or("?");
                found.extend(child.child("sequence").map(|sequence| (name, sequence)));
            }
            "library" | "event" => find_projects(child, found),
            _ => {}
        }
    }
}

/// Rational seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Seconds {
    value: i64,
    scale: i64,
}

impl Seconds {
    const ZERO: Self = Self { value: 0, scale: 1 };

    /// `3600s`, `1001/24000s`, `1.5s`.
    fn parse(text: &str) -> Option<Self> {
        const MOST: i64 = 1 << 53;
        let text = text.trim().strip_suffix('s')?;
        let (value, scale) = match text.split_once('/') {
            Some((value, scale)) => (value.parse().ok()?, scale.parse().ok()?),
            None => match text.parse::<i64>() {
                Ok(value) => (value, 1),
                Err(_) => ((text.parse::<f64>().ok()? * 1e6).round() as i64, 1_000_000),
            },
        };
        (scale > 0 && scale < MOST && (-MOST..MOST).contains(&value))
            .then_some(Self { value, scale })
    }

    /// The nearest frame.
    fn frames(self, rate: FrameRate) -> i64 {
        let upper = i128::from(self.value) * i128::from(rate.numerator()) * 2
            + i128::from(self.scale) * i128::from(rate.denominator());
        let lower = i128::from(self.scale) * i128::from(rate.denominator()) * 2;
        // Beyond any day that was ever shot.
        upper.div_euclid(lower).clamp(-1_000_000_000_000, 1_000_000_000_000) as i64
    }

    fn as_f64(self) -> f64 {
        self.value as f64 / self.scale as f64
    }
}

fn seconds(element: &Element, name: &str) -> Option<Seconds> {
    element.attribute(name).and_then(Seconds::parse)
}

/// The rate of an element's format.
fn rate_of(element: &Element, resources: &HashMap<&str, &Element>) -> Option<FrameRate> {
    let format = resources.get(element.attribute("format")?)?;
    let frame = seconds(format, "frameDuration")?;
    let scale = u32::try_from(frame.scale).ok()?;
    FrameRate::new(scale, u32::try_from(frame.value).ok()?).ok()
}

struct Walk<'a> {
    rate: FrameRate,
    resources: &'a HashMap<&'a str, &'a Element>,
    warnings: Vec<String>,
    budget: Budget,
}

/// Things of a lane, with the record time of each.
type Connected<'a> = Vec<(i64, &'a Element, Timecode)>;

impl<'a> Walk<'a> {
    /// Events of a sequence whose time begins at `start`: the spine, then what is connected, by lane.
    fn spine(&mut self, sequence: &'a Element, start: Timecode) -> Outcome<Vec<Event>> {
        let Some(spine) = sequence.child("spine") else { return Ok(Vec::new()) };
        let first = seconds(sequence, "tcStart").unwrap_or(Seconds::ZERO).frames(self.rate);
        let mut connected = Connected::new();
        let mut events = self.story(spine, start.plus(-first), start, &mut connected)?;
        events.iter_mut().for_each(|event| event.track = "V".into());
        connected.sort_by_key(|(lane, _, at)| (*lane, at.frames));
        for (lane, element, at) in connected {
            self.budget.spend()?;
            // What hangs on a story of its own was found with the element that holds it.
            let mut laid = match &*element.name {
                "spine" => self.story(element, at, at, &mut Connected::new())?,
                _ => lay(vec![self.item(element, at)?]),
            };
            laid.iter_mut().for_each(|event| event.track = format!("V{}", lane + 1));
            events.extend(laid);
        }
        Ok(events)
    }

    /// What follows each other, the first at `now`; offsets count from `origin`.
    fn story(
        &mut self,
        spine: &'a Element,
        origin: Timecode,
        mut now: Timecode,
        connected: &mut Connected<'a>,
    ) -> Outcome<Vec<Event>> {
        let mut items = Vec::new();
        for child in &spine.children {
            self.budget.spend()?;
            let offset = seconds(child, "offset");
            let at = offset.map_or(now, |offset| origin.plus(offset.frames(self.rate)));
            if &*child.name == "transition" {
                let whole = seconds(child, "duration").map_or(0, |d| d.frames(self.rate));
                let before = (now.frames - at.frames).clamp(0, whole.max(0));
                items.push(Item::Mix(Mix {
                    wipe: None,
                    before,
                    after: whole - before,
                    at: now,
                    name: child.attribute("name").map(str::to_owned),
                }));
                continue;
            }
            now = at.plus(self.length(child));
            self.connect(child, at, connected);
            items.push(self.item(child, at)?);
        }
        Ok(lay(items))
    }

    /// What hangs on `element`, which begins at record time `at`, and on that again.
    fn connect(&self, element: &'a Element, at: Timecode, connected: &mut Connected<'a>) {
        let local = seconds(element, "start").unwrap_or(Seconds::ZERO).frames(self.rate);
        for child in &element.children {
            let lane = child.attribute("lane").and_then(|lane| lane.parse::<i64>().ok());
            let Some(lane) = lane.filter(|lane| (1..100).contains(lane)) else { continue };
            let offset = seconds(child, "offset").map_or(local, |offset| offset.frames(self.rate));
            let at = at.plus(offset - local);
            connected.push((lane, child, at));
            if &*child.name == "spine" {
                for inner in &child.children {
                    let offset = seconds(inner, "offset").map_or(0, |o| o.frames(self.rate));
                    self.connect(inner, at.plus(offset), connected);
                }
            } else {
                self.connect(child, at, connected);
            }
        }
    }

    fn length(&self, element: &Element) -> i64 {
        let own = seconds(element, "duration");
        let asset = || seconds(self.resources.get(element.attribute("ref")?)?, "duration");
        own.or_else(asset).map_or(0, |d| d.frames(self.rate).max(0))
    }

    fn item(&mut self, element: &'a Element, at: Timecode) -> Outcome<Item> {
        let frames = self.length(element);
        Ok(match &*element.name {
            "gap" => Item::Gap,
            "ref-clip" => self.compound(element, at, frames)?,
            "asset-clip" | "clip" | "video" | "sync-clip" | "mc-clip" | "title" | "audition" => {
                self.clip(element, at, frames)
                    .map_or(Item::Gap, |event| Item::Clip(Box::new(event)))
            }
            _ => Item::Gap,
        })
    }

    /// The inner sequence of a compound clip, cut to what is seen.
    fn compound(&mut self, element: &'a Element, at: Timecode, frames: i64) -> Outcome<Item> {
        let media = element.attribute("ref").and_then(|id| self.resources.get(id));
        let Some(sequence) = media.and_then(|media| media.child("sequence")) else {
            self.warnings.push(format!("'{}' refers to no sequence", name(element)));
            return Ok(Item::Gap);
        };
        let rate = rate_of(sequence, self.resources).unwrap_or(self.rate);
        let first = seconds(sequence, "tcStart").unwrap_or(Seconds::ZERO).frames(rate);
        let start = Timecode { frames: first, rate, drop_frame: false };
        let events = self.budget.inside(|budget| {
            let mut inner = Walk { rate, resources: self.resources, warnings: Vec::new(), budget };
            let events = inner.spine(sequence, start);
            self.warnings.append(&mut inner.warnings);
            (events, inner.budget)
        })?;
        let from = seconds(element, "start").map_or(first, |s| s.frames(rate));
        let mut events = cut_to(events, [from, from + frames], at, 1.0, Some(name(element)));
        events.iter_mut().for_each(|event| event.enabled &= is_on(element));
        Ok(Item::Nested(events))
    }

    /// A clip of one source; `None` for one without picture.
    fn clip(&mut self, element: &'a Element, at: Timecode, frames: i64) -> Option<Event> {
        let start = seconds(element, "start");
        let mut event = Event {
            record: Span::of(at, frames),
            clip_name: Some(name(element).to_owned()),
            enabled: is_on(element),
            ..Event::default()
        };
        let Some((asset, shift)) = self.asset(element) else {
            event.reel = "GEN".into();
            event.source = Span::of(Timecode { frames: 0, ..at }, frames);
            return Some(event);
        };
        if asset.attribute("hasVideo").is_none() && asset.attribute("hasAudio").is_some() {
            return None;
        }
        let rate = rate_of(asset, self.resources).unwrap_or(self.rate);
        let drop_frame =
            element.attribute("tcFormat") == Some("DF") && rate.timebase().is_multiple_of(30);
        let first = seconds(asset, "start").unwrap_or(Seconds::ZERO).frames(rate);
        let media = Timecode { frames: first, rate, drop_frame };
        let length = seconds(asset, "duration").map_or(0, |d| d.frames(rate));
        event.media = Some(Media { start: media, frames: length });
        event.source_file = asset
            .attribute("src")
            .or_else(|| asset.child("media-rep").and_then(|rep| rep.attribute("src")))
            .map(path_of);
        event.umid = asset.attribute("uid").map(str::to_owned);
        event.reel = reel(asset).unwrap_or_default();
        let local = start.map_or(shift.map_or(first, |_| 0), |s| s.frames(rate));
        let from = shift.map_or(local, |shift| local + shift.frames(rate));
        let shown = (frames as f64 * rate.as_f64() / self.rate.as_f64()).round() as i64;
        event.source = Span::of(Timecode { frames: from, ..media }, shown);
        self.retime(element, &mut event);
        event.locators = element
            .all("marker")
            .filter_map(|marker| {
                let behind = seconds(marker, "start")?.frames(self.rate)
                    - start.unwrap_or(Seconds::ZERO).frames(self.rate);
                let text = marker.attribute("value").unwrap_or_default().to_owned();
                Some(Locator { at: at.plus(behind).to_string(), color: String::new(), text })
            })
            .collect();
        Some(event)
    }

    /// The asset of a clip. In a `clip` it is that of the picture inside, whose own times are
    /// another's: then also the seconds from the clip's time to the asset's.
    fn asset(&self, element: &'a Element) -> Option<(&'a Element, Option<Seconds>)> {
        let of = |element: &Element| {
            let asset = self.resources.get(element.attribute("ref")?)?;
            (&*asset.name == "asset").then_some(*asset)
        };
        if let Some(asset) = of(element) {
            return Some((asset, None));
        }
        let inner = element.children.iter().filter(|child| child.attribute("lane").is_none());
        for child in inner {
            if let Some(asset) = of(child) {
                let start = seconds(child, "start")
                    .or_else(|| seconds(asset, "start"))
                    .unwrap_or(Seconds::ZERO);
                let offset = seconds(child, "offset").unwrap_or(Seconds::ZERO);
                let shift = start.as_f64() - offset.as_f64();
                let shift = Seconds { value: (shift * 1e6).round() as i64, scale: 1_000_000 };
                return Some((asset, Some(shift)));
            }
            if matches!(&*child.name, "asset-clip" | "clip" | "spine")
                && let Some(found) = self.asset(child)
            {
                return Some(found);
            }
        }
        None
    }

    /// `timeMap`: points of clip time and source time.
    fn retime(&mut self, element: &Element, event: &mut Event) {
        let Some(map) = element.child("timeMap") else { return };
        let rate = event.source.start.rate;
        let points: Vec<[f64; 2]> = map
            .all("timept")
            .take(10_000)
            .filter_map(|p| Some([seconds(p, "time")?.as_f64(), seconds(p, "value")?.as_f64()]))
            .collect();
        let [first, .., last] = points.as_slice() else { return };
        let begin = seconds(element, "start").map_or(first[0], Seconds::as_f64);
        let record = event.record.frames() as f64 / self.rate.as_f64();
        if points.len() == 2 && last[0] > first[0] {
            // Less the noise of the quotient.
            let speed = (last[1] - first[1]) / (last[0] - first[0]);
            let speed = (speed * 1e6).round() / 1e6;
            let from = (first[1] + (begin - first[0]) * speed) * rate.as_f64();
            let length = (record * speed.abs() * rate.as_f64() - 1e-6).ceil().clamp(1.0, 1e9);
            let start = Timecode { frames: (from + 0.5).floor() as i64, ..event.source.start };
            event.source = Span::of(start, length as i64);
            event.run_at(speed);
            return;
        }
        let seen = |p: &&[f64; 2]| p[0] >= begin - 1e-9 && p[0] <= begin + record + 1e-9;
        let seen: Vec<&[f64; 2]> = points.iter().filter(seen).collect();
        let lowest = seen.iter().map(|p| p[1]).fold(f64::INFINITY, f64::min);
        let highest = seen.iter().map(|p| p[1]).fold(f64::NEG_INFINITY, f64::max);
        if seen.len() < 2 || !(lowest.is_finite() && highest.is_finite()) {
            self.warnings.push(format!("the speed of '{}' cannot be read", name(element)));
            return;
        }
        let from = (lowest * rate.as_f64()).floor() as i64;
        let to = (highest * rate.as_f64()).ceil() as i64;
        event.source =
            Span::of(Timecode { frames: from, ..event.source.start }, (to - from).max(1));
        let point = |p: &&[f64; 2]| RemapPoint {
            record: (p[0] - begin) * self.rate.as_f64(),
            source: p[1] * rate.as_f64() - from as f64,
        };
        event.remap = seen.iter().map(point).collect();
    }
}

fn name(element: &Element) -> &str {
    element.attribute("name").unwrap_or("?")
}

fn is_on(element: &Element) -> bool {
    element.attribute("enabled") != Some("0")
}

fn reel(asset: &Element) -> Option<String> {
    let known = asset.child("metadata")?.all("md");
    let mut reels = known.filter(|md| {
        md.attribute("key")
            .is_some_and(|key| key.ends_with("studio.reel") || key.ends_with(".reel"))
    });
    reels.find_map(|md| md.attribute("value").filter(|v| !v.is_empty()).map(str::to_owned))
}
