//! ADX: scans of film as densities (SMPTE ST 2065-3), to ACES2065-1. The way
//! back is that of the chain; light of which there is none, or less, gets the
//! least density that the table has.
//!
//! Source: S-2008-002 and the Academy's `CSC.Academy.ADX10_to_ACES`.

use super::chain::{Chain, Link, Log, LogChannel, Lut1d};
use super::{Matrix3, diagonal};
use std::sync::Arc;

/// Channel-dependent to channel-independent densities.
const DENSITIES: Matrix3 = [
    [0.755_73, 0.221_97, 0.022_30],
    [0.059_01, 0.969_28, -0.028_29],
    [0.161_34, 0.074_06, 0.764_60],
];
/// Relative exposures to ACES2065-1.
const EXPOSURES: Matrix3 = [
    [0.722_86, 0.126_30, 0.150_84],
    [0.119_23, 0.764_18, 0.116_59],
    [0.014_27, 0.082_13, 0.903_59],
];
/// Density to logarithm of exposure, up to 0.6; a straight line beyond.
const TOE: [[f64; 2]; 11] = [
    [-0.19, -6.0],
    [0.01, -2.721_718_645],
    [0.028, -2.521_718_645],
    [0.054, -2.321_718_645],
    [0.095, -2.121_718_645],
    [0.145, -1.921_718_645],
    [0.22, -1.721_718_645],
    [0.3, -1.521_718_645],
    [0.4, -1.321_718_645],
    [0.5, -1.121_718_645],
    [0.6, -0.926_545_676_714_876],
];
/// Densities per entry of the table; every point of the toe is a multiple of it.
const STEP: f64 = 0.001;
/// The highest density that a code can have, with room for the matrix.
const MOST: f64 = 12.0;

/// Logarithm of exposure of a density.
fn exposure(density: f64) -> f64 {
    let scale = 100.0 / 55.0;
    let reference = (7120.0 - 1520.0) / 8000.0 * scale - 0.18_f64.log10();
    if density > 0.6 {
        return density * scale - reference;
    }
    let i = TOE.partition_point(|p| p[0] < density).clamp(1, TOE.len() - 1);
    let ([x0, y0], [x1, y1]) = (TOE[i - 1], TOE[i]);
    (y0 + (y1 - y0) * (density - x0) / (x1 - x0)).max(TOE[0][1])
}

/// ADX10 (`bits` 10) or ADX16 codes, 0 to 1 over the container, to ACES2065-1.
#[must_use]
pub fn adx_to_aces(bits: u32) -> Chain {
    let (most, black, per_density) =
        if bits == 10 { (1023.0, 95.0, 500.0) } else { (65535.0, 1520.0, 8000.0) };
    let length = ((MOST - TOE[0][0]) / STEP).round() as usize + 1;
    let column: Vec<f32> =
        (0..length).map(|i| exposure(TOE[0][0] + i as f64 * STEP) as f32).collect();
    let table = Lut1d {
        length,
        values: [&column[..]; 3].concat(),
        domain: [TOE[0][0], TOE[0][0] + (length - 1) as f64 * STEP],
        half_domain: false,
        hue_adjust: false,
        inverse: false,
    };
    let plain =
        LogChannel { lin_slope: 1.0, lin_offset: 0.0, log_slope: 1.0, log_offset: 0.0, toe: None };
    Chain(vec![
        Link::Matrix {
            matrix: diagonal([most / per_density; 3]),
            offset: [-black / per_density; 3],
        },
        Link::Matrix { matrix: DENSITIES, offset: [0.0; 3] },
        Link::Lut1d(Arc::new(table)),
        Link::Log(Log { inverse: true, base: 10.0, channels: [plain; 3] }),
        Link::Matrix { matrix: EXPOSURES, offset: [0.0; 3] },
    ])
}

/// ACES 1's fix for artefacts of blue lights (`LMT.Academy.BlueLightArtifactFix.a1.1.0`), on ACES2065-1.
#[must_use]
pub fn blue_light_fix() -> Chain {
    let matrix = [
        [0.940_437_268_3, -0.018_306_878_7, 0.077_869_610_4],
        [0.008_378_696_9, 0.828_659_993_9, 0.162_961_309_2],
        [0.000_547_126_1, -0.000_883_374_6, 1.000_336_248_6],
    ];
    Chain(vec![Link::Matrix { matrix, offset: [0.0; 3] }])
}
