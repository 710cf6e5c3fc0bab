//! The resample of a whole picture of floats, apart from any recipe: what
//! measurements and comparisons with other software run. It is made of the
//! same sums as a plate.

use super::Taps;
use super::cpu::{LANES, ROWS, horizontal, turn_planes, vertical};
use fearless_simd::Level;
use platefarm_model::recipe::Filter;

/// Delivered columns that are made at a time.
const STEP: usize = 64;

/// Three planes of one size, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `width * height` values each.
    pub planes: [Vec<f32>; 3],
}

/// The instruction sets of this machine, the best one first, with names.
#[must_use]
pub fn instruction_sets() -> Vec<(&'static str, Level)> {
    #[cfg(target_arch = "x86_64")]
    let wide = [
        Level::new().as_avx512().map(|simd| ("AVX-512", Level::Avx512(simd))),
        Level::new().as_avx2().map(|simd| ("AVX2", Level::Avx2(simd))),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let wide = [None];
    let baseline = Some(("baseline", Level::baseline()));
    wide.into_iter().chain([baseline]).flatten().collect()
}

impl Picture {
    /// The whole of it on `size` columns and rows, on one core.
    #[must_use]
    pub fn resized(&self, level: Level, filter: Filter, size: [usize; 2]) -> Self {
        let axis = |source: usize, size: usize| {
            Taps::new(filter, size as f64 / source as f64, 0.0, 0..size as u32, source as u32)
        };
        let taps = [axis(self.width, size[0]), axis(self.height, size[1])];
        self.resampled(level, &taps, false)
    }

    /// What the weights of columns and rows make of it, on one core. They are
    /// those of a source of this size.
    #[must_use]
    pub fn resampled(&self, level: Level, taps: &[Taps; 2], antiring: bool) -> Self {
        let [along, down] = taps;
        let (width, height) = (along.start.len(), down.start.len());
        let mut planes = [(); 3].map(|()| vec![0.0; width * height]);
        let mut rows = [(); ROWS].map(|()| vec![0.0; 3 * self.width]);
        let mut tile = Vec::new();
        let mut columns = [[0.0; LANES]; STEP];
        for from in (0..height).step_by(ROWS) {
            let lines = from..height.min(from + ROWS);
            for (row, line) in rows.iter_mut().zip(lines.clone()) {
                let first = down.start[line] as usize;
                for (out, plane) in row.chunks_exact_mut(self.width).zip(&self.planes) {
                    let source = |k: usize| &plane[(first + k) * self.width..][..self.width];
                    vertical(level, source, down.weights_of(line), antiring, out);
                }
            }
            for first in (0..width).step_by(STEP) {
                let columns = &mut columns[..STEP.min(width - first)];
                let reads = along.reads(first..first + columns.len());
                let base = reads.start;
                tile.resize(tile.len().max(reads.len()), [0.0; LANES]);
                let which = reads.start as usize..reads.end as usize;
                turn_planes(&rows, self.width, which, &mut tile);
                horizontal(level, &tile, base, along, first, antiring, columns);
                for (p, plane) in planes.iter_mut().enumerate() {
                    for (r, line) in lines.clone().enumerate() {
                        let to = &mut plane[line * width + first..][..columns.len()];
                        for (to, column) in to.iter_mut().zip(&*columns) {
                            *to = column[p * ROWS + r];
                        }
                    }
                }
            }
        }
        Self { width, height, planes }
    }
}
