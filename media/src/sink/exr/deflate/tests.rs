//! There and back again by libdeflate's word, whatever goes in; and how small it gets.

use super::*;

/// Two halves of a block through this deflate and libdeflate's inflate.
fn there_and_back(bytes: &[u8], cut: usize) -> usize {
    let mut out = vec![0; bytes.len() + 1024];
    let length = Deflate::default().zlib(bytes, cut, &mut out).unwrap();
    let mut back = vec![0; bytes.len()];
    let read = libdeflater::Decompressor::new().zlib_decompress(&out[..length], &mut back);
    assert_eq!(read.unwrap(), bytes.len());
    assert!(back == bytes, "{} bytes", bytes.len());
    length
}

fn noise(count: usize, mask: u8, seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8 & mask
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn whatever_goes_in_comes_out() {
    for count in [0, 1, 2, 3, 5, 100, 4095, 4096, 4099, 70_000, 200_001] {
        for mask in [0, 1, 3, 7, 63, 255] {
            let bytes = [noise(count, mask, 3), noise(count / 2, 255, 7)].concat();
            for cut in [0, count, bytes.len()] {
                there_and_back(&bytes, cut);
            }
        }
    }
}

#[test]
fn runs_of_every_length_come_out() {
    let mut bytes = Vec::new();
    for run in (1..600).chain([5000, 70_000]) {
        bytes.extend(std::iter::repeat_n((run % 251) as u8, run));
    }
    assert!(there_and_back(&bytes, bytes.len() / 3) < bytes.len() / 50);
    // Black is next to nothing.
    assert!(there_and_back(&vec![128; 200_000], 100_000) < 1000);
}

/// Frequencies of Fibonacci's numbers make the deepest tree there is.
#[test]
fn long_codes_are_cut() {
    let mut counts = [0_u32; SYMBOLS];
    let (mut a, mut b) = (1, 1);
    for count in &mut counts[..40] {
        *count = a;
        (a, b) = (b, a + b);
    }
    for longest in [7, 12, 15] {
        let lengths = code_lengths(&counts, longest);
        let sum: f64 =
            lengths.iter().filter(|l| **l > 0).map(|l| 0.5_f64.powi(i32::from(*l))).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{longest}: {sum}");
        assert!(lengths.iter().all(|l| usize::from(*l) <= longest));
    }
    let mut bytes = Vec::new();
    for (symbol, count) in counts.iter().take(24).enumerate() {
        bytes.extend(std::iter::repeat_n(symbol as u8, *count as usize));
    }
    // Dealt out, so that there are no runs.
    let mixed: Vec<u8> = (0..bytes.len()).map(|i| bytes[i * 7919 % bytes.len()]).collect();
    there_and_back(&mixed, mixed.len());
}

/// Entropy is the bound of any code of single bytes.
#[test]
fn codes_are_as_short_as_they_can_be() {
    let bytes: Vec<u8> =
        noise(100_000, 255, 5).into_iter().map(|v| (v.leading_zeros() * 9) as u8).collect();
    let counts = count_bytes(&bytes);
    let total = bytes.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|c| **c > 0)
        .map(|c| f64::from(*c) * (total / f64::from(*c)).log2() / 8.0)
        .sum();
    let length = there_and_back(&bytes, bytes.len()) as f64;
    assert!(length < entropy * 1.03 + 200.0, "{length}, {entropy}");
}

#[test]
fn without_room_there_is_nothing() {
    let bytes = noise(10_000, 15, 9);
    for room in [0, 3, 100, 5000] {
        assert_eq!(Deflate::default().zlib(&bytes, 5000, &mut vec![0; room]), None);
    }
}
