//! The grammar of an event line, read from the right.
//!
//! Columns cannot be trusted and reels may hold blanks, even ones that look
//! like a track or a transition. The four times at the end can, so the line is
//! taken apart from there.

use super::{KeyRole, Transition, Why};

/// The parts of an event line.
#[derive(Debug, PartialEq)]
pub(super) struct Words<'a> {
    pub(super) number: &'a str,
    pub(super) reel: &'a str,
    pub(super) track: &'a str,
    pub(super) transition: Transition,
    /// Source in, source out, record in, record out.
    pub(super) times: [&'a str; 4],
}

/// Takes an event line apart; `None` when the line is none, an error when it
/// wants to be one and is not.
pub(super) fn split(line: &str) -> Result<Option<Words<'_>>, Why> {
    let Some((number, rest)) = line.split_once(char::is_whitespace) else { return Ok(None) };
    if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
        return not_numbered(number, rest).map_or(Ok(None), Err);
    }
    if !looks_like_event(rest) {
        return Ok(None);
    }
    from_the_right(number, rest.trim()).map(Some)
}

/// Why a line without an event number is no event, where it has all else of one.
/// A remark, which begins with its mark, may quote one.
fn not_numbered(first: &str, rest: &str) -> Option<Why> {
    if !first.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let words = from_the_right(first, rest.trim()).ok()?;
    words
        .times
        .iter()
        .all(|time| is_timecode(time))
        .then(|| format!("'{first}' is not an event number"))
}

fn from_the_right<'a>(number: &'a str, mut rest: &'a str) -> Result<Words<'a>, Why> {
    let mut times = [""; 4];
    for slot in times.iter_mut().rev() {
        let word = pop(&mut rest);
        if !is_time(word) {
            return Err(format!("'{word}' stands where one of the four times should"));
        }
        *slot = word;
    }
    let transition = transition(&mut rest)?;
    let track = pop(&mut rest);
    if !is_track(track) {
        return Err(format!("'{track}' is not a track"));
    }
    Ok(Words { number, reel: rest, track, transition, times })
}

/// The last word; what is before it stays in `rest`.
fn pop<'a>(rest: &mut &'a str) -> &'a str {
    let (before, word) = rest.rsplit_once(char::is_whitespace).unwrap_or(("", *rest));
    *rest = before.trim_end();
    word
}

/// `C`, `D 025`, `W001 025`, `K 025`, `K B`, `KB`, `K O 025`, `KO 025`.
fn transition(rest: &mut &str) -> Result<Transition, Why> {
    let mut word = pop(rest);
    let frames = if !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit()) {
        let frames =
            word.parse().map_err(|_| format!("'{word}' is not a length of a transition"))?;
        word = pop(rest);
        Some(frames)
    } else {
        None
    };
    let upper = word.to_ascii_uppercase();
    let bare = |needed: &str| format!("'{needed}' lacks its length in frames");
    match upper.as_str() {
        "C" => Ok(Transition::Cut),
        "D" => Ok(Transition::Dissolve { frames: frames.ok_or_else(|| bare("D"))? }),
        "K" => key(KeyRole::Foreground, frames),
        "KB" => key(KeyRole::Background, frames),
        "KO" => key(KeyRole::Out, frames),
        "B" | "O" => match pop(rest) {
            "K" | "k" => key(if upper == "B" { KeyRole::Background } else { KeyRole::Out }, frames),
            other => Err(format!("'{other} {word}' is not a transition")),
        },
        _ => {
            let pattern = upper
                .strip_prefix('W')
                .filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok());
            match pattern {
                Some(pattern) => {
                    Ok(Transition::Wipe { pattern, frames: frames.ok_or_else(|| bare(word))? })
                }
                None => Err(format!("'{word}' is not a transition")),
            }
        }
    }
}

/// A key without a length has none: it is cut in.
fn key(role: KeyRole, frames: Option<u32>) -> Result<Transition, Why> {
    Ok(Transition::Key { role, frames: frames.unwrap_or(0) })
}

/// `V`, `V2`, `A`, `A12`, `AA`, `AA/V`, `A2/V`, `VA1A2`, `B`, `NONE`.
fn is_track(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    if upper == "B" || upper == "NONE" {
        return true;
    }
    upper.starts_with(['V', 'A'])
        && upper.bytes().all(|b| matches!(b, b'V' | b'A' | b'/') || b.is_ascii_digit())
}

/// A frame number, or three or four groups of digits.
pub(super) fn is_time(word: &str) -> bool {
    if word.is_empty() || word.len() > 16 {
        return false;
    }
    is_timecode(word) || (word.len() <= 12 && word.bytes().all(|b| b.is_ascii_digit()))
}

/// Digits in four groups, divided by `:`, `;` or `.`.
pub(super) fn is_timecode(word: &str) -> bool {
    word.split([':', ';', '.']).count() == 4
        && word
            .split([':', ';', '.'])
            .all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether a line that begins with a number is meant as an event: it has two
/// times, or a track followed by a transition. Tables of markers and free
/// remarks have neither.
fn looks_like_event(rest: &str) -> bool {
    let mut timecodes = 0;
    let mut before = "";
    let mut pair = false;
    for word in rest.split_whitespace() {
        // Half a timecode counts: `01:00:0` is one that was cut off.
        timecodes += usize::from(
            word.contains([':', ';'])
                && word.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b';' | b'.')),
        );
        pair |= is_track(before) && is_transition(word);
        before = word;
    }
    timecodes >= 2 || pair
}

/// `C`, `D`, `K`, `KB`, `KO`, `W001`, in either case.
fn is_transition(word: &str) -> bool {
    let upper = word.to_ascii_uppercase();
    let pattern = upper.strip_prefix('W');
    matches!(upper.as_str(), "C" | "D" | "K" | "KB" | "KO")
        || pattern
            .is_some_and(|digits| digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Words<'_> {
        split(line).unwrap().unwrap()
    }

    #[test]
    fn the_reel_is_what_is_left() {
        let times = "01:00:00:00 01:00:01:00 02:00:00:00 02:00:01:00";
        for (middle, reel, track) in [
            ("A001C001 V     C       ", "A001C001", "V"),
            ("MY REEL V                V  C", "MY REEL V", "V"),
            ("CARD 2 C\tA2\tC", "CARD 2 C", "A2"),
            ("B 12 V C V C", "B 12 V C", "V"),
            ("012 AA/V C", "012", "AA/V"),
            ("V C", "", "V"),
        ] {
            let line = format!("001  {middle} {times}");
            let found = words(&line);
            assert_eq!((found.reel, found.track), (reel, track), "{middle}");
        }
    }

    #[test]
    fn every_transition_is_known() {
        use Transition::{Cut, Dissolve, Key, Wipe};
        for (text, expected) in [
            ("C", Cut),
            ("D 025", Dissolve { frames: 25 }),
            ("D    000", Dissolve { frames: 0 }),
            ("W001 010", Wipe { pattern: 1, frames: 10 }),
            ("K B", Key { role: KeyRole::Background, frames: 0 }),
            ("KB", Key { role: KeyRole::Background, frames: 0 }),
            ("K 012", Key { role: KeyRole::Foreground, frames: 12 }),
            ("K O 030", Key { role: KeyRole::Out, frames: 30 }),
        ] {
            let line = format!("001 REEL V {text} 0 1 0 1");
            // A key of frame counts alone looks like nothing; timecodes decide.
            let line = line.replace("0 1 0 1", "00:00:00:00 00:00:00:01 0 1");
            assert_eq!(words(&line).transition, expected, "{text}");
            assert_eq!(words(&line).reel, "REEL", "{text}");
        }
        // Frame counts say less than timecodes: there the track before a transition tells.
        for (text, expected) in [
            ("W001 012", Wipe { pattern: 1, frames: 12 }),
            ("w001 012", Wipe { pattern: 1, frames: 12 }),
            ("ko 012", Key { role: KeyRole::Out, frames: 12 }),
        ] {
            let line = format!("002 REEL V {text} 0 24 24 48");
            assert_eq!(words(&line).transition, expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_event_is_left_alone_and_what_wants_to_be_one_is_not() {
        for line in [
            "002 remark that starts with a number",
            "1  White   WBROGO   01:02:12:00    V1   002_020 - Phone",
            "M2   A001C001  048.0  01:00:00:00",
            "TITLE: 01:00:00:00 01:00:00:00",
            "001",
            "* 001  A001C001 V C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
            "SOURCE 01:00:00:00 01:00:01:00 RECORD 01:00:00:00 01:00:01:00",
        ] {
            assert_eq!(split(line), Ok(None), "{line}");
        }
        for line in [
            "001  A001C001 V C 01:00:00:00 01:00:01:00 01:00:00:00",
            "001  A001C001 V C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:0",
            "001  A001C001 V D 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
            "001  A001C001 X C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
            "001  A001C001 V Q 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
            "001  A001C001 V C garbage",
            "001A  A001C001 V C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
            "A001C001  AA/V D 012 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00",
        ] {
            assert!(split(line).is_err(), "{line}: {:?}", split(line));
        }
    }
}
