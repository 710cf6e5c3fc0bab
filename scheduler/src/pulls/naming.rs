//! What a plate is called: by default `<shot>_PL01_v001`.
//!
//! The name is a template with fields in braces. The shot is the one that a
//! [marker](super::markers) of the event names, which is how editorial hands names over;
//! without one, the list's title and the event number times ten. Letters, digits, '.',
//! '_' and '-' only. A shot that is pulled from several events counts its
//! plates: PL01, PL02. A plate that was delivered before ([`kept`](super::kept))
//! keeps its shot and number and gets the next version; only new ones take new
//! numbers, so that no name goes over to another clip.

use super::PullRequest;
use super::kept::{Delivered, Wanted, file};
use super::markers;
use super::plate::Draft;
use super::previous::Previous;
use super::take::{Take, place};
use super::template::{Template, Value};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_standards::editlist::Event;
use std::collections::{HashMap, HashSet};

/// Longest name of a shot, in bytes: a frame's file name has 255, and the
/// plate's number, version, frame number and ending need about 40.
pub(super) const MOST: usize = 128;
/// Longest name of a plate, in bytes.
const MOST_PLATE: usize = 200;

/// The names that were given so far.
pub(super) struct Names<'a> {
    template: Template,
    /// What stands before the event number of an unnamed shot.
    prefix: String,
    show: String,
    /// Colour of the markers that name shots; without one all may.
    marker_color: Option<&'a str>,
    version: u32,
    delivered: Delivered<'a>,
    /// What each draft goes on from.
    claims: Vec<Option<usize>>,
    claimed: HashSet<usize>,
    /// Shots of events without a marker that are not named by their number.
    numbered: HashMap<String, String>,
    /// Shots by their name as file systems without case see it.
    shots: HashMap<String, Shot>,
    /// Plates likewise.
    plates: HashSet<String>,
}

struct Shot {
    /// As first written.
    name: String,
    from: Origin,
    /// The highest number that any plate of it has or had.
    last: u32,
}

/// Where a name comes from: two sources that give one name are a collision.
#[derive(Clone, PartialEq)]
enum Origin {
    Marker,
    /// The event number as written.
    Number(String),
    /// An earlier delivery.
    Kept,
}

/// A plate's name and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named<'a> {
    pub(super) name: String,
    pub(super) shot: String,
    pub(super) number: u32,
    pub(super) version: u32,
    /// The last version of the plate that it goes on from.
    pub(super) claimed: Option<&'a Previous>,
    /// Where it is not what the list alone would give.
    pub(super) notes: Vec<Fault>,
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
            marker_color: request.delivery.naming.marker_color.as_deref(),
            version: request.plate_version,
            delivered: Delivered::new(&request.previous),
            claims: Vec::new(),
            claimed: HashSet::new(),
            numbered: HashMap::new(),
            shots: HashMap::new(),
            plates: HashSet::new(),
        })
    }

    /// Finds what each of the plates to come goes on from: all of them first,
    /// so that none takes the number of one behind it.
    pub(super) fn expect(&mut self, drafts: &[Draft<'_>]) {
        let wanted = drafts.iter().map(|draft| {
            let (shot, from) = self.listed(draft.take.event);
            let (clip, identity) = (draft.clip.path.as_str(), &draft.clip.identity);
            Wanted {
                shot,
                marked: from == Origin::Marker,
                clip,
                clip_name: &identity.clip_name,
                reel: identity.reel_name.as_deref(),
                source: draft.source(),
            }
        });
        let wanted: Vec<Wanted<'_>> = wanted.collect();
        self.claims = self.delivered.claims(&wanted);
        let unmarked: Vec<bool> = wanted.iter().map(|wanted| !wanted.marked).collect();
        for ((draft, claim), unmarked) in drafts.iter().zip(&self.claims).zip(unmarked) {
            let Some(claim) = claim else { continue };
            self.claimed.insert(*claim);
            if unmarked {
                let shot = self.delivered.plate(*claim).shot.clone();
                self.numbered.entry(draft.take.event.number.clone()).or_insert(shot);
            }
        }
    }

    /// The shot as the list names it.
    fn listed(&self, event: &Event) -> (String, Origin) {
        match markers::shot(event, self.marker_color) {
            Some(name) => (name.to_owned(), Origin::Marker),
            None => {
                let number = event.number.parse::<u64>().unwrap_or(0).saturating_mul(10);
                (format!("{}_{number:03}", self.prefix), Origin::Number(event.number.clone()))
            }
        }
    }

    /// The shot of an event: as the list names it, unless that is what another
    /// plate was delivered as.
    fn shot(
        &mut self,
        event: &Event,
        claim: Option<&Previous>,
        notes: &mut Vec<Fault>,
    ) -> (String, Origin) {
        let (listed, from) = self.listed(event);
        if from == Origin::Marker {
            return (listed, from);
        }
        let kept = claim.map(|plate| &plate.shot).or_else(|| self.numbered.get(&event.number));
        let (name, from) = match kept {
            Some(kept) => (kept.clone(), Origin::Kept),
            None if self.delivered.of_shot(&listed).next().is_none() => return (listed, from),
            None => {
                let number = event.number.parse::<u64>().unwrap_or(0).saturating_mul(10);
                let others =
                    (1..).map(|i| format!("{}_{:03}", self.prefix, number.wrapping_add(i)));
                let mut free = others.filter(|name| {
                    !self.shots.contains_key(&name.to_ascii_lowercase())
                        && self.delivered.of_shot(name).next().is_none()
                });
                (free.next().unwrap_or_else(|| listed.clone()), Origin::Kept)
            }
        };
        if !name.eq_ignore_ascii_case(&listed) {
            self.numbered.insert(event.number.clone(), name.clone());
            let why = if claim.is_some() { "was delivered as" } else { "is new, and called" };
            let message = format!(
                "event {} {why} shot '{name}': '{listed}' goes by the event's place in the list",
                event.number
            );
            notes.push(
                Fault::new(Code::NameKept, message)
                    .at(place(event))
                    .remedy("Nothing; markers in the list give shots names that last."),
            );
        }
        (name, from)
    }

    /// The name of the plate of the `index`-th draft; each call gives another.
    ///
    /// # Errors
    /// [`Code::NameCollision`] when the name is already another shot's (one of
    /// a marker and one of an event number, or numbers that differ by zeros
    /// only), or when the template gives two plates one name;
    /// [`Code::BadName`] when what it gives is no name of a file.
    pub(super) fn name(
        &mut self,
        index: usize,
        take: &Take<'_>,
        clip: &ClipInfo,
    ) -> Outcome<Named<'a>> {
        let event = take.event;
        let claim = self.claims.get(index).copied().flatten();
        let claim = claim.map(|place| self.delivered.plate(place));
        let mut notes = Vec::new();
        let (name, from) = self.shot(event, claim, &mut notes);
        notes.extend(markers::doubt(event, self.marker_color, &name));
        let last = self.delivered.of_shot(&name).map(|(_, plate)| plate.number).max();
        let shot = self.shots.entry(name.to_ascii_lowercase()).or_insert_with(|| Shot {
            name,
            from: from.clone(),
            last: last.unwrap_or(0),
        });
        if shot.from != from {
            let message =
                format!("'{}' is already the name of another shot of this list", shot.name);
            return Err(Fault::new(Code::NameCollision, message)
                .remedy("Name the events by markers, or give the list another title."));
        }
        let shot_name = shot.name.clone();
        let number = claim.map_or(shot.last + 1, |plate| plate.number);
        let floor = self.floor(&shot_name, clip);
        let version = [claim, floor].into_iter().flatten().map(|plate| plate.version + 1);
        let version = version.fold(self.version, u32::max);
        match claim {
            Some(claim) => {
                notes.extend(moved(claim, clip, event));
                let over = floor.filter(|floor| floor.version > claim.version);
                notes.extend(over.and_then(|from| goes_over(from, clip, version, event)));
            }
            None => {
                let over = floor.and_then(|from| goes_over(from, clip, version, event));
                notes.extend(over.or_else(|| self.begins(&shot_name, number, clip, event)));
            }
        }
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
        if let Some(shot) = self.shots.get_mut(&shot_name.to_ascii_lowercase()) {
            shot.last = shot.last.max(number);
        }
        Ok(Named { name, shot: shot_name, number, version, claimed: claim, notes })
    }

    /// The last plate that was delivered under a name that another plate can
    /// have too: where the template does not tell them apart.
    fn floor(&self, shot: &str, clip: &ClipInfo) -> Option<&'a Previous> {
        let has = |field: &str| self.template.has(field);
        if has("shot") && has("plate") {
            return None;
        }
        let name = legal(&clip.identity.clip_name);
        let same_name = self.delivered.all().iter().filter(|plate| {
            (!has("shot") || plate.shot.eq_ignore_ascii_case(shot))
                && (!has("clip") || legal(&plate.clip_name).eq_ignore_ascii_case(&name))
        });
        same_name.max_by_key(|plate| plate.version)
    }

    /// Says what a plate that goes on from none does not go on from.
    fn begins(&self, shot: &str, number: u32, clip: &ClipInfo, event: &Event) -> Option<Fault> {
        let gone = self.delivered.of_shot(shot).filter(|(place, _)| !self.claimed.contains(place));
        let gone: Vec<String> =
            gone.map(|(_, p)| format!("PL{:02} from {}", p.number, file(&p.clip))).collect();
        (!gone.is_empty()).then(|| {
            let message = format!(
                "shot '{shot}' was delivered with {}, not in this list: the plate from {} is new, PL{number:02}",
                gone.join(", "),
                file(&clip.path)
            );
            Fault::new(Code::NameKept, message).at(place(event))
        })
    }
}

/// Says that a name that does not tell plates apart goes over to another clip.
fn goes_over(from: &Previous, clip: &ClipInfo, version: u32, event: &Event) -> Option<Fault> {
    let (from, to) = (file(&from.clip), file(&clip.path));
    (from != to).then(|| {
        let message = format!(
            "a name without {{shot}} and {{plate}} goes over from clip {from} to {to}: version {version}"
        );
        Fault::new(Code::NameKept, message).at(place(event))
    })
}

/// Says that a clip without a reel is taken for one of another place: only the
/// names of both say that they are one.
fn moved(from: &Previous, clip: &ClipInfo, event: &Event) -> Option<Fault> {
    (from.clip != clip.path && clip.identity.reel_name.is_none()).then(|| {
        let message =
            format!("'{}' names no reel, and is taken for '{}' by its name", clip.path, from.clip);
        Fault::new(Code::NameKept, message).at(place(event)).remedy(
            "Nothing, if the media was moved; if it is another clip, give its shot another name.",
        )
    })
}

/// What delivery allows as a name: it begins with a letter or a digit, and
/// does not end as Windows cannot.
pub(super) fn is_legal_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric())
        && word.bytes().all(is_legal_byte)
        && !word.ends_with('.')
        && !is_device(word)
}

/// Names that Windows keeps for devices, with any ending.
fn is_device(word: &str) -> bool {
    let stem = word.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|n| n.len() == 1 && n.as_bytes()[0].is_ascii_digit())
    };
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

pub(super) const fn is_legal_byte(byte: u8) -> bool {
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
