//! ARRIRAW `.ari`: one file a frame, a header of 4096 bytes and 12-bit samples.
//!
//! A reader only: the makers reserve the writing of such files. Written from
//! what is public (see `docs/cameras.md` for what that is, and for what it
//! leaves unverified); every clip carries notes that say the same.

mod color;
mod header;
mod picture;
#[cfg(test)]
pub(in crate::source) mod tests;

pub(in crate::source) use color::{camera_to_aces, levels};
pub(in crate::source) use header::{HEADER_BYTES, Header};
pub(in crate::source) use picture::{Family, Stored, flips};

use super::bridge::vendors;
use super::odd::OddTimecodes;
use super::pictures::check_index;
use super::range::Ranges;
use super::{Clip, Sequence, Source, read_fault};
use crc::{CRC_32_ISCSI, Crc, Table};
use platefarm_model::clip::{
    CameraColor, CameraInfo, ClipInfo, Identity, LensInfo, Picture, Timing,
};
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::{Code, Fault, Outcome, Timecode};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Frames whose metadata is compared with the first when a clip is opened; the others are when they are read.
const SAMPLED_FRAMES: usize = 8;
/// Exposure index where the file has none: ARRI's base.
const BASE_EXPOSURE_INDEX: f64 = 800.0;
/// White where the file has none, in kelvin.
const DAYLIGHT_KELVIN: f64 = 5600.0;

/// The checksum of the samples: CRC-32C, as iSCSI has it.
static CHECKSUM: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);

/// The reader of ARRIRAW files.
pub(super) struct Ari;

impl Source for Ari {
    fn name(&self) -> &'static str {
        "ari"
    }

    fn doc(&self) -> &'static str {
        "ARRIRAW .ari sequences of ALEXA Classic, XT, SXT, Mini, LF and 65, uncompressed 12 bit"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["ari", "arx"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        Header::is_at(head)
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        Ok(Box::new(AriClip::open(sequence)?))
    }
}

/// What the header means for the pixels, with what had to be assumed.
#[derive(Clone, Debug)]
pub(in crate::source) struct Meaning {
    pub(in crate::source) stored: Stored,
    pub(in crate::source) color: CameraColor,
    pub(in crate::source) exposure_index: Option<f64>,
    pub(in crate::source) kelvin: Option<f64>,
    pub(in crate::source) squeeze: Option<f64>,
    pub(in crate::source) notes: Vec<Fault>,
}

impl Meaning {
    pub(in crate::source) fn of(header: &Header) -> Outcome<Self> {
        let mut notes = Vec::new();
        let name = header.name_at(0x29C);
        let family = Family::of(name.as_deref());
        let flips = header.u32(0xC8).and_then(flips).unwrap_or_else(|| {
            let value = header.u32(0xC8).unwrap_or_default();
            notes.push(unverified(
                format!("orientation {value} is not a known one; the picture is not mirrored"),
                "ImageOrientation",
            ));
            [false, false]
        });
        let (width, height) = (header.width, header.height);
        let Family { packing, bayer, known } = family;
        let stored = Stored { width, height, active: header.active, packing, bayer, flips };
        let family_name = name.as_deref().unwrap_or("not named");
        notes.push(unverified(
            format!(
                "{packing} samples and the filter pattern follow from the camera family ({family_name}{}); colour order {} of the file is not explained in public",
                if known { "" } else { ", taken for an ALEXA" },
                header.u32(0x138).unwrap_or_default()
            ),
            "CameraFamily, ColorOrder",
        ));
        if flips != [false, false] {
            notes.push(unverified(
                format!("the picture is {} as the file asks", stored.mirrored()),
                "ImageOrientation",
            ));
        }
        let positive = |value: Option<f64>| value.filter(|v| *v > 0.0);
        let exposure_index = positive(header.u32(0x74).map(f64::from));
        let kelvin =
            positive(header.u32(0x5C).map(f64::from)).filter(|k| (1000.0..=50_000.0).contains(k));
        let squeeze = header.f32(0xC4).filter(|s| (0.25..=4.0).contains(s));
        for (absent, what, place) in [
            (
                exposure_index.is_none(),
                "no exposure index in the file; 800 is assumed",
                "ExposureIndexASA",
            ),
            (
                kelvin.is_none(),
                "no white balance temperature in the file; 5600 K is assumed",
                "WhiteBalance",
            ),
        ] {
            if absent {
                notes.push(Fault::new(Code::MetadataAbsent, what).at(place));
            }
        }
        let color = color_of(header, kelvin, exposure_index, &mut notes);
        reading_notes(&color, &mut notes);
        Ok(Self { stored, color, exposure_index, kelvin, squeeze, notes })
    }

    pub(in crate::source) fn layout(&self) -> Layout {
        let balance = self.color.white_balance.map(|v| v as f32);
        Layout::Mosaic(Arc::new(self.stored.layout(levels(), balance, self.color.camera_to_aces)))
    }
}

/// A note that says what could not be checked.
pub(in crate::source) fn unverified(what: String, place: &str) -> Fault {
    Fault::new(Code::Unverified, what).at(place)
}

/// The notes that every clip carries: about the 12-bit coding, and about the scale of its colour.
pub(in crate::source) fn reading_notes(color: &CameraColor, notes: &mut Vec<Fault>) {
    notes.push(unverified(
        "how 12 bits stand for 16 linear ones is read as 1024 values and then 512 for each doubling; SMPTE RDD 30, which says so or not, is not public".into(),
        "samples",
    ));
    let full_scale: f64 = color.camera_to_aces[1].iter().sum();
    notes.push(unverified(
        format!("cameraToAces holds the exposure too: full scale is {full_scale:.3} of scene light, so that 18 % grey at the exposure index is 0.18, by the transforms that were published for the ALEXA"),
        "cameraToAces",
    ));
}

/// White balance from the file's factors, and the published matrix for its temperature.
fn color_of(
    header: &Header,
    kelvin: Option<f64>,
    exposure_index: Option<f64>,
    notes: &mut Vec<Fault>,
) -> CameraColor {
    let factors = [0x64, 0x68, 0x6C].map(|at| header.f32(at));
    let applied = header.u32(0x70) == Some(1);
    let factors = match factors {
        _ if applied => [1.0; 3],
        [Some(r), Some(g), Some(b)] if [r, g, b].iter().all(|v| (0.05..=20.0).contains(v)) => {
            [r, g, b]
        }
        _ => {
            let said = |factor: Option<f64>| factor.map_or_else(|| "?".into(), |f| f.to_string());
            let said: Vec<String> = factors.into_iter().map(said).collect();
            let what = format!(
                "white balance factors {} cannot be used; none are applied",
                said.join(", ")
            );
            notes.push(Fault::new(Code::BadColorData, what).at("WBFactorR, offset 0x64"));
            [1.0; 3]
        }
    };
    if header.f32(0x60).is_some_and(|cc| cc.abs() > 1e-3) {
        let what =
            "the tint is in the white balance, but the matrix is that of the temperature alone";
        notes.push(unverified(what.into(), "WhiteBalanceCC"));
    }
    let green = factors[1];
    CameraColor {
        white_balance: factors.map(|factor| factor / green),
        camera_to_aces: camera_to_aces(
            kelvin.unwrap_or(DAYLIGHT_KELVIN),
            exposure_index.unwrap_or(BASE_EXPOSURE_INDEX),
            green,
        ),
    }
}

/// What the header says in the house's schema; path, name, start and count are the caller's.
pub(in crate::source) fn describe(header: &Header, meaning: &Meaning) -> ClipInfo {
    let Layout::Mosaic(layout) = meaning.layout() else { return ClipInfo::default() };
    let clip_name = header.name_at(0x698).unwrap_or_default();
    // The camera's names begin with its letter: A001C002_...
    let from_name = clip_name.chars().next().filter(char::is_ascii_alphabetic).map(String::from);
    let frame_lines = header.frame_lines();
    let mut notes = meaning.notes.clone();
    if !frame_lines.is_empty() {
        notes.push(unverified(
            "frame lines are read as photosites from the top left of the active image".into(),
            "FrameLine1A, offset 0x890",
        ));
    }
    ClipInfo {
        identity: Identity {
            reel_name: header.name_at(0x4F8),
            camera_label: header.camera_id(),
            camera_letter: header.camera_letter().or(from_name),
            uuid: header.uuid(),
            scene: header.name_at(0x500),
            take: header.name_at(0x510),
            clip_name,
            ..Identity::default()
        },
        timing: Timing {
            rate: header.rate(0x1A4),
            capture_rate: header.rate(0x1A0),
            ..Timing::default()
        },
        picture: Picture {
            width: layout.crop.width,
            height: layout.crop.height,
            photosites: [header.width, header.height],
            active: layout.active,
            crop: layout.crop,
            pixel_aspect: meaning.squeeze.unwrap_or(1.0),
            bit_depth: 12,
            format: "ari".into(),
            compression: "none".into(),
            cfa: Some(layout.bayer.name().into()),
            ..Picture::default()
        },
        camera: CameraInfo {
            make: Some("ARRI".into()),
            model: header.name_at(0x2F8).or_else(|| header.name_at(0x29C)),
            serial_number: header.u32(0x170).filter(|n| *n != 0).map(|n| n.to_string()),
            iso_speed: meaning.exposure_index,
            exposure_time_s: header.exposure_time_s(),
            shutter_angle_deg: header.shutter_angle_deg(),
            white_kelvin: meaning.kelvin,
            white_tint: header.f32(0x60),
            ..CameraInfo::default()
        },
        lens: LensInfo {
            model: header.name_at(0x398),
            serial_number: header
                .u32(0x380)
                .filter(|n| *n != 0 && *n != u32::MAX)
                .map(|n| n.to_string()),
            focal_length_mm: header.focal_length_mm(),
            focus_distance_m: header.focus_distance_m(),
            t_stop: header.t_stop(),
            squeeze: meaning.squeeze,
            ..LensInfo::default()
        },
        color: Some(meaning.color),
        frame_lines,
        vendor: header.vendor(),
        notes,
        ..ClipInfo::default()
    }
}

struct AriClip {
    info: ClipInfo,
    layout: Layout,
    meaning: Meaning,
    data_offset: u64,
    sequence: Sequence,
    /// Whether some frame's checksum holds, so that it means what it is taken for.
    checksums_hold: OnceLock<bool>,
    /// What frames said that were read.
    odd: OddTimecodes,
}

impl AriClip {
    fn open(sequence: Sequence) -> Outcome<Self> {
        let mut first_fault = None;
        // A damaged first file must not hide a clip: the first sound one speaks for it.
        for (index, path) in sequence.files().iter().take(SAMPLED_FRAMES) {
            match header_of(path).and_then(|header| Ok((Meaning::of(&header)?, header))) {
                Ok((meaning, header)) => {
                    let mut clip = Self::of(&header, meaning, sequence.clone(), *index);
                    clip.info.notes.splice(0..0, first_fault);
                    let found = clip.sampled_notes();
                    clip.info.notes.extend(found);
                    return Ok(clip);
                }
                Err(fault) => {
                    first_fault.get_or_insert(fault.within(path.display()));
                }
            }
        }
        Err(first_fault.unwrap_or_else(|| Fault::new(Code::NoMedia, "a clip of no files")))
    }

    fn of(header: &Header, meaning: Meaning, sequence: Sequence, index: i64) -> Self {
        let mut info = describe(header, &meaning);
        info.path = sequence.first_file().to_string_lossy().into_owned();
        if info.identity.clip_name.is_empty() {
            info.identity.clip_name.clone_from(&sequence.name);
        }
        let missing = sequence.missing();
        if let Some(first) = missing.first() {
            info.notes.push(Fault::new(
                Code::MissingFrame,
                format!("{} frames are missing, the first at index {first}", missing.len()),
            ));
        }
        match header.timecode(counting_rate(header)) {
            Ok(timecode) => info.timing.start = Some(timecode.plus(-index)),
            Err(note) => info.notes.push(note),
        }
        info.timing.frame_count = sequence.frame_count();
        info.timing.missing = missing;
        info.timing.first_file_number = sequence.first_number;
        Self {
            layout: meaning.layout(),
            info,
            meaning,
            data_offset: header.data_offset,
            sequence,
            checksums_hold: OnceLock::new(),
            odd: OddTimecodes::default(),
        }
    }

    /// What is wrong with some frames, spread over the clip, without reading pixels.
    fn sampled_notes(&self) -> Vec<Fault> {
        let files = self.sequence.files();
        let picks = files.len().min(SAMPLED_FRAMES);
        let pick =
            |i: usize| &files[if picks > 1 { i * (files.len() - 1) / (picks - 1) } else { 0 }];
        let compare = |(index, path): &(i64, std::path::PathBuf)| {
            self.compare(*index, path).err().map(|fault| fault.within(path.display()))
        };
        (0..picks).filter_map(|i| compare(pick(i))).collect()
    }

    fn compare(&self, index: i64, path: &Path) -> Outcome<()> {
        let header = header_of(path)?;
        let meaning = self.check_like(&header)?;
        let size = crate::storage::metadata(path).map_err(|e| read_fault(path, &e))?.len();
        let end = self.data_offset + meaning.stored.bytes() as u64;
        if size < end {
            let what = format!("the file of {size} bytes ends before its samples do, at {end}");
            return Err(Fault::new(Code::TruncatedFile, what));
        }
        if meaning.color != self.meaning.color {
            let what = "white balance or exposure index changes within the clip; the first frame's is used throughout";
            return Err(Fault::new(Code::MixedClip, what));
        }
        let found = header.timecode(counting_rate(&header)).ok();
        if let (Some(expected), Some(found)) = (self.frame_timecode(index), found)
            && expected.fields() != found.fields()
        {
            let what = format!("timecode {found}, where {expected} follows from the clip's start");
            return Err(Fault::new(Code::MixedClip, what).at("MasterTC"));
        }
        Ok(())
    }

    /// Whether a frame can stand in this clip.
    fn check_like(&self, header: &Header) -> Outcome<Meaning> {
        let meaning = Meaning::of(header)?;
        let (mine, first) = (&meaning.stored, &self.meaning.stored);
        if mine == first && header.data_offset == self.data_offset {
            return Ok(meaning);
        }
        let (at, first_at) = (header.data_offset, self.data_offset);
        let what =
            format!("{mine}, samples at {at}; the clip begins with {first}, samples at {first_at}");
        Err(Fault::new(Code::MixedClip, what))
    }

    /// The samples of one file as they are stored, and its header.
    fn samples(&self, path: &Path, mut buffer: Vec<u8>) -> Outcome<(Vec<u8>, Header)> {
        let mut file = Ranges::open(path)?;
        let header = Header::parse(&file.up_to(0, HEADER_BYTES as u64)?)?;
        self.check_like(&header)?;
        // Before allocating: the header may claim more than there is.
        file.check(self.data_offset, self.meaning.stored.bytes() as u64)?;
        buffer.resize(self.meaning.stored.bytes(), 0);
        file.fill(self.data_offset, &mut buffer)?;
        Ok((buffer, header))
    }

    /// Whether what is taken for a checksum is one: whether some frame's holds.
    fn checksums_hold(&self) -> bool {
        *self.checksums_hold.get_or_init(|| {
            self.sequence.files().iter().take(SAMPLED_FRAMES).any(|(_, path)| {
                self.samples(path, Vec::new()).is_ok_and(|(samples, header)| {
                    written_checksum(&header) == Some(CHECKSUM.checksum(&samples))
                })
            })
        })
    }

    fn read_file(&self, index: i64, path: &Path, buffer: Vec<u8>) -> Outcome<Vec<u8>> {
        let (samples, header) = self.samples(path, buffer)?;
        let said = header.timecode(counting_rate(&header)).ok();
        self.odd.note(index, self.frame_timecode(index), said);
        if let Some(sum) = written_checksum(&header) {
            let found = CHECKSUM.checksum(&samples);
            if found == sum {
                let _ = self.checksums_hold.set(true);
            } else if self.checksums_hold() {
                return Err(Fault::new(
                    Code::HashMismatch,
                    format!("the samples' CRC-32C is {found:08x}, the camera wrote {sum:08x}"),
                )
                .at("ImageDataChecksum, offset 0x134"));
            }
        }
        let bytes = self.meaning.stored.deliver(samples)?;
        self.layout.check(bytes.len())?;
        Ok(bytes)
    }
}

impl Clip for AriClip {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        self.read_with(index, Vec::new())
    }

    fn read_with(&self, index: i64, buffer: Vec<u8>) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let path = self.sequence.file(index).ok_or_else(|| {
            let number = self.sequence.first_number.unwrap_or(0) + index;
            let what = format!("frame {index} (file number {number}) is not on disk");
            Fault::new(Code::MissingFrame, what).at(self.info.path.clone())
        })?;
        let bytes =
            self.read_file(index, path, buffer).map_err(|fault| fault.within(path.display()))?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        self.sequence.file(index)
    }

    fn odd_timecode(&self, index: i64) -> Option<Timecode> {
        self.odd.of(index)
    }
}

/// What the camera says that the samples' checksum is, where it says one.
fn written_checksum(header: &Header) -> Option<u32> {
    header.u32(0x134).filter(|sum| *sum != 0)
}

/// The rate that timecode counts in: its own, else the project's.
pub(in crate::source) fn counting_rate(header: &Header) -> Option<platefarm_model::FrameRate> {
    header.rate(0x1B0).or_else(|| header.rate(0x1A4))
}

fn header_of(path: &Path) -> Outcome<Header> {
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("arx")) {
        return Err(hde().at("extension .arx"));
    }
    Header::parse(&Ranges::open(path)?.up_to(0, HEADER_BYTES as u64)?)
}

/// Codex's compressed form of ARRIRAW, which has no public description.
pub(in crate::source) fn hde() -> Fault {
    vendors::HDE.refusal()
}
