//! ASC MHL: generations and chains.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::mhl(bytes));
