//! From items that lie on a track to events as lists tell them.
//!
//! Timelines keep a transition between two items that meet at a cut; a list
//! keeps it as two lines, of which the second begins where the transition
//! does. Nested sequences are laid first, then cut to what is seen of them.

use super::{Event, Media, MotionEffect, Span, Transition};
use platefarm_model::{Code, Fault, Outcome, Timecode, limits};

/// What lies on a track, in order.
pub(crate) enum Item {
    /// A clip, its spans without the frames that a transition adds.
    Clip(Box<Event>),
    /// Events of a nested sequence, laid and cut already.
    Nested(Vec<Event>),
    /// Nothing.
    Gap,
    /// Between the items around it.
    Mix(Mix),
}

/// A transition around a cut.
#[derive(Clone, Debug)]
pub(crate) struct Mix {
    /// Pattern of a wipe; `None` is a dissolve.
    pub(crate) wipe: Option<u32>,
    /// Record frames before the cut.
    pub(crate) before: i64,
    /// Record frames behind it.
    pub(crate) after: i64,
    /// Record time of the cut.
    pub(crate) at: Timecode,
    /// Its name in the editing system.
    pub(crate) name: Option<String>,
}

/// The events of a track, in order.
pub(crate) fn lay(items: Vec<Item>) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    let mut items = items.into_iter().peekable();
    // Whether the item before is a clip, and so the last of `events`.
    let mut clip_before = false;
    while let Some(item) = items.next() {
        match item {
            Item::Clip(event) => {
                events.push(*event);
                clip_before = true;
            }
            Item::Nested(inner) => {
                events.extend(inner);
                clip_before = false;
            }
            Item::Gap => clip_before = false,
            Item::Mix(mix) => {
                let outgoing = if clip_before { events.last_mut() } else { None };
                let outgoing = outgoing
                    .map_or_else(|| black(mix.at.plus(-mix.before), 0), |event| leave(event, &mix));
                let into = match items.next_if(|next| matches!(next, Item::Clip(_))) {
                    Some(Item::Clip(event)) => enter(*event, &outgoing, &mix),
                    _ => enter(black(mix.at, mix.after), &outgoing, &mix),
                };
                // The length of a transition is that of both its halves.
                let into = Event { transition: transition(&mix), ..into };
                clip_before = !into.is_black();
                events.extend([outgoing, into]);
            }
        }
    }
    events
}

fn transition(mix: &Mix) -> Transition {
    let frames = u32::try_from((mix.before + mix.after).max(0)).unwrap_or(u32::MAX);
    match mix.wipe {
        Some(pattern) => Transition::Wipe { pattern, frames },
        None => Transition::Dissolve { frames },
    }
}

/// Black from `at`, `frames` long.
fn black(at: Timecode, frames: i64) -> Event {
    Event {
        reel: "BL".into(),
        source: Span::of(Timecode { frames: 0, ..at }, frames),
        record: Span::of(at, frames),
        ..Event::default()
    }
}

/// Source frames of so many record frames of an event, with the one that they only begin to show.
fn shown(event: &Event, record: i64) -> i64 {
    in_source(event, record, true)
}

/// Source frames that so many record frames of an event are done with: the next may show the one
/// that they began.
fn passed(event: &Event, record: i64) -> i64 {
    in_source(event, record, false)
}

fn in_source(event: &Event, record: i64, begun: bool) -> i64 {
    let (source, whole) = (event.source.frames(), event.record.frames());
    if event.freeze || whole <= 0 || source <= 0 {
        return if event.freeze { 0 } else { record };
    }
    if source == whole {
        return record;
    }
    let [record, source, whole] = [record, source, whole].map(i128::from);
    let more = if begun { whole - 1 } else { 0 };
    i64::try_from((record * source + more).div_euclid(whole)).unwrap_or(i64::MAX / 4)
}

/// Ends `event` where the transition begins; what it shows from there is the outgoing line.
fn leave(event: &mut Event, mix: &Mix) -> Event {
    let frames = mix.before.clamp(0, event.record.frames().max(0));
    let cut = shown(event, frames);
    let backwards = event.runs_backwards();
    if !event.freeze {
        // Backwards the last that is shown are the lowest.
        let first = event.source.start.plus(if backwards { cut } else { 0 });
        event.set_source(Span::of(first, event.source.frames() - cut));
    }
    event.record = Span::of(event.record.start, event.record.frames() - frames);
    let at_start = event.freeze || backwards;
    let source = if at_start { event.source.start } else { event.source.end };
    Event {
        transition: Transition::Cut,
        clip_name: event.own_name().map(str::to_owned),
        to_clip_name: None,
        source: Span::of(source, 0),
        record: Span::of(event.record.end, 0),
        motion: Vec::new(),
        locators: Vec::new(),
        cdl: None,
        remarks: Vec::new(),
        ..event.clone()
    }
    .with_motion_of(event)
}

/// Begins `event` where the transition does.
fn enter(mut event: Event, outgoing: &Event, mix: &Mix) -> Event {
    let more = shown(&event, mix.before);
    if !event.freeze && !event.is_black() {
        let first = event.source.start.plus(if event.runs_backwards() { 0 } else { -more });
        event.source = Span::of(first, event.source.frames() + more);
    }
    let start = event.record.start.plus(-mix.before);
    event.record = Span::of(start, event.record.frames() + mix.before);
    if event.is_black() {
        event.source = Span::of(event.source.start, event.record.frames());
    }
    for motion in &mut event.motion {
        motion.at.clone_from(&event.source.start_text);
    }
    // As lists have it: the speeds of both sides and both names stand under the second line.
    event.motion.splice(0..0, outgoing.motion.iter().cloned());
    event.to_clip_name = event.own_name().map(str::to_owned);
    event.clip_name.clone_from(&outgoing.clip_name);
    event.effect_name.clone_from(&mix.name);
    event
}

impl Event {
    /// The name of the clip that it brings in: the list has it behind `TO` in a transition.
    fn own_name(&self) -> Option<&str> {
        let to = self.to_clip_name.as_deref().filter(|_| self.transition.mixes());
        to.or(self.clip_name.as_deref())
    }

    /// The speed of `other`, told for where this event begins.
    fn with_motion_of(mut self, other: &Self) -> Self {
        let at = &self.source.start_text;
        self.motion = other
            .motion
            .iter()
            .filter(|m| m.at == other.source.start_text)
            .map(|m| MotionEffect { reel: self.reel.clone(), fps: m.fps, at: at.clone() })
            .collect();
        self
    }

    /// The speed that is told for where it begins.
    fn own_motion(&self) -> Option<&MotionEffect> {
        self.motion.iter().rfind(|m| m.at == self.source.start_text)
    }

    /// Whether it begins with the last frame of its source and ends with the first.
    fn runs_backwards(&self) -> bool {
        self.own_motion().is_some_and(|own| own.fps < 0.0)
    }

    /// Another range of its source, at its own speed.
    fn set_source(&mut self, source: Span) {
        let own = self.motion.iter_mut().rfind(|m| m.at == self.source.start_text);
        if let Some(own) = own {
            own.at.clone_from(&source.start_text);
        }
        self.source = source;
    }

    /// Constant speed, in source frames per record frame.
    pub(crate) fn run_at(&mut self, speed: f64) {
        let fps = speed * f64::from(self.source.start.rate.timebase());
        let at = self.source.start_text.clone();
        self.motion = vec![MotionEffect { reel: self.reel.clone(), fps, at }];
        self.freeze = speed == 0.0;
    }
}

/// What is seen of a nested sequence: `window` in its own record frames, which
/// lies from `at` of the sequence around it and runs at `speed`.
pub(crate) fn cut_to(
    events: Vec<Event>,
    window: [i64; 2],
    at: Timecode,
    speed: f64,
    name: Option<&str>,
) -> Vec<Event> {
    let seen = events.into_iter().filter_map(|mut event| {
        let [from, to] = [event.record.start.frames, event.record.end.frames];
        let [first, last] = [from.max(window[0]), to.min(window[1])];
        if first > last || (first == last && from != to) {
            return None;
        }
        let own_speed = event.own_motion().map(|m| m.fps);
        let (mut head, mut tail) = (passed(&event, first - from), passed(&event, to - last));
        if event.runs_backwards() {
            std::mem::swap(&mut head, &mut tail);
        }
        if !event.freeze {
            let frames = (event.source.frames() - head - tail).max(0);
            event.set_source(Span::of(event.source.start.plus(head), frames));
        }
        let outer = |frame: i64| {
            let inside = (frame - window[0]) as f64;
            at.plus((inside / if speed == 0.0 { 1.0 } else { speed.abs() }).round() as i64)
        };
        let start = outer(first);
        event.record = Span::of(start, outer(last).frames - start.frames);
        if (speed - 1.0).abs() > 1e-9 {
            let timebase = f64::from(event.source.start.rate.timebase());
            event.run_at(own_speed.map_or(1.0, |fps| fps / timebase) * speed);
        }
        event.within.splice(0..0, name.map(str::to_owned));
        Some(event)
    });
    seen.collect()
}

/// Where the frames of an event lie in its source, when the list counts them
/// from the source's first frame: its timecode is added. Some writers add it already.
pub(crate) fn source_time(start: i64, media: Option<Media>) -> i64 {
    match media {
        Some(media) if start >= media.start.frames => start,
        Some(media) if media.frames == 0 || start < media.frames => media.start.frames + start,
        _ => start,
    }
}

/// What a document may still hold: sequences may be nested by reference, so
/// that a short one could stand for an endless one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    items: usize,
    depth: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { items: limits::MAX_TIMELINE_ITEMS, depth: limits::MAX_NESTED_SEQUENCES }
    }
}

impl Budget {
    /// One item more.
    pub(crate) fn spend(&mut self) -> Outcome<()> {
        let most = limits::MAX_TIMELINE_ITEMS;
        self.items = self.items.checked_sub(1).ok_or_else(|| {
            Fault::new(Code::BadEditList, format!("the timeline has more than {most} items"))
        })?;
        Ok(())
    }

    /// One sequence deeper; what is spent there is spent here.
    pub(crate) fn inside<T>(
        &mut self,
        walk: impl FnOnce(Self) -> (Outcome<T>, Self),
    ) -> Outcome<T> {
        let most = limits::MAX_NESTED_SEQUENCES;
        let depth = self.depth.checked_sub(1).ok_or_else(|| {
            Fault::new(Code::BadEditList, format!("sequences nest deeper than {most}"))
        })?;
        let (result, left) = walk(Self { depth, ..*self });
        self.items = left.items;
        result
    }
}

/// Path of an URL, or of a path that is none: percent codes resolved, a host of
/// `localhost` and the slash before a drive left out.
pub(crate) fn path_of(url: &str) -> String {
    let Some(rest) = url.strip_prefix("file://") else { return url.to_owned() };
    let rest = rest.strip_prefix("localhost").unwrap_or(rest);
    let mut bytes = Vec::with_capacity(rest.len());
    let mut left = rest.as_bytes();
    while let [first, after @ ..] = left {
        let code = match (first, after) {
            (b'%', [a, b, ..]) => {
                std::str::from_utf8(&[*a, *b]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        left = if code.is_some() { &after[2..] } else { after };
    }
    let path = String::from_utf8_lossy(&bytes).into_owned();
    let drive = |path: &str| matches!(path.as_bytes(), [b'/', b'A'..=b'Z' | b'a'..=b'z', b':', ..]);
    if drive(&path) { path[1..].to_owned() } else { path }
}

/// Refuses a document that is larger than it may be.
pub(crate) fn bounded(bytes: &[u8], most: u64) -> Outcome<()> {
    if bytes.len() as u64 <= most {
        return Ok(());
    }
    let message = format!("the edit list has {} bytes; {most} are read", bytes.len());
    Err(Fault::new(Code::TooLarge, message))
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn urls_become_paths() {
        for (url, path) in [
            ("file://localhost/D%3a/media/a%20b.mov", "D:/media/a b.mov"),
            ("file:///Volumes/A/%C3%A9.mov", "/Volumes/A/é.mov"),
            ("file://VSD/Tools/x.mxf", "VSD/Tools/x.mxf"),
            ("black.mov", "black.mov"),
            ("/vol/50%/x.mov", "/vol/50%/x.mov"),
            ("file:///a%zz%", "/a%zz%"),
        ] {
            assert_eq!(path_of(url), path);
        }
    }
}
