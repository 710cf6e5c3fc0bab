//! DNG and CinemaDNG: a clip is a directory of numbered files, each a TIFF
//! with the sensor's samples and the tags that give them meaning.
//!
//! Written from Adobe's DNG 1.7.1 and CinemaDNG 1.1 specifications. Readable:
//! Bayer mosaics of 8 to 16 bits, uncompressed or as lossless JPEG, in strips
//! or tiles, of either byte order; everything else is refused by name.

mod color;
mod info;
mod input;
mod levels;
mod ljpeg;
mod pixels;
mod raw;
mod tags;
#[cfg(test)]
mod tests;
mod tiff;

use super::{Clip, Sequence, Source};
use color::CameraColor;
use input::{DiskFile, Input};
use levels::Geometry;
use platefarm_model::clip::{self, ClipInfo, Identity, Picture, Timing};
use platefarm_model::raw::{Bayer, Frame, Layout, Levels, MosaicLayout};
use platefarm_model::{Code, Fault, Outcome};
use raw::RawPicture;
use std::path::Path;
use std::sync::Arc;
use tiff::{Tags, Tiff};

/// Frames whose metadata is compared with the first when a clip is opened; the others are when they are read.
const SAMPLED_FRAMES: usize = 8;

/// The reader of DNG and CinemaDNG.
pub(super) struct Dng;

impl Source for Dng {
    fn name(&self) -> &'static str {
        "dng"
    }

    fn doc(&self) -> &'static str {
        "Adobe DNG and CinemaDNG sequences: Bayer, 8 to 16 bits, uncompressed or lossless JPEG"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["dng"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        tiff::is_tiff(head)
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        Ok(Box::new(DngClip::open(sequence)?))
    }
}

/// What must be equal in all frames of a clip.
#[derive(Clone, Debug, PartialEq)]
struct Kind {
    raw: RawPicture,
    geometry: Geometry,
    levels: Levels,
    model: Option<String>,
}

impl Kind {
    fn read(tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<Self> {
        let raw = RawPicture::read(tags)?;
        let geometry = Geometry::read(tags, &raw, notes)?;
        let levels = levels::levels(tags, &raw, geometry.active)?;
        Ok(Self { raw, geometry, levels, model: info::model(tags) })
    }

    /// Whether a frame of this kind can stand in a clip whose first frame is `first`.
    fn check_like(&self, first: &Self) -> Outcome<()> {
        let size = |k: &Self| format!("{}x{} photosites", k.raw.width, k.raw.height);
        let coding = |k: &Self| {
            let (packing, _) = pixels::delivered(&k.raw);
            format!("{} bits, compression {}, {packing:?}", k.raw.bits, k.raw.coding.name())
        };
        let geometry = |k: &Self| format!("{:?}", k.geometry);
        let levels = |k: &Self| format!("black {:?}, white {:?}", k.levels.black, k.levels.white);
        let model = |k: &Self| format!("camera {}", k.model.as_deref().unwrap_or("unknown"));
        for aspect in [&size as &dyn Fn(&Self) -> String, &coding, &geometry, &levels, &model] {
            let (mine, theirs) = (aspect(self), aspect(first));
            if mine != theirs {
                return Err(Fault::new(
                    Code::MixedClip,
                    format!("{mine}; the clip begins with {theirs}"),
                ));
            }
        }
        if self.levels != first.levels {
            return Err(Fault::new(
                Code::MixedClip,
                "another linearisation or black level table than the clip's first frame",
            ));
        }
        Ok(())
    }

    fn layout(&self, color: &CameraColor) -> MosaicLayout {
        let (packing, row_bytes) = pixels::delivered(&self.raw);
        MosaicLayout {
            width: self.raw.width,
            height: self.raw.height,
            packing,
            row_bytes,
            active: self.geometry.active,
            crop: self.geometry.crop,
            bayer: self.geometry.bayer,
            levels: self.levels.clone(),
            white_balance: color.white_balance.map(|v| v as f32),
            camera_to_aces: color.camera_to_aces,
        }
    }
}

struct DngClip {
    info: ClipInfo,
    kind: Kind,
    layout: Layout,
    sequence: Sequence,
}

impl DngClip {
    fn open(sequence: Sequence) -> Outcome<Self> {
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
        let layout = kind.layout(&color);
        layout.check(layout.row_bytes * layout.height as usize)?;
        Ok(Self { tiff, kind, color, notes })
    }

    fn into_clip(self, sequence: Sequence, index: i64, mut notes: Vec<Fault>) -> DngClip {
        let Self { tiff, kind, color, notes: own_notes } = self;
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
            uuid: info::uuid(tags),
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
            layout: Layout::Mosaic(Arc::new(kind.layout(&color))),
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
                    cfa: Some(bayer_name(geometry.bayer).into()),
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
            },
            kind,
            sequence,
        };
        let found = clip.sampled_notes(&color);
        clip.info.notes.extend(found);
        clip
    }
}

impl DngClip {
    /// What is wrong with some frames, spread over the clip, without reading pixels.
    fn sampled_notes(&self, color: &CameraColor) -> Vec<Fault> {
        let files = self.sequence.files();
        let mut notes = Vec::new();
        let picks = files.len().min(SAMPLED_FRAMES);
        for pick in 0..picks {
            let (index, path) =
                &files[if picks > 1 { pick * (files.len() - 1) / (picks - 1) } else { 0 }];
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
        let bytes = self.read_file(path).map_err(|f| f.within(path.display()))?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        self.sequence.file(index)
    }
}

impl DngClip {
    fn read_file(&self, path: &Path) -> Outcome<Vec<u8>> {
        let mut file = DiskFile::open(path)?;
        let tiff = Tiff::parse(&mut file)?;
        let tags = Tags { tiff: &tiff, picture: raw::find(&tiff)? };
        let kind = Kind::read(tags, &mut Vec::new())?;
        kind.check_like(&self.kind)?;
        let bytes = pixels::read(&mut file, &kind.raw)?;
        self.layout.check(bytes.len())?;
        Ok(bytes)
    }
}

const fn bayer_name(bayer: Bayer) -> &'static str {
    match bayer {
        Bayer::Rggb => "rggb",
        Bayer::Grbg => "grbg",
        Bayer::Gbrg => "gbrg",
        Bayer::Bggr => "bggr",
    }
}
