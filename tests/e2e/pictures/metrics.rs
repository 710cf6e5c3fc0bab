//! Distances between pictures, written for these tests from their definitions.

use std::path::Path;

/// A picture of f64 triples, row-major.
pub(crate) struct Image {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pixels: Vec<[f64; 3]>,
}

/// A mask, row-major.
pub(crate) struct Mask {
    width: usize,
    set: Vec<bool>,
}

/// What was measured between a plate and its truth.
pub(crate) struct Measured {
    pub(crate) psnr: f64,
    pub(crate) bias: [f64; 3],
    /// Relative error of 16x16 block means: median and 99th percentile.
    pub(crate) block: [f64; 2],
}

pub(crate) fn apply(m: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    std::array::from_fn(|r| (0..3).map(|k| m[r][k] * v[k]).sum())
}

/// Half bits of a plate's three planes.
pub(crate) fn half_planes(path: &Path) -> [Vec<u16>; 3] {
    platefarm_media::sink::exr::read(path).unwrap_or_else(|e| panic!("{e}")).rgb
}

/// Largest distance in units in the last place, and the share of equal values.
pub(crate) fn half_distance(a: &[Vec<u16>; 3], b: &[Vec<u16>; 3]) -> (i32, f64) {
    let ordered =
        |bits: u16| if bits & 0x8000 == 0 { i32::from(bits) } else { -i32::from(bits & 0x7fff) };
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    let (mut worst, mut equal, mut count) = (0, 0u64, 0u64);
    for (x, y) in pairs {
        worst = worst.max((ordered(*x) - ordered(*y)).abs());
        equal += u64::from(x == y);
        count += 1;
    }
    (worst, equal as f64 / count as f64)
}

impl Image {
    pub(crate) fn plate(path: &Path) -> Self {
        let read = platefarm_media::sink::exr::read(path).unwrap_or_else(|e| panic!("{e}"));
        let value = |bits: u16| f64::from(half::f16::from_bits(bits).to_f32());
        let [r, g, b] = &read.rgb;
        let pixels =
            r.iter().zip(g).zip(b).map(|((r, g), b)| [value(*r), value(*g), value(*b)]).collect();
        Self { width: read.width as usize, height: read.height as usize, pixels }
    }

    /// A truth picture: RGB half, any compression, read by the library.
    pub(crate) fn truth(path: &Path) -> Self {
        use exr::prelude::{ReadChannels, ReadLayers, read};
        let make = |size: exr::prelude::Vec2<usize>, _: &_| Image {
            width: size.width(),
            height: size.height(),
            pixels: vec![[0.0; 3]; size.area()],
        };
        let set = |image: &mut Image, at: exr::prelude::Vec2<usize>, (r, g, b): (f32, f32, f32)| {
            image.pixels[at.y() * image.width + at.x()] = [r, g, b].map(f64::from);
        };
        let read = read()
            .no_deep_data()
            .largest_resolution_level()
            .rgb_channels(make, set)
            .first_valid_layer()
            .all_attributes()
            .from_file(path);
        read.unwrap_or_else(|e| panic!("{}: {e}", path.display())).layer_data.channel_data.pixels
    }

    pub(crate) fn map(&self, f: impl Fn([f64; 3]) -> [f64; 3]) -> Self {
        Self {
            width: self.width,
            height: self.height,
            pixels: self.pixels.iter().map(|v| f(*v)).collect(),
        }
    }

    pub(crate) fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        let pixels = (y..y + height)
            .flat_map(|row| &self.pixels[row * self.width + x..][..width])
            .copied()
            .collect();
        Self { width, height, pixels }
    }

    pub(crate) fn mean(&self) -> [f64; 3] {
        std::array::from_fn(|c| {
            self.pixels.iter().map(|p| p[c]).sum::<f64>() / self.pixels.len() as f64
        })
    }

    /// Pixels with a channel above `threshold`, and their neighbours within `halo`.
    pub(crate) fn hot(&self, threshold: f64, halo: usize) -> Mask {
        let mut set = vec![false; self.pixels.len()];
        for (i, pixel) in self.pixels.iter().enumerate() {
            if pixel.iter().all(|v| *v <= threshold) {
                continue;
            }
            let (x, y) = (i % self.width, i / self.width);
            for row in y.saturating_sub(halo)..(y + halo + 1).min(self.height) {
                let columns = x.saturating_sub(halo)..(x + halo + 1).min(self.width);
                set[row * self.width..][columns].fill(true);
            }
        }
        Mask { width: self.width, set }
    }
}

impl Mask {
    pub(crate) fn crop(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        Self {
            width,
            set: (y..y + height)
                .flat_map(|row| &self.set[row * self.width + x..][..width])
                .copied()
                .collect(),
        }
    }
}

/// ACES2065-1 to luminance: the second row of AP0 to XYZ (SMPTE ST 2065-1).
fn luminance(v: [f64; 3]) -> f64 {
    0.343_966_449_8 * v[0] + 0.728_166_096_6 * v[1] - 0.072_132_546_4 * v[2]
}

/// PSNR with peak 1 and bias over pixels that are not hot; relative error of
/// block means over blocks that have none and whose truth is above 0.02.
pub(crate) fn measure(plate: &Image, truth: &Image, hot: &Mask) -> Measured {
    assert_eq!((plate.width, plate.height), (truth.width, truth.height));
    let (mut squares, mut bias, mut count) = (0.0, [0.0; 3], 0u64);
    for ((p, t), _) in
        plate.pixels.iter().zip(&truth.pixels).zip(&hot.set).filter(|(_, hot)| !**hot)
    {
        for c in 0..3 {
            squares += (p[c] - t[c]).powi(2);
            bias[c] += p[c] - t[c];
        }
        count += 1;
    }
    let mut blocks = Vec::new();
    for y in (0..=plate.height - 16).step_by(16) {
        for x in (0..=plate.width - 16).step_by(16) {
            if hot.crop(x, y, 16, 16).set.contains(&true) {
                continue;
            }
            let (p, t) = (plate.crop(x, y, 16, 16).mean(), truth.crop(x, y, 16, 16).mean());
            if luminance(t) > 0.02 {
                let worst = (0..3).map(|c| (p[c] - t[c]).abs()).fold(0.0, f64::max);
                blocks.push(worst / luminance(t));
            }
        }
    }
    blocks.sort_by(f64::total_cmp);
    Measured {
        psnr: -10.0 * (squares / (3.0 * count as f64)).log10(),
        bias: bias.map(|b| b / count as f64),
        block: [percentile(&blocks, 0.50), percentile(&blocks, 0.99)],
    }
}

/// Linear interpolation between the nearest ranks.
fn percentile(sorted: &[f64], q: f64) -> f64 {
    let at = q * (sorted.len() - 1) as f64;
    let (low, part) = (at.floor() as usize, at.fract());
    sorted[low] + part * (sorted[(low + 1).min(sorted.len() - 1)] - sorted[low])
}

/// CIELAB D50 of ACES2065-1, with `white_y` as the luminance of white.
pub(crate) fn lab(aces: [f64; 3], white_y: f64) -> [f64; 3] {
    use platefarm_model::color;
    let to_xyz = color::mul(
        &color::adapt(color::ACES_WHITE, color::D50),
        &color::rgb_to_xyz(&color::AP0, color::ACES_WHITE),
    );
    let (xyz, white) = (apply(&to_xyz, aces), color::xy_to_xyz(color::D50));
    let f = |t: f64| {
        if t > (6.0f64 / 29.0).powi(3) {
            t.cbrt()
        } else {
            t / (3.0 * (6.0f64 / 29.0).powi(2)) + 4.0 / 29.0
        }
    };
    let [x, y, z] = std::array::from_fn(|i| f(xyz[i] / (white[i] * white_y)));
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// CIEDE2000 colour difference (CIE 142-2001; Sharma, Wu, Dalal 2005).
pub(crate) fn ciede2000(first: [f64; 3], second: [f64; 3]) -> f64 {
    let seventh = |c: f64| (c.powi(7) / (c.powi(7) + 25f64.powi(7))).sqrt();
    let chroma = |lab: [f64; 3]| lab[1].hypot(lab[2]);
    let g = 0.5 * (1.0 - seventh((chroma(first) + chroma(second)) / 2.0));
    let primed = |lab: [f64; 3]| {
        let a = lab[1] * (1.0 + g);
        (a.hypot(lab[2]), lab[2].atan2(a).to_degrees().rem_euclid(360.0))
    };
    let ((c1, h1), (c2, h2)) = (primed(first), primed(second));
    let neutral = c1 * c2 == 0.0;
    let mut dh = if neutral { 0.0 } else { h2 - h1 };
    if dh > 180.0 {
        dh -= 360.0;
    } else if dh < -180.0 {
        dh += 360.0;
    }
    let mean_h = match (h1 - h2).abs() {
        _ if neutral => h1 + h2,
        d if d <= 180.0 => (h1 + h2) / 2.0,
        _ if h1 + h2 < 360.0 => (h1 + h2 + 360.0) / 2.0,
        _ => (h1 + h2 - 360.0) / 2.0,
    };
    let (mean_l, mean_c) = ((first[0] + second[0]) / 2.0, (c1 + c2) / 2.0);
    let cos = |degrees: f64| degrees.to_radians().cos();
    let t =
        1.0 - 0.17 * cos(mean_h - 30.0) + 0.24 * cos(2.0 * mean_h) + 0.32 * cos(3.0 * mean_h + 6.0)
            - 0.20 * cos(4.0 * mean_h - 63.0);
    let from_50 = (mean_l - 50.0).powi(2);
    let s_l = 1.0 + 0.015 * from_50 / (20.0 + from_50).sqrt();
    let (s_c, s_h) = (1.0 + 0.045 * mean_c, 1.0 + 0.015 * mean_c * t);
    let turn = 30.0 * (-((mean_h - 275.0) / 25.0).powi(2)).exp();
    let r = -2.0 * seventh(mean_c) * (2.0 * turn).to_radians().sin();
    let (l, c) = ((second[0] - first[0]) / s_l, (c2 - c1) / s_c);
    let h = 2.0 * (c1 * c2).sqrt() * (dh / 2.0).to_radians().sin() / s_h;
    (l * l + c * c + h * h + r * c * h).sqrt()
}

/// Pairs of Sharma, Wu and Dalal's table (2005): 1, 7, 17, 25.
#[test]
fn ciede2000_is_the_published_one() {
    for (a, b, expected) in [
        ([50.0, 2.6772, -79.7751], [50.0, 0.0, -82.7485], 2.0425),
        ([50.0, 0.0, 0.0], [50.0, -1.0, 2.0], 2.3669),
        ([50.0, 2.5, 0.0], [73.0, 25.0, -18.0], 27.1492),
        ([60.2574, -34.0099, 36.2677], [60.4626, -34.1751, 39.4387], 1.2644),
    ] {
        assert!((ciede2000(a, b) - expected).abs() < 1e-4, "{a:?} {b:?}: {}", ciede2000(a, b));
    }
}
