//! The CPU executor: a plan, row by row, in bands over all cores.
//!
//! A band streams, one [window](super::windows) of its columns after the other: mosaic
//! rows, colour rows and delivered rows live in rings just long enough for the
//! next operation, so that a frame passes through the caches once and nothing
//! of frame size is ever stored but its end.

use super::debayering::Debayering;
use super::plan::{Band, Input, MosaicInput, Plan};
use super::store;
use super::windows::{Window, windows, windows_of};
use crate::color::Plan as Colors;
use crate::ops::debayer_mhc::cpu::fill_outside;
use crate::ops::debayer_mhc::mirror;
use crate::ops::levels::cpu::RowLevels;
use crate::ops::resample::cpu::{BLOCK, LANES, ROWS};
use crate::ops::{
    finite, highlights, levels, matrix, resample, rgb_decode, to_half, unpack, white_balance,
};
use crate::{Executor, HalfImage, PlateRecipe, Prepared};
use fearless_simd::Level;
use platefarm_model::raw::{Packing, RgbLayout};
use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

/// Fewest delivered rows of a band: below, what it makes twice costs more than sharing gains.
const LEAST_ROWS: usize = 32;
/// Fewest rows of the input of a band, in rows of the halo on both sides of it.
const LEAST_HALOS: u32 = 3;
/// Delivered columns that are made and stored at a time.
const STEP: usize = 64;

/// Renders on the CPU.
#[derive(Debug)]
pub struct CpuExecutor {
    level: Level,
    bands: Option<usize>,
    /// Columns of a window.
    window: Option<usize>,
}

impl CpuExecutor {
    /// With the best instruction set of this machine and a band or two per thread.
    #[must_use]
    pub fn new() -> Self {
        Self { level: Level::new(), bands: None, window: None }
    }

    /// With a given instruction set and number of bands. The picture does not depend on either.
    #[cfg(test)]
    pub(crate) fn with(level: Level, bands: usize) -> Self {
        Self { level, bands: Some(bands), window: None }
    }

    /// With windows of about so many columns, which cannot be seen either.
    #[cfg(test)]
    pub(crate) fn windowed(self, window: usize) -> Self {
        Self { window: Some(window), ..self }
    }
}

impl Default for CpuExecutor {
    fn default() -> Self {
        Self::new()
    }
}

impl Executor for CpuExecutor {
    fn name(&self) -> String {
        "cpu".into()
    }

    fn prepare(&self, recipe: &PlateRecipe) -> Outcome<Box<dyn Prepared>> {
        let plan = Plan::new(recipe)?;
        let bands = match (self.bands, rayon::current_num_threads()) {
            (Some(count), _) => plan.bands_for_threads(count, 1),
            (None, 1) => plan.bands_for_threads(1, 1),
            (None, threads) => plan.bands_for_threads(2 * threads, least_rows(&plan)),
        };
        let windows = self.window.map_or_else(|| windows(&plan), |most| windows_of(&plan, most));
        Ok(Box::new(CpuPrepared {
            plan,
            bands,
            windows,
            level: self.level,
            spare: Mutex::default(),
            done: VecDeque::new(),
        }))
    }
}

/// Fewest delivered rows of a band of a plan.
fn least_rows(plan: &Plan) -> usize {
    let [_, lines] = plan.content_size();
    let rows = plan.band(0..lines).rows.len() * plan.input.block() as usize;
    let least = (2 * plan.halo() * LEAST_HALOS) as usize;
    (least * lines).div_ceil(rows.max(1)).max(LEAST_ROWS)
}

struct CpuPrepared {
    plan: Plan,
    bands: Vec<Band>,
    windows: Vec<Window>,
    level: Level,
    spare: Mutex<Vec<Scratch>>,
    /// Frames that were submitted and not finished.
    done: VecDeque<HalfImage>,
}

impl Prepared for CpuPrepared {
    /// A frame takes all cores by itself.
    fn depth(&self) -> usize {
        1
    }

    fn submit(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.plan.check_bytes(bytes.len())?;
        let [width, height] = self.plan.size.map(|side| side as usize);
        let mut planes = [(); 3].map(|()| vec![0; width * height]);
        let tasks = share_rows(&self.plan, &self.bands, &mut planes);
        let non_finite = tasks
            .into_par_iter()
            .map(|(band, planes)| {
                let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner);
                let scratch = spare().pop();
                let pairs = self.windows.first().map_or(0, Window::pairs);
                let mut scratch = scratch.unwrap_or_else(|| Scratch::new(&self.plan, pairs));
                let mut planes = planes;
                let tile = |window| {
                    let run = Run { plan: &self.plan, level: self.level, bytes, band, window };
                    run.tile(&mut scratch, &mut planes)
                };
                let non_finite: u64 = self.windows.iter().map(tile).sum();
                spare().push(scratch);
                non_finite
            })
            .sum();
        let [width, height] = self.plan.size;
        self.done.push_back(HalfImage { width, height, planes, non_finite });
        Ok(())
    }

    fn finish(&mut self) -> Outcome<HalfImage> {
        self.done.pop_front().ok_or_else(|| Fault::new(Code::Internal, "no frame is under way"))
    }
}

type Planes<'a> = [&'a mut [u16]; 3];

/// Gives each band the rows of the planes that it makes.
fn share_rows<'a>(
    plan: &Plan,
    bands: &'a [Band],
    planes: &'a mut [Vec<u16>; 3],
) -> Vec<(&'a Band, Planes<'a>)> {
    let width = plan.size[0] as usize;
    let content = plan.content[1] as usize * width..plan.content[3] as usize * width;
    let mut rest = planes.each_mut().map(|p| &mut p[content.clone()]);
    bands
        .iter()
        .map(|band| {
            let count = band.lines.len() * width;
            let mine = rest.each_mut().map(|plane| {
                let mine = if plan.flips[1] {
                    plane.split_off_mut(plane.len() - count..)
                } else {
                    plane.split_off_mut(..count)
                };
                mine.expect("bands lie within the content")
            });
            (band, mine)
        })
        .collect()
}

/// Buffers of one band at work, for windows of one width.
struct Scratch {
    /// Pairs of columns of a window.
    pairs: usize,
    /// Samples of one row.
    samples: Vec<u16>,
    /// The debayer, with the mosaic rows that it looks at.
    debayer: Option<Debayering>,
    /// Colour rows, by their number modulo the number of taps.
    color: Vec<Vec<f32>>,
    /// Rows after the vertical pass.
    rows: [Vec<f32>; ROWS],
    /// The columns of them that the delivered columns at hand look at.
    tile: Vec<[f32; LANES]>,
    /// Delivered columns, single and half.
    single: [[f32; LANES]; STEP],
    half: [[u16; LANES]; STEP],
}

impl Scratch {
    fn new(plan: &Plan, pairs: usize) -> Self {
        let run = (6 * pairs).next_multiple_of(BLOCK);
        Self {
            pairs,
            samples: Vec::new(),
            debayer: match &plan.input {
                Input::Mosaic(input) => Some(Debayering::new(pairs, input)),
                Input::Rgb(_) => None,
            },
            color: vec![vec![0.0; run]; plan.taps[1].count],
            rows: [(); ROWS].map(|()| vec![0.0; run]),
            tile: Vec::new(),
            single: [[0.0; LANES]; STEP],
            half: [[0; LANES]; STEP],
        }
    }
}

/// One window of one band of one frame.
struct Run<'a> {
    plan: &'a Plan,
    level: Level,
    bytes: &'a [u8],
    band: &'a Band,
    window: &'a Window,
}

impl Run<'_> {
    /// Makes it; returns its number of non-finite samples.
    fn tile(&self, scratch: &mut Scratch, planes: &mut Planes<'_>) -> u64 {
        let band = self.band;
        let mut next_site = match &self.plan.input {
            Input::Mosaic(input) => Debayering::first_for(input, band.rows.start),
            Input::Rgb(_) => 0,
        };
        let mut next_color = band.rows.start;
        let mut non_finite = 0;
        for from in band.lines.clone().step_by(ROWS) {
            let lines = from..(from + ROWS).min(band.lines.end);
            for line in lines.clone() {
                while next_color < self.plan.taps[1].reads(line..line + 1).end {
                    match &self.plan.input {
                        Input::Mosaic(input) => {
                            while next_site <= Debayering::last_for(input, next_color) {
                                let found = self.mosaic_row(input, next_site, next_color, scratch);
                                let fresh = band.fresh_rows.clone();
                                let fresh = i64::from(fresh.start)..i64::from(fresh.end);
                                non_finite += if fresh.contains(&next_site) { found } else { 0 };
                                next_site += 1;
                            }
                        }
                        Input::Rgb(layout) => {
                            let found = self.picture_row(layout, next_color, scratch);
                            let fresh = band.fresh_rows.contains(&next_color);
                            non_finite += if fresh { found } else { 0 };
                        }
                    }
                    self.to_aces(next_color, scratch);
                    next_color += 1;
                }
                self.down(line, scratch, line - from);
            }
            for unused in &mut scratch.rows[lines.len()..] {
                unused.fill(0.0);
            }
            non_finite += self.along(scratch, lines, planes);
        }
        non_finite
    }

    /// Unpack, levels and white balance of one row, or of its mirror image
    /// outside the picture, and the debayer as far as it then comes, which is
    /// in the end row `to` of the picture; returns its number of non-finite samples.
    fn mosaic_row(&self, input: &MosaicInput, at: i64, to: u32, scratch: &mut Scratch) -> u64 {
        let plan = self.plan;
        let layout = &input.layout;
        let Some(debayer) = &mut scratch.debayer else { return 0 };
        let y = mirror(at, plan.sites[1]);
        let Window { input_columns: columns, counted, .. } = self.window;
        // Whole words begin at every eighth sample, whatever the packing.
        let first = (layout.active.x + columns.start) & !7;
        let skip = (layout.active.x + columns.start - first) as usize;
        let start = plan.row_at(y) + first as usize * layout.packing.bits() as usize / 8;
        let bytes = &self.bytes[start..];

        let (row, margin) = debayer.input(at);
        let window = &self.window.columns;
        let window = window.start * input.block()..window.end * input.block();
        let inset = margin - (window.start - columns.start) as usize / 2;
        let [even, odd] = row.each_mut().map(|half| &mut half[inset..]);
        let (even, odd) = (&mut even[..columns.len().div_ceil(2)], &mut odd[..columns.len() / 2]);
        let site = y as usize % 2 * 2;
        let mut non_finite = 0;
        if layout.packing == Packing::F32Le {
            unpack::cpu::floats(self.level, &bytes[4 * skip..], even, odd);
            non_finite = finite(self.level, even, odd, *counted);
        } else {
            scratch.samples.resize(skip + columns.len(), 0);
            unpack::cpu::row(layout.packing, bytes, &mut scratch.samples);
            let with = RowLevels {
                linear: &input.levels.linear,
                column_black: &input.levels.column_black[y as usize % 2]
                    [columns.start as usize..columns.end as usize],
                row_black: input.levels.row_black[y as usize],
                scale: [input.levels.scale[site], input.levels.scale[site + 1]],
            };
            levels::cpu::row(self.level, &scratch.samples[skip..], with, even, odd);
        }
        white_balance::cpu::row(self.level, even, input.gains[site]);
        white_balance::cpu::row(self.level, odd, input.gains[site + 1]);
        if let Some(ceiling) = input.ceiling() {
            highlights::cpu::clip(self.level, even, ceiling);
            highlights::cpu::clip(self.level, odd, ceiling);
        }
        fill_outside(row, margin, window, plan.sites[0]);
        let slot = to as usize % scratch.color.len();
        debayer.push(self.level, at, &mut scratch.color[slot]);
        non_finite
    }

    /// Stored samples of one row; returns its number of non-finite samples.
    fn picture_row(&self, layout: &RgbLayout, y: u32, scratch: &mut Scratch) -> u64 {
        let plan = self.plan;
        let Window { columns, counted, .. } = self.window;
        let start = plan.row_at(y) + columns.start as usize * layout.samples.pixel_bytes();
        let bytes = &self.bytes[start..][..columns.len() * layout.samples.pixel_bytes()];
        let slot = y as usize % scratch.color.len();
        let out = &mut scratch.color[slot][..6 * scratch.pairs];
        rgb_decode::cpu::row(self.level, layout.samples, &layout.curve, bytes, out);
        let planes = out.chunks_exact_mut(2 * scratch.pairs);
        let found = planes.map(|plane| plane.split_at_mut(scratch.pairs));
        found.map(|(even, odd)| finite(self.level, even, odd, *counted)).sum()
    }

    /// What is done to one row of the picture before the resample: no guess of the debayer above the
    /// height that no photosite may exceed, and colour.
    fn to_aces(&self, y: u32, scratch: &mut Scratch) {
        let run = 2 * scratch.pairs;
        let slot = y as usize % scratch.color.len();
        let (red, rest) = scratch.color[slot].split_at_mut(run);
        let (green, rest) = rest.split_at_mut(run);
        let blue = &mut rest[..run];
        if let Input::Mosaic(input) = &self.plan.input
            && let Some(ceiling) = input.ceiling()
        {
            for plane in [&mut *red, &mut *green, &mut *blue] {
                highlights::cpu::clip(self.level, plane, ceiling);
            }
        }
        if let Some(matrix) = &self.plan.matrix {
            matrix::cpu::run(self.level, matrix, red, green, blue);
        }
        if let Some(colors) = &self.plan.before {
            colors.apply(self.level, [red, green, blue]);
        }
    }

    /// The vertical sum for one delivered row.
    fn down(&self, line: usize, scratch: &mut Scratch, slot: usize) {
        let taps = &self.plan.taps[1];
        let ring = &scratch.color;
        let start = taps.start[line] as usize;
        let row = |k: usize| &ring[(start + k) % ring.len()][..];
        let (weights, out) = (taps.weights_of(line), &mut scratch.rows[slot]);
        resample::cpu::vertical(self.level, row, weights, self.plan.antiring, out);
    }

    /// The horizontal sums for some lines of a band, as halves into its planes.
    fn along(&self, scratch: &mut Scratch, lines: Range<usize>, planes: &mut Planes<'_>) -> u64 {
        let plan = self.plan;
        let taps = &plan.taps[0];
        let width = plan.size[0] as usize;
        let first_row = plan.placed(1, self.band.lines.clone()).start;
        let mut non_finite = 0;
        let places = &self.window.places;
        for from in places.clone().step_by(STEP) {
            let count = STEP.min(places.end - from);
            let single = &mut scratch.single[..count];
            let half = &mut scratch.half[..count];
            // Few columns at a time, so that the turned ones stay in the nearest cache.
            let reads = taps.reads(from..from + count);
            let base = self.window.columns.start;
            let pairs = (reads.start - base) as usize / 2..(reads.end - base).div_ceil(2) as usize;
            scratch.tile.resize(scratch.tile.len().max(2 * pairs.len()), [0.0; LANES]);
            resample::cpu::turn(&scratch.rows, scratch.pairs, pairs.clone(), &mut scratch.tile);
            let base = base + 2 * pairs.start as u32;
            let tile = &scratch.tile;
            resample::cpu::horizontal(self.level, tile, base, taps, from, plan.antiring, single);
            if let Some(colors) = &plan.after {
                color_columns(self.level, colors, single);
            }
            non_finite +=
                to_half::cpu::run(self.level, single.as_flattened(), half.as_flattened_mut());
            let columns = plan.placed(0, from..from + count);
            for (p, plane) in planes.iter_mut().enumerate() {
                for (r, line) in lines.clone().enumerate() {
                    let row = plan.placed(1, line..line + 1).start - first_row;
                    let to = &mut plane[row * width..][columns.clone()];
                    let halves = half.iter().map(|column| column[p * ROWS + r]);
                    store(to, halves, plan.flips[0]);
                }
            }
        }
        non_finite
    }
}

/// Makes even and odd columns of a row finite; returns how many were not, but for the first columns
/// that were counted before.
fn finite(level: Level, even: &mut [f32], odd: &mut [f32], counted: usize) -> u64 {
    let (before, even) = even.split_at_mut(counted.div_ceil(2));
    let (odd_before, odd) = odd.split_at_mut(counted / 2);
    for counted in [before, odd_before] {
        let _ = finite::cpu::run(level, counted);
    }
    finite::cpu::run(level, even) + finite::cpu::run(level, odd)
}

/// Colour on delivered columns, each of which holds its rows plane by plane.
fn color_columns(level: Level, colors: &Colors, columns: &mut [[f32; LANES]]) {
    let mut planes = [[0.0; STEP * ROWS]; 3];
    let count = columns.len() * ROWS;
    for (p, plane) in planes.iter_mut().enumerate() {
        for (to, column) in plane.as_chunks_mut::<ROWS>().0.iter_mut().zip(&*columns) {
            to.copy_from_slice(&column[p * ROWS..][..ROWS]);
        }
    }
    let [red, green, blue] = &mut planes;
    colors.apply(level, [&mut red[..count], &mut green[..count], &mut blue[..count]]);
    for (p, plane) in planes.iter().enumerate() {
        for (from, column) in plane.as_chunks::<ROWS>().0.iter().zip(&mut *columns) {
            column[p * ROWS..][..ROWS].copy_from_slice(from);
        }
    }
}

#[cfg(test)]
#[path = "cpu_tests.rs"]
mod tests;
