//! The checks of the gate, each a pure function over what was read and what
//! was asked. To add one: a function, and a line in [`CHECKS`].

mod color;
mod decode;
mod documents;
mod frames;
mod movies;
mod picture;
mod sidecars;
mod time;
mod whole;

use super::{FrameFile, Package, PlateRequest, Request, SequenceFiles, Sink};
use platefarm_media::delivered::Delivered;
use platefarm_model::{Code, Fault, FrameSet};
use std::collections::BTreeMap;

/// A check.
pub struct Check {
    /// Its name, in findings.
    pub name: &'static str,
    /// What it looks for, for people.
    pub doc: &'static str,
    pub(super) run: fn(&Package, &Request, &mut Sink<'_>),
}

/// Every check, in the order of their findings.
pub const CHECKS: &[Check] = &[
    Check {
        name: "complete",
        doc: "every event asked for has its plate, every plate its frames, every sidecar its file; frames of the cut that the media lacks are warnings",
        run: whole::complete,
    },
    Check {
        name: "request",
        doc: "the package's own report says what the request says that was kept elsewhere",
        run: whole::request,
    },
    Check {
        name: "seal",
        doc: "the package is what its ASC MHL says: no file changed, lost or added",
        run: whole::seal,
    },
    Check {
        name: "hash",
        doc: "every frame has the hash that its renderer reported",
        run: whole::hash,
    },
    Check {
        name: "frame-range",
        doc: "the frames asked for, none more, none less, none twice",
        run: frames::range,
    },
    Check {
        name: "naming",
        doc: "legal names, one name and padding for a plate, as its directory is called",
        run: frames::naming,
    },
    Check {
        name: "readable",
        doc: "every frame can be read, and its pixels and their range are what its header says",
        run: frames::readable,
    },
    Check {
        name: "size",
        doc: "the size asked for, in every frame, with the data window over the display window",
        run: frames::size,
    },
    Check {
        name: "channels",
        doc: "half R, G, B and perhaps A, in one part of scan lines",
        run: frames::channels,
    },
    Check {
        name: "compression",
        doc: "the compression asked for, the same in every frame",
        run: frames::compression,
    },
    Check {
        name: "color",
        doc: "the header says the colour asked for: AP0 chromaticities, colour interop id, container flag only where SMPTE ST 2065-4 allows it",
        run: color::color,
    },
    Check {
        name: "timecode",
        doc: "timecode counts with the frame numbers, from the frame that the event asks for, and the media's own follows it",
        run: time::timecode,
    },
    Check {
        name: "rate",
        doc: "frames per second as a ratio, the same in every frame, as the clip has it",
        run: time::rate,
    },
    Check {
        name: "header",
        doc: "frame counter, reel, clip and camera stand in every header as they were asked for, and no text is empty",
        run: decode::header,
    },
    Check {
        name: "decode",
        doc: "one decode for a plate: debayer, version, white balance, framing; source frames in order",
        run: decode::decode,
    },
    Check {
        name: "amf",
        doc: "the ACES metadata file is there, is for these frames, says what is baked, and names files that are what it says",
        run: documents::amf,
    },
    Check {
        name: "fdl",
        doc: "the framing decision list holds the plate's canvas, and every header frames it the same way",
        run: documents::fdl,
    },
    Check {
        name: "grade",
        doc: "colour decisions beside a plate can be read, have finite numbers and say the same",
        run: documents::grade,
    },
    Check {
        name: "sidecars",
        doc: "sidecars are those that were delivered, none is empty, and nothing lies among the frames that was not delivered",
        run: sidecars::sidecars,
    },
    Check {
        name: "picture",
        doc: "no flat frame, no frame that repeats the one before it, no values that are no numbers",
        run: picture::picture,
    },
    Check {
        name: "movie",
        doc: "every movie opens, and has as many pictures as the plate has frames, at its rate and of the size asked for",
        run: movies::movies,
    },
];

/// A sequence and what was asked of it.
struct Plate<'a> {
    files: &'a SequenceFiles,
    asked: Option<&'a PlateRequest>,
}

impl<'a> Plate<'a> {
    /// What it is called in findings.
    fn name(&self) -> &'a str {
        self.asked.map_or(self.files.stem.as_str(), |asked| asked.name.as_str())
    }

    /// Frames that could be read.
    fn read(&self) -> impl Iterator<Item = (i64, &'a Delivered)> + use<'a> {
        let files: &'a SequenceFiles = self.files;
        files.frames.iter().filter_map(|(frame, file)| Some((*frame, file.read.as_ref().ok()?)))
    }

    fn files(&self) -> impl Iterator<Item = (i64, &'a FrameFile)> + use<'a> {
        let files: &'a SequenceFiles = self.files;
        files.frames.iter().map(|(frame, file)| (*frame, file))
    }
}

/// The plate in whose directory a file lies.
fn is_in_plate<'a>(request: &'a Request, file: &str) -> Option<&'a str> {
    let (directory, _) = file.split_once('/')?;
    let plate = request.plates.iter().find(|plate| plate.name == directory)?;
    Some(&plate.name)
}

/// Tells the sidecars with an ending that `mine` takes whose content is not what was delivered.
fn changed(package: &Package, request: &Request, mine: &dyn Fn(&str) -> bool, sink: &mut Sink<'_>) {
    for (name, hash) in &request.documents {
        let ending = name.rsplit_once('.').map_or("", |(_, e)| e).to_ascii_lowercase();
        if !mine(&ending) || package.hashes.get(name).is_none_or(|found| found == hash) {
            continue;
        }
        let fault = Fault::new(Code::HashMismatch, "this is not the file that was delivered")
            .at(name.clone())
            .remedy("Take the file of the delivery, or pull again.");
        sink.fault(is_in_plate(request, name), FrameSet::new(), fault);
    }
}

/// Every sequence of frames, with what was asked of it.
fn plates<'a>(package: &'a Package, request: &'a Request) -> Vec<Plate<'a>> {
    let asked = |files: &SequenceFiles| {
        let named = request.plates.iter().find(|plate| plate.name == files.stem);
        // A sequence that was misnamed is still that of its directory.
        let last = files.directory.rsplit('/').next().unwrap_or_default();
        named.or_else(|| request.plates.iter().find(|plate| plate.name == last))
    };
    package.sequences.iter().map(|files| Plate { files, asked: asked(files) }).collect()
}

/// Frames by a value that should be one; the value of the most frames first.
fn by_value<T: Ord>(values: impl Iterator<Item = (i64, T)>) -> Vec<(T, FrameSet)> {
    let mut groups: BTreeMap<T, Vec<i64>> = BTreeMap::new();
    for (frame, value) in values {
        groups.entry(value).or_default().push(frame);
    }
    let mut groups: Vec<(T, Vec<i64>)> = groups.into_iter().collect();
    groups.sort_by_key(|(_, frames)| (std::cmp::Reverse(frames.len()), frames[0]));
    groups.into_iter().map(|(value, frames)| (value, super::set(frames))).collect()
}
