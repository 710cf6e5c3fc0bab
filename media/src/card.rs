//! A whole card, or one clip of it, as an ingest desk looks at it: every file
//! of every clip is opened, so that what is missing, damaged or mixed is said
//! before somebody builds a day's work on it.

use crate::sidecar::{self, Sheet};
use crate::source::{read_fault, regular, scan, sequence_of, source_of};
use crate::storage;
use crate::{Sequence, Source};
use platefarm_model::clip::{ClipInfo, Variation};
use platefarm_model::schema::{self, FIELDS, Value};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, Outcome, Timecode};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Card {
    /// The clips, by path; metadata exports without their media stand as clips of their own.
    pub clips: Vec<ClipInfo>,
    /// What is wrong: unreadable, damaged and empty files, gaps, mixed sizes and cameras, names that
    /// stand twice. What was assumed or ignored stands with each clip instead.
    pub problems: Vec<Fault>,
}

/// Fields that are one value in all frames of a clip.
const CONSTANT: &[&str] = &[
    "pictureSize",
    "photosites",
    "activeArea",
    "pixelAspectRatio",
    "codec",
    "bitDepth",
    "cfa",
    "cameraMake",
    "cameraModel",
    "cameraSerialNumber",
    "reelName",
    "framesPerSecond",
    "colorSpace",
    "whiteBalance",
    "cameraToAces",
];

/// Looks at files and directories: whole clips, whichever of their files are named.
#[must_use]
pub fn inspect(paths: &[PathBuf]) -> Card {
    let mut card = Card::default();
    let mut found = Vec::new();
    let mut exports = BTreeSet::new();
    let mut sheets = Vec::new();
    for path in paths {
        if storage::metadata(path).is_ok_and(|metadata| metadata.is_dir()) {
            let under = scan::find(path, &mut card.problems);
            found.extend(under.sequences);
            exports.extend(under.exports);
        } else if let Err(error) = storage::metadata(path) {
            card.problems.push(read_fault(path, &error));
        } else if let Err(fault) = regular(path) {
            card.problems.push(fault);
        } else if is_export(path) {
            exports.insert(path.clone());
        } else {
            let (sequence, beside) = sequence_of(path);
            sheets.push((sequence.name.clone(), beside));
            scan::found(sequence.files().len());
            found.push(sequence);
        }
    }
    let mut seen = BTreeSet::new();
    for sequence in found {
        if seen.insert(sequence.first_file().to_owned()) {
            card.add(sequence);
        }
    }
    // Of what lies beside a file that was named, only what is about it.
    for (name, beside) in sheets {
        let clips = card.clips.iter().filter(|clip| clip.identity.clip_name == name);
        let about = clips.flat_map(|clip| sidecar::about(clip, &beside));
        exports.extend(about.map(|sheet| sheet.path));
    }
    let exports: Vec<PathBuf> = exports.into_iter().collect();
    let (sheets, unreadable) = sidecar::read_all(&exports);
    card.problems.extend(unreadable);
    card.attach(sheets);
    card
}

/// A text that is a maker's export; one that cannot be read is said to be so later.
fn is_export(path: &Path) -> bool {
    sidecar::may_be(path) && !matches!(sidecar::read(path), Ok(None))
}

impl Card {
    fn add(&mut self, sequence: Sequence) {
        let opened = source_of(sequence.first_file())
            .and_then(|source| Ok((source, source.open(sequence.clone())?)));
        let (source, clip) = match opened {
            Ok(opened) => opened,
            Err(fault) => {
                scan::inspected(sequence.files().len());
                let empty = empty(sequence.first_file());
                self.problems.push(empty.unwrap_or(fault));
                return;
            }
        };
        let mut info = clip.info().clone();
        drop(clip);
        // Readers look at a few frames of a clip and note this; here all are looked at.
        let single = sequence.files().len() == 1;
        info.notes.retain(|note| match note.code {
            Code::MixedClip => false,
            // Of a movie it says what no gap between files does.
            Code::MissingFrame => single && info.timing.missing.is_empty(),
            _ => true,
        });
        let damage = take_damage(&mut info.notes);
        if !info.timing.missing.is_empty() {
            let missing = &info.timing.missing;
            let (count, all) = (missing.len(), info.timing.frame_count);
            let are = if count == 1 { "is" } else { "are" };
            let message = format!("{count} of {all} frames {are} missing: {missing}");
            self.problems.push(Fault::new(Code::MissingFrame, message).at(info.path.clone()));
        }
        if single {
            scan::inspected(1);
            let empty = empty(sequence.first_file());
            let place = |fault: Fault| located(fault, &info.path);
            self.problems.extend(empty.into_iter().chain(damage.into_iter().map(place)));
        } else {
            let frames = Frames::read(source, &sequence);
            self.problems.extend(frames.problems(&info));
            info.varies.extend(frames.varies());
        }
        self.clips.push(info);
    }

    fn attach(&mut self, sheets: Vec<Sheet>) {
        let alone = sidecar::attach(&mut self.clips, sheets);
        let mut named: BTreeMap<String, Vec<&ClipInfo>> = BTreeMap::new();
        for clip in &self.clips {
            named.entry(clip.identity.clip_name.to_lowercase()).or_default().push(clip);
        }
        for clips in named.into_values().filter(|clips| clips.len() > 1) {
            let name = &clips[0].identity.clip_name;
            let paths: Vec<&str> = clips.iter().map(|clip| clip.path.as_str()).collect();
            let message = format!("{} clips are named '{name}'", clips.len());
            self.problems.push(Fault::new(Code::DuplicateClip, message).at(paths.join(", ")));
        }
        self.clips.extend(alone);
        self.clips.sort_by(|a, b| a.path.cmp(&b.path));
    }
}

fn empty(path: &Path) -> Option<Fault> {
    let empty = storage::metadata(path).is_ok_and(|metadata| metadata.is_empty());
    empty.then(|| {
        Fault::new(Code::TruncatedFile, "the file is empty").at(path.display().to_string())
    })
}

/// Takes out of what a reader noted that which says that the file is damaged: the clip may be read
/// for what is left of it, and yet it is not what the camera wrote.
fn take_damage(notes: &mut Vec<Fault>) -> Vec<Fault> {
    let is_damage = |note: &mut Fault| {
        matches!(
            note.code,
            Code::FileNotFound
                | Code::FileUnreadable
                | Code::TruncatedFile
                | Code::BadStructure
                | Code::MissingFrame
                | Code::DecoderFailed
        )
    };
    notes.extract_if(.., is_damage).collect()
}

/// The fault with its file, which readers name only where a clip has several.
fn located(fault: Fault, path: &str) -> Fault {
    let named = fault.place.as_ref().is_some_and(|place| place.starts_with(path));
    if named { fault } else { fault.within(path) }
}

/// One file of a clip, opened by itself.
struct Alone {
    index: i64,
    damage: Vec<Fault>,
    start: Option<Timecode>,
    constant: Vec<Option<String>>,
    numbers: Vec<Option<f64>>,
}

/// The files of a clip, each opened by itself.
struct Frames {
    alone: Vec<Alone>,
    /// What could not be opened or is damaged, with the file.
    bad: Vec<(i64, Fault)>,
}

/// The frames by their indices, as a message begins with them.
fn of_frames(frames: &FrameSet) -> String {
    let what = if frames.len() == 1 { "frame" } else { "frames" };
    format!("{what} {frames}")
}

/// What is stored of a picture may move from frame to frame within the picture that is shown
/// (OpenEXR's data window); of sensor data it may not.
fn compared(name: &str, info: &ClipInfo) -> bool {
    info.picture.cfa.is_some() || !matches!(name, "photosites" | "activeArea")
}

/// The fields that are followed over the frames.
fn numbers() -> impl Iterator<Item = &'static schema::Field> {
    // Length and shape are the clip's, not the frame's.
    let own = |name: &str| matches!(name, "duration" | "utcOffset" | "pixelAspectRatio");
    FIELDS.iter().filter(move |f| matches!(f.kind, schema::Kind::Number(_)) && !own(f.name))
}

impl Frames {
    fn read(source: &dyn Source, sequence: &Sequence) -> Self {
        let one = |index: i64, path: &Path| -> Outcome<Alone> {
            if let Some(fault) = empty(path) {
                return Err(fault);
            }
            let clip = source.open(Sequence::single(path))?;
            let info = clip.info();
            let constant = CONSTANT.iter().map(|name| {
                schema::field(name)
                    .filter(|_| compared(name, info))
                    .and_then(|f| f.of(info))
                    .map(|value| value.to_string())
            });
            let numbers = numbers().map(|field| match field.of(info) {
                Some(Value::Number(number)) => Some(number),
                _ => None,
            });
            Ok(Alone {
                index,
                damage: take_damage(&mut info.notes.clone()),
                start: info.timing.start,
                constant: constant.collect(),
                numbers: numbers.collect(),
            })
        };
        let counted = |(index, path): &(i64, PathBuf)| {
            let outcome = one(*index, path);
            scan::inspected(1);
            outcome
        };
        let read: Vec<Outcome<Alone>> = sequence.files().par_iter().map(counted).collect();
        let (mut alone, mut bad) = (Vec::new(), Vec::new());
        for (outcome, (index, path)) in read.into_iter().zip(sequence.files()) {
            match outcome {
                Ok(mut frame) => {
                    let place = path.to_string_lossy();
                    let damage = std::mem::take(&mut frame.damage).into_iter();
                    bad.extend(damage.map(|fault| (*index, located(fault, &place))));
                    alone.push(frame);
                }
                Err(fault) => bad.push((*index, fault.at(path.display().to_string()))),
            }
        }
        Self { alone, bad }
    }

    fn problems(&self, info: &ClipInfo) -> Vec<Fault> {
        let mut problems = self.unreadable();
        problems.extend(self.mixed().map(|fault| fault.at(info.path.clone())));
        problems.extend(self.jump().map(|fault| fault.at(info.path.clone())));
        problems
    }

    /// One fault for all files that are bad in the same way.
    fn unreadable(&self) -> Vec<Fault> {
        let mut groups: BTreeMap<(Code, &str), (FrameSet, &Fault)> = BTreeMap::new();
        for (index, fault) in &self.bad {
            let (frames, _) = groups
                .entry((fault.code, &fault.message))
                .or_insert_with(|| (FrameSet::new(), fault));
            frames.insert(FrameRange::single(*index));
        }
        let worded = groups.into_values().map(|(frames, fault)| {
            let mut fault = fault.clone();
            fault.message = format!("{}: {}", of_frames(&frames), fault.message);
            fault
        });
        worded.collect()
    }

    /// Values that are not those of the first frame.
    fn mixed(&self) -> impl Iterator<Item = Fault> {
        let mut groups: BTreeMap<(usize, &Option<String>), FrameSet> = BTreeMap::new();
        let first = self.alone.first();
        for frame in &self.alone {
            for (field, value) in frame.constant.iter().enumerate() {
                if first.is_some_and(|first| first.constant[field] != *value) {
                    groups
                        .entry((field, value))
                        .or_default()
                        .insert(FrameRange::single(frame.index));
                }
            }
        }
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
        groups.into_iter().map(move |((field, value), frames)| {
            let begins = first.map(|first| said(&first.constant[field])).unwrap_or_default();
            let message = format!(
                "{}: {} is {}; the clip begins with {begins}",
                of_frames(&frames),
                CONSTANT[field],
                said(value)
            );
            Fault::new(Code::MixedClip, message)
        })
    }

    /// The first frame whose timecode does not follow from that of the first one.
    fn jump(&self) -> Option<Fault> {
        let (begin, start) = self.alone.iter().find_map(|f| Some((f.index, f.start?)))?;
        let off = |frame: &&Alone| {
            let follows = start.plus(frame.index - begin);
            frame.start.is_some_and(|own| own.fields() != follows.fields())
        };
        let count = self.alone.iter().filter(off).count();
        let frame = self.alone.iter().find(off)?;
        let (own, follows) = (frame.start?, start.plus(frame.index - begin));
        let index = frame.index;
        let message = match count {
            1 => format!("the timecode of frame {index} is {own}, where {follows} follows"),
            _ => format!(
                "{count} frames have a timecode that does not follow; the first is frame {index} with {own} instead of {follows}"
            ),
        };
        Some(Fault::new(Code::MixedClip, message))
    }

    /// What moves over the frames.
    fn varies(&self) -> BTreeMap<String, Variation> {
        let mut varies = BTreeMap::new();
        for (at, field) in numbers().enumerate() {
            let values = || self.alone.iter().filter_map(|frame| frame.numbers[at]);
            let (min, max) = (
                values().fold(f64::INFINITY, f64::min),
                values().fold(f64::NEG_INFINITY, f64::max),
            );
            if min < max {
                let frames = values().count() as u64;
                varies.insert(field.name.to_owned(), Variation { min, max, frames });
            }
        }
        varies
    }
}
