//! Plates: what the package reads back before it is sealed.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::plate(bytes));
