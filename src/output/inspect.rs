//! An inspection, for people at a terminal of whatever width: a clip by its
//! fields, many clips by a line each, then the camera formats.

use super::table::{self, Align};
use super::{Inspection, style};
use platefarm_model::clip::ClipInfo;
use platefarm_model::format::FormatCard;
use platefarm_model::schema::{self, FIELDS, Field, Group, MISSING};

/// Columns of the names of groups and of fields.
const GROUP: usize = 10;
const NAME: usize = 28;
/// Columns of a table of clips behind the name of the clip.
const BEHIND_CLIP: usize = 62;

/// Clips, formats, and how much is wrong.
pub(super) fn show(inspection: &Inspection<'_>) {
    let width = style::width();
    let clips = &inspection.card.clips;
    if clips.len() == 1 || inspection.full {
        for clip in clips {
            detail(clip, width);
            say!();
        }
    } else if !clips.is_empty() {
        list(clips, inspection.formats, width);
        say!();
    }
    formats(inspection.formats, width);
}

/// Every field of a clip.
fn detail(clip: &ClipInfo, width: usize) {
    say!("{}  {}", style::strong(&clip.identity.clip_name), style::dim(&clip.path));
    let room = width.saturating_sub(GROUP + NAME).max(20);
    for group in Group::ALL {
        let mut title = group.name();
        for field in FIELDS.iter().filter(|field| field.group == group) {
            let Some(value) = value(clip, field, room) else { continue };
            say!("{}{:<NAME$}{value}", style::dim(&format!("{title:<GROUP$}")), field.name);
            title = "";
        }
    }
    if !clip.vendor.is_empty() {
        let title = style::dim(&format!("{:<GROUP$}", "vendor"));
        say!("{title}{} fields of the maker's own; --json prints them", clip.vendor.len());
    }
    for sidecar in &clip.sidecars {
        say!("{}{sidecar}", style::dim(&format!("{:<GROUP$}", "export")));
    }
    for note in &clip.notes {
        let title = style::dim(&format!("{:<GROUP$}", "note"));
        say!("{title}{}", wrapped(&note.to_string(), width, GROUP));
    }
}

/// What a field says, its unit behind it, and how far it moves; nothing where it need not be known.
fn value(clip: &ClipInfo, field: &Field, room: usize) -> Option<String> {
    let Some(value) = field.of(clip) else {
        return field.critical.then(|| style::missing(MISSING));
    };
    let unit = match field.unit() {
        "" => String::new(),
        "°" => "°".to_owned(),
        unit => format!(" {unit}"),
    };
    let mut text = format!("{value}{unit}");
    if let Some(v) = clip.varies.get(field.name) {
        let number = |n: f64| schema::Value::Number(n).to_string();
        text.push_str(&format!(
            " ({} to {} over {} frames)",
            number(v.min),
            number(v.max),
            v.frames
        ));
    }
    Some(cut(&text, room))
}

/// A line for each clip.
fn list(clips: &[ClipInfo], formats: &[FormatCard], width: usize) {
    let room = width.saturating_sub(BEHIND_CLIP).max(16);
    let shown = |clip: &ClipInfo, name: &str| {
        let value = schema::field(name).and_then(|field| field.of(clip));
        value.map_or_else(|| style::missing(MISSING), |value| value.to_string())
    };
    let rows: Vec<Vec<String>> = clips
        .iter()
        .map(|clip| {
            let key = platefarm_model::format::FormatKey::of(clip);
            let format = formats.iter().position(|card| card.key == key);
            vec![
                cut(&clip.identity.clip_name, room),
                cut_plain(shown(clip, "reelName")),
                shown(clip, "timeCode"),
                shown(clip, "frameCount"),
                rate(clip),
                shown(clip, "pictureSize"),
                format.map_or_else(String::new, |at| (at + 1).to_string()),
            ]
        })
        .collect();
    let header = [
        ("CLIP", Align::Left),
        ("REEL", Align::Left),
        ("TIMECODE", Align::Key),
        ("FRAMES", Align::Right),
        ("FPS", Align::Right),
        ("SIZE", Align::Right),
        ("FORMAT", Align::Right),
    ];
    table::print(&header, &rows);
}

/// A reel as the table has room for it; what is missing keeps its colour.
fn cut_plain(text: String) -> String {
    if text.contains('\x1b') { text } else { cut(&text, 10) }
}

/// As people call it: 23.976, not 24000/1001.
fn rate(clip: &ClipInfo) -> String {
    let rate = clip.timing.rate.map(|rate| {
        let exact = format!("{:.3}", rate.as_f64());
        exact.trim_end_matches('0').trim_end_matches('.').to_owned()
    });
    rate.unwrap_or_else(|| style::missing(MISSING))
}

/// The camera formats, each with what makes it.
fn formats(cards: &[FormatCard], width: usize) {
    let line = |text: String| say!("  {}", wrapped(&text, width, 4).trim_start());
    for (index, card) in cards.iter().enumerate() {
        let part = |(_, value): &(&str, &Option<String>)| {
            Option::clone(value).unwrap_or_else(|| style::missing(MISSING))
        };
        let [letter, model, mode, codec, squeeze] = card.key.values();
        let count = card.clip_count;
        let clips = if count == 1 { "1 clip".to_owned() } else { format!("{count} clips") };
        say!(
            "format {}  camera {}, {}  {}",
            style::strong(&(index + 1).to_string()),
            part(&letter),
            part(&model),
            style::dim(&clips)
        );
        let [mode, codec, squeeze] = [&mode, &codec, &squeeze].map(part);
        line(format!("sensor mode {mode}, codec {codec}, squeeze {squeeze}"));
        line(format!("colour {}", part(&("", &card.color_space))));
    }
}

/// Text that fits into `room` characters.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Text over as many lines as it needs, all but the first indented.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let room = width.saturating_sub(indent).max(20);
    let (mut out, mut column) = (String::new(), 0);
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > room {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            column = 0;
        } else if column > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_within_its_room() {
        assert_eq!(cut("A001_C066_0303LZ", 28), "A001_C066_0303LZ");
        assert_eq!(cut("A001_C066_0303LZ", 5), "A001…");
        let text = wrapped("one two three four five six seven eight", 24, 4);
        assert_eq!(text, "one two three four\n    five six seven eight");
        let long = "x".repeat(40);
        assert_eq!(wrapped(&format!("a {long} b"), 24, 2), format!("a\n  {long}\n  b"));
    }
}
