//! From the planes that a codec stores to red, green and blue. FFmpeg hands
//! over what was coded, untouched; range, matrix and the place of the chroma
//! samples are applied here, in the open, and the same by every version of it.

use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;

/// Codes that stand for 0 and for 1 in pictures that were stored as luma and chroma: film and video
/// have values beyond both, which must not be lost.
pub(super) const ZERO: f64 = 16_384.0;
/// See [`ZERO`].
pub(super) const ONE: f64 = 49_152.0;

/// How a decoded frame lies in memory: planes one behind the other, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Planes {
    pub(super) kind: Kind,
    /// Bits of a sample: one byte up to 8, two beyond.
    pub(super) bits: u32,
    pub(super) alpha: bool,
    /// Luma columns and rows of one chroma sample, as powers of two.
    pub(super) chroma_shift: [u32; 2],
}

/// What the planes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Luma, blue difference, red difference.
    Yuv,
    /// Green, blue, red.
    Gbr,
    /// Photosites; red is at this row and column.
    Bayer(u32, u32),
}

impl Planes {
    /// The planes of an FFmpeg pixel format, and the format to ask for: the same samples as planes,
    /// little-endian.
    ///
    /// # Errors
    /// [`Code::UnsupportedFeature`].
    pub(super) fn of(pixel_format: &str) -> Outcome<(Self, String)> {
        let refused = || {
            Fault::new(
                Code::UnsupportedFeature,
                format!("pixel format '{pixel_format}' is not read"),
            )
        };
        let plain = pixel_format.trim_end_matches("le").trim_end_matches("be");
        let plain = match plain {
            "nv12" | "nv21" => "yuv420p",
            "nv16" => "yuv422p",
            "p010" => "yuv420p10",
            "p012" => "yuv420p12",
            "p016" => "yuv420p16",
            "p210" => "yuv422p10",
            "p216" => "yuv422p16",
            "yuyv422" | "uyvy422" => "yuv422p",
            "y210" => "yuv422p10",
            "rgb24" | "bgr24" | "rgb0" | "bgr0" | "0rgb" | "0bgr" => "gbrp",
            "rgba" | "bgra" | "argb" | "abgr" => "gbrap",
            "rgb48" | "bgr48" => "gbrp16",
            "rgba64" | "bgra64" => "gbrap16",
            other => other,
        };
        if let Some(pattern) = plain.strip_prefix("bayer_") {
            let red = match pattern {
                "rggb16" => (0, 0),
                "grbg16" => (0, 1),
                "gbrg16" => (1, 0),
                "bggr16" => (1, 1),
                _ => return Err(refused()),
            };
            let kind = Kind::Bayer(red.0, red.1);
            let planes = Self { kind, bits: 16, alpha: false, chroma_shift: [0, 0] };
            return Ok((planes, format!("{plain}le")));
        }
        let (kind, alpha, chroma_shift, rest) = if let Some(rest) = plain.strip_prefix("gbra") {
            (Kind::Gbr, true, [0, 0], rest)
        } else if let Some(rest) = plain.strip_prefix("gbr") {
            (Kind::Gbr, false, [0, 0], rest)
        } else {
            let rest = plain.strip_prefix("yuv").ok_or_else(refused)?;
            let (alpha, rest) = match rest.strip_prefix('a') {
                Some(rest) => (true, rest),
                None => (false, rest.strip_prefix('j').unwrap_or(rest)),
            };
            let shift = match rest.get(..3) {
                Some("444") => [0, 0],
                Some("422") => [1, 0],
                Some("420") => [1, 1],
                _ => return Err(refused()),
            };
            (Kind::Yuv, alpha, shift, &rest[3..])
        };
        let bits = match rest {
            "p" => 8,
            "p9" => 9,
            "p10" => 10,
            "p12" => 12,
            "p14" => 14,
            "p16" => 16,
            _ => return Err(refused()),
        };
        let suffix = if bits > 8 { "le" } else { "" };
        Ok((Self { kind, bits, alpha, chroma_shift }, format!("{plain}{suffix}")))
    }

    const fn sample_bytes(self) -> usize {
        if self.bits > 8 { 2 } else { 1 }
    }

    const fn chroma_size(self, width: usize, height: usize) -> (usize, usize) {
        let [x, y] = self.chroma_shift;
        ((width + (1 << x) - 1) >> x, (height + (1 << y) - 1) >> y)
    }

    /// Bytes of a frame.
    pub(super) const fn frame_bytes(self, width: usize, height: usize) -> usize {
        let samples = match self.kind {
            Kind::Bayer(..) => width * height,
            _ => {
                let (w, h) = self.chroma_size(width, height);
                let planes = if self.alpha { 2 } else { 1 };
                width * height * planes + 2 * w * h
            }
        };
        samples * self.sample_bytes()
    }
}

/// How luma and chroma become red, green and blue (ITU-T H.273, clause 8).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Conversion {
    /// Weights of red and blue in luma.
    pub(super) weights: [f64; 2],
    /// Whether codes use their full range.
    pub(super) full_range: bool,
    /// Where the first chroma sample lies, in luma columns and rows.
    pub(super) chroma_at: [f64; 2],
}

/// Red, green and blue together, 16-bit little-endian: the codes of a picture of such planes, else
/// [`ZERO`] to [`ONE`].
pub(super) fn to_rgb(
    planes: Planes,
    conversion: Conversion,
    width: usize,
    height: usize,
    frame: &[u8],
) -> Vec<u8> {
    let mut out = vec![0; width * height * 6];
    match planes.kind {
        Kind::Gbr => gbr(planes, width, height, frame, &mut out),
        _ => yuv(planes, conversion, width, height, frame, &mut out),
    }
    out
}

fn gbr(planes: Planes, width: usize, height: usize, frame: &[u8], out: &mut [u8]) {
    let bytes = planes.sample_bytes();
    let plane = width * height * bytes;
    out.par_chunks_exact_mut(width * 6).enumerate().for_each(|(y, row)| {
        // Stored as green, blue, red.
        for (color, at) in [2, 0, 1].into_iter().enumerate() {
            let samples = &frame[at * plane + y * width * bytes..][..width * bytes];
            let places = row.chunks_exact_mut(6);
            if bytes == 2 {
                places.zip(samples.chunks_exact(2)).for_each(|(to, sample)| {
                    to[color * 2..][..2].copy_from_slice(sample);
                });
            } else {
                places.zip(samples).for_each(|(to, sample)| to[color * 2] = *sample);
            }
        }
    });
}

/// The arithmetic of one picture, in the codes that go out.
struct Kernel {
    luma: [f32; 2],
    chroma_zero: f32,
    red: f32,
    green: [f32; 2],
    blue: f32,
}

impl Kernel {
    fn new(bits: u32, conversion: Conversion) -> Self {
        let unit = f64::from(1u32 << (bits - 8));
        let last = f64::from((1u32 << bits) - 1);
        let (black, luma_span, chroma_span) = if conversion.full_range {
            (0.0, last, last)
        } else {
            (16.0 * unit, 219.0 * unit, 224.0 * unit)
        };
        let scale = ONE - ZERO;
        let [kr, kb] = conversion.weights;
        let kg = 1.0 - kr - kb;
        let chroma = scale / chroma_span;
        Self {
            luma: [(scale / luma_span) as f32, (ZERO - black * scale / luma_span) as f32],
            chroma_zero: (128.0 * unit) as f32,
            red: (2.0 * (1.0 - kr) * chroma) as f32,
            green: [
                (-2.0 * kb * (1.0 - kb) / kg * chroma) as f32,
                (-2.0 * kr * (1.0 - kr) / kg * chroma) as f32,
            ],
            blue: (2.0 * (1.0 - kb) * chroma) as f32,
        }
    }

    fn pixel(&self, y: f32, cb: f32, cr: f32) -> [u16; 3] {
        let y = y * self.luma[0] + self.luma[1];
        [y + self.red * cr, y + self.green[0] * cb + self.green[1] * cr, y + self.blue * cb]
            .map(|v| (v + 0.5).clamp(0.0, 65_535.0) as u16)
    }
}

fn yuv(
    planes: Planes,
    conversion: Conversion,
    width: usize,
    height: usize,
    frame: &[u8],
    out: &mut [u8],
) {
    let kernel = Kernel::new(planes.bits, conversion);
    let bytes = planes.sample_bytes();
    let (chroma_width, chroma_height) = planes.chroma_size(width, height);
    let (luma, chroma) = frame.split_at(width * height * bytes);
    let (blue, red) = chroma.split_at(chroma_width * chroma_height * bytes);
    let vertical = |y: usize| {
        if planes.chroma_shift[1] == 0 {
            return Between { first: y, second: y, part: 0.0 };
        }
        Between::of(y, conversion.chroma_at[1], chroma_height)
    };
    let columns: Vec<Between> = (0..width)
        .map(|x| {
            if planes.chroma_shift[0] == 0 {
                return Between { first: x, second: x, part: 0.0 };
            }
            Between::of(x, conversion.chroma_at[0], chroma_width)
        })
        .collect();
    out.par_chunks_exact_mut(width * 6).enumerate().for_each_init(
        || [vec![0.0f32; width], vec![0.0; chroma_width], vec![0.0; chroma_width]],
        |[luma_row, blue_row, red_row], (y, row)| {
            load(&luma[y * width * bytes..], bytes, luma_row);
            let between = vertical(y);
            for (plane, to) in [(blue, &mut *blue_row), (red, &mut *red_row)] {
                chroma_line(plane, bytes, between, kernel.chroma_zero, to);
            }
            for (x, to) in row.chunks_exact_mut(6).enumerate() {
                let at = columns[x];
                let rgb = kernel.pixel(luma_row[x], at.mix(blue_row), at.mix(red_row));
                for (to, value) in to.chunks_exact_mut(2).zip(rgb) {
                    to.copy_from_slice(&value.to_le_bytes());
                }
            }
        },
    );
}

/// Two samples and how far a place is from the first to the second.
#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    part: f32,
}

impl Between {
    /// Place `at` of the full raster between chroma samples, of which there is one for two places,
    /// the first of them at `start`. Beyond the last ones they go on as they are.
    fn of(at: usize, start: f64, count: usize) -> Self {
        let place = ((at as f64 - start) / 2.0).clamp(0.0, (count - 1) as f64);
        let first = place.floor() as usize;
        Self { first, second: (first + 1).min(count - 1), part: (place - place.floor()) as f32 }
    }

    fn mix(self, values: &[f32]) -> f32 {
        let (a, b) = (values[self.first], values[self.second]);
        a + (b - a) * self.part
    }
}

fn load(from: &[u8], bytes: usize, to: &mut [f32]) {
    if bytes == 1 {
        to.iter_mut().zip(from).for_each(|(to, v)| *to = f32::from(*v));
    } else {
        to.iter_mut()
            .zip(from.chunks_exact(2))
            .for_each(|(to, v)| *to = f32::from(u16::from_le_bytes([v[0], v[1]])));
    }
}

/// One row of chroma about zero, between two rows of the plane.
fn chroma_line(plane: &[u8], bytes: usize, between: Between, zero: f32, to: &mut [f32]) {
    let row = to.len() * bytes;
    load(&plane[between.first * row..], bytes, to);
    if between.part > 0.0 {
        let second = &plane[between.second * row..][..row];
        let part = between.part;
        if bytes == 1 {
            to.iter_mut().zip(second).for_each(|(to, v)| *to += (f32::from(*v) - *to) * part);
        } else {
            to.iter_mut().zip(second.chunks_exact(2)).for_each(|(to, v)| {
                *to += (f32::from(u16::from_le_bytes([v[0], v[1]])) - *to) * part;
            });
        }
    }
    to.iter_mut().for_each(|v| *v -= zero);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rgb(
        planes: Planes,
        conversion: Conversion,
        size: [usize; 2],
        frame: &[u16],
    ) -> Vec<[u16; 3]> {
        let bytes: Vec<u8> = if planes.bits > 8 {
            frame.iter().flat_map(|v| v.to_le_bytes()).collect()
        } else {
            frame.iter().map(|v| *v as u8).collect()
        };
        assert_eq!(bytes.len(), planes.frame_bytes(size[0], size[1]));
        to_rgb(planes, conversion, size[0], size[1], &bytes)
            .chunks_exact(6)
            .map(|p| [0, 2, 4].map(|i| u16::from_le_bytes([p[i], p[i + 1]])))
            .collect()
    }

    const REC709: Conversion =
        Conversion { weights: [0.2126, 0.0722], full_range: false, chroma_at: [0.0, 0.5] };

    /// Colour bars of SMPTE RP 219: 75 % bars in 10-bit Y, Cb, Cr and the RGB they are made from.
    #[test]
    fn known_codes_give_known_colours() {
        let (planes, _) = Planes::of("yuv444p10le").unwrap();
        for ([y, cb, cr], expected) in [
            ([64, 512, 512], [0.0, 0.0, 0.0]),
            ([940, 512, 512], [1.0, 1.0, 1.0]),
            ([721, 512, 512], [0.75, 0.75, 0.75]),
            ([674, 176, 543], [0.75, 0.75, 0.0]),
            ([581, 589, 176], [0.0, 0.75, 0.75]),
            ([534, 253, 207], [0.0, 0.75, 0.0]),
            ([251, 771, 817], [0.75, 0.0, 0.75]),
            ([204, 435, 848], [0.75, 0.0, 0.0]),
            ([111, 848, 481], [0.0, 0.0, 0.75]),
        ] {
            let found = rgb(planes, REC709, [1, 1], &[y, cb, cr])[0];
            for (code, value) in found.into_iter().zip(expected) {
                let value_found = (f64::from(code) - ZERO) / (ONE - ZERO);
                // The bars' own codes are rounded: half a code of 876, more for the chroma.
                assert!((value_found - value).abs() < 1.5 / 876.0, "{y} {cb} {cr}: {found:?}");
            }
        }
    }

    /// Within one code of the formula in double precision, for every combination of extremes.
    #[test]
    fn arithmetic_is_within_a_code() {
        for (format, bits) in [("yuv444p", 8u32), ("yuv444p10le", 10), ("yuv444p12le", 12)] {
            let (planes, _) = Planes::of(format).unwrap();
            for full_range in [false, true] {
                let conversion = Conversion { full_range, ..REC709 };
                let last = (1u32 << bits) - 1;
                for step in 0..1000u32 {
                    let [y, cb, cr] = [step * 7919, step * 104_729, step * 1_299_709]
                        .map(|v| (v % (last + 1)) as u16);
                    let found = rgb(planes, conversion, [1, 1], &[y, cb, cr])[0];
                    let unit = f64::from(1u32 << (bits - 8));
                    let [l, b, r] = [y, cb, cr].map(f64::from);
                    let (l, b, r) = if full_range {
                        let last = f64::from(last);
                        (l / last, (b - 128.0 * unit) / last, (r - 128.0 * unit) / last)
                    } else {
                        let chroma = |v: f64| (v / unit - 128.0) / 224.0;
                        ((l / unit - 16.0) / 219.0, chroma(b), chroma(r))
                    };
                    // BT.709-6, item 3.2 to 3.4, solved for R, G, B.
                    let (red, blue) = (l + 1.5748 * r, l + 1.8556 * b);
                    let green = (l - 0.2126 * red - 0.0722 * blue) / 0.7152;
                    for (code, value) in found.into_iter().zip([red, green, blue]) {
                        let exact = (ZERO + value * (ONE - ZERO)).clamp(0.0, 65_535.0);
                        assert!((f64::from(code) - exact).abs() <= 1.0, "{code} and {exact}");
                    }
                }
            }
        }
    }

    /// Chroma is between its neighbours where it was not sampled, and itself where it was.
    #[test]
    fn chroma_lies_where_it_was_sampled() {
        let (planes, ask) = Planes::of("yuv422p10le").unwrap();
        assert_eq!(ask, "yuv422p10le");
        let frame = [512, 512, 512, 512, 400, 600, 512, 512];
        let row = rgb(planes, REC709, [4, 1], &frame);
        let blue = |i: usize| i32::from(row[i][2]);
        assert!((blue(1) - (blue(0) + blue(2)) / 2).abs() <= 1, "midway: {row:?}");
        assert_eq!(blue(3), blue(2), "beyond the last sample it goes on");

        let (planes, _) = Planes::of("yuv420p").unwrap();
        let frame = [128u16; 16].into_iter().chain([100, 100, 140, 140, 128, 128, 128, 128]);
        let column = rgb(planes, REC709, [4, 4], &frame.collect::<Vec<_>>());
        let blue: Vec<f64> = (0..4).map(|y| f64::from(column[y * 4][2])).collect();
        // Samples lie between rows: 0.5 and 2.5.
        assert_eq!((blue[0], blue[3]), (blue[0].min(blue[1]), blue[3].max(blue[2])));
        let span = blue[3] - blue[0];
        assert!((blue[1] - blue[0] - span / 4.0).abs() <= 1.0, "{blue:?}");
        assert!((blue[2] - blue[0] - span * 3.0 / 4.0).abs() <= 1.0, "{blue:?}");
    }

    #[test]
    fn pictures_of_colours_keep_their_codes() {
        for (format, asked) in
            [("gbrp12le", "gbrp12le"), ("gbrap12le", "gbrap12le"), ("rgb48be", "gbrp16le")]
        {
            let (planes, ask) = Planes::of(format).unwrap();
            assert_eq!(ask, asked);
            let mut frame = vec![1, 2, 3, 4, 5, 6];
            if planes.alpha {
                frame.extend([9, 9]);
            }
            assert_eq!(rgb(planes, REC709, [2, 1], &frame), [[5, 1, 3], [6, 2, 4]]);
        }
        let (bayer, ask) = Planes::of("bayer_gbrg16le").unwrap();
        assert_eq!((bayer.kind, ask.as_str()), (Kind::Bayer(1, 0), "bayer_gbrg16le"));
        assert_eq!(bayer.frame_bytes(6, 4), 48);
        for odd in ["gray16le", "yuv410p", "pal8", "bayer_rggb8", "xyz12le", "yuv444p11", "yuv"] {
            assert_eq!(Planes::of(odd).unwrap_err().code, Code::UnsupportedFeature, "{odd}");
        }
    }
}
