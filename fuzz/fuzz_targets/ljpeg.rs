//! Lossless JPEG streams, in the smallest DNG there can be.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::ljpeg(bytes));
