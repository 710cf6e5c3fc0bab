//! DPX sequences (SMPTE ST 268): film scans and plates of other houses. The
//! reader is ours; pixels keep their codes, and what a code means as light is
//! a curve beside them.

mod color;
mod header;
mod pixels;

use super::pictures::{Described, PictureClip, PictureFormat};
use super::{Clip, Sequence, Source, read_fault};
use crate::storage::{self, File};
use header::{HEADER_BYTES, Header, Order};
use platefarm_model::clip::{ClipInfo, Picture};
use platefarm_model::raw::{Rect, RgbLayout, RgbSamples};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::io::Read;
use std::path::Path;

/// The reader of DPX.
pub(super) struct Dpx;

impl Source for Dpx {
    fn name(&self) -> &'static str {
        "dpx"
    }

    fn doc(&self) -> &'static str {
        "DPX sequences: RGB of 8, 10, 12 and 16 bits, linear, printing density and Rec.709"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["dpx"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        head.starts_with(b"SDPX") || head.starts_with(b"XPDS")
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        Ok(Box::new(PictureClip::<Dpx>::open(sequence)?))
    }
}

impl PictureFormat for Dpx {
    type Header = Header;

    fn header(path: &Path) -> Outcome<Header> {
        let mut head = Vec::new();
        File::open(path)
            .and_then(|file| file.take(HEADER_BYTES as u64).read_to_end(&mut head))
            .map_err(|e| read_fault(path, &e))?;
        Header::parse(&head)
    }

    fn extent(path: &Path, header: &Header) -> Outcome<()> {
        let size = storage::metadata(path).map_err(|e| read_fault(path, &e))?.len();
        pixels::rows(header, size).map(|_| ())
    }

    fn describe(first: &Header, _: &[Header]) -> Outcome<Described> {
        let color::Meaning { name, curve, to_aces, known, assumed, mut notes } = color::of(first);
        notes.extend(left_out(first));
        let raster = Rect::of_size(first.width, first.height);
        let layout = RgbLayout {
            width: first.width,
            height: first.height,
            samples: RgbSamples::U16,
            crop: raster,
            curve,
            to_aces,
        };
        let mut info = ClipInfo {
            picture: Picture {
                width: first.width,
                height: first.height,
                photosites: [first.width, first.height],
                active: raster,
                crop: raster,
                pixel_aspect: first.pixel_aspect.unwrap_or(1.0),
                bit_depth: first.bits,
                format: "dpx".into(),
                compression: "none".into(),
                ..Picture::default()
            },
            color_space: Some(name),
            primaries_assumed: assumed,
            vendor: first.fields.clone(),
            notes,
            ..ClipInfo::default()
        };
        info.timing.rate = first.rate;
        info.camera.model.clone_from(&first.input_device);
        info.camera.serial_number.clone_from(&first.input_serial);
        info.camera.shutter_angle_deg = first.shutter_angle;
        Ok(Described { layout, info, color: known })
    }

    fn timecode(header: &Header, rate: FrameRate) -> Option<Timecode> {
        header.timecode(rate)
    }

    fn pixels(path: &Path, first: &Header, _: &RgbLayout) -> Outcome<(Vec<u8>, Header)> {
        let header = Self::header(path)?;
        Self::check_like(&header, first)?;
        Ok((pixels::read(path, &header)?, header))
    }

    fn check_like(header: &Header, first: &Header) -> Outcome<()> {
        let size = |h: &Header| format!("{}x{} pixels", h.width, h.height);
        let samples = |h: &Header| format!("{} of {} bits", h.order.name(), h.bits);
        let color = |h: &Header| format!("transfer {}, colour {}", h.transfer, h.colorimetric);
        for aspect in [&size as &dyn Fn(&Header) -> String, &samples, &color] {
            let (mine, theirs) = (aspect(header), aspect(first));
            if mine != theirs {
                return Err(Fault::new(
                    Code::MixedClip,
                    format!("{mine}; the clip begins with {theirs}"),
                ));
            }
        }
        Ok(())
    }
}

/// What of the file is not delivered, or not as it says.
fn left_out(header: &Header) -> Vec<Fault> {
    let mut notes = Vec::new();
    if header.order.count() == 4 {
        let message = "only the colour is delivered, not the alpha";
        notes.push(Fault::new(Code::UnsupportedFeature, message).at("offset 800"));
    }
    if header.order == Order::Luma {
        let message = "a picture without colour: red, green and blue are the same";
        notes.push(Fault::new(Code::MetadataAbsent, message).at("offset 800"));
    }
    if let [Some(low), Some(high)] = header.low_high
        && (low, high) != (0, (1 << header.bits) - 1)
        && !color::is_density(header)
    {
        notes.push(
            Fault::new(
                Code::UnsupportedFeature,
                format!(
                    "reference codes {low} and {high} are not applied: codes use the full range"
                ),
            )
            .at("offset 784"),
        );
    }
    notes
}
