//! How far a picture is from the truth, in the measures of the literature.
//! All take display-encoded pictures and leave out a border.

use platefarm_shaders::ops::resample::picture::Picture;
use std::ops::Range;

/// Rows and columns on each side that are not judged.
pub(crate) const BORDER: usize = 10;
/// The difference of differences from which a zipper is seen (Lu and Tan 2003, section III).
const ZIPPER: f32 = 2.3;

/// What a picture is worth.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// Peak signal to noise over the three colours at once, in dB.
    pub cpsnr: f64,
    /// Structural similarity, mean of the three colours.
    pub ssim: f64,
    /// False colour: mean error of (a*, b*).
    pub chroma: f64,
    /// The error of (a*, b*) that one pixel in a hundred exceeds.
    pub chroma_p99: f64,
    /// Percentage of pixels with a zipper.
    pub zipper: f64,
}

fn inside(picture: &Picture) -> [Range<usize>; 2] {
    [BORDER..picture.height - BORDER, BORDER..picture.width - BORDER]
}

/// CPSNR: `10 log10(1 / mean squared error over all three planes)`, peak 1.
pub(crate) fn cpsnr(truth: &Picture, picture: &Picture) -> f64 {
    let [rows, columns] = inside(truth);
    let mut sum = 0.0;
    for (a, b) in truth.planes.iter().zip(&picture.planes) {
        for y in rows.clone() {
            let row = y * truth.width + columns.start..y * truth.width + columns.end;
            sum += a[row.clone()]
                .iter()
                .zip(&b[row])
                .map(|(a, b)| f64::from(a - b) * f64::from(a - b))
                .sum::<f64>();
        }
    }
    -10.0 * (sum / (3 * rows.len() * columns.len()) as f64).log10()
}

/// Every measure.
pub(crate) fn score(truth: &Picture, picture: &Picture) -> Score {
    let (expected, got) = (Lab::of(truth), Lab::of(picture));
    let [rows, columns] = inside(truth);
    let mut errors = Vec::with_capacity(rows.len() * columns.len());
    let mut zippers = 0_usize;
    for y in rows.clone() {
        for x in columns.clone() {
            let at = y * truth.width + x;
            let (a, b) = (expected.0[at], got.0[at]);
            errors.push((a[1] - b[1]).hypot(a[2] - b[2]));
            zippers += usize::from(is_zipper(&expected, &got, at, truth.width));
        }
    }
    let count = errors.len();
    let mean = errors.iter().copied().map(f64::from).sum::<f64>() / count as f64;
    let (_, p99, _) = errors.select_nth_unstable_by(count * 99 / 100, f32::total_cmp);
    Score {
        cpsnr: cpsnr(truth, picture),
        ssim: ssim(truth, picture),
        chroma: mean,
        chroma_p99: f64::from(*p99),
        zipper: 100.0 * zippers as f64 / count as f64,
    }
}

/// Lu and Tan, Color filter array demosaicking: new method and performance
/// measures, IEEE TIP 12(10), 2003: of the eight neighbours take the one that
/// is most alike in the truth; the pixel has a zipper when the picture makes
/// its difference from that neighbour larger or smaller by more than the bound.
fn is_zipper(expected: &Lab, got: &Lab, at: usize, width: usize) -> bool {
    let around = [
        at - width - 1,
        at - width,
        at - width + 1,
        at - 1,
        at + 1,
        at + width - 1,
        at + width,
        at + width + 1,
    ];
    let near = around
        .into_iter()
        .map(|n| (expected.difference(at, n), n))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    near.is_some_and(|(truth, n)| (got.difference(at, n) - truth).abs() > ZIPPER)
}

/// A picture in CIELAB 1976 under D65, from display-encoded Rec.709 RGB.
pub(crate) struct Lab(pub(crate) Vec<[f32; 3]>);

impl Lab {
    /// Converts a picture.
    pub(crate) fn of(picture: &Picture) -> Self {
        // IEC 61966-2-1, each row over the white's X, Y and Z.
        const M: [[f32; 3]; 3] = [
            [0.433_953, 0.376_219, 0.189_828],
            [0.212_671, 0.715_160, 0.072_169],
            [0.017_758, 0.109_477, 0.872_765],
        ];
        let f = |t: f32| {
            if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 }
        };
        let pixel = |i: usize| {
            let rgb = [0, 1, 2].map(|p: usize| super::protocol::decoded(picture.planes[p][i]));
            let [x, y, z] = M.map(|m| f(m[0] * rgb[0] + m[1] * rgb[1] + m[2] * rgb[2]));
            [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
        };
        Self((0..picture.width * picture.height).map(pixel).collect())
    }

    fn difference(&self, a: usize, b: usize) -> f32 {
        let (a, b) = (self.0[a], self.0[b]);
        ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2) + (a[2] - b[2]).powi(2)).sqrt()
    }
}

/// Wang, Bovik, Sheikh, Simoncelli 2004: Gaussian window of 11x11, sigma 1.5, K1 0.01, K2 0.03.
fn ssim(truth: &Picture, picture: &Picture) -> f64 {
    const C1: f64 = 1e-4;
    const C2: f64 = 9e-4;
    let [rows, columns] = inside(truth);
    let mut sum = 0.0;
    for (a, b) in truth.planes.iter().zip(&picture.planes) {
        let blur = |f: &dyn Fn(f64, f64) -> f64| {
            let product = a.iter().zip(b).map(|(a, b)| f(f64::from(*a), f64::from(*b))).collect();
            blurred(product, truth.width)
        };
        let [ma, mb] = [blur(&|a, _| a), blur(&|_, b| b)];
        let [aa, bb, ab] = [blur(&|a, _| a * a), blur(&|_, b| b * b), blur(&|a, b| a * b)];
        for y in rows.clone() {
            for x in columns.clone() {
                let i = y * truth.width + x;
                let (va, vb) = (aa[i] - ma[i] * ma[i], bb[i] - mb[i] * mb[i]);
                let vab = ab[i] - ma[i] * mb[i];
                sum += (2.0 * ma[i] * mb[i] + C1) * (2.0 * vab + C2)
                    / ((ma[i] * ma[i] + mb[i] * mb[i] + C1) * (va + vb + C2));
            }
        }
    }
    sum / (3 * rows.len() * columns.len()) as f64
}

/// The window's weighted means; right from 5 pixels off the edges.
fn blurred(plane: Vec<f64>, width: usize) -> Vec<f64> {
    let weights: Vec<f64> =
        (-5_i32..=5).map(|d| (-f64::from(d * d) / (2.0 * 1.5 * 1.5)).exp()).collect();
    let total: f64 = weights.iter().sum();
    [1, width].into_iter().fold(plane, |plane, step| {
        let mut out = vec![0.0; plane.len()];
        for i in 5 * step..plane.len() - 5 * step {
            let sum: f64 =
                weights.iter().zip(0..).map(|(w, k)| w * plane[i + k * step - 5 * step]).sum();
            out[i] = sum / total;
        }
        out
    })
}
