//! What is mended about photosites, as the CPU executor runs it: between the
//! mosaic and its debayer, with as many rows in between as it looks at. Where nothing
//! is mended there is none of it, and rows go to the debayer directly.

use super::plan::MosaicInput;
use crate::ops::debayer_mhc::cpu::RowColors;
use crate::ops::{highlights, hot_pixels};
use fearless_simd::Level;
use platefarm_model::repair::{Highlights, Repairs};

/// Rows that are kept of what comes in and of what is mended first; both look two rows back and ahead at most.
const KEPT: i64 = 5;

/// A row of the mosaic as its even and its odd columns.
type Halves = [Vec<f32>; 2];

/// Rows and columns on each side that repairs look at.
#[must_use]
pub(super) const fn reach(repairs: Repairs) -> u32 {
    let hot = if repairs.hot_pixels { hot_pixels::HALO } else { 0 };
    hot + if matches!(repairs.highlights, Highlights::Rebuild) { highlights::HALO } else { 0 }
}

/// Repairs at work on the rows of a band.
#[derive(Debug)]
pub(super) struct Repairing {
    repairs: Repairs,
    red_at: (u32, u32),
    site_gains: [f32; 4],
    gains: [f32; 3],
    /// Pairs of columns that are lost on each side.
    lost: usize,
    came: Vec<Halves>,
    mended: Vec<Halves>,
    done: Halves,
}

impl Repairing {
    /// For a debayer that takes rows of `pairs` pairs of columns; none where there is nothing to mend.
    pub(super) fn new(input: &MosaicInput, pairs: usize) -> Option<Self> {
        let lost = reach(input.repairs) as usize / 2;
        let row = || [(); 2].map(|()| vec![0.0; pairs + 2 * lost]);
        (lost > 0).then(|| Self {
            repairs: input.repairs,
            red_at: input.red_at,
            site_gains: input.gains,
            gains: input.layout.white_balance,
            lost,
            came: (0..KEPT).map(|_| row()).collect(),
            mended: (0..KEPT).map(|_| row()).collect(),
            done: row(),
        })
    }

    /// Room for row `y`, and how many pairs it has on each side beyond those of the debayer.
    pub(super) fn input(&mut self, y: i64) -> (&mut Halves, usize) {
        (&mut self.came[place(y)], self.lost)
    }

    /// Takes row `y`, as it stands in [`Self::input`], and puts the row that is
    /// mended by then, whose number it returns, where `to` says.
    pub(super) fn push<'a>(
        &mut self,
        level: Level,
        y: i64,
        to: impl FnOnce(i64) -> &'a mut Halves,
    ) -> i64 {
        let rebuilds = self.repairs.highlights == Highlights::Rebuild;
        let (mut at, mut from) = (y, &self.came);
        if self.repairs.hot_pixels {
            at -= i64::from(hot_pixels::HALO);
            let rows = [-2, 0, 2].map(|d| &self.came[place(at + d)]);
            let site = at.rem_euclid(2) as usize * 2;
            let gains = [self.site_gains[site], self.site_gains[site + 1]];
            let out = if rebuilds { &mut self.mended[place(at)] } else { &mut self.done };
            hot_pixels::cpu::row(level, rows, gains, out);
            from = &self.mended;
        }
        if rebuilds {
            at -= i64::from(highlights::HALO);
            let rows = [-1, 0, 1].map(|d| &from[place(at + d)]);
            let colors = RowColors::of(at.rem_euclid(2) as u32, self.red_at);
            highlights::cpu::rebuild(level, rows, colors, self.gains, &mut self.done);
        }
        for (to, done) in to(at).iter_mut().zip(&self.done) {
            let done = &done[self.lost..done.len() - self.lost];
            to[..done.len()].copy_from_slice(done);
        }
        at
    }
}

fn place(y: i64) -> usize {
    y.rem_euclid(KEPT) as usize
}

#[cfg(test)]
#[path = "repairing_tests.rs"]
mod tests;
