//! What a pull will cost, roughly, before anything is done: so that nobody
//! fills a volume or blocks an afternoon unknowingly.
//!
//! Coefficients are measured, on one core of the machine that
//! `benches/RESULTS.md` names: seconds per megapixel of the sensor for the
//! debayer, per delivered megapixel for the encoder, and what share of the
//! pixels is left after compression of a grainy plate. A frame whose media
//! compresses better, or a GPU, needs less.

use platefarm_model::pull::PackageSpec;
use platefarm_model::recipe::{Compression, Debayer};
use serde::Serialize;

/// What a pull will cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate {
    /// Plates.
    pub plates: usize,
    /// Frames that will be rendered.
    pub frames: u64,
    /// Frames that are taken over from an earlier delivery.
    pub frames_reused: u64,
    /// Bytes of the frames without compression: the most that they can take.
    pub bytes_uncompressed: u64,
    /// Bytes of the frames as they will be written, about.
    pub bytes: u64,
    /// Seconds of one core to render them, about.
    pub core_seconds: f64,
}

/// Three channels of half floats.
const BYTES_PER_PIXEL: u64 = 6;

/// The estimate of a plan.
#[must_use]
pub fn estimate(plan: &PackageSpec) -> Estimate {
    let mut sum = Estimate { plates: plan.plates.len(), ..Estimate::default() };
    for plate in &plan.plates {
        let reused = plate.reused.len();
        let rendered = plate.frames.len() - reused.min(plate.frames.len());
        let pixels = u64::from(plate.size[0]) * u64::from(plate.size[1]);
        let bytes = plate.frames.len() * pixels * BYTES_PER_PIXEL;
        let picture = &plate.clip.picture;
        let source = f64::from(picture.width) * f64::from(picture.height) / 1e6;
        let develop = if picture.cfa.is_some() { debayer(plan.debayer) } else { 0.002 };
        let frame = source * develop + pixels as f64 / 1e6 * encode(plan.compression) + 0.01;
        sum.frames += rendered;
        sum.frames_reused += reused;
        sum.bytes_uncompressed += bytes;
        sum.bytes += (bytes as f64 * share(plan.compression)) as u64;
        sum.core_seconds += rendered as f64 * frame;
    }
    sum
}

/// Seconds of a core per megapixel of the sensor, resample included.
const fn debayer(debayer: Debayer) -> f64 {
    match debayer {
        Debayer::Ri => 0.0135,
        Debayer::Rcd => 0.0065,
        Debayer::Mhc => 0.0035,
        Debayer::Superpixel => 0.003,
    }
}

/// Seconds of a core per delivered megapixel.
const fn encode(compression: Compression) -> f64 {
    match compression {
        Compression::None => 0.001,
        Compression::Zips => 0.020,
        Compression::Zip => 0.030,
        Compression::Piz => 0.011,
        Compression::Dwaa | Compression::Dwab => 0.012,
    }
}

/// What compression leaves of a grainy plate.
const fn share(compression: Compression) -> f64 {
    match compression {
        Compression::None => 1.0,
        Compression::Zips => 0.53,
        Compression::Zip => 0.50,
        Compression::Piz => 0.48,
        Compression::Dwaa => 0.12,
        Compression::Dwab => 0.11,
    }
}
