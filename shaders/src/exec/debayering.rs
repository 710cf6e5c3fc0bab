//! The debayers as the CPU executor runs them: rows of the mosaic go in one
//! after the other, a row of the picture comes out when all that it looks at
//! has come in. Rows outside the picture go in as mirror images, so that none
//! of them knows of an edge.

use super::plan::MosaicInput;
use super::repairing::Repairing;
use crate::ops::debayer_mhc::cpu::SplitRow;
use crate::ops::{debayer_mhc, debayer_rcd, debayer_ri, superpixel};
use fearless_simd::Level;
use platefarm_model::recipe::Debayer;

/// Columns of the mosaic that a debayer makes at a time: for `ri` and `rcd` as measured on one CPU,
/// for the others chosen, not measured.
pub(super) const fn window_of(debayer: Debayer) -> u32 {
    match debayer {
        Debayer::Ri => debayer_ri::cpu::WINDOW,
        Debayer::Rcd => debayer_rcd::cpu::WINDOW,
        Debayer::Mhc => debayer_mhc::cpu::WINDOW,
        Debayer::Superpixel => superpixel::cpu::WINDOW,
    }
}

/// A debayer at work on the rows of a window.
#[derive(Debug)]
pub(super) struct Debayering {
    red_at: (u32, u32),
    repairing: Option<Repairing>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Ri(Box<debayer_ri::cpu::Stream>),
    Rcd(Box<debayer_rcd::cpu::Stream>),
    Mhc(Box<debayer_mhc::cpu::Stream>),
    /// The last rows, by their number modulo 5.
    Superpixel(Box<[SplitRow; 5]>),
}

impl Form {
    fn input(&mut self, y: i64) -> (&mut [Vec<f32>; 2], usize) {
        match self {
            Self::Ri(stream) => (stream.input(), debayer_ri::cpu::PAD),
            Self::Rcd(stream) => (stream.input(), debayer_rcd::cpu::MARGIN),
            Self::Mhc(stream) => (stream.input(y), debayer_mhc::cpu::MARGIN),
            Self::Superpixel(rows) => (&mut rows[y.rem_euclid(5) as usize].halves, 1),
        }
    }
}

impl Debayering {
    /// For rows of so many pairs of columns of the picture.
    pub(super) fn new(pairs: usize, input: &MosaicInput) -> Self {
        let red_at = input.red_at;
        let form = match input.debayer {
            Debayer::Ri => {
                Form::Ri(Box::new(debayer_ri::cpu::Stream::new(pairs, red_at, input.clips)))
            }
            Debayer::Rcd => Form::Rcd(Box::new(debayer_rcd::cpu::Stream::new(pairs, red_at))),
            Debayer::Mhc => {
                Form::Mhc(Box::new(debayer_mhc::cpu::Stream::new(pairs, red_at, input.clips)))
            }
            Debayer::Superpixel => {
                Form::Superpixel(Box::new([(); 5].map(|()| SplitRow::new(2 * pairs))))
            }
        };
        let mut form = form;
        let (_, margin) = form.input(0);
        let repairing = Repairing::new(input, pairs * input.block() as usize + 2 * margin);
        Self { red_at, repairing, form }
    }

    /// Room for row `y` of the mosaic: even and odd columns of those that are
    /// made, and pairs of columns that come before and behind.
    pub(super) fn input(&mut self, y: i64) -> (&mut [Vec<f32>; 2], usize) {
        let (row, margin) = self.form.input(y);
        match &mut self.repairing {
            Some(repairing) => {
                let (row, more) = repairing.input(y);
                (row, margin + more)
            }
            None => (row, margin),
        }
    }

    /// Takes row `y` of the mosaic, as it stands in [`Self::input`]. When it
    /// is the last one that a row of the picture looks at, that row is made:
    /// `out` begins with six runs of so many values as there are pairs of
    /// columns: red even, red odd, green even, green odd, blue even, blue odd.
    pub(super) fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        let y = match &mut self.repairing {
            Some(repairing) => repairing.push(level, y, |y| self.form.input(y).0),
            None => y,
        };
        match &mut self.form {
            Form::Ri(stream) => stream.push(level, y, out),
            Form::Rcd(stream) => stream.push(level, y, out),
            Form::Mhc(stream) => stream.push(level, y, out),
            // Its blocks begin at even rows, and a row looks at one row below its blocks.
            Form::Superpixel(_) if y.rem_euclid(2) == 0 => {}
            Form::Superpixel(rows) => {
                let columns = rows[0].halves[0].len() - 2;
                let rows = [4, 3, 2, 1].map(|d| &rows[(y - d).rem_euclid(5) as usize]);
                superpixel::cpu::row(level, rows, self.red_at, columns, out);
            }
        }
    }

    /// The last row of the mosaic that row `y` of the picture looks at.
    pub(super) fn last_for(input: &MosaicInput, y: u32) -> i64 {
        i64::from((y + 1) * input.block() + input.halo) - 1
    }

    /// The first row of the mosaic to push for rows from `y` on.
    pub(super) fn first_for(input: &MosaicInput, y: u32) -> i64 {
        i64::from(y * input.block()) - i64::from(input.halo)
    }
}
