//! The wavelet of PIZ: sums and differences of neighbours across and down,
//! then of every second value, and so on.
//!
//! OpenEXR's `ImfWav` walks over one plane with ever wider steps. Here each
//! level is gathered into a small plane of its own, so that every level runs
//! over neighbours and through wide registers, and its values are put back
//! between those of the level above at the end. The result is the same: a
//! level has the first halves of the pairs of the level above, and a row or
//! column that is left over without a neighbour takes no part further down.

/// Values below this are transformed in plain 16-bit arithmetic, others modulo 2^16.
const PLAIN: u32 = 1 << 14;

/// One level below the plane itself.
#[derive(Default)]
pub(super) struct Levels(Vec<Vec<u16>>);

impl Levels {
    /// Transforms a plane of `width` columns in place; no value is above `largest`.
    #[inline(always)]
    pub(super) fn transform(&mut self, plane: &mut [u16], width: usize, largest: u16) {
        let height = plane.len() / width;
        let depth = width.min(height).max(1).ilog2() as usize;
        if depth == 0 {
            return;
        }
        let plain = u32::from(largest) < PLAIN;
        self.0.resize_with(self.0.len().max(depth), Vec::new);
        let mut above: &mut [u16] = plane;
        let mut columns = width;
        // Down: transform, and gather the sums for the next level.
        transform_level(above, columns, plain);
        let used = depth - 1;
        for level in &mut self.0[..used] {
            gather(above, columns, level);
            columns /= 2;
            transform_level(level, columns, plain);
            above = level;
        }
        // Up: put every level back between the values of the one above.
        for i in (0..used).rev() {
            let (over, under) = self.0.split_at_mut(i);
            let columns = width >> i;
            let over = over.last_mut().map_or(&mut *plane, Vec::as_mut_slice);
            scatter(&under[0], over, columns);
        }
    }
}

/// Takes the first of every pair, of every pair of rows.
#[inline(always)]
fn gather(above: &[u16], columns: usize, level: &mut Vec<u16>) {
    level.clear();
    for rows in above.chunks_exact(2 * columns) {
        level.extend(rows[..columns].chunks_exact(2).map(|pair| pair[0]));
    }
}

/// The other way.
#[inline(always)]
fn scatter(level: &[u16], above: &mut [u16], columns: usize) {
    for (rows, values) in above.chunks_exact_mut(2 * columns).zip(level.chunks_exact(columns / 2)) {
        for (pair, value) in rows[..columns].chunks_exact_mut(2).zip(values) {
            pair[0] = *value;
        }
    }
}

#[inline(always)]
fn transform_level(plane: &mut [u16], columns: usize, plain: bool) {
    if plain {
        transform_with(plane, columns, plain_pair);
    } else {
        transform_with(plane, columns, modular_pair);
    }
}

/// Mean and difference. The arithmetic is signed; both results fit in 16 bits.
#[inline(always)]
fn plain_pair(a: u16, b: u16) -> [u16; 2] {
    let (a, b) = (i32::from(a.cast_signed()), i32::from(b.cast_signed()));
    [((a + b) >> 1) as u16, (a - b) as u16]
}

/// Mean and difference modulo 2^16, about an offset.
#[inline(always)]
fn modular_pair(a: u16, b: u16) -> [u16; 2] {
    let (a, b) = (u32::from(a ^ 0x8000), u32::from(b));
    let difference = a.wrapping_sub(b);
    let mean = (a + b) >> 1;
    // Where it was negative, the mean is half a turn away.
    let turned = mean + (difference >> 31 << 15);
    [turned as u16, difference as u16]
}

#[inline(always)]
fn transform_with(plane: &mut [u16], columns: usize, pair: impl Fn(u16, u16) -> [u16; 2]) {
    let mut rows = plane.chunks_exact_mut(2 * columns);
    for both in rows.by_ref() {
        let (upper, lower) = both.split_at_mut(columns);
        for (up, low) in upper.chunks_exact_mut(2).zip(lower.chunks_exact_mut(2)) {
            let [up_mean, up_step] = pair(up[0], up[1]);
            let [low_mean, low_step] = pair(low[0], low[1]);
            [up[0], low[0]] = pair(up_mean, low_mean);
            [up[1], low[1]] = pair(up_step, low_step);
        }
        if columns % 2 == 1 {
            let last = columns - 1;
            [upper[last], lower[last]] = pair(upper[last], lower[last]);
        }
    }
    for values in rows.into_remainder().chunks_exact_mut(2).take(columns / 2) {
        [values[0], values[1]] = pair(values[0], values[1]);
    }
}
