//! Small pictures of display values: scaling down, placing, lettering, lines.
//! For thumbnails, the contact sheet and framing charts; plates never pass
//! through here.

pub mod chart;
pub mod font;

/// RGB, 8 bits, row-major.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Red, green, blue of each pixel; three bytes a pixel.
    pub rgb: Vec<u8>,
}

impl Picture {
    /// A picture of one colour.
    #[must_use]
    pub fn filled(width: usize, height: usize, color: [u8; 3]) -> Self {
        Self { width, height, rgb: color.repeat(width * height) }
    }

    /// Sets the pixels of a rectangle, as far as it lies on the picture.
    pub fn fill(&mut self, x: usize, y: usize, size: [usize; 2], color: [u8; 3]) {
        for row in y..(y + size[1]).min(self.height) {
            for column in x..(x + size[0]).min(self.width) {
                let at = (row * self.width + column) * 3;
                self.rgb[at..at + 3].copy_from_slice(&color);
            }
        }
    }

    /// Puts `picture` with its top left at x and y, as far as it lies on this one.
    pub fn place(&mut self, picture: &Self, x: usize, y: usize) {
        let columns = picture.width.min(self.width.saturating_sub(x));
        let rows = picture.height.min(self.height.saturating_sub(y));
        for row in 0..rows {
            let from = row * picture.width * 3;
            let to = ((y + row) * self.width + x) * 3;
            self.rgb[to..to + columns * 3].copy_from_slice(&picture.rgb[from..from + columns * 3]);
        }
    }

    /// Writes one line of text, each dot `scale` pixels wide and high.
    pub fn write(&mut self, text: &str, x: usize, y: usize, scale: usize, color: [u8; 3]) {
        for (i, letter) in text.chars().enumerate() {
            let left = x + i * (font::WIDTH + 1) * scale;
            for row in 0..font::HEIGHT {
                for column in 0..font::WIDTH {
                    if font::dot(letter, column, row) {
                        self.fill(left + column * scale, y + row * scale, [scale; 2], color);
                    }
                }
            }
        }
    }
}

/// How many letters fit in `width` pixels.
#[must_use]
pub fn letters_in(width: usize, scale: usize) -> usize {
    (width + scale) / ((font::WIDTH + 1) * scale)
}

/// The size of a picture of `width` by `height` that fits in `bounds`; never enlarged.
#[must_use]
pub fn fit(width: usize, height: usize, bounds: [usize; 2]) -> [usize; 2] {
    let scale = (bounds[0] as f64 / width as f64).min(bounds[1] as f64 / height as f64).min(1.0);
    [width, height].map(|side| ((side as f64 * scale).round() as usize).max(1))
}

/// Scales linear planes down by averaging areas, and turns each pixel into a
/// display value. Averaging is done on light, before the display's curve.
///
/// `planes` are `size` pixels each, row-major; `to` is not larger.
pub fn shrink(
    planes: [&[f32]; 3],
    size: [usize; 2],
    to: [usize; 2],
    display: impl Fn([f32; 3]) -> [f32; 3],
) -> Picture {
    let columns = spans(size[0], to[0]);
    let rows = spans(size[1], to[1]);
    let mut picture = Picture::filled(to[0], to[1], [0; 3]);
    for (pixel, (row, column)) in picture
        .rgb
        .chunks_exact_mut(3)
        .zip(rows.iter().flat_map(|r| columns.iter().map(move |c| (r, c))))
    {
        let mean = planes.map(|plane| {
            let mut sum = 0.0;
            for y in row.clone() {
                sum += plane[y * size[0]..][column.clone()].iter().sum::<f32>();
            }
            sum / (row.len() * column.len()) as f32
        });
        let shown = display(mean).map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8);
        pixel.copy_from_slice(&shown);
    }
    picture
}

/// Splits `from` pixels into `to` runs of whole pixels, each of at least one.
fn spans(from: usize, to: usize) -> Vec<std::ops::Range<usize>> {
    (0..to)
        .map(|i| {
            let (begin, end) = (i * from / to, (i + 1) * from / to);
            begin..end.max(begin + 1).min(from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_averages_areas() {
        let plane: Vec<f32> = vec![0.0, 1.0, 0.5, 0.5, 0.0, 1.0, 0.25, 0.75];
        let picture = shrink([&plane, &plane, &plane], [4, 2], [2, 1], |c| c);
        assert_eq!(picture.rgb, [128; 6]);
        assert_eq!(spans(7, 3), [0..2, 2..4, 4..7]);
    }

    #[test]
    fn pictures_fit_and_do_not_grow() {
        assert_eq!(fit(4096, 2304, [320, 180]), [320, 180]);
        assert_eq!(fit(4096, 1716, [320, 180]), [320, 134]);
        assert_eq!(fit(100, 50, [320, 180]), [100, 50]);
        assert_eq!(fit(10_000, 1, [320, 180]), [320, 1]);
    }

    #[test]
    fn what_leaves_the_picture_is_cut() {
        let mut picture = Picture::filled(8, 8, [0; 3]);
        picture.write("LL", 4, 4, 1, [9; 3]);
        picture.place(&Picture::filled(4, 4, [7; 3]), 6, 6);
        picture.fill(7, 0, [5, 1], [3; 3]);
        let at = |x: usize, y: usize| picture.rgb[(y * 8 + x) * 3];
        assert_eq!((at(4, 4), at(5, 4), at(6, 6), at(7, 7), at(7, 0)), (9, 0, 7, 7, 3));
        assert_eq!(letters_in(11, 1), 2);
    }
}
