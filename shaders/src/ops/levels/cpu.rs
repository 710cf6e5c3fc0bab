//! The CPU form: a row of samples into one row of even and one of odd columns
//! (see [`SplitRow`](crate::ops::debayer_mhc::cpu::SplitRow) for why).

use fearless_simd::{Level, dispatch};

/// What a row needs besides its samples. The slices begin at the row's first sample.
#[derive(Clone, Copy, Debug)]
pub struct RowLevels<'a> {
    /// Linear code of each sample value; empty when samples are linear already.
    pub linear: &'a [f32],
    /// Black level plus column delta, for every column.
    pub column_black: &'a [f32],
    /// Delta of this row.
    pub row_black: f32,
    /// Scale of the even and of the odd columns.
    pub scale: [f32; 2],
}

/// Pairs of samples into `even` and `odd`. The number of pairs is the length
/// of `odd`; where `even` is one longer, the row ends with a single sample.
pub fn row(level: Level, samples: &[u16], with: RowLevels<'_>, even: &mut [f32], odd: &mut [f32]) {
    match with.linear.len().checked_sub(1) {
        None => dispatch!(level, _simd => pairs(samples, with, even, odd, f32::from)),
        // A table is looked up one value at a time whatever the instruction set.
        Some(end) => {
            pairs(samples, with, even, odd, |s| with.linear[usize::from(s).min(end)]);
        }
    }
}

#[inline(always)]
fn pairs(
    samples: &[u16],
    with: RowLevels<'_>,
    even: &mut [f32],
    odd: &mut [f32],
    linear: impl Fn(u16) -> f32,
) {
    let [even_scale, odd_scale] = with.scale;
    let one = |s, black: f32, scale| (linear(s) - (black + with.row_black)) * scale;
    let inputs = samples.as_chunks::<2>().0.iter().zip(with.column_black.as_chunks::<2>().0);
    for (((s, black), e), o) in inputs.zip(even.iter_mut()).zip(odd.iter_mut()) {
        *e = one(s[0], black[0], even_scale);
        *o = one(s[1], black[1], odd_scale);
    }
    if even.len() > odd.len() {
        let last = 2 * odd.len();
        even[odd.len()] = one(samples[last], with.column_black[last], even_scale);
    }
}
