//! Looks: the Common LUT Format, `.cube`, ASC CDL.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::look(bytes));
