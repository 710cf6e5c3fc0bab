//! Edit lists of CMX3600 and its relatives.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::edl(bytes));
