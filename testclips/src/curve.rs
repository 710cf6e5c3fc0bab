//! Log companding: fewer stored codes than linear ones, undone by the reader
//! through the DNG LinearizationTable.

/// Linear code of black when the curve is used; the sample scale is then 16 bits.
pub(crate) const LOG_BLACK: u16 = 1024;

/// Ratio of the curve's steepest to its shallowest step.
const STEEPNESS: f64 = 400.0;

/// The table that goes into the file: stored code to 16-bit linear code, rising
/// from just below [`LOG_BLACK`] (so that read noise survives) to 65535.
pub(crate) fn linearization_table(bits: u8) -> Vec<u16> {
    let last = (1u32 << bits) - 1;
    let step = root(STEEPNESS, last);
    let floor = f64::from(LOG_BLACK) * 0.75;
    let mut power = 1.0;
    (0..=last)
        .map(|_| {
            let code = floor + (65_535.0 - floor) * (power - 1.0) / (STEEPNESS - 1.0);
            power *= step;
            (code + 0.5) as u16
        })
        .collect()
}

/// For every 16-bit linear code the stored code whose entry is nearest.
pub(crate) fn nearest_codes(table: &[u16]) -> Vec<u16> {
    let mut code = 0usize;
    (0..=u16::MAX)
        .map(|linear| {
            let distance = |c: usize| (i32::from(table[c]) - i32::from(linear)).abs();
            // Equal distances go on: neighbours at the steep end round to one linear code.
            while code + 1 < table.len() && distance(code + 1) <= distance(code) {
                code += 1;
            }
            code as u16
        })
        .collect()
}

/// The `n`-th root of `value` above 1, by bisection on integer powers.
fn root(value: f64, n: u32) -> f64 {
    let (mut low, mut high) = (1.0, 2.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if power(middle, n) < value { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn power(base: f64, mut n: u32) -> f64 {
    let (mut result, mut square) = (1.0, base);
    while n > 0 {
        if n & 1 == 1 {
            result *= square;
        }
        square *= square;
        n >>= 1;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_rises_from_below_black_to_white() {
        for bits in [8, 10, 12, 14] {
            let table = linearization_table(bits);
            assert_eq!(table.len(), 1 << bits);
            assert!(table.windows(2).all(|w| w[0] <= w[1]));
            assert!(table[0] < LOG_BLACK);
            assert_eq!(table[table.len() - 1], 65_535, "{bits} bits");
        }
    }

    #[test]
    fn the_nearest_code_is_the_nearest() {
        for bits in [8, 10, 12, 14] {
            let table = linearization_table(bits);
            let codes = nearest_codes(&table);
            let distance = |entry: u16, linear: u16| entry.abs_diff(linear);
            for linear in (0..=65_535u16).step_by(97) {
                let best = table.iter().map(|t| distance(*t, linear)).min();
                let got = distance(table[usize::from(codes[usize::from(linear)])], linear);
                assert_eq!(Some(got), best, "{bits} bits, linear {linear}");
            }
        }
    }
}
