//! Timelines and logs: OTIO, Final Cut XML, ALE.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| platefarm_fuzz::timeline(bytes));
