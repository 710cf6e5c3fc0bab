//! A clip of DNG files: opened by its first sound frame, read frame by frame.

use super::super::odd::OddTimecodes;
use super::super::{Clip, Sequence};
use super::SAMPLED_FRAMES;
use super::color::CameraColor;
use super::develop;
use super::info;
use super::input::{DiskFile, Input};
use super::kind::{Kind, Way};
use super::levels::Black;
use super::pixels;
use super::pool::Pool;
use super::raw;
use super::tags;
use super::tiff::{Tags, Tiff};
use platefarm_model::clip::{self, ClipInfo, Identity, Picture, Timing};
use platefarm_model::raw::{Frame, Layout, Packing};
use platefarm_model::{Code, Fault, Outcome, Timecode};
use std::path::Path;

/// An open clip.
pub(super) struct DngClip {
    info: ClipInfo,
    kind: Kind,
    layout: Layout,
    sequence: Sequence,
    /// The black level that was measured, where the file says none.
    measured: Option<Black>,
    /// Buffers that one frame leaves to the next.
    pool: Pool,
    /// What frames said that were read.
    odd: OddTimecodes,
}

impl DngClip {
    /// Opens a clip: its metadata, no pixels.
    ///
    /// # Errors
    /// What is wrong with the first frame, when none of the first [`SAMPLED_FRAMES`] is sound.
    pub(super) fn open(sequence: Sequence) -> Outcome<Self> {
        let mut notes = Vec::new();
        // A damaged first file must not hide a clip: the first sound one speaks for it.
        let mut first_fault = None;
        for (index, path) in sequence.files().iter().take(SAMPLED_FRAMES) {
            match First::read(path) {
                Ok(first) => {
                    notes.extend(first_fault);
                    return Ok(first.into_clip(sequence.clone(), *index, notes));
                }
                Err(fault) => {
                    first_fault.get_or_insert(fault.within(path.display()));
                }
            }
        }
        Err(first_fault.unwrap_or_else(|| Fault::new(Code::NoMedia, "a clip of no files")))
    }
}

/// The frame that speaks for the clip.
struct First {
    tiff: Tiff,
    kind: Kind,
    color: CameraColor,
    measured: Option<Black>,
    notes: Vec<Fault>,
}

impl First {
    fn read(path: &Path) -> Outcome<Self> {
        let mut file = DiskFile::open(path)?;
        let tiff = Tiff::parse(&mut file)?;
        let mut notes = tiff.notes.clone();
        let tags = Tags { tiff: &tiff, picture: raw::find(&tiff)? };
        let kind = Kind::read(tags, &mut notes)?;
        let color = CameraColor::read(tags, &mut notes)?;
        info::ignored(tags, &mut notes);
        kind.layout(&color).check(usize::MAX)?;
        let mut measured = None;
        if let Err(fault) = kind.raw.check_extent(file.size()) {
            notes.push(fault.within(path.display()));
        } else if tags.get(tags::BLACK_LEVEL).is_none() {
            measured = measure_black(&mut file, &kind, &mut notes);
        }
        Ok(Self { tiff, kind, color, measured, notes })
    }

    fn into_clip(self, sequence: Sequence, index: i64, mut notes: Vec<Fault>) -> DngClip {
        let Self { tiff, kind, color, measured, notes: own_notes } = self;
        notes.extend(own_notes);
        let tags = Tags { tiff: &tiff, picture: raw::find(&tiff).unwrap_or(&tiff.directories[0]) };
        let rate = info::frame_rate(tags);
        let start = match info::timecode(tags, rate) {
            Ok(timecode) => Some(timecode.plus(-index)),
            Err(note) => {
                notes.push(note);
                None
            }
        };
        let identity = Identity {
            clip_name: sequence.name.clone(),
            reel_name: tags.text(tags::REEL_NAME),
            camera_label: tags.text(tags::CAMERA_LABEL),
            ..Identity::default()
        };
        for (absent, tag) in
            [(rate.is_none(), "FrameRate"), (identity.reel_name.is_none(), "ReelName")]
        {
            if absent {
                notes.push(
                    Fault::new(Code::MetadataAbsent, format!("no {tag} in the file")).at(tag),
                );
            }
        }
        let missing = sequence.missing();
        if let Some(first) = missing.first() {
            notes.push(Fault::new(
                Code::MissingFrame,
                format!("{} frames are missing, the first at index {first}", missing.len()),
            ));
        }
        let geometry = &kind.geometry;
        let mut clip = DngClip {
            layout: kind.with_black(measured.as_ref()).layout(&color),
            info: ClipInfo {
                path: sequence.first_file().to_string_lossy().into_owned(),
                identity,
                timing: Timing {
                    start,
                    rate,
                    capture_rate: None,
                    frame_count: sequence.frame_count(),
                    missing,
                    first_file_number: sequence.first_number,
                    captured: info::captured(tags),
                    ..Timing::default()
                },
                picture: Picture {
                    width: geometry.crop.width,
                    height: geometry.crop.height,
                    photosites: [kind.raw.width, kind.raw.height],
                    active: geometry.active,
                    crop: geometry.crop,
                    pixel_aspect: geometry.pixel_aspect,
                    bit_depth: kind.raw.bits,
                    format: "dng".into(),
                    compression: kind.raw.coding.name().into(),
                    cfa: geometry.bayer.map(|bayer| bayer.name().into()),
                    ..Picture::default()
                },
                camera: info::camera(tags, color.kelvin),
                lens: info::lens(tags),
                color: Some(clip::CameraColor {
                    white_balance: color.white_balance,
                    camera_to_aces: color.camera_to_aces,
                }),
                color_space: None,
                frame_lines: Vec::new(),
                vendor: info::vendor(tags),
                notes,
                ..ClipInfo::default()
            },
            kind,
            sequence,
            measured,
            pool: Pool::default(),
            odd: OddTimecodes::default(),
        };
        let found = clip.sampled_notes(index, &color);
        clip.info.notes.extend(found);
        clip
    }
}

impl DngClip {
    /// What is wrong with some frames, spread over the clip, without reading pixels.
    /// The frame that speaks for the clip is not compared with itself.
    fn sampled_notes(&self, speaker: i64, color: &CameraColor) -> Vec<Fault> {
        let files = self.sequence.files();
        let mut notes = Vec::new();
        let picks = files.len().min(SAMPLED_FRAMES);
        for pick in 0..picks {
            let (index, path) =
                &files[if picks > 1 { pick * (files.len() - 1) / (picks - 1) } else { 0 }];
            if *index == speaker {
                continue;
            }
            if let Err(fault) = self.compare(*index, path, color) {
                notes.push(fault.within(path.display()));
            }
        }
        notes
    }

    fn compare(&self, index: i64, path: &Path, color: &CameraColor) -> Outcome<()> {
        let mut file = DiskFile::open(path)?;
        let tiff = Tiff::parse(&mut file)?;
        let tags = Tags { tiff: &tiff, picture: raw::find(&tiff)? };
        let kind = Kind::read(tags, &mut Vec::new())?;
        kind.check_like(&self.kind)?;
        kind.raw.check_extent(file.size())?;
        if CameraColor::read(tags, &mut Vec::new())? != *color {
            return Err(Fault::new(
                Code::MixedClip,
                "the white balance or colour changes within the clip; the first frame's is used throughout",
            ));
        }
        let expected = self.frame_timecode(index);
        let found = info::timecode(tags, self.info.timing.rate).ok();
        if let (Some(expected), Some(found)) = (expected, found)
            && expected.fields() != found.fields()
        {
            return Err(Fault::new(
                Code::MixedClip,
                format!("timecode {found}, where {expected} follows from the clip's start"),
            )
            .at("TimeCodes"));
        }
        Ok(())
    }
}

impl Clip for DngClip {
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
        let count = self.info.timing.frame_count;
        if index < 0 || index as u64 >= count {
            return Err(Fault::new(
                Code::FrameOutsideClip,
                format!("there is no frame {index} in a clip of {count} frames, counted from 0"),
            )
            .at(self.info.path.clone()));
        }
        let path = self.sequence.file(index).ok_or_else(|| {
            let number = self.sequence.first_number.unwrap_or(0) + index;
            Fault::new(
                Code::MissingFrame,
                format!("frame {index} (file number {number}) is not on disk"),
            )
            .at(self.info.path.clone())
        })?;
        let bytes = self.read_file(index, path, buffer).map_err(|f| f.within(path.display()))?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        self.sequence.file(index)
    }

    fn odd_timecode(&self, index: i64) -> Option<Timecode> {
        self.odd.of(index)
    }
}

impl DngClip {
    fn read_file(&self, index: i64, path: &Path, mut out: Vec<u8>) -> Outcome<Vec<u8>> {
        let mut file = DiskFile::open(path)?;
        let tiff = Tiff::parse(&mut file)?;
        let tags = Tags { tiff: &tiff, picture: raw::find(&tiff)? };
        let kind = Kind::read(tags, &mut Vec::new())?;
        kind.check_like(&self.kind)?;
        let said = info::timecode(tags, self.info.timing.rate).ok();
        self.odd.note(index, self.frame_timecode(index), said);
        let raw = &kind.raw;
        match self.kind.way {
            Way::Stored => {
                let packing = match self.layout {
                    Layout::Mosaic(_) => pixels::packed(raw),
                    Layout::Rgb(_) => pixels::numbers(raw),
                };
                pixels::read(&mut file, raw, packing, &self.pool, &mut out)?;
            }
            Way::Corrected => {
                pixels::read(&mut file, raw, pixels::numbers(raw), &self.pool, &mut out)?;
                develop::correct_words(raw, &kind.corrections, &mut out)?;
            }
            Way::Linear => {
                let mut numbers = self.pool.take(0);
                pixels::read(&mut file, raw, pixels::numbers(raw), &self.pool, &mut numbers)?;
                let kind = kind.with_black(self.measured.as_ref());
                let (sensor, corrections) = (&kind.sensor, &kind.corrections);
                let active = kind.untrimmed;
                develop::linearise(&kind.raw, sensor, active, corrections, &mut numbers, &mut out)?;
                self.pool.give(numbers);
            }
        }
        self.layout.check(out.len())?;
        Ok(out)
    }
}

/// A mosaic that says where its photosites are masked and not what black is: its black is measured,
/// once for the clip.
fn measure_black(file: &mut DiskFile, kind: &Kind, notes: &mut Vec<Fault>) -> Option<Black> {
    let (raw, masked) = (&kind.raw, &kind.geometry.masked);
    if masked.is_empty() || raw.float || raw.samples != 1 {
        return None;
    }
    let mut words = Vec::new();
    pixels::read(file, raw, Packing::U16Le, &Pool::default(), &mut words).ok()?;
    let word = |y: u32, x: u32| {
        let at = 2 * (y as usize * raw.width as usize + x as usize);
        u16::from_le_bytes([words[at], words[at + 1]])
    };
    let black = Black::measured(&kind.sensor, masked, kind.untrimmed, word);
    let found = black.as_ref().map_or_else(
        || "the masked areas do not tell; 0 is assumed".to_owned(),
        |black| format!("{:.1} is measured in the masked areas", black.at(0, 0, 0)),
    );
    notes.push(
        Fault::new(Code::MetadataAbsent, format!("no black level in the file: {found}"))
            .at("BlackLevel"),
    );
    black
}
