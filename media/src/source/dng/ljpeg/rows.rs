//! The inner loop of lossless JPEG: one row of samples from differences and
//! neighbours (ITU-T T.81, H.1.2.1), in one form per predictor and number of
//! components, so that nothing is decided per sample.

use super::bits::Bits;
use super::huffman::Table;

/// Decodes one row of interleaved samples into `out`: tables per component,
/// the row above, the row, and what the first sample of each component is
/// predicted from.
pub(super) type Row = fn(&mut Bits<'_>, &[&Table; 4], &[u16], &mut [u16], [i32; 4]);

/// The row form for a predictor (1 to 7) and a number of components (1 to 4).
pub(super) fn form(predictor: u8, components: usize) -> Option<Row> {
    macro_rules! forms {
        ($($p:literal)*) => {
            match (predictor, components) {
                $(($p, 1) => Some(row::<$p, 1>),
                ($p, 2) => Some(row::<$p, 2>),
                ($p, 3) => Some(row::<$p, 3>),
                ($p, 4) => Some(row::<$p, 4>),)*
                _ => None,
            }
        };
    }
    forms!(1 2 3 4 5 6 7)
}

/// T.81, table H.1: `a` is to the left, `b` above, `c` above to the left.
#[inline(always)]
const fn predict<const P: u8>(a: i32, b: i32, c: i32) -> i32 {
    match P {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    }
}

fn row<const P: u8, const N: usize>(
    bits: &mut Bits<'_>,
    tables: &[&Table; 4],
    above: &[u16],
    out: &mut [u16],
    first: [i32; 4],
) {
    let (head, body) = out.split_at_mut(N);
    let (head_above, body_above) = above.split_at(N);
    let (mut a, mut c) = ([0i32; N], [0i32; N]);
    bits.refill();
    for i in 0..N {
        head[i] = (first[i] + tables[i].difference(bits)) as u16;
        a[i] = i32::from(head[i]);
        c[i] = i32::from(head_above[i]);
    }
    let mut step = |bits: &mut Bits<'_>, out: &mut [u16], above: &[u16]| {
        for i in 0..N {
            let b = i32::from(above[i]);
            // Samples are numbers modulo 2^16.
            out[i] = (predict::<P>(a[i], b, c[i]) + tables[i].difference(bits)) as u16;
            a[i] = i32::from(out[i]);
            c[i] = b;
        }
    };
    // One refill suffices for four samples.
    let group = if N == 3 { 3 } else { 4 };
    let mut groups = body.chunks_exact_mut(group);
    let mut groups_above = body_above.chunks_exact(group);
    for (out, above) in (&mut groups).zip(&mut groups_above) {
        bits.refill();
        for (out, above) in out.chunks_exact_mut(N).zip(above.chunks_exact(N)) {
            step(bits, out, above);
        }
    }
    let rest = groups.into_remainder().chunks_exact_mut(N);
    for (out, above) in rest.zip(groups_above.remainder().chunks_exact(N)) {
        bits.refill();
        step(bits, out, above);
    }
}
