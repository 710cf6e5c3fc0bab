//! The debayers alone, on a bare mosaic: what measurements and comparisons
//! with other software run, apart from any recipe. A plate goes through the
//! same rows in the same order (see [`exec`](crate::exec)).

use crate::ops::debayer_mhc::cpu::SplitRow;
use crate::ops::debayer_mhc::{self, mirror};
use crate::ops::resample::picture::Picture;
use crate::ops::superpixel;
use crate::ops::{debayer_rcd, debayer_ri};
use fearless_simd::{Level, dispatch};
use platefarm_model::raw::Bayer;
use std::ops::Range;

/// A mosaic of floats: white-balanced and scene-linear, as a plate's debayer sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mosaic {
    /// Columns, 2 or more.
    pub width: usize,
    /// Rows, 2 or more.
    pub height: usize,
    /// Where the colours are.
    pub bayer: Bayer,
    /// `width * height` photosites, row-major.
    pub sites: Vec<f32>,
}

/// One debayer, on the CPU.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// Its name on the command line.
    pub name: &'static str,
    /// Whether it works in an encoding of its own that it takes back afterwards,
    /// so that it wants scene-linear values whatever the picture is judged in.
    pub encodes: bool,
    /// Whether it makes one pixel of two by two photosites.
    pub halves: bool,
    /// Camera RGB of every photosite, on one core; of half the size for a
    /// debayer that halves. The picture takes its size; its memory is kept.
    pub run: fn(Level, &Mosaic, &mut Picture),
}

/// Every debayer that has its CPU form.
pub const FORMS: &[Form] = &[
    Form { name: "ri", encodes: true, halves: false, run: ri },
    Form { name: "rcd", encodes: true, halves: false, run: rcd },
    Form { name: "mhc", encodes: false, halves: false, run: mhc },
    Form { name: "superpixel", encodes: false, halves: true, run: half },
];

/// The one of this name.
#[must_use]
pub fn form(name: &str) -> Option<&'static Form> {
    FORMS.iter().find(|form| form.name == name)
}

impl Form {
    /// What it makes of a mosaic with the best instruction set of this machine.
    #[must_use]
    pub fn picture(&self, mosaic: &Mosaic) -> Picture {
        let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
        (self.run)(Level::new(), mosaic, &mut picture);
        picture
    }
}

/// Makes room for a picture of this size.
pub(crate) fn sized(picture: &mut Picture, width: usize, height: usize) {
    (picture.width, picture.height) = (width, height);
    picture.planes.iter_mut().for_each(|plane| plane.resize(width * height, 0.0));
}

/// A debayer that takes rows one after the other, mirrored ones included.
pub(crate) trait Rows {
    /// Rows that it wants before the first and behind the last.
    const HALO: u32;
    /// Pairs of columns before the first and behind the last.
    const MARGIN: usize;
    /// Columns that are best made at a time.
    const WINDOW: usize;

    fn input(&mut self, y: i64) -> &mut [Vec<f32>; 2];
    fn push(&mut self, level: Level, y: i64, out: &mut [f32]);
}

impl Rows for debayer_ri::cpu::Stream {
    const HALO: u32 = debayer_ri::HALO;
    const MARGIN: usize = debayer_ri::cpu::PAD;
    const WINDOW: usize = debayer_ri::cpu::WINDOW as usize;

    fn input(&mut self, _: i64) -> &mut [Vec<f32>; 2] {
        self.input()
    }
    fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        self.push(level, y, out);
    }
}

impl Rows for debayer_rcd::cpu::Stream {
    const HALO: u32 = debayer_rcd::HALO;
    const MARGIN: usize = debayer_rcd::cpu::MARGIN;
    const WINDOW: usize = debayer_rcd::cpu::WINDOW as usize;

    fn input(&mut self, _: i64) -> &mut [Vec<f32>; 2] {
        self.input()
    }
    fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        self.push(level, y, out);
    }
}

impl Rows for debayer_mhc::cpu::Stream {
    const HALO: u32 = debayer_mhc::HALO;
    const MARGIN: usize = debayer_mhc::cpu::MARGIN;
    const WINDOW: usize = debayer_mhc::cpu::WINDOW as usize;

    fn input(&mut self, y: i64) -> &mut [Vec<f32>; 2] {
        self.input(y)
    }
    fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        self.push(level, y, out);
    }
}

fn ri(level: Level, mosaic: &Mosaic, picture: &mut Picture) {
    let red_at = mosaic.bayer.red_at();
    let stream = |pairs| debayer_ri::cpu::Stream::new(pairs, red_at, [1.0; 3]);
    streamed(stream, level, mosaic, picture);
}

fn rcd(level: Level, mosaic: &Mosaic, picture: &mut Picture) {
    let red_at = mosaic.bayer.red_at();
    streamed(|pairs| debayer_rcd::cpu::Stream::new(pairs, red_at), level, mosaic, picture);
}

fn mhc(level: Level, mosaic: &Mosaic, picture: &mut Picture) {
    let red_at = mosaic.bayer.red_at();
    let stream = |pairs| debayer_mhc::cpu::Stream::new(pairs, red_at, [1.0; 3]);
    streamed(stream, level, mosaic, picture);
}

/// What a debayer with settings of its own makes of a mosaic: one window of
/// columns after the other, as a plate is made. `stream` is one for rows of so
/// many pairs of columns.
pub(crate) fn streamed<R: Rows>(
    stream: impl FnOnce(usize) -> R,
    level: Level,
    mosaic: &Mosaic,
    picture: &mut Picture,
) {
    let (width, height) = (mosaic.width, mosaic.height);
    sized(picture, width, height);
    let all = width.div_ceil(2);
    let pairs = all.div_ceil(width.div_ceil(R::WINDOW).max(1));
    let mut stream = stream(pairs);
    let mut runs = vec![0.0; 6 * pairs];
    for first in (0..all).step_by(pairs.max(1)) {
        // The last one begins earlier, so that none is narrower.
        let first = first.min(all - pairs);
        window(&mut stream, level, mosaic, first..first + pairs, &mut runs, picture);
    }
}

/// Some pairs of columns of a mosaic. `runs` is room for a row of them.
fn window<R: Rows>(
    stream: &mut R,
    level: Level,
    mosaic: &Mosaic,
    pairs: Range<usize>,
    runs: &mut [f32],
    picture: &mut Picture,
) {
    let (width, height) = (mosaic.width, mosaic.height);
    let margin = 2 * R::MARGIN as i64;
    let (first, end) = (2 * pairs.start as i64 - margin, 2 * pairs.end as i64 + margin);
    let inside = first.max(0) as usize..width.min(end as usize);
    let skipped = (inside.start as i64 - first) as usize / 2;
    let outside: Vec<(usize, usize)> = (first..0)
        .chain(width as i64..end)
        .map(|x| ((x - first) as usize, mirror(x, width as u32) as usize))
        .collect();
    let columns = 2 * pairs.start..width.min(2 * pairs.end);
    let halo = i64::from(R::HALO);
    for y in -halo..height as i64 + halo {
        let row = &mosaic.sites[mirror(y, height as u32) as usize * width..][..width];
        let input = stream.input(y);
        let [even, odd] = input.each_mut().map(|half| &mut half[skipped..]);
        dispatch!(level, _simd => unweave(&row[inside.clone()], even, odd));
        for (to, from) in &outside {
            input[to % 2][to / 2] = row[*from];
        }
        stream.push(level, y, runs);
        let Ok(done) = usize::try_from(y - halo) else { continue };
        for (plane, runs) in picture.planes.iter_mut().zip(runs.chunks_exact(2 * pairs.len())) {
            let (even, odd) = runs.split_at(pairs.len());
            let row = &mut plane[done * width..][columns.clone()];
            dispatch!(level, _simd => weave(even, odd, row));
        }
    }
}

fn half(level: Level, mosaic: &Mosaic, picture: &mut Picture) {
    let (width, height) = (mosaic.width, mosaic.height);
    let blocks = [width, height].map(|side| superpixel::size(side as u32) as usize);
    sized(picture, blocks[0], blocks[1]);
    let run = blocks[0].div_ceil(2);
    let mut ring = [(); 4].map(|()| SplitRow::new(blocks[0]));
    let mut runs = vec![0.0; 6 * run];
    let mut next = -1;
    for y in 0..blocks[1] as i64 {
        while next <= 2 * y + 2 {
            let from = mirror(next, height as u32) as usize * width;
            let row = &mut ring[next.rem_euclid(4) as usize];
            let [even, odd] = row.halves.each_mut().map(|half| &mut half[1..]);
            unweave(&mosaic.sites[from..from + width], even, odd);
            row.fill_outside(0..width as u32, width as u32);
            next += 1;
        }
        let rows = [-1, 0, 1, 2].map(|d| &ring[(2 * y + d).rem_euclid(4) as usize]);
        superpixel::cpu::row(level, rows, mosaic.bayer.red_at(), blocks[0], &mut runs);
        for (plane, runs) in picture.planes.iter_mut().zip(runs.chunks_exact(2 * run)) {
            let (even, odd) = runs.split_at(run);
            weave(even, odd, &mut plane[y as usize * blocks[0]..][..blocks[0]]);
        }
    }
}

/// One row into its even and odd columns.
#[inline(always)]
pub(crate) fn unweave(row: &[f32], even: &mut [f32], odd: &mut [f32]) {
    let (pairs, last) = row.as_chunks::<2>();
    for ((pair, even), odd) in pairs.iter().zip(&mut *even).zip(odd) {
        [*even, *odd] = *pair;
    }
    if let [last] = last {
        even[pairs.len()] = *last;
    }
}

/// Even and odd columns into one row.
#[inline(always)]
pub(crate) fn weave(even: &[f32], odd: &[f32], row: &mut [f32]) {
    let (pairs, last) = row.as_chunks_mut::<2>();
    for ((pair, even), odd) in pairs.iter_mut().zip(even).zip(odd) {
        *pair = [*even, *odd];
    }
    if let [last] = last {
        *last = even[pairs.len()];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noise with some lights that clip, far apart.
    fn mosaic(width: usize, height: usize) -> Mosaic {
        let mut state = 7_u32;
        let site = |i: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let light = if i % width % 301 < 4 { 1.0 } else { 0.0 };
            (state >> 8) as f32 / (1 << 24) as f32 * 0.9 + light
        };
        let sites = (0..width * height).map(site).collect();
        Mosaic { width, height, bayer: Bayer::Grbg, sites }
    }

    /// So many columns of a mosaic, from an even one on.
    fn cut(mosaic: &Mosaic, from: usize, width: usize) -> Mosaic {
        let rows = mosaic.sites.chunks_exact(mosaic.width);
        let sites = rows.flat_map(|row| &row[from..from + width]).copied().collect();
        Mosaic { width, sites, ..*mosaic }
    }

    /// A cut is made in one window. Away from its ends it has what the whole
    /// has there, which is made in several.
    #[test]
    fn windows_cannot_be_seen() {
        const CUT: usize = 200;
        // `rcd` has the widest windows. 64 columns are more than any of these looks at.
        let (width, inner) = (2 * debayer_rcd::cpu::WINDOW as usize + 7, 64..136);
        let mosaic = mosaic(width, 9);
        for form in FORMS.iter().filter(|form| !form.halves) {
            let whole = form.picture(&mosaic);
            for from in (0..width - CUT).step_by(inner.len()) {
                let part = form.picture(&cut(&mosaic, from, CUT));
                for (whole, part) in whole.planes.iter().zip(&part.planes) {
                    for (y, row) in part.chunks_exact(CUT).enumerate() {
                        for x in inner.clone() {
                            let (a, b) = (whole[y * width + from + x], row[x]);
                            let place = (from + x, y);
                            assert_eq!(a.to_bits(), b.to_bits(), "{} {place:?}", form.name);
                        }
                    }
                }
            }
        }
    }
}
