//! What a plate is called: `<shot>_PL01_v001`.
//!
//! The shot is the one that a marker of the event names, which is how
//! editorial hands names over; without one, the list's title and the event
//! number times ten. Letters, digits, '.', '_' and '-' only. A shot that is
//! pulled from several events counts its plates: PL01, PL02.

use super::PullRequest;
use super::take::Take;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::HashMap;

/// Longest name of a shot, in bytes: a frame's file name has 255, and the
/// plate's number, version, frame number and ending need about 40.
const MOST: usize = 128;

/// The names that were given so far.
pub(super) struct Names {
    /// What stands before the event number of an unnamed shot.
    prefix: String,
    version: u32,
    /// By the name as file systems without case see it.
    given: HashMap<String, Shot>,
}

struct Shot {
    /// As first written.
    name: String,
    from: Origin,
    plates: u32,
}

/// Where a name comes from: two sources that give one name are a collision.
#[derive(Clone, PartialEq)]
enum Origin {
    Marker,
    /// The event number as written.
    Number(String),
}

impl Names {
    pub(super) fn new(request: &PullRequest<'_>) -> Self {
        let prefix = [request.edl.title.as_str(), &request.show, &request.name]
            .into_iter()
            .map(legal)
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "shot".into());
        Self { prefix, version: request.plate_version, given: HashMap::new() }
    }

    /// The name of the plate of `take`; each call gives another.
    ///
    /// # Errors
    /// [`Code::NameCollision`] when the name is already another shot's: one of
    /// a marker and one of an event number, or numbers that differ by zeros only.
    pub(super) fn name(&mut self, take: &Take<'_>) -> Outcome<String> {
        let event = take.event;
        let marked = event.locators.iter().find_map(|locator| shot_in(&locator.text));
        let (name, from) = match marked {
            Some(name) => (name.to_owned(), Origin::Marker),
            None => {
                let number = event.number.parse::<u64>().unwrap_or(0).saturating_mul(10);
                (format!("{}_{number:03}", self.prefix), Origin::Number(event.number.clone()))
            }
        };
        let shot = self.given.entry(name.to_ascii_lowercase()).or_insert_with(|| Shot {
            name,
            from: from.clone(),
            plates: 0,
        });
        if shot.from != from {
            let message =
                format!("'{}' is already the name of another shot of this list", shot.name);
            return Err(Fault::new(Code::NameCollision, message)
                .remedy("Name the events by markers, or give the list another title."));
        }
        shot.plates += 1;
        Ok(format!("{}_PL{:02}_v{:03}", shot.name, shot.plates, self.version))
    }
}

/// The shot that a marker's text names: its first word that is legal as a name
/// and is built as one, with a digit and an underscore (`ABC_010_0010 clean
/// up`, `VFX 117_GUD_0030 add landscape`); or all of it, when it is one word
/// with a digit.
fn shot_in(text: &str) -> Option<&str> {
    let digit = |word: &str| word.bytes().any(|b| b.is_ascii_digit());
    let mut words = text.split_whitespace();
    if let (Some(only), None) = (words.next(), words.next()) {
        return Some(only).filter(|word| is_legal(word) && digit(word));
    }
    text.split_whitespace().find(|word| is_legal(word) && digit(word) && word.contains('_'))
}

fn is_legal(word: &str) -> bool {
    word.len() <= MOST
        && word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.bytes().all(is_legal_byte)
        && !word.ends_with('.')
}

const fn is_legal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

/// `text` with everything that delivery does not allow made an underscore.
fn legal(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars() {
        let c = if c.is_ascii() && is_legal_byte(c as u8) { c } else { '_' };
        if name.len() < MOST / 2 && !(c == '_' && name.ends_with('_')) {
            name.push(c);
        }
    }
    name.trim_start_matches(['_', '.', '-']).trim_end_matches(['_', '.', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shot_is_found_in_what_people_type_into_markers() {
        for (text, shot) in [
            ("ABC_010_0010 clean up", Some("ABC_010_0010")),
            ("VFX  117_GUD_0030 add Norway landscape", Some("117_GUD_0030")),
            ("DRA_001_0001", Some("DRA_001_0001")),
            ("SH010", Some("SH010")),
            ("ANIM FIX NEEDED", None),
            ("Sc 117 INTERCUT", None),
            ("../../etc_0/x_1", None),
            ("..", None),
            ("", None),
        ] {
            assert_eq!(shot_in(text), shot, "{text}");
        }
    }

    #[test]
    fn titles_become_legal_names() {
        for (text, name) in [
            ("Sequence 01", "Sequence_01"),
            ("  Füße / R1 (v5)  ", "F_e_R1_v5"),
            ("-LDY_1225_1-9", "LDY_1225_1-9"),
            ("../..", ""),
            ("片", ""),
        ] {
            assert_eq!(legal(text), name, "{text}");
        }
        assert!(legal(&"x".repeat(1000)).len() <= MOST);
    }
}
