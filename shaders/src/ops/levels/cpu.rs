//! The CPU form: a row of samples into one row of even and one of odd columns.
//!
//! From here to the resample, a row lives as two halves, its even and its odd
//! columns. A Bayer row alternates between two colours, so each half holds one
//! of them, and every loop of the debayer runs over contiguous values.

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
    dispatch!(level, _simd => row_inner(samples, with, even, odd));
}

#[inline(always)]
fn row_inner(samples: &[u16], with: RowLevels<'_>, even: &mut [f32], odd: &mut [f32]) {
    let last = even.len().checked_sub(1).filter(|_| even.len() > odd.len());
    let pairs = samples.as_chunks::<2>().0.iter().zip(with.column_black.as_chunks::<2>().0);
    if with.linear.is_empty() {
        let each = |s: u16, black: f32, scale| one(f32::from(s), black, with.row_black, scale);
        for (((s, black), e), o) in pairs.zip(even.iter_mut()).zip(odd.iter_mut()) {
            *e = each(s[0], black[0], with.scale[0]);
            *o = each(s[1], black[1], with.scale[1]);
        }
        if let Some(i) = last {
            even[i] = each(samples[2 * i], with.column_black[2 * i], with.scale[0]);
        }
    } else {
        let end = with.linear.len() - 1;
        let each = |s: u16, black: f32, scale| {
            one(with.linear[usize::from(s).min(end)], black, with.row_black, scale)
        };
        for (((s, black), e), o) in pairs.zip(even.iter_mut()).zip(odd.iter_mut()) {
            *e = each(s[0], black[0], with.scale[0]);
            *o = each(s[1], black[1], with.scale[1]);
        }
        if let Some(i) = last {
            even[i] = each(samples[2 * i], with.column_black[2 * i], with.scale[0]);
        }
    }
}

#[inline(always)]
fn one(linear: f32, column_black: f32, row_black: f32, scale: f32) -> f32 {
    (linear - (column_black + row_black)) * scale
}
