//! Finding the clip behind an event: the exact tier.
//!
//! A clip is found by a name (its reel or its clip name equals one that the
//! event gives) and by its timecode (every source frame of the event lies in
//! it, at the same rate). Names are compared without case, path, extension and
//! the separators that systems add or lose. When several clips pass, a second
//! name or the exact spelling may decide between them; if not, the event is
//! ambiguous and all are named.
//!
//! Source: the match key of published pull services (reel field and source
//! timecode), and the filters of conform tools (name and timecode, both).

use super::take::{Take, place};
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, FrameRate, Timecode};
use std::collections::{BTreeMap, HashSet};
use std::ops::Bound;

/// The clips, by their names.
pub(super) struct Library<'a> {
    clips: Vec<&'a ClipInfo>,
    /// In order, so that names with one beginning stand together.
    by_name: BTreeMap<String, Vec<Entry>>,
}

#[derive(Clone, Copy)]
struct Entry {
    clip: usize,
    field: Field,
}

/// Which name of a clip it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    ClipName,
    ReelName,
}

/// Which name of an event it is, in the order of their weight.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Given {
    Reel,
    SourceFile,
    ClipName,
}

impl Given {
    const fn word(self) -> &'static str {
        match self {
            Self::Reel => "reel",
            Self::SourceFile => "source file",
            Self::ClipName => "clip name",
        }
    }
}

/// A clip that holds an event.
pub(super) struct Found<'a> {
    pub(super) clip: &'a ClipInfo,
    /// Index within the clip of the take's first written frame.
    pub(super) index: i64,
    /// Which rule found it.
    pub(super) rule: String,
    /// Whether the event's reel led to it.
    pub(super) by_reel: bool,
    /// What was assumed.
    pub(super) notes: Vec<Fault>,
}

/// Why there is none.
pub(super) enum Miss {
    /// No clip bears any of the event's names.
    Unnamed(Fault),
    /// A clip bears the name, but cannot be it; or several could.
    Other(Fault),
}

/// Why a clip does not hold an event.
#[derive(Clone, Copy, PartialEq)]
enum Not {
    Rate(FrameRate),
    DropFrame,
    /// Frames from the clip to the event, for ordering.
    Outside(i64),
}

impl<'a> Library<'a> {
    pub(super) fn new(clips: &'a [ClipInfo]) -> Self {
        let mut seen = HashSet::new();
        // A directory that is searched twice gives no clip a double.
        let clips: Vec<&ClipInfo> = clips
            .iter()
            .filter(|clip| seen.insert((clip.path.as_str(), clip.identity.clip_name.as_str())))
            .collect();
        let mut by_name: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
        for (i, clip) in clips.iter().enumerate() {
            let mut add = |name: &str, field| {
                let key = normal(name);
                if !key.is_empty() {
                    by_name.entry(key).or_default().push(Entry { clip: i, field });
                }
            };
            add(&clip.identity.clip_name, Field::ClipName);
            if let Some(reel) = &clip.identity.reel_name
                && normal(reel) != normal(&clip.identity.clip_name)
            {
                add(reel, Field::ReelName);
            }
        }
        Self { clips, by_name }
    }

    /// The one clip that holds the take.
    pub(super) fn find(&self, take: &Take<'_>) -> Result<Found<'a>, Miss> {
        let names = names(take);
        for (given, name) in &names {
            let holding: Vec<(Entry, i64)> = self
                .named(name)
                .filter_map(|entry| Some((entry, index(self.clips[entry.clip], take).ok()?)))
                .collect();
            match holding.as_slice() {
                [] => {}
                [(entry, index)] => return Ok(self.found(*given, *entry, *index, "", take)),
                several => {
                    return self
                        .decide(*given, name, several, &names, take)
                        .ok_or_else(|| Miss::Other(self.ambiguous(several, *given, name)));
                }
            }
        }
        Err(self.miss(take, &names))
    }

    fn named(&self, name: &str) -> impl Iterator<Item = Entry> + '_ {
        self.by_name.get(&normal(name)).into_iter().flatten().copied()
    }

    fn found(
        &self,
        given: Given,
        entry: Entry,
        index: i64,
        decided_by: &str,
        take: &Take<'_>,
    ) -> Found<'a> {
        let clip = self.clips[entry.clip];
        let field = match entry.field {
            Field::ClipName => "clip name",
            Field::ReelName => "reel name",
        };
        let rule = format!("exact: {} = {field}{decided_by}", given.word());
        Found { clip, index, rule, by_reel: given == Given::Reel, notes: assumed(clip, take) }
    }

    /// Between clips that all pass: one that a second name of the event names
    /// too, or one that is spelled as the event spells it.
    fn decide(
        &self,
        given: Given,
        name: &str,
        several: &[(Entry, i64)],
        names: &[(Given, &str)],
        take: &Take<'_>,
    ) -> Option<Found<'a>> {
        for (other, second) in names.iter().filter(|(other, _)| *other != given) {
            let also: HashSet<usize> = self.named(second).map(|entry| entry.clip).collect();
            let mut left = several.iter().filter(|(entry, _)| also.contains(&entry.clip));
            if let (Some((entry, index)), None) = (left.next(), left.next()) {
                let by = format!(", and {}", other.word());
                return Some(self.found(given, *entry, *index, &by, take));
            }
        }
        let spelled = |entry: &Entry| {
            let identity = &self.clips[entry.clip].identity;
            match entry.field {
                Field::ClipName => identity.clip_name == name,
                Field::ReelName => identity.reel_name.as_deref() == Some(name),
            }
        };
        let mut left = several.iter().filter(|(entry, _)| spelled(entry));
        match (left.next(), left.next()) {
            (Some((entry, index)), None) => {
                Some(self.found(given, *entry, *index, ", spelled alike", take))
            }
            _ => None,
        }
    }

    fn ambiguous(&self, several: &[(Entry, i64)], given: Given, name: &str) -> Fault {
        let paths: Vec<String> =
            several.iter().map(|(e, _)| format!("'{}'", self.clips[e.clip].path)).collect();
        let message = format!(
            "{} clips hold {} '{name}' at this timecode: {}",
            several.len(),
            given.word(),
            paths.join(", ")
        );
        Fault::new(Code::AmbiguousEvent, message)
    }

    /// Says the nearest thing to a match.
    fn miss(&self, take: &Take<'_>, names: &[(Given, &str)]) -> Miss {
        let range = written(take);
        for (given, name) in names {
            let mut known: Vec<(Not, &ClipInfo)> = self
                .named(name)
                .filter_map(|entry| {
                    let clip = self.clips[entry.clip];
                    index(clip, take).err().map(|not| (not, clip))
                })
                .collect();
            if known.is_empty() {
                continue;
            }
            known.sort_by_key(|(not, _)| match not {
                Not::Outside(distance) => *distance,
                Not::DropFrame | Not::Rate(_) => i64::MAX,
            });
            let most = 3;
            let mut near: Vec<String> =
                known.iter().take(most).map(|(not, clip)| reason(*not, clip, take)).collect();
            if known.len() > most {
                near.push(format!("and {} more", known.len() - most));
            }
            let message = format!(
                "{} '{name}' is known, but not at {range}: {}",
                given.word(),
                near.join("; ")
            );
            let mut fault = Fault::new(Code::NoClipForEvent, message);
            if known.iter().all(|(not, _)| matches!(not, Not::Rate(_))) {
                fault = fault.remedy("Read the list at the rate of the media (--rate).");
            }
            return Miss::Other(fault);
        }
        Miss::Unnamed(self.unnamed(take, names))
    }

    fn unnamed(&self, take: &Take<'_>, names: &[(Given, &str)]) -> Fault {
        let asked: Vec<String> =
            names.iter().map(|(given, name)| format!("{} '{name}'", given.word())).collect();
        let mut message = match asked.len() {
            0 => "the event names no clip".to_owned(),
            _ => format!("no clip is named {}", asked.join(" or ")),
        };
        let key = normal(&take.event.reel);
        if let Some(clip) = self.longer(&key, take) {
            message.push_str(&format!(
                "; '{}' holds {} and its name begins so: the reel looks cut",
                clip.path,
                written(take)
            ));
            return Fault::new(Code::NoClipForEvent, message)
                .remedy("Export the list as File_32 or File_129.");
        }
        if let Some(clip) = self.clips.iter().find(|clip| index(clip, take).is_ok()) {
            let range = written(take);
            message.push_str(&format!("; '{}' holds {range} under another name", clip.path));
        }
        Fault::new(Code::NoClipForEvent, message)
    }

    /// A clip that holds the take and whose name goes on where the reel ends.
    fn longer(&self, key: &str, take: &Take<'_>) -> Option<&ClipInfo> {
        if key.len() < 6 {
            return None;
        }
        self.by_name
            .range::<str, _>((Bound::Excluded(key), Bound::Unbounded))
            .take_while(|(name, _)| name.starts_with(key))
            .flat_map(|(_, entries)| entries)
            .map(|entry| self.clips[entry.clip])
            .find(|clip| index(clip, take).is_ok())
    }
}

/// The names that an event gives, in the order of their weight.
fn names<'t>(take: &Take<'t>) -> Vec<(Given, &'t str)> {
    let reel = (!take.event.is_auxiliary()).then_some(take.event.reel.as_str());
    [(Given::Reel, reel), (Given::SourceFile, take.source_file), (Given::ClipName, take.clip_name)]
        .into_iter()
        .filter_map(|(given, name)| Some((given, name.filter(|n| !normal(n).is_empty())?)))
        .collect()
}

/// Where the take begins in the clip, when all its written frames are there.
/// Counted around midnight: a clip may run over it, and a list writes 00:00.
fn index(clip: &ClipInfo, take: &Take<'_>) -> Result<i64, Not> {
    let start = start(clip, take.start)?;
    let day = take.start.frames_per_day();
    let index = (take.start.frames - start.frames).rem_euclid(day);
    let count = i64::try_from(clip.timing.frame_count).unwrap_or(i64::MAX);
    let end = index.saturating_add(take.written);
    if end <= count {
        return Ok(index);
    }
    // How far the event lies behind the clip's end, or before its start.
    Err(Not::Outside((end - count).min(day - index)))
}

/// Timecode of the clip's first frame, counted as the list counts; midnight
/// where the clip has none.
fn start(clip: &ClipInfo, like: Timecode) -> Result<Timecode, Not> {
    let rate = clip.timing.start.map(|start| start.rate).or(clip.timing.rate);
    if let Some(rate) = rate.filter(|rate| *rate != like.rate) {
        return Err(Not::Rate(rate));
    }
    let start = clip.timing.start.unwrap_or(Timecode { frames: 0, ..like });
    if start.drop_frame != like.drop_frame {
        return Err(Not::DropFrame);
    }
    Ok(start)
}

fn assumed(clip: &ClipInfo, take: &Take<'_>) -> Vec<Fault> {
    let mut notes = Vec::new();
    if clip.timing.start.is_none() {
        let message = "the clip has no timecode; its first frame is taken as 00:00:00:00";
        notes.push(
            Fault::new(Code::MetadataAbsent, message)
                .at(clip.path.clone())
                .remedy("Check the plate against the edit."),
        );
    }
    if clip.timing.start.is_none() && clip.timing.rate.is_none() {
        let message = format!("the clip has no rate; the edit list's {} is taken", take.start.rate);
        notes.push(Fault::new(Code::MetadataAbsent, message).at(clip.path.clone()));
    }
    notes
}

fn reason(not: Not, clip: &ClipInfo, take: &Take<'_>) -> String {
    let path = &clip.path;
    match not {
        Not::Rate(rate) => {
            format!("'{path}' counts at {rate}, the list was read at {}", take.start.rate)
        }
        Not::DropFrame => {
            let [a, b] =
                if take.start.drop_frame { ["non-drop", "drop"] } else { ["drop", "non-drop"] };
            format!("'{path}' counts {a} frame, the list {b} frame")
        }
        Not::Outside(_) => {
            let start = clip.timing.start.unwrap_or(Timecode { frames: 0, ..take.start });
            let count = i64::try_from(clip.timing.frame_count).unwrap_or(i64::MAX);
            format!("'{path}' holds {start} up to {} ({count} frames)", start.plus(count))
        }
    }
}

fn written(take: &Take<'_>) -> String {
    format!("{} up to {} ({})", take.start, take.start.plus(take.written), place(take.event))
}

/// Endings that name a kind of file, not a clip.
const EXTENSIONS: &[&str] = &[
    "arx", "ari", "avi", "braw", "cine", "crm", "dng", "dpx", "exr", "jpeg", "jpg", "mkv", "mov",
    "mp4", "mts", "mxf", "png", "r3d", "rdc", "rdm", "rmf", "tif", "tiff", "wav",
];

/// A name as names are compared: without directory, extension, separators and case.
fn normal(name: &str) -> String {
    let file = name.trim().trim_end_matches(['/', '\\']);
    let file = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let stem = match file.rsplit_once('.') {
        Some((stem, ending)) if EXTENSIONS.iter().any(|e| e.eq_ignore_ascii_case(ending)) => stem,
        _ => file,
    };
    stem.chars()
        .filter(|c| !matches!(c, '_' | '-' | '.') && !c.is_whitespace())
        .flat_map(char::to_uppercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn names_are_compared_without_what_systems_add() {
        for name in [
            "A001C003_240101_R1AB",
            "a001c003-240101-r1ab.MOV",
            "/vol/cards/A001/A001C003_240101_R1AB.mxf",
            r"S:\cards\A001C003_240101_R1AB.R3D",
            " A001 C003 240101 R1AB ",
        ] {
            assert_eq!(normal(name), "A001C003240101R1AB", "{name}");
        }
        // What follows a dot is only cut when it names a kind of file.
        assert_ne!(normal("ZZ100_501.LAY3.01"), normal("ZZ100_501.LAY3.02"));
        assert_eq!(normal("___"), "");
        assert_eq!(normal("A001R3D"), "A001R3D");
    }
}
