//! Metadata exports of every maker.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::sidecar(bytes));
