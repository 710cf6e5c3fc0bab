//! What a bridge answers when it opens a clip.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::bridge(bytes));
