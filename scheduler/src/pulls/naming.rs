//! What a plate is called: by default `<shot>_PL01_v001`.
//!
//! The name is a template with fields in braces. The shot is the one that a
//! marker of the event names, which is how editorial hands names over; without
//! one, the list's title and the event number times ten. Letters, digits, '.',
//! '_' and '-' only. A shot that is pulled from several events counts its
//! plates: PL01, PL02. A plate that was delivered before gets the next version.

use super::take::Take;
use super::{PullRequest, previous::Previous};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::{HashMap, HashSet};

/// Longest name of a shot, in bytes: a frame's file name has 255, and the
/// plate's number, version, frame number and ending need about 40.
const MOST: usize = 128;
/// Longest name of a plate, in bytes.
const MOST_PLATE: usize = 200;

/// Fields that a template may have.
pub const FIELDS: &[&str] = &["show", "shot", "event", "clip", "reel", "plate", "version"];

/// A template, read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    /// A field of [`FIELDS`], and the digits of a number.
    Field(&'static str, usize),
}

impl Template {
    fn parse(text: &str) -> Outcome<Self> {
        let bad = |what: String| {
            Fault::new(Code::BadNaming, format!("'{text}' is no naming template: {what}"))
                .at("naming.plate")
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            let (literal, field) = rest.split_at(open);
            if !literal.is_empty() {
                parts.push(Part::Text(literal.to_owned()));
            }
            let (field, behind) = field
                .strip_prefix('{')
                .and_then(|field| field.split_once('}'))
                .ok_or_else(|| bad("a brace without its other half".into()))?;
            let (name, digits) = field.split_once(':').unwrap_or((field, "0"));
            let known = FIELDS.iter().find(|known| **known == name);
            let known = known.ok_or_else(|| bad(format!("there is no field '{{{name}}}'")))?;
            let digits = digits.parse().ok().filter(|digits| *digits <= 9);
            let digits = digits.ok_or_else(|| {
                bad(format!("'{field}' is no count of digits; write as in {{version:03}}"))
            })?;
            parts.push(Part::Field(known, digits));
            rest = behind;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        let illegal = |part: &Part| match part {
            Part::Text(text) => text.chars().find(|c| !c.is_ascii() || !is_legal_byte(*c as u8)),
            Part::Field(..) => None,
        };
        if let Some(c) = parts.iter().find_map(illegal) {
            return Err(bad(format!("'{c}' is not legal in the name of a file")));
        }
        let has = |name: &str| parts.iter().any(|p| matches!(p, Part::Field(f, _) if *f == name));
        if !has("version") {
            return Err(bad("without {version} a re-pull could not be told apart".into()));
        }
        if !["shot", "event", "clip"].iter().any(|name| has(name)) {
            return Err(bad("one of {shot}, {event} and {clip} must tell plates apart".into()));
        }
        Ok(Self(parts))
    }

    fn fill(&self, value: impl Fn(&str) -> Value) -> String {
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Field(field, digits) => match value(field) {
                    Value::Text(text) => name.push_str(&text),
                    Value::Number(number) => name.push_str(&format!("{number:0digits$}")),
                },
            }
        }
        name
    }
}

enum Value {
    Text(String),
    Number(u64),
}

/// The names that were given so far.
pub(super) struct Names<'a> {
    template: Template,
    /// What stands before the event number of an unnamed shot.
    prefix: String,
    show: String,
    version: u32,
    previous: &'a [Previous],
    /// Shots by their name as file systems without case see it.
    shots: HashMap<String, Shot>,
    /// Plates likewise.
    plates: HashSet<String>,
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

/// A plate's name and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) shot: String,
    pub(super) number: u32,
    pub(super) version: u32,
}

impl<'a> Names<'a> {
    /// # Errors
    /// [`Code::BadNaming`] when the template cannot be used.
    pub(super) fn new(request: &'a PullRequest<'_>) -> Outcome<Self> {
        let prefix = [request.edl.title.as_str(), &request.show, &request.name]
            .into_iter()
            .map(legal)
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| "shot".into());
        Ok(Self {
            template: Template::parse(&request.delivery.naming.plate)?,
            prefix,
            show: legal(&request.show),
            version: request.plate_version,
            previous: &request.previous,
            shots: HashMap::new(),
            plates: HashSet::new(),
        })
    }

    /// The name of the plate of `take` from `clip`; each call gives another.
    ///
    /// # Errors
    /// [`Code::NameCollision`] when the name is already another shot's (one of
    /// a marker and one of an event number, or numbers that differ by zeros
    /// only), or when the template gives two plates one name;
    /// [`Code::BadName`] when what it gives is no name of a file.
    pub(super) fn name(&mut self, take: &Take<'_>, clip: &ClipInfo) -> Outcome<Named> {
        let event = take.event;
        let marked = event.locators.iter().find_map(|locator| shot_in(&locator.text));
        let (name, from) = match marked {
            Some(name) => (name.to_owned(), Origin::Marker),
            None => {
                let number = event.number.parse::<u64>().unwrap_or(0).saturating_mul(10);
                (format!("{}_{number:03}", self.prefix), Origin::Number(event.number.clone()))
            }
        };
        let shot = self.shots.entry(name.to_ascii_lowercase()).or_insert_with(|| Shot {
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
        let (shot_name, number) = (shot.name.clone(), shot.plates + 1);
        let delivered = |plate: &&Previous| {
            plate.shot.eq_ignore_ascii_case(&shot_name) && plate.number == number
        };
        let before = self.previous.iter().filter(delivered).map(|plate| plate.version).max();
        let version = before.map_or(self.version, |before| self.version.max(before + 1));
        let name = self.template.fill(|field| match field {
            "show" => Value::Text(self.show.clone()),
            "shot" => Value::Text(shot_name.clone()),
            "event" => Value::Text(legal(&event.number)),
            "clip" => Value::Text(legal(&clip.identity.clip_name)),
            "reel" => Value::Text(legal(clip.identity.reel_name.as_deref().unwrap_or(&event.reel))),
            "plate" => Value::Number(number.into()),
            _ => Value::Number(version.into()),
        });
        if name.len() > MOST_PLATE || !is_legal_name(&name) {
            return Err(Fault::new(
                Code::BadName,
                format!("the template gives '{name}', which is no legal name of at most {MOST_PLATE} bytes"),
            )
            .at("naming.plate"));
        }
        if !self.plates.insert(name.to_ascii_lowercase()) {
            return Err(Fault::new(
                Code::NameCollision,
                format!("the template gives two plates the name '{name}'"),
            )
            .at("naming.plate")
            .remedy("Let the template tell plates of a shot apart, by {plate} or {event}."));
        }
        shot.plates = number;
        Ok(Named { name, shot: shot_name, number, version })
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
    word.len() <= MOST && is_legal_name(word)
}

/// What delivery allows as a name: it begins with a letter or a digit, and
/// does not end as Windows cannot.
fn is_legal_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
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
    fn templates_are_checked_before_anything_is_named() {
        let parsed = Template::parse("{shot}_PL{plate:02}_v{version:03}").unwrap();
        let name = parsed.fill(|field| match field {
            "shot" => Value::Text("A_010".into()),
            _ => Value::Number(7),
        });
        assert_eq!(name, "A_010_PL07_v007");
        for (text, what) in [
            ("{shot}_v{version", "brace"),
            ("{shot}}_v{version}", "brace"),
            ("{scene}_v{version}", "{scene}"),
            ("{shot} v{version}", "' '"),
            ("{shot}/v{version}", "'/'"),
            ("{shot}_PL{plate:02}", "{version}"),
            ("plate_v{version}", "{shot}"),
            ("{shot}_v{version:x}", "digits"),
            ("", "{version}"),
        ] {
            let fault = Template::parse(text).unwrap_err();
            assert_eq!(fault.code, Code::BadNaming, "{text}");
            assert!(fault.message.contains(what), "{fault}");
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
