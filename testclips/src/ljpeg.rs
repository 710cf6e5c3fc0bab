//! A lossless JPEG encoder: ITU-T T.81 (1992) annex H with the Huffman coding
//! of process 14, spatial prediction, no point transform.
//!
//! Written from the standard and independently of the decoder in `media`.

/// Shape of a stream: its columns and rows count pixels of `components` samples.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
    pub(crate) components: usize,
    /// Bits of a sample, 2 to 16.
    pub(crate) precision: u8,
}

/// Encodes `samples` (interleaved, row by row) with `predictor` 1 to 7 and a
/// restart marker every `restart_rows` rows (0: none).
pub(crate) fn encode(samples: &[u16], shape: Shape, predictor: u8, restart_rows: usize) -> Vec<u8> {
    let lines = Lines { samples, shape, predictor, restart_rows };
    let mut counts = vec![[0u64; 17]; shape.components];
    for row in 0..shape.rows {
        lines.differences(row, |component, difference| {
            counts[component][category(difference) as usize] += 1;
        });
    }
    let tables: Vec<Huffman> = counts.iter().map(Huffman::fitting).collect();

    let mut out = Vec::with_capacity(samples.len());
    write_headers(&mut out, &lines, &tables);
    let mut bits = BitWriter { out, pending: 0, count: 0 };
    for row in 0..shape.rows {
        if row > 0 && lines.restarts_at(row) {
            bits.align();
            let number = (row / restart_rows - 1) % 8;
            bits.out.extend([0xFF, 0xD0 + number as u8]);
        }
        lines.differences(row, |component, difference| {
            let category = category(difference);
            let (code, length) = tables[component].codes[category as usize];
            bits.put(code, length);
            // T.81 table H.2: category 16 stands for 32768 alone and has no further bits.
            if category < 16 {
                let value = i32::from(difference);
                let offset = if value < 0 { value - 1 } else { value };
                bits.put(offset as u32 & ((1 << category) - 1), category);
            }
        });
    }
    bits.align();
    bits.out.extend([0xFF, 0xD9]);
    bits.out
}

struct Lines<'a> {
    samples: &'a [u16],
    shape: Shape,
    predictor: u8,
    restart_rows: usize,
}

impl Lines<'_> {
    fn restarts_at(&self, row: usize) -> bool {
        row == 0 || (self.restart_rows > 0 && row.is_multiple_of(self.restart_rows))
    }

    /// Calls `each` with component and difference (modulo 65536) of every
    /// sample of the row, predicted as T.81 H.1.2.1 says.
    fn differences(&self, row: usize, mut each: impl FnMut(usize, i16)) {
        let n = self.shape.components;
        let width = self.shape.columns * n;
        let line = &self.samples[row * width..(row + 1) * width];
        let first = self.restarts_at(row);
        let above = if first { line } else { &self.samples[(row - 1) * width..row * width] };
        let start = 1i32 << (self.shape.precision - 1);
        for (i, sample) in line.iter().enumerate() {
            let prediction = match (first, i < n) {
                (true, true) => start,
                (true, false) => i32::from(line[i - n]),
                (false, true) => i32::from(above[i]),
                (false, false) => predict(
                    self.predictor,
                    i32::from(line[i - n]),
                    i32::from(above[i]),
                    i32::from(above[i - n]),
                ),
            };
            each(i % n, (i32::from(*sample) - prediction) as i16);
        }
    }
}

/// T.81 table H.1; `a` is the sample to the left, `b` above, `c` above left.
const fn predict(selection: u8, a: i32, b: i32, c: i32) -> i32 {
    match selection {
        1 => a,
        2 => b,
        3 => c,
        4 => a + b - c,
        5 => a + ((b - c) >> 1),
        6 => b + ((a - c) >> 1),
        _ => (a + b) >> 1,
    }
}

/// Bits that the magnitude of a difference needs: 0 to 16.
const fn category(difference: i16) -> u32 {
    16 - difference.unsigned_abs().leading_zeros()
}

/// A Huffman table: code and length per category, and the lists that a DHT segment holds.
struct Huffman {
    codes: [(u32, u32); 17],
    lengths: [u8; 16],
    values: Vec<u8>,
}

impl Huffman {
    /// A table for these counts, with no code above 16 bits and none of all ones.
    fn fitting(counts: &[u64; 17]) -> Self {
        let mut weights = *counts;
        let depths = loop {
            let depths = code_lengths(&weights);
            if depths.iter().all(|d| *d <= 16) {
                break depths;
            }
            // Flatter weights make a shallower tree; used categories stay used.
            for w in weights.iter_mut().filter(|w| **w > 0) {
                *w = w.div_ceil(2);
            }
        };
        let mut values: Vec<u8> = (0..17u8).filter(|v| depths[usize::from(*v)] > 0).collect();
        values.sort_by_key(|v| depths[usize::from(*v)]);
        let mut table = Self { codes: [(0, 0); 17], lengths: [0; 16], values };
        let (mut code, mut length) = (0u32, 0u32);
        for value in &table.values {
            let depth = depths[usize::from(*value)];
            code <<= depth - length;
            length = depth;
            table.codes[usize::from(*value)] = (code, length);
            table.lengths[length as usize - 1] += 1;
            code += 1;
        }
        table
    }
}

/// Code lengths by Huffman's construction. A phantom of the least weight takes
/// part and sinks to the bottom, which keeps the code of all ones free (T.81
/// requires it); unused categories have length 0.
fn code_lengths(weights: &[u64; 17]) -> [u32; 17] {
    let mut depths = [0u32; 17];
    let mut trees: Vec<(u64, Vec<usize>)> = weights
        .iter()
        .enumerate()
        .filter(|(_, w)| **w > 0)
        .map(|(symbol, w)| (w * 2, vec![symbol]))
        .collect();
    trees.push((1, Vec::new()));
    while trees.len() > 1 {
        trees.sort_by_key(|tree| std::cmp::Reverse(tree.0));
        let (Some(a), Some(b)) = (trees.pop(), trees.pop()) else { break };
        let members: Vec<usize> = a.1.into_iter().chain(b.1).collect();
        for symbol in &members {
            depths[*symbol] += 1;
        }
        trees.push((a.0 + b.0, members));
    }
    depths
}

fn write_headers(out: &mut Vec<u8>, lines: &Lines<'_>, tables: &[Huffman]) {
    let shape = lines.shape;
    let n = shape.components as u8;
    out.extend([0xFF, 0xD8]);
    // SOF3: precision, rows, columns, then an id, 1x1 sampling and no quantisation per component.
    let mut frame = vec![shape.precision];
    frame.extend((shape.rows as u16).to_be_bytes());
    frame.extend((shape.columns as u16).to_be_bytes());
    frame.push(n);
    frame.extend((0..n).flat_map(|i| [i, 0x11, 0]));
    segment(out, 0xC3, &frame);
    for (id, table) in tables.iter().enumerate() {
        let mut body = vec![id as u8];
        body.extend(table.lengths);
        body.extend(&table.values);
        segment(out, 0xC4, &body);
    }
    if lines.restart_rows > 0 {
        let interval = (lines.restart_rows * shape.columns) as u16;
        segment(out, 0xDD, &interval.to_be_bytes());
    }
    // SOS: the predictor stands where other processes have the start of the spectral band.
    let mut scan = vec![n];
    scan.extend((0..n).flat_map(|i| [i, i << 4]));
    scan.extend([lines.predictor, 0, 0]);
    segment(out, 0xDA, &scan);
}

fn segment(out: &mut Vec<u8>, marker: u8, body: &[u8]) {
    out.extend([0xFF, marker]);
    out.extend((body.len() as u16 + 2).to_be_bytes());
    out.extend(body);
}

/// Writes bits from the most significant down; a zero byte follows every 0xFF.
struct BitWriter {
    out: Vec<u8>,
    pending: u64,
    count: u32,
}

impl BitWriter {
    fn put(&mut self, bits: u32, length: u32) {
        self.pending = (self.pending << length) | u64::from(bits);
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.pending >> self.count) as u8;
            self.out.push(byte);
            if byte == 0xFF {
                self.out.push(0);
            }
        }
    }

    /// Fills the last byte with ones, as T.81 F.1.2.3 asks.
    fn align(&mut self) {
        let missing = (8 - self.count % 8) % 8;
        self.put((1 << missing) - 1, missing);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kraft's sum stays below 1: the table is decodable and the code of all ones is free.
    #[test]
    fn tables_are_prefix_codes_without_the_code_of_all_ones() {
        let fibonacci: [u64; 17] = {
            let mut f = [1u64; 17];
            for i in 2..17 {
                f[i] = f[i - 1] + f[i - 2];
            }
            f
        };
        let mut steep = [0u64; 17];
        for (i, w) in steep.iter_mut().enumerate() {
            *w = 1 << (2 * i);
        }
        let mut single = [0u64; 17];
        single[0] = 9;
        for counts in [fibonacci, steep, single] {
            let table = Huffman::fitting(&counts);
            let kraft: u64 =
                table.codes.iter().filter(|c| c.1 > 0).map(|c| 1u64 << (16 - c.1)).sum();
            assert!(kraft < 1 << 16, "{kraft}");
            for (symbol, (code, length)) in table.codes.iter().enumerate() {
                assert_eq!(*length > 0, counts[symbol] > 0);
                assert!(*length <= 16);
                assert!(*length == 0 || *code != (1 << length) - 1, "all ones");
            }
        }
    }

    #[test]
    fn differences_are_classed_by_magnitude() {
        for (difference, expected) in
            [(0, 0), (1, 1), (-1, 1), (2, 2), (-3, 2), (4, 3), (32_767, 15), (-32_768, 16)]
        {
            assert_eq!(category(difference), expected, "{difference}");
        }
    }

    /// A row that does not change costs one bit a sample after the first.
    #[test]
    fn a_flat_picture_is_tiny() {
        let shape = Shape { columns: 64, rows: 16, components: 1, precision: 12 };
        assert!(encode(&[1000; 1024], shape, 1, 0).len() < 200);
    }
}
