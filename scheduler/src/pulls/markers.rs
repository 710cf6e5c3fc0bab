//! Which shot the markers of an event name.
//!
//! Editorial hands names of shots over in markers, and marks other things too.
//! A name is the first word, or a later one that is built as one. What markers
//! leave open is told: none that names a shot, one that cannot, several. A
//! delivery may say which colour counts.

use super::naming::{MOST, is_legal_name};
use super::take::place;
use platefarm_model::{Code, Fault};
use platefarm_standards::editlist::{Event, Locator};

/// Characters of a marker that are shown.
const SHOWN: usize = 60;

/// The shot that the event's markers name; the first of several.
pub(super) fn shot<'e>(event: &'e Event, color: Option<&str>) -> Option<&'e str> {
    named(event, color).first().copied()
}

/// What is to be said of an event whose markers name no shot, or several. It is called `name`.
pub(super) fn doubt(event: &Event, color: Option<&str>, name: &str) -> Option<Fault> {
    if event.locators.is_empty() {
        return None;
    }
    let fault = match named(event, color).as_slice() {
        [_] => return None,
        [] => none(event, color, name),
        [_, others @ ..] => {
            let message = format!(
                "the event's markers name several shots: it is '{name}', and not '{}'",
                others.join("', '")
            );
            Fault::new(Code::ShotUnsure, message)
        }
    };
    Some(fault.at(place(event)))
}

/// What is to be said of an event that is marked as another shot than the one whose plate it shares:
/// no plate has that name.
pub(super) fn of_another(event: &Event, into: &Event, color: Option<&str>) -> Option<Fault> {
    let name = shot(event, color)?;
    let same = shot(into, color).is_some_and(|own| own.eq_ignore_ascii_case(name));
    (!same).then(|| {
        let message = format!(
            "event {} is marked as shot '{name}' and shares the plate of event {}, which is not called so",
            event.number, into.number
        );
        Fault::new(Code::ShotUnsure, message)
            .at(place(event))
            .remedy("Nothing, if one plate is meant for both; else deliver a plate for each use.")
    })
}

/// Why none of the markers names a shot.
fn none(event: &Event, color: Option<&str>, name: &str) -> Fault {
    let Some(first) = counted(event, color).next() else {
        let color = color.unwrap_or_default();
        let message = format!("none of the event's markers is {color}: it is '{name}'");
        return Fault::new(Code::ShotUnsure, message);
    };
    if let Some(word) = counted(event, color).find_map(|marker| no_shot(&marker.text)) {
        let message = format!("marker '{word}' can be no name of a shot: it is '{name}'");
        return Fault::new(Code::BadName, message);
    }
    let text: String = first.text.chars().take(SHOWN).collect();
    let message = format!("no marker of the event names a shot ('{text}'): it is '{name}'");
    Fault::new(Code::ShotUnsure, message)
}

/// The markers of a colour, or all.
fn counted<'e>(event: &'e Event, color: Option<&str>) -> impl Iterator<Item = &'e Locator> {
    let meant =
        move |marker: &&Locator| color.is_none_or(|color| marker.color.eq_ignore_ascii_case(color));
    event.locators.iter().filter(meant)
}

/// The shots that markers name, each once.
fn named<'e>(event: &'e Event, color: Option<&str>) -> Vec<&'e str> {
    let mut names: Vec<&'e str> = Vec::new();
    for name in counted(event, color).filter_map(|marker| shot_in(&marker.text)) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    names
}

/// The words of a marker; what a colon ends is a word before a remark.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().map(|word| word.trim_end_matches(':')).filter(|word| !word.is_empty())
}

/// The shot that a marker's text names: a word with a digit that is legal as a
/// name. It is all of the text; or its first word, built as a name is
/// (`ABC-020 rig removal`); or any word with an underscore
/// (`VFX 117_GUD_0030 add landscape`).
fn shot_in(text: &str) -> Option<&str> {
    let named = |word: &str| is_legal(word) && has_digit(word);
    let mut all = words(text);
    let (first, second) = (all.next()?, all.next());
    if named(first) && (second.is_none() || is_built(first)) {
        return Some(first);
    }
    words(text).find(|word| named(word) && word.contains('_'))
}

/// Whether a word at the beginning of a remark is a name, and not `v2`, `4K` or `3-4`.
fn is_built(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    word.contains('_') || (digits > 1 && word.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// A word of a marker that was meant as a shot's name and cannot be one.
fn no_shot(text: &str) -> Option<&str> {
    let mut all = words(text);
    match (all.next(), all.next()) {
        (Some(only), None) => Some(only),
        _ => words(text).find(|word| word.contains('_') && has_digit(word) && !is_legal(word)),
    }
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_digit())
}

fn is_legal(word: &str) -> bool {
    word.len() <= MOST && is_legal_name(word)
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
            ("SH010 sky replacement", Some("SH010")),
            ("ABC-020 rig removal", Some("ABC-020")),
            ("SH_040: paint", Some("SH_040")),
            ("SH_040 :", Some("SH_040")),
            ("use bg_plate_02", Some("bg_plate_02")),
            ("SH 030 with blank", None),
            ("v2 of the comp", None),
            ("4K scan", None),
            ("3-4 frames longer", None),
            ("re-do", None),
            ("ANIM FIX NEEDED", None),
            ("COM1", None),
            ("com1.x", None),
            ("ÄB_010", None),
            ("Sc 117 INTERCUT", None),
            ("../../etc_0/x_1", None),
            ("..", None),
            (":", None),
            ("", None),
        ] {
            assert_eq!(shot_in(text), shot, "{text}");
        }
    }

    /// Each row: markers, the colour that counts, the shot, and what is said.
    #[test]
    fn what_markers_leave_open_is_told() {
        for (markers, color, wanted, said) in [
            ("", None, None, None),
            ("RED SH_030 comp", None, Some("SH_030"), None),
            ("RED SH_030 comp\nRED sh_030", None, Some("SH_030"), None),
            ("GREEN MX_V3 temp\nRED SH_030", None, Some("MX_V3"), Some("and not 'SH_030'")),
            ("GREEN MX_V3 temp\nRED SH_030", Some("red"), Some("SH_030"), None),
            ("RED SH_01\nRED SH_02\nRED SH_03", None, Some("SH_01"), Some("'SH_02', 'SH_03'")),
            ("RED ANIM FIX NEEDED", None, None, Some("('ANIM FIX NEEDED')")),
            ("RED SH 030 with blank", None, None, Some("names a shot")),
            ("RED SH_03/0 comp", None, None, Some("'SH_03/0' can be no name")),
            ("GREEN SH_030", Some("Red"), None, Some("none of the event's markers is Red")),
        ] {
            let marker = |line: &str| {
                let (color, text) = line.split_once(' ').unwrap();
                Locator { at: String::new(), color: color.into(), text: text.into() }
            };
            let event =
                Event { locators: markers.lines().map(marker).collect(), ..Event::default() };
            assert_eq!(shot(&event, color), wanted, "{markers:?}");
            let fault = doubt(&event, color, wanted.unwrap_or("T_010"));
            match said {
                None => assert_eq!(fault, None, "{markers:?}"),
                Some(said) => {
                    let fault = fault.unwrap();
                    assert!(fault.message.contains(said), "{fault}");
                    assert!(fault.message.contains(wanted.unwrap_or("T_010")), "{fault}");
                }
            }
        }
    }
}
