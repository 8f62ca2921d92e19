//! Building the targets with the passes that libFuzzer's coverage needs.

use std::env;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use beam_fuzz::Target;

use super::places::{Places, TRIPLE};

/// What `cargo-fuzz` gives the compiler, without what a nightly would add (a sanitizer: there is no `unsafe` in here), and without
/// `--cfg fuzzing`: what is fuzzed is what is released.
const FLAGS: [&str; 5] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

pub(crate) fn compile(places: &Places, targets: &[Target]) -> Result<()> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--quiet", "--locked", "--package", "beam-fuzz", "--features", "libfuzzer"])
        .args(["--profile", "fuzz", "--target", TRIPLE, "--target-dir"])
        .arg(&places.target)
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
    for target in targets {
        let program = places.program(target);
        cargo.arg("--bin").arg(program.file_name().context("a program's name")?);
    }
    let status = cargo.status().context("cargo could not be started")?;
    ensure!(status.success(), "the targets do not build (libFuzzer needs a C++ compiler, such as g++)");
    Ok(())
}
