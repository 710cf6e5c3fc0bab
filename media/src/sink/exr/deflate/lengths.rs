//! Huffman's codes: how long each is, and which bits it has. Apart since two
//! alphabets of a block have them, that of the bytes and that of the lengths themselves.

/// The bits of a symbol as they are written, and how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) bits: u16,
    pub(super) length: u8,
}

/// Lengths of codes that need the fewest bits (Huffman 1952), none longer than
/// `longest`: those that would be are cut, and room is made for them by making
/// the longest of the others longer. Every set is complete, or one code of one bit.
pub(super) fn code_lengths<const N: usize>(counts: &[u32; N], longest: usize) -> [u8; N] {
    let mut lengths = [0; N];
    let mut used: Vec<usize> = (0..N).filter(|s| counts[*s] > 0).collect();
    if used.len() < 2 {
        used.iter().for_each(|s| lengths[*s] = 1);
        return lengths;
    }
    used.sort_unstable_by_key(|s| (counts[*s], *s));
    let weights: Vec<u32> = used.iter().map(|s| counts[*s]).collect();
    // How many codes there are of each length.
    let mut of_length = [0_usize; 65];
    for depth in depths(&weights) {
        of_length[usize::from(depth).min(longest)] += 1;
    }
    // Kraft's sum, in units of the longest code.
    let mut sum: usize = (1..=longest).map(|l| of_length[l] << (longest - l)).sum();
    while sum > 1 << longest {
        let next = (1..longest).rev().find(|l| of_length[*l] > 0).unwrap_or(1);
        of_length[longest] -= 1;
        of_length[next] -= 1;
        of_length[next + 1] += 2;
        sum -= 1;
    }
    // The rarest have the longest.
    let mut of_rising = used.into_iter();
    for length in (1..=longest).rev() {
        for symbol in of_rising.by_ref().take(of_length[length]) {
            lengths[symbol] = length as u8;
        }
    }
    lengths
}

/// How deep each of some weights, which rise, lies in their Huffman tree: leaves
/// and pairs wait in a queue each, and both queues rise.
fn depths(weights: &[u32]) -> Vec<u8> {
    let leaves = weights.len();
    let mut pairs: Vec<u64> = Vec::with_capacity(leaves - 1);
    let mut parents = vec![0; 2 * leaves - 1];
    let (mut leaf, mut pair) = (0, 0);
    for made in 0..leaves - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let lightest_pair = pairs.get(pair).copied();
            let is_leaf = leaf < leaves
                && lightest_pair.is_none_or(|weight| u64::from(weights[leaf]) <= weight);
            if is_leaf {
                weight += u64::from(weights[leaf]);
                parents[leaf] = leaves + made;
                leaf += 1;
            } else {
                weight += lightest_pair.unwrap_or_default();
                parents[leaves + pair] = leaves + made;
                pair += 1;
            }
        }
        pairs.push(weight);
    }
    let mut depths = vec![0_u8; 2 * leaves - 1];
    for node in (0..2 * leaves - 2).rev() {
        depths[node] = depths[parents[node]] + 1;
    }
    depths.truncate(leaves);
    depths
}

/// The codes of some lengths (RFC 1951, 3.2.2), turned round, as they are written.
pub(super) fn codes<const N: usize>(lengths: &[u8; N]) -> [Code; N] {
    let mut next = [0_u16; 17];
    for length in 1..16 {
        let shorter = lengths.iter().filter(|l| usize::from(**l) == length).count() as u16;
        next[length + 1] = (next[length] + shorter) << 1;
    }
    lengths.map(|length| {
        if length == 0 {
            return Code::default();
        }
        let value = &mut next[usize::from(length)];
        let bits = value.reverse_bits() >> (16 - length);
        *value += 1;
        Code { bits, length }
    })
}
