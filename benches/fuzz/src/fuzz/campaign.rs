//! Running targets under libFuzzer, each within its bounds.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Instant;
use std::{fs, thread};

use anyhow::{Context as _, Result, anyhow};
use beam_fuzz::Target;

use super::outcome::{Outcome, Told};
use super::places::Places;

/// One input may take so long, in seconds. They take microseconds; a machine that is busy with other things takes longer.
const INPUT_SECONDS_MAX: u64 = 10;
/// All memory of a target's process, in MiB.
const MEMORY_MIB_MAX: u64 = 1024;
/// One allocation, in MiB: no input is so long that any is needed.
const ALLOCATION_MIB_MAX: u64 = 64;

/// How long a target runs: until either is reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) seconds: u64,
    pub(crate) executions: Option<u64>,
}

/// Runs the targets, so many at once, and tells what came of each in their order.
pub(crate) fn campaign(
    places: &Places,
    targets: &[Target],
    bounds: Bounds,
    jobs: usize,
) -> Result<Vec<Outcome>> {
    let waiting = Mutex::new(targets.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let work = || -> Result<()> {
        loop {
            let next = waiting.lock().map_err(|_| anyhow!("another target's run failed"))?.next();
            let Some((place, target)) = next else { return Ok(()) };
            let outcome = run(places, target, bounds)?;
            eprintln!("{}", outcome.in_a_line());
            done.lock().map_err(|_| anyhow!("another target's run failed"))?.push((place, outcome));
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow!("a run failed"))?)
    })?;
    let mut done = done.into_inner().map_err(|_| anyhow!("a run failed"))?;
    done.sort_by_key(|(place, _)| *place);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

fn run(places: &Places, target: &Target, bounds: Bounds) -> Result<Outcome> {
    let found = places.found(target)?;
    let scratch = places.scratch.path().join(target.name);
    fs::create_dir_all(&scratch)?;
    let mut fuzzer = Command::new(places.program(target));
    fuzzer.args([places.grown(target)?, places.seeds(target)?]).args(options(target, bounds));
    fuzzer.arg(format!("-artifact_prefix={}/", found.display()));
    fuzzer.args(Places::dictionary(target).map(|file| format!("-dict={}", file.display())));
    // Its own files; and no backtrace for inputs by the thousand.
    fuzzer.env("TMPDIR", &scratch).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut running = fuzzer.spawn().with_context(|| format!("{} could not be started", target.name))?;
    let said = running.stderr.take().context("what it says")?;
    let mut told = Told::default();
    for line in BufReader::new(said).split(b'\n') {
        told.line(&String::from_utf8_lossy(&line?));
    }
    let status = running.wait()?;
    Ok(told.outcome(target.name, began.elapsed(), status.success()))
}

fn options(target: &Target, bounds: Bounds) -> Vec<String> {
    let mut options = vec![
        format!("-max_total_time={}", bounds.seconds),
        format!("-max_len={}", target.len_max),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-rss_limit_mb={MEMORY_MIB_MAX}"),
        format!("-malloc_limit_mb={ALLOCATION_MIB_MAX}"),
        "-print_final_stats=1".to_owned(),
        // A leak's detector is part of a sanitizer.
        "-detect_leaks=0".to_owned(),
    ];
    options.extend(bounds.executions.map(|executions| format!("-runs={executions}")));
    options
}
