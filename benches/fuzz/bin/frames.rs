//! `frames`, driven by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| beam_fuzz::frames(bytes));
