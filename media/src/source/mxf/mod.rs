//! ARRIRAW in MXF: ALEXA Mini, Mini LF and later (SMPTE RDD 54 and 55, of which
//! the registered labels are public).
//!
//! Read is uncompressed 12 bit. HDE, 13 bit (ALEXA 35) and ARRICORE are refused
//! by name. MXF with any other essence is not this reader's: the extension is
//! shared, and the first bytes decide.

mod frames;
mod klv;
mod metadata;
#[cfg(test)]
mod tests;

use super::ari::{self, HEADER_BYTES, Header, Meaning, Stored, unverified};
use super::pictures::check_index;
use super::range::Ranges;
use super::{Clip, Sequence, Source};
use frames::{Frames, Structure};
use klv::{Label, SMPTE};
use metadata::Picture;
use platefarm_model::clip::{CameraColor, CameraInfo, ClipInfo, Identity, Timing};
use platefarm_model::raw::{Bayer, Frame, Layout, Packing, Rect};
use platefarm_model::{Code, Fault, Outcome, limits};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The reader of ARRIRAW in MXF.
pub(super) struct Mxf;

impl Source for Mxf {
    fn name(&self) -> &'static str {
        "mxf"
    }

    fn doc(&self) -> &'static str {
        "MXF with ARRIRAW, uncompressed 12 bit"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["mxf"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        head.windows(16).any(|w| {
            w[..4] == SMPTE && Essence::of(Some(w.try_into().unwrap_or([0; 16])), None).is_some()
        })
    }

    fn whole_clip(&self) -> bool {
        true
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        let path = sequence.first_file();
        let clip = MxfClip::open(path).map_err(|fault| fault.within(path.display()))?;
        Ok(Box::new(clip))
    }
}

/// Kinds of ARRI's essence, by their labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Essence {
    /// 12 bit; packed as the ALEXA Mini's files are.
    Packed12,
    /// 12 bit "reverse"; packed as those of the older ALEXAs.
    Reverse12,
    Packed13,
    Hde,
    Core,
    /// ARRIRAW of which the label does not say more.
    Some,
}

impl Essence {
    /// By the coding label, else by the container's. Version bytes and registry do not count.
    fn of(coding: Option<Label>, container: Option<Label>) -> Option<Self> {
        let of = |label: Label| match label[8..] {
            [0x04, 0x01, 0x02, 0x01, 0x02, 0x01, 0x01, 0x01] => Some(Self::Packed12),
            [0x04, 0x01, 0x02, 0x01, 0x02, 0x01, 0x01, 0x02] => Some(Self::Reverse12),
            [0x04, 0x01, 0x02, 0x01, 0x02, 0x01, 0x01, 0x03] => Some(Self::Packed13),
            // Files of before the registration: 03 where HDE has 01 and 02.
            [0x04, 0x01, 0x02, 0x01, 0x02, 0x01, 0x02, 0x03]
            | [0x0F, 0x01, 0x02, 0x02, 0x01, 0x01, 0x01, _] => Some(Self::Some),
            [0x04, 0x01, 0x02, 0x01, 0x02, 0x01, 0x02, _]
            | [0x0D, 0x01, 0x03, 0x01, 0x02, 0x22, 0x02, _] => Some(Self::Hde),
            [0x0D, 0x01, 0x03, 0x01, 0x02, 0x22, 0x01, _] => Some(Self::Some),
            [0x0D, 0x01, 0x03, 0x01, 0x15, _, 0x20, _] => Some(Self::Core),
            _ => None,
        };
        match (coding.and_then(of), container.and_then(of)) {
            (Some(Self::Some) | None, Some(found)) | (Some(found), _) => Some(found),
            (None, None) => None,
        }
    }

    /// Refuses what has no public description.
    fn check(self) -> Outcome<Self> {
        let refused = |what: &str| {
            Err(Fault::new(Code::UnsupportedFeature, what).remedy(
                "Convert it with ARRI's art-cmd or the ARRI Reference Tool, or let a bridge to one of them read it (docs/cameras.md).",
            ).at("PictureEssenceCoding"))
        };
        match self {
            Self::Hde => Err(ari::hde().at("PictureEssenceCoding")),
            Self::Packed13 => {
                refused("ARRIRAW of 13 bits (ALEXA 35) has no public description and is not read")
            }
            Self::Core => refused("ARRICORE has no public description and is not read"),
            Self::Packed12 | Self::Reverse12 | Self::Some => Ok(self),
        }
    }

    /// Packing and phase of pictures that begin without a header.
    const fn packing(self) -> Packing {
        match self {
            Self::Reverse12 => Packing::Arri12,
            _ => Packing::Lsb12,
        }
    }
}

struct MxfClip {
    info: ClipInfo,
    layout: Layout,
    path: PathBuf,
    frames: Frames,
    stored: Stored,
    /// Bytes of each picture before its samples.
    head_bytes: u64,
}

impl MxfClip {
    fn open(path: &Path) -> Outcome<Self> {
        let mut file = Ranges::open(path)?;
        let mut structure = Structure::read(&mut file)?;
        let picture = structure.metadata.picture();
        let labels = (picture.and_then(|p| p.coding), picture.and_then(|p| p.container));
        let essence = Essence::of(labels.0, labels.1).ok_or_else(|| {
            let label = labels.0.or(labels.1).map(|l| l.map(|b| format!("{b:02x}")).join("."));
            let label = label.unwrap_or_else(|| "none".into());
            let what = format!("the file's picture is no ARRIRAW (label {label})");
            Fault::new(Code::UnsupportedFeature, what).at("PictureEssenceCoding")
        })?;
        let essence = essence.check()?;
        let frames = structure.frames(&mut file)?;
        if frames.count() == 0 {
            let first = structure.notes.into_iter().next();
            return Err(first.unwrap_or_else(|| {
                Fault::new(Code::NoMedia, "the file holds no ARRIRAW picture")
                    .at("essence container")
            }));
        }
        let (at, len) = frames.place(&mut file, 0)?;
        let head = file.up_to(at, len.min(HEADER_BYTES as u64))?;
        let mut info;
        let (stored, layout, head_bytes);
        if Header::is_at(&head) {
            let header = Header::parse(&head)?;
            let meaning = Meaning::of(&header)?;
            info = ari::describe(&header, &meaning);
            // The header's frame is the first; the container's clock is the clip's.
            info.timing.start = header.timecode(ari::counting_rate(&header)).ok();
            (stored, layout, head_bytes) =
                (meaning.stored.clone(), meaning.layout(), header.data_offset);
        } else {
            let bare = Bare::read(picture, essence, len)?;
            info = bare.info();
            (stored, layout, head_bytes) = (bare.stored.clone(), bare.layout(), 0);
        }
        let needed = head_bytes + stored.bytes() as u64;
        if len < needed {
            let what = format!(
                "a picture of {len} bytes, uncompressed ones take {needed}: it is HDE, or damaged"
            );
            return Err(Fault::new(Code::UnsupportedFeature, what)
                .remedy(ari::hde().remedy_text())
                .at(format!("offset {at}")));
        }
        complete(&mut info, path, &mut structure, picture, &frames);
        let clip = Self { info, layout, path: path.to_owned(), frames, stored, head_bytes };
        clip.layout.check(usize::MAX)?;
        Ok(clip)
    }

    fn samples(&self, index: usize) -> Outcome<Vec<u8>> {
        let mut file = Ranges::open(&self.path)?;
        let (at, len) = self.frames.place(&mut file, index)?;
        let needed = self.stored.bytes() as u64;
        if len < self.head_bytes + needed {
            let what =
                format!("a picture of {len} bytes, the clip's take {}", self.head_bytes + needed);
            return Err(Fault::new(Code::MixedClip, what).at(format!("offset {at}")));
        }
        self.stored.deliver(file.take(at + self.head_bytes, needed)?)
    }
}

/// What the container says, over what the first frame says.
fn complete(
    info: &mut ClipInfo,
    path: &Path,
    structure: &mut Structure,
    picture: Option<Picture>,
    frames: &Frames,
) {
    let package = structure.metadata.package();
    info.path = path.to_string_lossy().into_owned();
    info.picture.format = "mxf".into();
    if info.identity.clip_name.is_empty() {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        info.identity.clip_name = package.name.clone().unwrap_or(stem);
    }
    info.identity.umid = package.umid;
    info.timing.start = package.start.or(info.timing.start);
    info.timing.rate = picture.and_then(|p| p.rate).or(info.timing.rate);
    info.timing.frame_count = frames.count() as u64;
    let [company, product, version] = structure.metadata.writer();
    info.camera.make = info.camera.make.take().or(company);
    info.camera.model = info.camera.model.take().or(product);
    info.camera.firmware = version;
    info.vendor.extend(structure.metadata.vendor());
    if info.timing.start.is_none() {
        info.notes.push(
            Fault::new(Code::MetadataAbsent, "no timecode in the file").at("TimecodeComponent"),
        );
    }
    if let Some(said) = picture.and_then(|p| p.duration)
        && said != frames.count() as i64
    {
        let what = format!("{} pictures are there, the file says {said}", frames.count());
        info.notes.push(Fault::new(Code::MissingFrame, what).at("ContainerDuration"));
    }
    info.notes.append(&mut structure.notes);
}

/// A picture without a header: all that is known is what the container says.
struct Bare {
    stored: Stored,
    color: CameraColor,
    notes: Vec<Fault>,
}

impl Bare {
    fn read(picture: Option<Picture>, essence: Essence, len: u64) -> Outcome<Self> {
        let picture = picture.ok_or_else(|| {
            Fault::new(Code::BadStructure, "no descriptor gives the picture's size")
                .at("StoredWidth")
        })?;
        let (width, height) = (picture.width, picture.height);
        if width > limits::MAX_PICTURE_SIDE_PX
            || height > limits::MAX_PICTURE_SIDE_PX
            || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
        {
            let what = format!("a picture of {width}x{height} photosites");
            return Err(Fault::new(Code::TooLarge, what).at("StoredWidth, StoredHeight"));
        }
        let whole = Rect::of_size(width, height);
        let active = picture
            .active
            .map(|[x, y, width, height]| Rect { x, y, width, height })
            .filter(|active| active.fits(width, height))
            .unwrap_or(whole);
        let mut notes = vec![
            unverified(
                format!("pictures of {len} bytes begin without ARRI's header; {} samples and the filter pattern bggr follow from the coding label", essence.packing()),
                "PictureEssenceCoding",
            ),
            Fault::new(
                Code::MetadataAbsent,
                "white balance and exposure index are carried as SMPTE RDD 55 has them, which is not public; 5600 K at EI 800 without gains is assumed",
            )
            .at("white balance"),
        ];
        let stored = Stored {
            width,
            height,
            active,
            packing: essence.packing(),
            bayer: Bayer::Bggr,
            flips: [false, false],
        };
        let color = CameraColor {
            white_balance: [1.0; 3],
            camera_to_aces: ari::camera_to_aces(5600.0, 800.0, 1.0),
        };
        ari::reading_notes(&color, &mut notes);
        Ok(Self { stored, color, notes })
    }

    fn layout(&self) -> Layout {
        let color = &self.color;
        Layout::Mosaic(Arc::new(self.stored.layout(ari::levels(), [1.0; 3], color.camera_to_aces)))
    }

    fn info(&self) -> ClipInfo {
        let layout = self.stored.layout(ari::levels(), [1.0; 3], self.color.camera_to_aces);
        ClipInfo {
            identity: Identity::default(),
            timing: Timing::default(),
            picture: platefarm_model::clip::Picture {
                width: layout.crop.width,
                height: layout.crop.height,
                photosites: [self.stored.width, self.stored.height],
                active: layout.active,
                crop: layout.crop,
                pixel_aspect: 1.0,
                bit_depth: 12,
                compression: "none".into(),
                cfa: Some(layout.bayer.name().into()),
                ..platefarm_model::clip::Picture::default()
            },
            camera: CameraInfo::default(),
            color: Some(self.color),
            notes: self.notes.clone(),
            ..ClipInfo::default()
        }
    }
}

impl Clip for MxfClip {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let bytes =
            self.samples(index as usize).map_err(|fault| fault.within(self.path.display()))?;
        self.layout.check(bytes.len())?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        let inside = index >= 0 && (index as u64) < self.info.timing.frame_count;
        inside.then_some(self.path.as_path())
    }
}
