//! The machine: its disks, its clock, its folders.

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::super::facts::{DiskFacts, Fact, HostFacts};
use crate::config::Config;

/// How often the disk is written to, and for how long altogether.
const FLUSHES: usize = 15;
const FLUSHES_WITHIN: Duration = Duration::from_secs(3);
/// As much as the floor file writes for a signature.
const FLUSHED: [u8; 4096] = [0; 4096];
/// How long the time service may take to answer.
const CLOCK_WITHIN: Duration = Duration::from_secs(2);

pub(super) fn look(config: &Config) -> HostFacts {
    let mut disks: Vec<DiskFacts> = disk("the node's home", &config.node.home).into_iter().collect();
    if device(&config.home) != device(&config.node.home) {
        disks.extend(disk("the pilot's home", &config.home));
    }
    let folders = [config.home.clone(), config.own("run")];
    let mode = |path: &Path| fs::metadata(path).ok().map(|found| found.permissions().mode() & 0o777);
    HostFacts {
        disks,
        flush: flush(&config.home),
        clock_synchronized: clock_synchronized(),
        folders: folders.into_iter().filter_map(|path| Some((path.clone(), mode(&path)?))).collect(),
    }
}

fn disk(what: &'static str, path: &Path) -> Option<DiskFacts> {
    let found = rustix::fs::statvfs(path).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
    Some(DiskFacts { what, free_bytes: bytes(found.f_bavail), total_bytes: bytes(found.f_blocks) })
}

fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata(path).ok().map(|found| found.dev())
}

/// The median of a few writes, as the floor file makes them, into a file that is gone again.
fn flush(home: &Path) -> Fact<Duration> {
    let path = home.join(format!(".doctor-{}", std::process::id()));
    let probe = || -> std::io::Result<Vec<Duration>> {
        let file = File::options().write(true).create_new(true).open(&path)?;
        let began = Instant::now();
        let mut took = Vec::new();
        while took.len() < FLUSHES && began.elapsed() < FLUSHES_WITHIN {
            let since = Instant::now();
            file.write_all_at(&FLUSHED, 0)?;
            file.sync_data()?;
            took.push(since.elapsed());
        }
        Ok(took)
    };
    let took = probe();
    // Whether or not it was made.
    let _ = fs::remove_file(&path);
    let mut took = took.map_err(|error| format!("the pilot's home cannot be written to: {error}"))?;
    took.sort();
    took.get(took.len() / 2).copied().ok_or_else(|| "nothing was measured".to_owned())
}

/// What this machine's own time service says; no packet leaves it.
fn clock_synchronized() -> Fact<bool> {
    if let Ok(said) = said("timedatectl", &["show", "--property=NTPSynchronized", "--value"]) {
        match said.trim() {
            "yes" => return Ok(true),
            "no" => return Ok(false),
            _ => {}
        }
    }
    let said = said("chronyc", &["-n", "tracking"])
        .map_err(|_| "neither timedatectl nor chronyc tells".to_owned())?;
    let leap = said.lines().find_map(|line| line.strip_prefix("Leap status")?.split_once(':'));
    leap.map(|(_, status)| status.trim() == "Normal").ok_or_else(|| "chronyc says nothing of it".to_owned())
}

fn said(program: &str, args: &[&str]) -> std::io::Result<String> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let deadline = Instant::now() + CLOCK_WITHIN;
    while child.try_wait()?.is_none() {
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output()?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(std::io::Error::other)
    } else {
        Err(std::io::Error::other("it failed"))
    }
}
