//! `node_toml`, driven by libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| beam_fuzz::node_toml(bytes));
