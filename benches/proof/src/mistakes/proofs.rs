//! The proofs that mistakes are shown to.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use super::{Copy, Mistake};

/// One proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// `cargo model`.
    Model,
    /// `cargo simulate`.
    Simulate,
    /// The tests of the signing machine.
    Tests,
}

/// What a proof says of a mistake.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The sentence that the mistake broke, if it was caught.
    pub caught: Option<String>,
    /// How far the proof came: states, seeds or tests.
    pub after: String,
    /// How long it ran, without the time to build it.
    pub took: Duration,
}

/// How many seeds the simulator lives through.
const SEEDS: &str = "2000";
const SEEDS_QUICK: &str = "200";
/// How long a proof may run. One that a mistake keeps from ending has caught it.
const PROOF_MAX: Duration = Duration::from_secs(300);
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl Proof {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Simulate => "simulate",
            Self::Tests => "tests",
        }
    }

    /// Builds the copied sources and runs the proof. `quick`: no further than it must to catch this mistake.
    ///
    /// # Errors
    /// If it cannot be built or run: that catches nothing.
    pub fn run(self, copy: &Copy, mistake: &Mistake, quick: bool) -> anyhow::Result<Verdict> {
        let program = self.build(copy, quick)?;
        let begun = Instant::now();
        let output = within(&mut self.command(&program, copy, mistake, quick), copy)?;
        let took = begun.elapsed();
        let Some(output) = output else {
            let caught = Some("it does not come to an end".to_owned());
            return Ok(Verdict { caught, after: "waiting".to_owned(), took });
        };
        let (caught, after) = match self {
            Self::Model => model(&output)?,
            Self::Simulate => simulated(&output)?,
            Self::Tests => tested(&output)?,
        };
        Ok(Verdict { caught, after, took })
    }

    /// Builds the proof, and gives the program that is to be run.
    fn build(self, copy: &Copy, quick: bool) -> anyhow::Result<PathBuf> {
        let mut command = cargo(copy, quick);
        match self {
            Self::Model | Self::Simulate => {
                command.args(["build", "--release", "--package", "beam-proof", "--bin", self.name()]);
            }
            Self::Tests => {
                command.args(["test", "--package", "beam-core", "--lib", "--no-run"]);
            }
        }
        let built =
            command.arg("--message-format=json-render-diagnostics").output().context("cannot run cargo")?;
        ensure!(built.status.success(), "it does not build:\n{}", String::from_utf8_lossy(&built.stderr));
        let messages = String::from_utf8_lossy(&built.stdout).into_owned();
        let mut programs = messages.lines().filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message.get("executable")?.as_str()?))
        });
        programs.next_back().context("cargo names no program that it has built")
    }

    fn command(self, program: &Path, copy: &Copy, mistake: &Mistake, quick: bool) -> Command {
        let mut command = Command::new(program);
        match self {
            Self::Model if quick => command.args(mistake.model.split_whitespace()).args(["--output", "json"]),
            Self::Model => command.args(["--preset", "quick", "--fail-fast", "--output", "json"]),
            Self::Simulate => command.args(["--seeds", if quick { SEEDS_QUICK } else { SEEDS }]),
            // One way to show it is enough: no smaller one is looked for, and none is kept.
            Self::Tests => command
                .arg("signing")
                .current_dir(copy.source().join("beam-core"))
                .envs([("PROPTEST_MAX_SHRINK_ITERS", "0"), ("PROPTEST_FAILURE_PERSISTENCE", "off")]),
        };
        command
    }
}

/// Cargo for the copy: offline. What a quick run has to do takes less time than to optimise for it; the dependencies are optimised once.
fn cargo(copy: &Copy, quick: bool) -> Command {
    let level = if quick { 0 } else { 2 };
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(copy.source())
        .env("CARGO_TARGET_DIR", copy.target())
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .args(["--offline", "--quiet"]);
    for package in ["beam-core", "beam-proof"] {
        command.args(["--config", &format!("profile.release.package.{package}.opt-level={level}")]);
    }
    command
}

/// Runs a command to its end; `None` if that does not come in time.
fn within(command: &mut Command, copy: &Copy) -> anyhow::Result<Option<Output>> {
    let (out, err) = (copy.target().join("proof.out"), copy.target().join("proof.err"));
    let mut child =
        command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?).spawn()?;
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(Output { status, stdout: fs::read(&out)?, stderr: fs::read(&err)? }));
        }
        if begun.elapsed() > PROOF_MAX {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(LOOK_EVERY);
    }
}

fn model(output: &Output) -> anyhow::Result<(Option<String>, String)> {
    let all: serde_json::Value = serde_json::from_slice(&output.stdout).with_context(|| said(output))?;
    let outcomes = all.as_array().context("the model's answer is no list")?;
    let outcome = |one: &'_ serde_json::Value| one.get("outcome").cloned().unwrap_or_default();
    let count = |one: &serde_json::Value| {
        outcome(one).get("states").and_then(serde_json::Value::as_u64).unwrap_or_default()
    };
    let states: u64 = outcomes.iter().map(count).sum();
    let rules = outcomes.iter().filter_map(|one| {
        let broken = outcome(one).get("broken").cloned()?;
        let steps = broken.get("path").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
        Some(format!("{} ({steps} steps)", broken.get("rule")?.as_str()?))
    });
    let caught = rules.collect::<Vec<_>>().into_iter().next();
    ensure!(caught.is_some() != output.status.success(), "the model's exit code and its answer differ");
    Ok((caught, format!("{states} states")))
}

fn simulated(output: &Output) -> anyhow::Result<(Option<String>, String)> {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    match output.status.code() {
        Some(0) => Ok((None, last)),
        Some(1) => Ok((Some(last), "a seed".to_owned())),
        _ => bail!("{}", said(output)),
    }
}

fn tested(output: &Output) -> anyhow::Result<(Option<String>, String)> {
    let text = String::from_utf8_lossy(&output.stdout);
    let failed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("---- ")?.strip_suffix(" stdout ----"))
        .filter_map(|test| test.rsplit("::").next())
        .collect();
    if output.status.success() {
        return Ok((None, "all tests".to_owned()));
    }
    ensure!(!failed.is_empty(), "{}", said(output));
    Ok((failed.first().map(|test| (*test).to_owned()), format!("{} tests failed", failed.len())))
}

fn said(output: &Output) -> String {
    format!("it ended with {} and said:\n{}", output.status, String::from_utf8_lossy(&output.stderr))
}
