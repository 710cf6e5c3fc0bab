//! Colour in f64: matrices and white points, transfer curves, and the spaces
//! that footage comes in and plates go out in. Everything here is done once
//! per clip or recipe; the per-pixel work is in `shaders`.

pub mod aces2;
pub mod adx;
pub mod chain;
pub mod display;
pub mod gamut;
mod known;
pub mod legacy;
pub mod meaning;
pub mod name;
pub mod output;
pub mod output1;
pub mod recipe;
pub mod space;
mod spline;
pub mod transfer;
mod words;

/// A 3x3 matrix, row-major; acts on column vectors.
pub type Matrix3 = [[f64; 3]; 3];

/// CIE xy of a primary or a white.
pub type Xy = [f64; 2];

/// ACES white (TB-2018-001).
pub const ACES_WHITE: Xy = [0.32168, 0.33767];
/// CIE D65.
pub const D65: Xy = [0.3127, 0.3290];
/// CIE D50, as the DNG specification's connection space has it.
pub const D50: Xy = [0.3457, 0.3585];
/// AP0 primaries (SMPTE ST 2065-1).
pub const AP0: [Xy; 3] = [[0.7347, 0.2653], [0.0, 1.0], [0.0001, -0.0770]];
/// AP1 primaries (ACEScg).
pub const AP1: [Xy; 3] = [[0.713, 0.293], [0.165, 0.830], [0.128, 0.044]];
/// ITU-R BT.709 primaries.
pub const REC709: [Xy; 3] = [[0.640, 0.330], [0.300, 0.600], [0.150, 0.060]];

/// The identity.
pub const IDENTITY: Matrix3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Bradford's cone responses (Lam 1985).
pub const BRADFORD: Matrix3 =
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]];
/// The cone responses of CIECAM02 (CIE 159:2004).
pub const CAT02: Matrix3 =
    [[0.7328, 0.4296, -0.1624], [-0.7036, 1.6975, 0.0061], [0.0030, 0.0136, 0.9834]];

/// `a` after `b`.
#[must_use]
pub fn mul(a: &Matrix3, b: &Matrix3) -> Matrix3 {
    std::array::from_fn(|r| std::array::from_fn(|c| (0..3).map(|k| a[r][k] * b[k][c]).sum()))
}

/// `m` on the column `v`.
#[must_use]
pub fn apply(m: &Matrix3, v: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|r| (0..3).map(|k| m[r][k] * v[k]).sum())
}

/// A diagonal matrix.
#[must_use]
pub fn diagonal(d: [f64; 3]) -> Matrix3 {
    std::array::from_fn(|r| std::array::from_fn(|c| if r == c { d[r] } else { 0.0 }))
}

/// The inverse, or `None` when the matrix has none that is usable.
#[must_use]
pub fn invert(m: &Matrix3) -> Option<Matrix3> {
    let minor = |r: usize, c: usize| {
        let (r1, r2) = ((r + 1) % 3, (r + 2) % 3);
        let (c1, c2) = ((c + 1) % 3, (c + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let det: f64 = (0..3).map(|c| m[0][c] * minor(0, c)).sum();
    (det.is_finite() && det.abs() > 1e-12)
        .then(|| std::array::from_fn(|r| std::array::from_fn(|c| minor(c, r) / det)))
}

/// XYZ of a chromaticity at Y = 1.
#[must_use]
pub fn xy_to_xyz([x, y]: Xy) -> [f64; 3] {
    [x / y, 1.0, (1.0 - x - y) / y]
}

/// Chromaticity of an XYZ.
#[must_use]
pub fn xyz_to_xy([x, y, z]: [f64; 3]) -> Xy {
    let sum = x + y + z;
    [x / sum, y / sum]
}

/// Linear RGB of `primaries` and `white` to XYZ (normalised primary matrix, SMPTE RP 177).
#[must_use]
pub fn rgb_to_xyz(primaries: &[Xy; 3], white: Xy) -> Matrix3 {
    let columns: [[f64; 3]; 3] = primaries.map(|[x, y]| [x, y, 1.0 - x - y]);
    let p: Matrix3 = std::array::from_fn(|r| std::array::from_fn(|c| columns[c][r]));
    let scale = invert(&p).map_or([1.0; 3], |inverse| apply(&inverse, xy_to_xyz(white)));
    mul(&p, &diagonal(scale))
}

/// Bradford adaptation of XYZ from one white to another.
#[must_use]
pub fn adapt(from: Xy, to: Xy) -> Matrix3 {
    adapt_by(&BRADFORD, from, to)
}

/// Adaptation of XYZ from one white to another, in the given cone responses.
#[must_use]
pub fn adapt_by(cones: &Matrix3, from: Xy, to: Xy) -> Matrix3 {
    let (a, b) = (apply(cones, xy_to_xyz(from)), apply(cones, xy_to_xyz(to)));
    let back = invert(cones).unwrap_or(IDENTITY);
    mul(&back, &mul(&diagonal(std::array::from_fn(|i| b[i] / a[i])), cones))
}

/// XYZ relative to `white` into linear RGB of `primaries` and `target_white`, adapted by Bradford.
#[must_use]
pub fn xyz_to_rgb(white: Xy, primaries: &[Xy; 3], target_white: Xy) -> Matrix3 {
    let npm = rgb_to_xyz(primaries, target_white);
    mul(&invert(&npm).unwrap_or(IDENTITY), &adapt(white, target_white))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_close(a: &Matrix3, b: &Matrix3, eps: f64) {
        for r in 0..3 {
            for c in 0..3 {
                assert!((a[r][c] - b[r][c]).abs() < eps, "[{r}][{c}]: {} and {}", a[r][c], b[r][c]);
            }
        }
    }

    /// SMPTE ST 2065-1:2012, equation for AP0 to XYZ.
    #[test]
    fn ap0_to_xyz_is_the_standards() {
        let standard = [
            [0.952_552_395_9, 0.0, 0.000_093_678_6],
            [0.343_966_449_8, 0.728_166_096_6, -0.072_132_546_4],
            [0.0, 0.0, 1.008_825_184_4],
        ];
        assert_close(&rgb_to_xyz(&AP0, ACES_WHITE), &standard, 1e-9);
    }

    /// Lindbloom's table: Bradford D65 to D50.
    #[test]
    fn bradford_is_the_published_one() {
        let published = [
            [1.047_811_2, 0.022_886_6, -0.050_127_0],
            [0.029_542_4, 0.990_484_4, -0.017_049_1],
            [-0.009_234_5, 0.015_043_6, 0.752_131_6],
        ];
        assert_close(&adapt([0.312_71, 0.329_02], [0.345_67, 0.358_50]), &published, 1e-4);
    }

    #[test]
    fn a_white_stays_neutral() {
        let to_ap0 = mul(&xyz_to_rgb(D65, &AP0, ACES_WHITE), &rgb_to_xyz(&REC709, D65));
        let white = apply(&to_ap0, [1.0; 3]);
        assert!(white.iter().all(|v| (v - 1.0).abs() < 1e-12), "{white:?}");
        assert_close(&mul(&invert(&to_ap0).unwrap(), &to_ap0), &IDENTITY, 1e-12);
        assert!(invert(&[[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]]).is_none());
    }
}
