//! Deflate as TIFF and DNG use it: the predictors, and one zlib stream.
//!
//! TIFF 6.0, section 14, and Adobe's TIFF technical note 3 for floats; the
//! steps of two and four pixels are DNG 1.4's. The stream itself is libdeflate's.

/// Each sample less the one `step` before it.
pub(crate) fn differences(line: &[u16], step: usize, bits: u8) -> Vec<u16> {
    let mask = if bits == 8 { 0xFF } else { 0xFFFF };
    let before = |i: usize| i.checked_sub(step).map_or(0, |i| line[i]);
    line.iter().enumerate().map(|(i, s)| s.wrapping_sub(before(i)) & mask).collect()
}

/// The bytes of big-endian floats of `size` bytes, all first bytes, then all second ones and so
/// on; each then less the one `step` before it.
pub(crate) fn sorted_differences(bytes: &[u8], size: usize, step: usize) -> Vec<u8> {
    let sorted: Vec<u8> =
        (0..size).flat_map(|plane| bytes.iter().skip(plane).step_by(size).copied()).collect();
    let before = |i: usize| i.checked_sub(step).map_or(0, |i| sorted[i]);
    sorted.iter().enumerate().map(|(i, b)| b.wrapping_sub(before(i))).collect()
}

/// A zlib stream (RFC 1950).
pub(crate) fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; encoder.zlib_compress_bound(bytes.len())];
    // The bound holds for any input, so that the space cannot be short.
    let written = encoder.zlib_compress(bytes, &mut out).unwrap_or(0);
    out.truncate(written);
    out
}
