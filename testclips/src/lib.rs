//! Synthetic CinemaDNG clips of any size, and the small real camera files
//! beside this crate in `clips/`.
//!
//! The crate is apart from `media` on purpose: it has its own DNG writer and
//! its own lossless JPEG encoder and shares no code with the readers, so that
//! each side checks the other. Benchmarks use it for pictures of a size that
//! cannot be kept in a repository, and tests for the corners of the format
//! (byte orders, packings, predictors, tiles, margins) that cameras spread over
//! many models.
//!
//! A clip is a pure function of its [`ClipSpec`]: pixels are computed with
//! addition, multiplication, division and square roots only, which IEEE 754
//! rounds alike on every machine, so the same spec gives the same bytes
//! everywhere.
//!
//! ```
//! use platefarm_testclips::{ClipSpec, Compression, Ljpeg, frame_bytes};
//! let spec = ClipSpec {
//!     width: 64,
//!     height: 48,
//!     compression: Compression::LosslessJpeg(Ljpeg { predictor: 6, wrapped: true, ..Ljpeg::default() }),
//!     ..ClipSpec::default()
//! };
//! let dng = frame_bytes(&spec, 0).expect("the spec is sound");
//! assert_eq!(&dng[..4], b"II*\0");
//! ```

mod args;
mod arith;
mod curve;
mod deflate;
mod dng;
mod export;
mod faults;
mod float;
mod font;
mod ljpeg;
mod mlv;
mod scene;
mod sensor;
mod spec;
mod tiff;

pub use args::{HELP, parse_args};
pub use mlv::{MlvSpec, write_mlv};
pub use sensor::{SCENE_WHITE_CAMERA, XYZ_TO_CAMERA};
pub use spec::{
    Border, ByteOrder, ClipSpec, Compression, Curve, Faults, Ljpeg, Pixel, Sample, Segments,
};

use std::io;
use std::path::{Path, PathBuf};

/// Writes every frame of `spec` into `dir`, which is made when it is absent,
/// as `<name>_<number>.dng` with six digits, and returns their paths in order.
/// The metadata export of a clip with a capture rate is `<name>.csv` beside them.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself (see [`ClipSpec::check`]),
/// else what the file system says.
pub fn write_clip(dir: &Path, spec: &ClipSpec) -> io::Result<Vec<PathBuf>> {
    spec.check()?;
    std::fs::create_dir_all(dir)?;
    if let Some(capture) = spec.capture_rate {
        std::fs::write(dir.join(format!("{}.csv", spec.name)), export::arri(spec, capture))?;
    }
    (0..spec.frames)
        .map(|index| {
            let path = dir.join(spec.file_name(index));
            std::fs::write(&path, frame_bytes(spec, index)?)?;
            Ok(path)
        })
        .collect()
}

/// The DNG file of the frame at `index`, from 0; it may lie past the clip's last frame.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself.
pub fn frame_bytes(spec: &ClipSpec, index: u32) -> io::Result<Vec<u8>> {
    spec.check()?;
    Ok(dng::frame(spec, index))
}

/// The samples that the frame stores, row by row over the whole stored raster
/// (margins included), the samples of a pixel together, before compression.
/// Empty when they are floats.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself.
pub fn samples(spec: &ClipSpec, index: u32) -> io::Result<Vec<u16>> {
    spec.check()?;
    Ok(match sensor::expose(spec, index) {
        sensor::Samples::Whole(samples) => samples,
        sensor::Samples::Floats(_) => Vec::new(),
    })
}

/// The same of a frame of floats, as exact as the file has them; empty when they are whole.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself.
pub fn float_samples(spec: &ClipSpec, index: u32) -> io::Result<Vec<f32>> {
    spec.check()?;
    Ok(match sensor::expose(spec, index) {
        sensor::Samples::Whole(_) => Vec::new(),
        sensor::Samples::Floats(samples) => samples,
    })
}

/// What each sample of the active area would be if the camera had no faults and no noise and did
/// not clip: linear, 0 is black and 1 the clipping point, the samples of a pixel together.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself.
pub fn ideal(spec: &ClipSpec, index: u32) -> io::Result<Vec<f32>> {
    spec.check()?;
    Ok(sensor::ideal(spec, index))
}

/// The scene that the frame shows, row by row over the active area, without
/// noise, mosaic or clipping: scene-linear RGB with the primaries and the white
/// of ITU-R BT.709. 1.0 is the neutral at which the green photosites clip, so a
/// rendered plate equals it after conversion to ACES2065-1, with no gain,
/// wherever the camera did not clip.
///
/// # Errors
/// `InvalidInput` when the spec contradicts itself.
pub fn truth(spec: &ClipSpec, index: u32) -> io::Result<Vec<[f32; 3]>> {
    spec.check()?;
    Ok(scene::picture(spec, index))
}
