//! `platefarm color convert IN OUT`: one picture file to another, colour
//! converted. What the file says of itself goes along, and what the new file
//! says of its colour is true.

use platefarm_media::sink::{exr, png};
use platefarm_media::{Clip, publish};
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::IDENTITY;
use platefarm_model::raw::{Frame, Layout, RgbLayout, RgbSamples};
use platefarm_model::recipe::{Compression, OutputColor};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_standards::amf::{self, Pixels};
use rayon::prelude::*;
use std::path::Path;

/// From here on no finite half can hold a value.
const TOO_LARGE: f32 = 65520.0;

/// Where a picture goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Exr,
    Png,
}

impl Target {
    fn of(path: &Path) -> Outcome<Self> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "exr" => Ok(Self::Exr),
            "png" => Ok(Self::Png),
            other => Err(Fault::new(Code::UnknownFormat, format!("'.{other}' is not written"))
                .at(path.display().to_string())
                .remedy("Write .exr (half floats) or .png (16 bits, for displays); float triples go by < IN > OUT.")),
        }
    }
}

/// A picture as numbers: light in ACES2065-1 or codes, red, green and blue together.
pub(super) struct Picture {
    size: [u32; 2],
    pub(super) pixels: Vec<f32>,
    /// Where it comes from, for what is said of it.
    clip: Option<(Box<dyn Clip>, i64)>,
    /// What did not come along.
    pub(super) notes: Vec<Fault>,
}

/// A picture file that is open, and whose pixels are not read yet.
pub(super) struct Source<'a> {
    path: &'a Path,
    /// None of a PNG, which is codes and says nothing of them that can be trusted.
    clip: Option<Box<dyn Clip>>,
}

impl<'a> Source<'a> {
    pub(super) fn open(path: &'a Path) -> Outcome<Self> {
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) {
            return Ok(Self { path, clip: None });
        }
        let clip = platefarm_media::open_alone(path)?;
        if clip.layout().mosaic().is_some() {
            return Err(Fault::new(
                Code::BadRecipe,
                "this is camera raw, which has to be developed",
            )
            .at(path.display().to_string())
            .remedy("Use `platefarm render`, which debayers, with --color-out."));
        }
        Ok(Self { path, clip: Some(clip) })
    }

    /// What its pixels are, as far as an AMF has to know.
    pub(super) fn pixels(&self) -> Pixels<'_> {
        self.clip.as_ref().map_or(Pixels::Silent, |clip| amf::pixels(clip.info()))
    }

    /// Its pixels: codes, or else the ACES2065-1 that the file's own word makes of them.
    pub(super) fn read(self, as_codes: bool) -> Outcome<Picture> {
        match self.clip {
            Some(clip) => read_clip(clip, self.path, as_codes),
            None if as_codes => {
                let png::Codes { size, rgb, has_alpha } = png::read(self.path)?;
                let message = "only the colour is written, not the alpha";
                let alpha = Fault::new(Code::UnsupportedFeature, message);
                let alpha = alpha.at(self.path.display().to_string());
                let notes = has_alpha.then_some(alpha).into_iter().collect();
                Ok(Picture { size, pixels: rgb, clip: None, notes })
            }
            None => {
                Err(Fault::new(Code::NoInputTransform, "a PNG does not say what its codes are")
                    .at(self.path.display().to_string())
                    .remedy("Name it: --from 'sRGB Encoded Rec.709 (sRGB)', for one."))
            }
        }
    }
}

/// Whether two names are of two files, whatever links lead there. (A hard link
/// does no harm: the new file takes its name and leaves the old one alone.)
pub(super) fn check_apart(input: &Path, output: &Path) -> Outcome<()> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(input) != real(output) {
        return Ok(());
    }
    Err(Fault::new(Code::OutputExists, "the converted picture would replace the one it is made of")
        .at(output.display().to_string())
        .remedy("Name another file to write."))
}

fn read_clip(clip: Box<dyn Clip>, path: &Path, as_codes: bool) -> Outcome<Picture> {
    if !as_codes {
        clip.check_color()?;
    }
    let index = index_of(&*clip, path)?;
    let frame = clip.read(index)?;
    let Layout::Rgb(layout) = &frame.layout else {
        return Err(Fault::new(Code::Internal, "a picture that is none"));
    };
    let pixels = delivered(&frame, layout, as_codes);
    let notes = notes(clip.info(), layout, as_codes);
    let notes = notes.into_iter().map(|note| note.within(path.display())).collect();
    let size = [layout.crop.width, layout.crop.height];
    Ok(Picture { size, pixels, clip: Some((clip, index)), notes })
}

/// What of a picture is not written, and what is assumed of it. Of what is noted of its clip, times
/// and other frames are of no concern here.
fn notes(info: &ClipInfo, layout: &RgbLayout, as_codes: bool) -> Vec<Fault> {
    let concerns = |note: &&Fault| matches!(note.code, Code::UnsupportedFeature | Code::Unverified);
    let mut notes: Vec<Fault> = info.notes.iter().filter(concerns).cloned().collect();
    let (whole, crop) = ([layout.width, layout.height], layout.crop);
    if whole != [crop.width, crop.height] {
        let message = format!(
            "of {}x{} pixels the {}x{} of the display window are written, and no overscan",
            whole[0], whole[1], crop.width, crop.height
        );
        notes.push(Fault::new(Code::UnsupportedFeature, message).at("dataWindow"));
    }
    if info.primaries_assumed && !as_codes {
        let space = info.color_space.as_deref().unwrap_or_default();
        let message = format!("no primaries in the file: it is taken for {space}");
        notes.push(Fault::new(Code::ColorAssumed, message));
    }
    notes
}

/// Which frame of its clip a file is. A clip's files are of one directory, and however that was
/// written, their names tell them apart; a file that holds a whole clip stands for its first frame.
fn index_of(clip: &dyn Clip, path: &Path) -> Outcome<i64> {
    let info = clip.info();
    let same = |index: &i64| {
        clip.frame_file(*index).is_some_and(|file| file.file_name() == path.file_name())
    };
    info.timing.indices().and_then(|range| range.iter().find(same)).ok_or_else(|| {
        let message = format!("this is no frame of clip '{}'", info.identity.clip_name);
        Fault::new(Code::FrameOutsideClip, message)
            .at(path.display().to_string())
            .remedy("Name the file of one frame.")
    })
}

/// The delivered part of a frame, as floats.
fn delivered(frame: &Frame, layout: &RgbLayout, as_codes: bool) -> Vec<f32> {
    let crop = layout.crop;
    let pixel = layout.samples.pixel_bytes();
    let row_bytes = layout.width as usize * pixel;
    let m: [f32; 9] = std::array::from_fn(|i| layout.to_aces[i / 3][i % 3] as f32);
    let plain = as_codes || layout.to_aces == IDENTITY;
    let width = crop.width as usize;
    let mut pixels = vec![0.0; 3 * width * crop.height as usize];
    pixels.par_chunks_mut(3 * width).enumerate().for_each(|(y, row)| {
        let start = (crop.y as usize + y) * row_bytes + crop.x as usize * pixel;
        let from = frame.bytes[start..].chunks_exact(pixel);
        for (to, bytes) in row.as_chunks_mut::<3>().0.iter_mut().zip(from) {
            let [r, g, b] = [0, 1, 2].map(|c| sample(layout, &bytes[c * pixel / 3..], as_codes));
            *to = if plain {
                [r, g, b]
            } else {
                [0, 1, 2].map(|i| (m[3 * i] * r + m[3 * i + 1] * g) + m[3 * i + 2] * b)
            };
        }
    });
    pixels
}

/// A sample: its light by the file's curve, or its code.
fn sample(layout: &RgbLayout, bytes: &[u8], as_codes: bool) -> f32 {
    let curve = if as_codes { &[][..] } else { &layout.curve[..] };
    let bits = u16::from_le_bytes([bytes[0], bytes[1]]);
    match (layout.samples, curve.get(usize::from(bits)).or(curve.last())) {
        (RgbSamples::F32, _) => f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]),
        (_, Some(light)) => *light,
        (RgbSamples::F16, None) => half::f16::from_bits(bits).to_f32(),
        // The file's curve has as many entries as there are codes.
        (RgbSamples::U16, None) => match layout.curve.len() {
            0 => f32::from(bits) / 65535.0,
            entries => f32::from(bits) / (entries - 1) as f32,
        },
    }
}

/// What became of values that the file cannot hold.
pub(super) struct Held {
    /// How many are too large for a half, and became the largest.
    pub(super) too_large: u64,
    /// How many no code is for.
    pub(super) clipped: Option<Fault>,
}

/// What is said of values beyond the codes of a PNG, where there are some. What is less than half a
/// code beyond the ends is rounded as any other value is.
fn clipped(values: &[f32]) -> Option<Fault> {
    const HALF_A_CODE: f32 = 0.5 / 65535.0;
    let below = values.iter().filter(|v| **v < -HALF_A_CODE).count();
    let above = values.iter().filter(|v| **v > 1.0 + HALF_A_CODE).count();
    (below + above > 0).then(|| {
        let all = values.len();
        let message = format!(
            "of {all} values {below} are below 0 and {above} above 1, which the codes of a PNG end at: they are clipped"
        );
        Fault::new(Code::ValuesClipped, message)
    })
}

/// Writes the picture, of which `to` is the colour now.
pub(super) fn write(path: &Path, picture: &Picture, to: &OutputColor) -> Outcome<Held> {
    let [width, height] = picture.size;
    match Target::of(path)? {
        Target::Exr => {
            let of_clip = |(clip, index): &(Box<dyn Clip>, i64)| {
                exr::PlateHeader::of_clip(clip.info(), *index)
            };
            let mut header = picture.clip.as_ref().map(of_clip).unwrap_or_default();
            header.color = to.clone();
            let halves = [0, 1, 2].map(|channel| {
                let values = picture.pixels.iter().skip(channel).step_by(3);
                let half = |v: &f32| half::f16::from_f32(v.clamp(-65504.0, 65504.0)).to_bits();
                values.map(half).collect::<Vec<u16>>()
            });
            let [r, g, b] = &halves;
            let planes = exr::Planes { width, height, rgb: [r, g, b], alpha: None };
            let bytes = exr::encode(planes, &header, Compression::default())?;
            publish::write_atomic(path, &bytes)?;
            let too_large = picture.pixels.iter().filter(|v| v.abs() >= TOO_LARGE).count() as u64;
            Ok(Held { too_large, clipped: None })
        }
        Target::Png => {
            let code = |v: &f32| (v.clamp(0.0, 1.0) * 65535.0).round() as u16;
            let codes: Vec<u16> = picture.pixels.iter().map(code).collect();
            let interop_id = to.meaning()?.interop_id;
            png::write_16(path, picture.size, &codes, to.name(), interop_id)?;
            let clipped = clipped(&picture.pixels);
            let place = || path.display().to_string();
            Ok(Held { too_large: 0, clipped: clipped.map(|note| note.at(place())) })
        }
    }
}

/// Whether what a file's name ends with can be written.
pub(super) fn check_target(path: &Path, to: &OutputColor) -> Outcome<()> {
    let target = Target::of(path)?;
    if target == Target::Png && to.meaning()?.linear {
        let message = format!("a PNG of 16 bits cannot hold linear light ({})", to.name());
        return Err(Fault::new(Code::BadRecipe, message)
            .at(path.display().to_string())
            .remedy("Convert to a display or a log space, or write an .exr."));
    }
    Ok(())
}
