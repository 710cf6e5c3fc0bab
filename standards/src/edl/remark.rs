//! What stands under an event: names, speeds, grades, markers. Systems write
//! remarks with and without a star, with one or two, and in either case.

use super::{Why, line};
use crate::editlist::{Event, Locator, MotionEffect, Sop};

/// What stands behind `key` at the beginning of a line, without blanks around it.
pub(super) fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let head = line.get(..key.len())?;
    head.eq_ignore_ascii_case(key).then(|| line[key.len()..].trim())
}

/// The line without the stars that make it a remark.
pub(super) fn without_stars(line: &str) -> &str {
    line.trim_start_matches(|c: char| c == '*' || c.is_whitespace())
}

/// Puts a line under the event that it belongs to. A line that means nothing
/// to us is kept as a remark; one that means something and cannot be read is
/// kept too, and reported.
pub(super) fn attach(event: &mut Event, line: &str) -> Result<(), Why> {
    let body = without_stars(line);
    let read = known(event, body);
    if !matches!(read, Ok(true)) {
        event.remarks.push(body.to_owned());
    }
    read.map(|_| ())
}

/// Reads the remarks that have a meaning; `false` for the others.
fn known(event: &mut Event, body: &str) -> Result<bool, Why> {
    let text = |value: &str| Some(value.to_owned());
    if let Some(name) = value_of(body, "FROM CLIP NAME:") {
        event.clip_name = text(name);
    } else if let Some(name) = value_of(body, "TO CLIP NAME:") {
        event.to_clip_name = text(name);
    } else if let Some(file) =
        ["SOURCE FILE:", "FROM FILE:", "FROM CLIP:"].iter().find_map(|key| value_of(body, key))
    {
        event.source_file = text(file);
    } else if let Some(value) = keyed(body, "ASC_SOP") {
        event.cdl.get_or_insert_default().sop = Some(sop(value)?);
    } else if let Some(value) = keyed(body, "ASC_SAT") {
        let saturation = number(value).ok_or_else(|| format!("'{value}' is not a saturation"))?;
        event.cdl.get_or_insert_default().saturation = Some(saturation);
    } else if let Some(value) = value_of(body, "LOC:") {
        event.locators.push(locator(value));
    } else if let Some(value) = word(body, "M2") {
        event.motion.push(motion(value)?);
    } else if body.eq_ignore_ascii_case("FREEZE FRAME") {
        event.freeze = true;
    } else if let Some(name) = value_of(body, "EFFECTS NAME IS") {
        event.effect_name = text(name);
    } else if let Some(channels) = word(body, "AUD").and_then(channels) {
        event.audio_channels.extend(channels);
    } else {
        spare_names(event, body);
        return Ok(false);
    }
    Ok(true)
}

/// Names that stay in the remark and are known besides.
fn spare_names(event: &mut Event, body: &str) {
    let body = body.trim_start_matches('>').trim_start();
    if let Some(names) = value_of(body, "FINAL CUT PRO REEL:") {
        let long = names.split_once("REPLACED BY:").map_or(names, |(long, _)| long).trim();
        event.long_reel = Some(long.to_owned()).filter(|name| !name.is_empty());
    } else if let Some(umid) =
        ["UMID:", "SOURCE UMID:", "FROM CLIP UMID:"].iter().find_map(|key| value_of(body, key))
    {
        let umid: String = umid.chars().filter(|c| !c.is_whitespace()).collect();
        event.umid = Some(umid).filter(|umid| !umid.is_empty());
    }
}

/// The value behind a key that may or may not have a colon.
fn keyed<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    value_of(body, key).map(|value| value.trim_start_matches(':').trim_start())
}

/// What stands behind `key` when it is a word of its own.
fn word<'a>(body: &'a str, key: &str) -> Option<&'a str> {
    let rest = body.get(key.len()..)?;
    (value_of(body, key).is_some() && rest.starts_with(char::is_whitespace)).then(|| rest.trim())
}

fn channels(value: &str) -> Option<Vec<u32>> {
    let channels: Option<Vec<u32>> = value.split_whitespace().map(|w| w.parse().ok()).collect();
    channels.filter(|found| !found.is_empty())
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|value: &f64| value.is_finite())
}

/// Nine numbers, with or without brackets, divided by blanks or commas.
pub(crate) fn sop(value: &str) -> Result<Sop, Why> {
    let numbers: Option<Vec<f64>> = value
        .split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ','))
        .filter(|part| !part.is_empty())
        .map(number)
        .collect();
    match numbers.as_deref() {
        Some(&[a, b, c, d, e, f, g, h, i]) => {
            Ok(Sop { slope: [a, b, c], offset: [d, e, f], power: [g, h, i] })
        }
        _ => Err("ASC_SOP has nine numbers".into()),
    }
}

/// Time, colour, text; the last two may be absent.
fn locator(value: &str) -> Locator {
    let (at, rest) = first_word(value);
    let (color, text) = first_word(rest);
    Locator { at: at.into(), color: color.into(), text: text.into() }
}

fn first_word(text: &str) -> (&str, &str) {
    text.split_once(char::is_whitespace).map_or((text, ""), |(word, rest)| (word, rest.trim()))
}

/// Reel (with blanks, or none), frames per second, time (or none).
fn motion(value: &str) -> Result<MotionEffect, Why> {
    let (mut rest, mut last) = last_word(value);
    let at = if line::is_timecode(last) {
        let at = last;
        (rest, last) = last_word(rest);
        at
    } else {
        ""
    };
    let fps = number(last)
        .filter(|fps| fps.abs() <= 100_000.0)
        .ok_or_else(|| format!("'{last}' is not a speed in frames per second"))?;
    Ok(MotionEffect { reel: rest.into(), fps, at: at.into() })
}

fn last_word(text: &str) -> (&str, &str) {
    text.rsplit_once(char::is_whitespace).map_or(("", text), |(rest, word)| (rest.trim_end(), word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_read_in_every_form() {
        for (value, reel, fps, at) in [
            ("A001C001       048.0                01:00:00:00", "A001C001", 48.0, "01:00:00:00"),
            ("A001C001       -024.0               01:00:00;02", "A001C001", -24.0, "01:00:00;02"),
            ("MY REEL 2  +012.0 01:00:00:00", "MY REEL 2", 12.0, "01:00:00:00"),
            ("48.0    01:00:00:00", "", 48.0, "01:00:00:00"),
            ("A001C001 000.0", "A001C001", 0.0, ""),
        ] {
            let expected = MotionEffect { reel: reel.into(), fps, at: at.into() };
            assert_eq!(motion(value), Ok(expected), "{value}");
        }
        for value in ["", "A001C001", "A001 nan 01:00:00:00", "A001 1e300 01:00:00:00"] {
            assert!(motion(value).is_err(), "{value}");
        }
    }

    #[test]
    fn grades_are_read_in_every_form() {
        let expected =
            Sop { slope: [0.1, 0.2, 0.3], offset: [1.0, -0.0122, 0.0305], power: [1.0, 0.0, 1.0] };
        for value in [
            "(0.1 0.2 0.3) (1.0 -0.0122 0.0305) (1.0 0.0 1.0)",
            "(0.1 0.2 0.3)(1.0 -0.0122 0.0305)(1.0 0.0 1.0)",
            "(0.1, 0.2, 0.3),(1, -1.22e-2, 0.0305),(1, 0, 1)",
            "0.1 0.2 0.3 1.0 -0.0122 0.0305 1.0 0.0 1.0",
        ] {
            assert_eq!(sop(value), Ok(expected), "{value}");
        }
        assert!(sop("(1 1 1)(0 0 0)(1 1)").is_err());
        assert!(sop("(1 1 1)(0 0 0)(1 1 inf)").is_err());
    }
}
