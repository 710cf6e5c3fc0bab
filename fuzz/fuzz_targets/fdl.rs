//! ASC FDL: read, checked and written.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::fdl(bytes));
