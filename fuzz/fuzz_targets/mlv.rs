//! `mlv` files: probed, opened, and frames read.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::camera_file("mlv", bytes));
