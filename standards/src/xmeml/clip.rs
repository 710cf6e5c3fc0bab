//! A clip of a track as an event.

use super::retime::{self, Retime};
use super::{Transition, is_false, number, rate_of, timecode};
use crate::editlist::{Event, Locator, Media, Span, path_of};
use crate::xml::Element;
use platefarm_model::{FrameRate, Timecode};

/// Where a clip lies, without the frames of transitions around it.
pub(super) struct Place {
    /// First frame and one past the last, in frames of the sequence.
    pub(super) record: [i64; 2],
    /// In and out as written, moved to the cut, in frames of the clip.
    pub(super) source: [i64; 2],
}

/// The place of a clip; what it lacks is told by the transitions beside it.
pub(super) fn place(item: &Element, [before, behind]: [Option<Transition>; 2]) -> Option<Place> {
    let edge = |name| number(item, name).filter(|frame| *frame >= 0);
    let duration = number(item, "duration").unwrap_or(0);
    let from = number(item, "in").filter(|frame| *frame >= 0).unwrap_or(0);
    let to = number(item, "out").filter(|frame| *frame >= 0).unwrap_or(from + duration);
    // A clip beside a transition has its frames too; the cut is where the transition says.
    let (start, head) = match (edge("start"), before) {
        (Some(start), _) => (start, 0),
        (None, Some(t)) => (t.cut, t.cut - t.start),
        (None, None) => return None,
    };
    let (end, tail) = match (edge("end"), behind) {
        (Some(end), _) => (end, 0),
        (None, Some(t)) => (t.cut, t.end - t.cut),
        (None, None) => (start + (to - from - head).max(0), 0),
    };
    (end >= start).then_some(Place { record: [start, end], source: [from + head, to - tail] })
}

/// The file of a clip, also of the angle that a multiclip shows.
pub(super) fn file(item: &Element) -> Option<&Element> {
    if let Some(file) = item.child("file") {
        return Some(file);
    }
    let angles = item.child("multiclip")?;
    let shown = |angle: &&Element| {
        angle.text_of("activevideoangle").is_some_and(|text| text.eq_ignore_ascii_case("true"))
    };
    let angle = angles.all("angle").find(shown).or_else(|| angles.child("angle"))?;
    angle.child("clip").unwrap_or(angle).child("file")
}

/// The event of a clip or a generator at record time `at`.
pub(super) fn event(
    item: &Element,
    file: Option<&Element>,
    place: &Place,
    at: Timecode,
    warn: &mut Vec<String>,
) -> Event {
    let name = item.text_of("name").filter(|name| !name.is_empty());
    let record = place.record[1] - place.record[0];
    let mut event = Event {
        record: Span::of(at, record),
        clip_name: name.map(str::to_owned),
        enabled: !is_false(item, "enabled"),
        remarks: comments(item),
        ..Event::default()
    };
    let own = rate_of(item).unwrap_or(at.rate);
    match file.filter(|_| &*item.name == "clipitem").filter(|f| f.child("mediaSource").is_none()) {
        Some(file) => from_file(&mut event, file, own),
        None => {
            event.reel = generator(name.unwrap_or_default());
            let start = Timecode { frames: 0, rate: own, drop_frame: false };
            event.media = Some(Media { start, frames: 0 });
        }
    }
    let media =
        event.media.map_or(Timecode { frames: 0, rate: own, drop_frame: false }, |m| m.start);
    let offset = item.child("subclipinfo").and_then(|s| number(s, "startoffset")).unwrap_or(0);
    let span = |source: [i64; 2]| {
        let scaled = source.map(|frame| scale(frame + offset, own, media.rate));
        Span::of(media.plus(scaled[0]), scaled[1] - scaled[0])
    };
    let retime = retime::of(item, place, record, warn);
    event.source = span(retime.as_ref().map_or(place.source, |r| r.source));
    if event.reel == "GEN" || event.reel == "BL" {
        event.media = None;
    }
    match retime {
        Some(Retime { speed: Some(speed), .. }) => event.run_at(speed),
        Some(Retime { points, .. }) => event.remap = points,
        None => {}
    }
    event.locators = item.all("marker").filter_map(|m| locator(m, place, at)).collect();
    event
}

/// Names and timecode of the file.
fn from_file(event: &mut Event, file: &Element, own: FrameRate) {
    let rate = rate_of(file).unwrap_or(own);
    let start = file.child("timecode").and_then(|t| timecode(t, rate));
    let start = start.unwrap_or(Timecode { frames: 0, rate, drop_frame: false });
    let frames = scale(number(file, "duration").unwrap_or(0), rate, start.rate);
    event.media = Some(Media { start, frames });
    let reel = file.child("timecode").and_then(|t| t.child("reel")).and_then(|r| r.text_of("name"));
    event.reel = reel.unwrap_or_default().to_owned();
    let path = file.text_of("pathurl").filter(|path| !path.is_empty()).map(path_of);
    let name = || file.text_of("name").filter(|name| !name.is_empty()).map(str::to_owned);
    event.source_file = path.or_else(name);
}

/// Frames of one rate as frames of another, rounded down.
fn scale(frames: i64, from: FrameRate, to: FrameRate) -> i64 {
    if from == to {
        return frames;
    }
    let upper = i128::from(to.numerator()) * i128::from(from.denominator());
    let lower = i128::from(to.denominator()) * i128::from(from.numerator());
    i64::try_from((i128::from(frames) * upper).div_euclid(lower)).unwrap_or(frames)
}

/// What a generator stands for.
fn generator(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    let black = ["black video", "slug", "black"].contains(&name.as_str());
    let word = if black {
        "BL"
    } else if name.contains("bars") {
        "BARS"
    } else {
        "GEN"
    };
    word.to_owned()
}

fn comments(item: &Element) -> Vec<String> {
    let groups = ["comments", "logginginfo"].iter().filter_map(|name| item.child(name));
    let lines = groups.flat_map(|group| &group.children);
    lines
        .filter(|line| !line.text.trim().is_empty())
        .map(|line| format!("{}: {}", line.name.to_uppercase(), line.text.trim()))
        .collect()
}

/// A marker of a clip counts in its source; a list has it in record time.
fn locator(marker: &Element, place: &Place, at: Timecode) -> Option<Locator> {
    let behind = number(marker, "in")? - place.source[0];
    let text = ["name", "comment"].iter().filter_map(|key| marker.text_of(key));
    let text: Vec<&str> = text.filter(|text| !text.is_empty()).collect();
    Some(Locator { at: at.plus(behind).to_string(), color: String::new(), text: text.join(" ") })
}
