//! The camera: from the light of the scene to the samples of a mosaic.

use crate::arith::{Rgb, hash, normal};
use crate::curve::{linearization_table, nearest_codes};
use crate::faults;
use crate::float;
use crate::scene;
use crate::spec::{Border, ClipSpec, Curve, Faults, Pixel, Sample};
use platefarm_model::color::{self, Matrix3};
use platefarm_model::raw::{Bayer, CfaColor};
use rayon::prelude::*;

/// ColorMatrix1 of the synthetic camera: CIE XYZ to camera RGB under D65, in
/// ten-thousandths as the file stores it.
pub const XYZ_TO_CAMERA: [[i32; 3]; 3] =
    [[6500, -1500, -500], [-4000, 12000, 2500], [-500, 1500, 6000]];

/// What the camera sees of a neutral at which green is 1, in millionths: the
/// AsShotNeutral of the file. It is the D65 white (0.3127, 0.3290) through
/// [`XYZ_TO_CAMERA`], rounded; a test derives it.
pub const SCENE_WHITE_CAMERA: [u32; 3] = [378_491, 1_000_000, 692_175];

/// Electrons at the clipping point, at noise 1.
const FULL_WELL: f64 = 20_000.0;
/// Read noise in electrons, at noise 1.
const READ_NOISE: f64 = 3.0;

/// Scene RGB to camera RGB, with 1.0 at the clipping point of each colour: green
/// of a neutral of 1.0 just clips.
fn scene_to_camera() -> Matrix3 {
    let matrix = XYZ_TO_CAMERA.map(|row| row.map(|v| f64::from(v) / 10_000.0));
    let camera = color::mul(&matrix, &color::rgb_to_xyz(&color::REC709, color::D65));
    let green_of_white: f64 = camera[1].iter().sum();
    camera.map(|row| row.map(|v| v / green_of_white))
}

/// The samples of a frame, the samples of a pixel together.
pub(crate) enum Samples {
    Whole(Vec<u16>),
    /// As exact as the file has them.
    Floats(Vec<f32>),
}

/// The samples of a frame, row by row over the stored raster.
pub(crate) fn expose(spec: &ClipSpec, index: u32) -> Samples {
    let codes = match spec.curve {
        Curve::Log => nearest_codes(&linearization_table(spec.bits)),
        Curve::Linear => Vec::new(),
    };
    if spec.sample == Sample::Float {
        return Samples::Floats(record(spec, index, |_, _, value| {
            float::rounded(value, spec.bits)
        }));
    }
    let deltas = faults::black_deltas(spec);
    let mut samples = record(spec, index, |row, column, value| {
        // The pattern repeats by 2, so wrapped coordinates left of and above the area have its phase.
        let (black, white) = spec.levels(row % 2, column % 2);
        let (mut black, mut range) = (f64::from(black), f64::from(white - black));
        if let Some([across, down]) = &deltas {
            // White lies above the largest black; outside of the active area there is no delta.
            let most = |lines: &[i32]| lines.iter().copied().max().map_or(0.0, f64::from);
            let at = |lines: &[i32], i: u32| lines.get(i as usize).copied().map_or(0.0, f64::from);
            range -= most(across) + most(down);
            black += at(across, column) + at(down, row);
        }
        let linear = (black + value * range + 0.5).clamp(0.0, f64::from(white)) as u16;
        codes.get(usize::from(linear)).copied().unwrap_or(linear)
    });
    let (width, _) = spec.stored_size();
    for [row, column] in faults::bad(spec) {
        samples[(row * width + column) as usize] = ((1u32 << spec.bits) - 1) as u16;
    }
    Samples::Whole(samples)
}

/// What each sample of the active area would be without noise, faults and clipping.
pub(crate) fn ideal(spec: &ClipSpec, index: u32) -> Vec<f32> {
    let plain = ClipSpec {
        noise: 0.0,
        faults: Faults::default(),
        masked: Border::default(),
        ..spec.clone()
    };
    record(&plain, index, |_, _, value| value as f32)
}

/// Makes a sample of each linear value over the stored raster: what `code` makes of the row and
/// column of the active area, and the value that the sensor records there.
fn record<T: Copy + Default + Send + Sync>(
    spec: &ClipSpec,
    index: u32,
    code: impl Fn(u32, u32, f64) -> T + Sync,
) -> Vec<T> {
    let (width, height) = spec.stored_size();
    let per_pixel = spec.pixel.samples();
    let matrix = scene_to_camera();
    let frame = scene::Frame::new(spec, index);
    let frame_key = hash(spec.seed ^ hash(u64::from(index)));
    let mut samples = vec![T::default(); width as usize * height as usize * per_pixel];
    let lines = samples.par_chunks_exact_mut(width as usize * per_pixel);
    lines.enumerate().for_each(|(y, line)| {
        let row = (y as u32).wrapping_sub(spec.masked.top);
        let mut light = vec![[0.0; 3]; spec.width as usize];
        if row < spec.height {
            frame.row(row, &mut light);
        }
        for (i, sample) in line.iter_mut().enumerate() {
            let (x, plane) = (i / per_pixel, i % per_pixel);
            let column = (x as u32).wrapping_sub(spec.masked.left);
            let seen = row < spec.height && column < spec.width;
            let value = if seen {
                let color = match spec.pixel {
                    Pixel::Mosaic => spec.bayer.color(row, column),
                    _ => [CfaColor::Red, CfaColor::Green, CfaColor::Blue][plane],
                };
                let value = photosite(&matrix, color, light[column as usize]);
                faults::recorded(spec, row, column, value)
            } else {
                0.0
            };
            let noisy = if spec.noise > 0.0 {
                let key = frame_key ^ ((y as u64) << 32 | x as u64) ^ (plane as u64) << 24;
                value + spec.noise * deviation(value) * normal(key)
            } else {
                value
            };
            *sample = code(row, column, noisy);
        }
    });
    samples
}

fn photosite(matrix: &Matrix3, color: CfaColor, light: Rgb) -> f64 {
    let row = &matrix[match color {
        CfaColor::Red => 0,
        CfaColor::Green => 1,
        CfaColor::Blue => 2,
    }];
    row[0] * light[0] + row[1] * light[1] + row[2] * light[2]
}

/// Standard deviation of the noise on `value`, both relative to the clipping point.
fn deviation(value: f64) -> f64 {
    (value.max(0.0) / FULL_WELL + READ_NOISE * READ_NOISE / (FULL_WELL * FULL_WELL)).sqrt()
}

/// The pattern as the CFAPattern tag has it: 0 red, 1 green, 2 blue.
pub(crate) fn cfa_bytes(bayer: Bayer) -> Vec<u8> {
    [(0, 0), (0, 1), (1, 0), (1, 1)]
        .iter()
        .map(|(row, column)| match bayer.color(*row, *column) {
            CfaColor::Red => 0,
            CfaColor::Green => 1,
            CfaColor::Blue => 2,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(spec: &ClipSpec, index: u32) -> Vec<u16> {
        match expose(spec, index) {
            Samples::Whole(samples) => samples,
            Samples::Floats(_) => Vec::new(),
        }
    }

    #[test]
    fn the_neutral_of_the_file_is_the_cameras() {
        let white = color::apply(&scene_to_camera(), [1.0; 3]);
        for (stored, exact) in SCENE_WHITE_CAMERA.iter().zip(white) {
            assert!((f64::from(*stored) / 1e6 - exact).abs() < 5.1e-7, "{stored} and {exact}");
        }
    }

    /// Samples, taken back by the file's own levels, give the light of the scene again.
    #[test]
    fn samples_without_noise_are_the_scene() {
        let spec = ClipSpec {
            width: 96,
            height: 54,
            bits: 16,
            noise: 0.0,
            black_pattern: true,
            masked: Border { top: 3, left: 5, bottom: 2, right: 1 },
            bayer: Bayer::Gbrg,
            ..ClipSpec::default()
        };
        let (samples, truth) = (whole(&spec, 5), scene::picture(&spec, 5));
        let (width, _) = spec.stored_size();
        let matrix = scene_to_camera();
        for y in 0..spec.height {
            for x in 0..spec.width {
                let sample = samples[((y + 3) * width + x + 5) as usize];
                let (black, white) = spec.levels(y, x);
                let value = (f64::from(sample) - f64::from(black)) / f64::from(white - black);
                let light = truth[(y * spec.width + x) as usize].map(f64::from);
                let expected = photosite(&matrix, spec.bayer.color(y, x), light);
                assert!((value - expected.min(1.0)).abs() < 1.0 / 60_000.0, "{x},{y}");
            }
        }
        assert_eq!(samples[0], spec.levels(1, 1).0, "the masked border is black");
    }

    /// Log samples lead through their table to what linear ones of 16 bits say, within half a step.
    #[test]
    fn the_log_curve_is_undone_by_its_table() {
        let linear = ClipSpec { width: 96, height: 54, bits: 16, ..ClipSpec::default() };
        let log = ClipSpec { bits: 12, curve: Curve::Log, ..linear.clone() };
        let table = log.linearization_table();
        for (stored, exact) in whole(&log, 2).into_iter().zip(whole(&linear, 2)) {
            let code = usize::from(stored);
            let step = table[(code + 1).min(4095)] - table[code.saturating_sub(1)];
            let off = table[code].abs_diff(exact);
            // Nothing lies below the first entry; noise that deep is cut there.
            assert!(
                off <= step / 2 + 1 || exact < table[0],
                "{exact} is stored as {}",
                table[code]
            );
        }
    }
}
