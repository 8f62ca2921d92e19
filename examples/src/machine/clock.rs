//! A wall clock of a machine's own, for its pilot, that can be set while it runs.
//!
//! A library stands between the pilot and the kernel's clock and reads the difference from a file at every look. The node is not
//! touched: it is a Go program and asks the kernel itself. The clock that only counts on is left alone, as on a real machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::Machine;

/// Beside Beam's home, which a machine's disk may hold.
const FILE: &str = "clock";

/// Has `command` run by the clock that is kept in `home`, right if there was none yet.
pub(super) fn give(command: &mut Command, library: &Path, home: &Path) -> Result<()> {
    let file = home.join(FILE);
    if !file.exists() {
        set(&file, '+', Duration::ZERO)?;
    }
    command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", file);
    command.envs([("FAKETIME_NO_CACHE", "1"), ("FAKETIME_DONT_FAKE_MONOTONIC", "1")]);
    Ok(())
}

fn set(file: &Path, sign: char, by: Duration) -> Result<()> {
    // Whole or not at all: it is read at every look at the clock.
    let new = file.with_extension("new");
    fs::write(&new, format!("{sign}{}s\n", by.as_secs()))?;
    fs::rename(&new, file).context("cannot set the clock")
}

impl Machine {
    /// Whether its pilot has a clock that can be set.
    pub fn has_clock(&self) -> bool {
        self.plan.clock.is_some()
    }

    /// Sets the clock of its pilot to be `by` ahead (`+`) of the host's, or behind (`-`).
    ///
    /// # Errors
    /// When it has none.
    pub fn set_clock(&self, sign: char, by: Duration) -> Result<()> {
        ensure!(self.has_clock(), "{} has no clock of its own", self.name());
        set(&self.home.join(FILE), sign, by)
    }
}
