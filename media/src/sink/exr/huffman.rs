//! The entropy coder of PIZ blocks and of the AC coefficients of DWA: Huffman
//! codes for 16-bit symbols, with one more symbol for runs.
//!
//! The form is that of OpenEXR's `ImfHuf`: five 32-bit numbers (first symbol,
//! last symbol, bytes of the table, bits of the data, 0), the table of code
//! lengths, the data. Codes are canonical, so that lengths say everything; bits
//! are written from the highest down. Which lengths, and where runs are used,
//! is the writer's choice. Ours keeps codes short enough that two of them
//! always fit into one store, and looks for runs eight values at a time.

/// Symbols that values can have.
const VALUES: usize = 1 << 16;
/// Longest code: with it a code and its length fit in 32 bits. The format allows 58.
const LONGEST: u32 = 27;
/// Bits of a length in an entry of the code table.
const LENGTH_BITS: u32 = 5;
/// Bytes before the table of lengths.
const HEAD: usize = 20;
/// Frequencies below this are sorted by counting.
const COMMON: usize = 1024;
/// In the table of lengths: 2 to 5 symbols without a code, in 6 bits.
const SHORT_GAP: u32 = 59;
/// In the table of lengths: more symbols without a code; 8 bits say how many.
const LONG_GAP: u32 = 63;
/// The fewest symbols of a long gap, and the most.
const LONG_GAP_SYMBOLS: [usize; 2] = [6, 255 + 6];
/// Values that are compared at once to find runs.
const STEP: usize = 8;
/// Most repetitions of one run.
const LONGEST_RUN: usize = 255;

/// Codes values; keeps its tables between calls.
pub(super) struct Coder {
    /// How often each symbol occurs; even and odd places are counted apart,
    /// so that equal neighbours do not wait for each other.
    counts: [Vec<u32>; 2],
    /// Symbols that occur, with how often, the rarest first.
    sorted: Vec<(u32, u32)>,
    /// Code and length of each symbol.
    codes: Vec<u32>,
    weights: Vec<u32>,
}

impl Default for Coder {
    fn default() -> Self {
        Self {
            counts: [vec![0; VALUES], vec![0; VALUES]],
            sorted: Vec::new(),
            codes: vec![0; VALUES + 1],
            weights: Vec::new(),
        }
    }
}

impl Coder {
    /// Codes `values`, at least one, into `out`; the length, when it has room there.
    pub(super) fn encode(&mut self, values: &[u16], out: &mut [u8]) -> Option<usize> {
        let [first, last] = self.count(values)?;
        self.lengths();
        self.canonical(first, last);
        let (head, rest) = out.split_at_mut_checked(HEAD)?;
        let mut table = BitWriter::new(rest);
        write_lengths(&mut table, &self.codes[first..=last])?;
        let table_bytes = table.finish()?.div_ceil(8);
        let mut data = BitWriter::new(&mut rest[table_bytes..]);
        write_values(&mut data, &self.codes, last, values)?;
        let bits = data.finish()?;
        let numbers = [first, last, table_bytes, bits, 0];
        for (to, number) in head.chunks_exact_mut(4).zip(numbers) {
            to.copy_from_slice(&u32::try_from(number).ok()?.to_le_bytes());
        }
        Some(HEAD + table_bytes + bits.div_ceil(8))
    }

    /// Finds the symbols that occur; returns the first, and the one of runs, which is one beyond the last.
    fn count(&mut self, values: &[u16]) -> Option<[usize; 2]> {
        let [even, odd] = &mut self.counts;
        even.fill(0);
        odd.fill(0);
        let pairs = values.chunks_exact(2);
        if let [value] = pairs.remainder() {
            even[usize::from(*value)] += 1;
        }
        for pair in pairs {
            even[usize::from(pair[0])] += 1;
            odd[usize::from(pair[1])] += 1;
        }
        self.sorted.clear();
        let frequencies = even.iter().zip(odd.iter()).zip(0u32..);
        let occurring = frequencies.filter(|((a, b), _)| **a | **b != 0);
        self.sorted.extend(occurring.map(|((a, b), symbol)| (a + b, symbol)));
        let (first, last) = (self.sorted.first()?.1, self.sorted.last()?.1);
        self.sorted.push((1, last + 1));
        Some([first as usize, last as usize + 1])
    }

    /// Leaves in `codes` the length of each symbol that occurs.
    fn lengths(&mut self) {
        sort_by_frequency(&mut self.sorted);
        loop {
            self.weights.clear();
            self.weights.extend(self.sorted.iter().map(|(frequency, _)| *frequency));
            huffman_lengths(&mut self.weights);
            if self.weights.first().is_none_or(|longest| *longest <= LONGEST) {
                break;
            }
            // Flatter frequencies give shorter codes; their order stays.
            self.sorted.iter_mut().for_each(|(frequency, _)| *frequency = frequency.div_ceil(2));
        }
        self.codes.fill(0);
        for ((_, symbol), length) in self.sorted.iter().zip(&self.weights) {
            self.codes[*symbol as usize] = *length;
        }
    }

    /// Puts the code before each length. Longer codes are smaller numbers;
    /// among codes of one length the smaller symbol has the smaller code.
    fn canonical(&mut self, first: usize, last: usize) {
        let mut next = [0u32; 1 + LONGEST as usize];
        for length in &self.weights {
            next[*length as usize] += 1;
        }
        let mut code = 0;
        for count in next.iter_mut().skip(1).rev() {
            (*count, code) = (code, (code + *count) >> 1);
        }
        for entry in self.codes[first..=last].iter_mut().filter(|length| **length != 0) {
            let length = *entry;
            *entry |= next[length as usize] << LENGTH_BITS;
            next[length as usize] += 1;
        }
    }
}

/// Sorts by frequency; equal ones stay in the order of their symbols.
fn sort_by_frequency(symbols: &mut Vec<(u32, u32)>) {
    let mut starts = [0usize; COMMON];
    for (frequency, _) in symbols.iter() {
        starts[(*frequency as usize).min(COMMON - 1)] += 1;
    }
    let mut start = 0;
    for count in &mut starts {
        (*count, start) = (start, start + *count);
    }
    let frequent = starts[COMMON - 1];
    let mut sorted = vec![(0, 0); symbols.len()];
    for entry in symbols.iter() {
        let place = &mut starts[(entry.0 as usize).min(COMMON - 1)];
        sorted[*place] = *entry;
        *place += 1;
    }
    sorted[frequent..].sort_unstable();
    *symbols = sorted;
}

/// Turns sorted frequencies, two or more, into the lengths of their Huffman
/// codes, longest first, in place and in linear time (Moffat and Katajainen,
/// "In-Place Calculation of Minimum-Redundancy Codes", 1995).
fn huffman_lengths(a: &mut [u32]) {
    let n = a.len();
    if n < 2 {
        a.fill(1);
        return;
    }
    // Left to right: pair the two smallest, of leaves and of trees made
    // before; `a` holds leaves, sums of trees, and parents of used trees.
    let (mut leaf, mut root) = (0, 0);
    for next in 0..n - 1 {
        let mut take = |a: &mut [u32]| {
            if leaf >= n || (root < next && a[root] < a[leaf]) {
                let sum = a[root];
                a[root] = next as u32;
                root += 1;
                sum
            } else {
                leaf += 1;
                a[leaf - 1]
            }
        };
        let sum = take(a);
        let sum = sum + take(a);
        a[next] = sum;
    }
    // Right to left: depths of inner nodes, from their parents.
    a[n - 2] = 0;
    for next in (0..n - 2).rev() {
        a[next] = a[a[next] as usize] + 1;
    }
    // Right to left: depths of leaves, from how many inner nodes each depth has.
    let (mut available, mut depth) = (1, 0);
    let (mut root, mut next) = (n - 1, n);
    while available > 0 {
        let mut used = 0;
        while root > 0 && a[root - 1] == depth {
            used += 1;
            root -= 1;
        }
        for _ in used..available {
            next -= 1;
            a[next] = depth;
        }
        available = 2 * used;
        depth += 1;
    }
}

/// The table: 6 bits a symbol, and gaps of symbols without a code shorter.
fn write_lengths(out: &mut BitWriter<'_>, codes: &[u32]) -> Option<()> {
    let mut rest = codes;
    while let [entry, ..] = rest {
        let gap = rest.iter().take(LONG_GAP_SYMBOLS[1]).take_while(|entry| **entry == 0).count();
        if gap >= LONG_GAP_SYMBOLS[0] {
            out.put(LONG_GAP, 6)?;
            out.put((gap - LONG_GAP_SYMBOLS[0]) as u32, 8)?;
        } else if gap >= 2 {
            out.put(SHORT_GAP + gap as u32 - 2, 6)?;
        } else {
            out.put(entry & ((1 << LENGTH_BITS) - 1), 6)?;
        }
        rest = &rest[gap.max(1)..];
    }
    Some(())
}

/// The codes of `values`; long runs as value, symbol of runs, and how often it repeats in 8 bits.
fn write_values(
    out: &mut BitWriter<'_>,
    codes: &[u32],
    run_symbol: usize,
    values: &[u16],
) -> Option<()> {
    let entry = |value: u16| codes[usize::from(value)];
    let length = |entry: u32| entry & ((1 << LENGTH_BITS) - 1);
    let run = codes[run_symbol];
    let mut rest = values;
    while let Some((step, behind)) = rest.split_first_chunk::<STEP>() {
        let value = step[0];
        if step.iter().fold(0, |differ, v| differ | (v ^ value)) == 0 {
            let repeats =
                rest.iter().skip(1).take(LONGEST_RUN).take_while(|v| **v == value).count();
            let code = entry(value);
            if length(code) + length(run) + 8 < length(code) * repeats as u32 {
                out.put_pair(code, run)?;
                out.put(repeats as u32, 8)?;
                rest = &rest[1 + repeats..];
                continue;
            }
        }
        for pair in step.chunks_exact(2) {
            out.put_pair(entry(pair[0]), entry(pair[1]))?;
        }
        rest = behind;
    }
    for value in rest {
        let entry = entry(*value);
        out.put(entry >> LENGTH_BITS, length(entry))?;
    }
    Some(())
}

/// Writes bits, the highest of each number first.
struct BitWriter<'a> {
    out: &'a mut [u8],
    /// Whole bytes written.
    at: usize,
    /// Up to 7 bits that are not a whole byte yet, at the top.
    held: u64,
    count: u32,
}

impl<'a> BitWriter<'a> {
    const fn new(out: &'a mut [u8]) -> Self {
        Self { out, at: 0, held: 0, count: 0 }
    }

    /// The lowest `length` bits of `bits`, which has no others; at most 54.
    #[inline(always)]
    fn put_wide(&mut self, bits: u64, length: u32) -> Option<()> {
        self.held |= bits << (64 - length - self.count);
        let to = self.out.get_mut(self.at..self.at + 8)?;
        to.copy_from_slice(&self.held.to_be_bytes());
        self.count += length;
        let whole = self.count / 8;
        self.at += whole as usize;
        self.held <<= 8 * whole;
        self.count %= 8;
        Some(())
    }

    #[inline(always)]
    fn put(&mut self, bits: u32, length: u32) -> Option<()> {
        self.put_wide(bits.into(), length)
    }

    /// Two entries of the code table.
    #[inline(always)]
    fn put_pair(&mut self, a: u32, b: u32) -> Option<()> {
        let length = |entry: u32| entry & ((1 << LENGTH_BITS) - 1);
        let bits = u64::from(a >> LENGTH_BITS) << length(b) | u64::from(b >> LENGTH_BITS);
        self.put_wide(bits, length(a) + length(b))
    }

    /// How many bits were written; what is left of the last byte is 0.
    fn finish(self) -> Option<usize> {
        if self.count > 0 {
            *self.out.get_mut(self.at)? = self.held.to_be_bytes()[0];
        }
        Some(8 * self.at + self.count as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fibonacci's numbers are the frequencies with the longest codes: of 30 symbols 29 bits.
    #[test]
    fn codes_are_complete_and_never_too_long() {
        let (mut frequency, mut next) = (1usize, 1usize);
        let mut values = Vec::new();
        for symbol in 0..30u16 {
            values.extend(std::iter::repeat_n(symbol * 7, frequency));
            (frequency, next) = (next, frequency + next);
        }
        let mut coder = Coder::default();
        let mut out = vec![0; 2 * values.len()];
        assert!(coder.encode(&values, &mut out).is_some());
        let lengths: Vec<u32> = coder.codes.iter().map(|c| c & 31).filter(|l| *l != 0).collect();
        assert_eq!(lengths.len(), 31, "30 symbols and the one of runs");
        assert!(lengths.iter().all(|length| *length <= LONGEST));
        let leaves: u64 = lengths.iter().map(|length| 1 << (LONGEST - length)).sum();
        assert_eq!(leaves, 1 << LONGEST, "every sequence of bits is a sequence of codes");
        assert!(lengths[..30].is_sorted_by(|rare, common| rare >= common));
    }

    /// Lengths worked out by hand for the frequencies 1, 1, 2, 3, 5, 8.
    #[test]
    fn lengths_are_those_of_huffman() {
        let mut weights = [1, 1, 2, 3, 5, 8];
        huffman_lengths(&mut weights);
        assert_eq!(weights, [5, 5, 4, 3, 2, 1]);
        let mut weights = [3, 3, 3, 3];
        huffman_lengths(&mut weights);
        assert_eq!(weights, [2, 2, 2, 2]);
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let values: Vec<u16> = (0..4000u32).map(|i| (i.wrapping_mul(40_503) >> 4) as u16).collect();
        let mut coder = Coder::default();
        let mut out = vec![0; 16_000];
        let length = coder.encode(&values, &mut out).unwrap();
        for room in [0, 1, HEAD - 1, HEAD, 200, length - 1] {
            assert_eq!(coder.encode(&values, &mut out[..room]), None, "{room}");
        }
        assert_eq!(coder.encode(&values, &mut out), Some(length));
    }
}
