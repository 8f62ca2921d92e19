//! How fast a node's log is read for causes, and in how much memory.
//!
//! The log is made of a real one (140 lines of a Hub-like node's start and blocks as JSON; or 90 plain and coloured ones, stamped
//! as the capture does), over and over with heights and times that go on, and written to a file, so that what is measured is
//! what `beam logs analyze FILE` does: read, split, take apart, classify. One thread. The file is read once before, so that the
//! disk has no part in it.

use std::fs::File;
use std::hint::black_box;
use std::io::{BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result};
use beam_core::logs::{Analysis, LINE_LEN_MAX, Report, Splitter, Stamp};
use beam_examples::install::target_dir;
use clap::{Parser, ValueEnum};

/// A real node's lines.
const JSON: &str = include_str!("../../../beam-core/src/logs/fixtures/json-start.log");
const PLAIN: &str = include_str!("../../../beam-core/src/logs/fixtures/plain-start.log");
/// What is read at once, as in `beam logs analyze`.
const BLOCK_LEN: usize = 256 * 1024;
/// Promised, in lines a second on one core.
const LINES_PER_SECOND_MIN: f64 = 1e6;
/// Promised: how much more memory a file that is `GROWTH` times as long may take, in KiB.
const GROWTH_KIB_MAX: u64 = 1024;
const GROWTH: u64 = 20;

/// Measures how fast logs are read for causes.
#[derive(Debug, Parser)]
#[command(name = "logs", after_help = AFTER_HELP, max_term_width = 100)]
struct Args {
    /// How many million lines.
    #[arg(long, value_name = "N", default_value_t = 10)]
    million: u64,
    /// How often the file is read; the best counts, since others use this machine too.
    #[arg(long, value_name = "N", default_value_t = 3)]
    rounds: u32,
    /// Which form.
    #[arg(long, value_enum, default_value_t)]
    form: Form,
    /// Where the file lies; target/ if it is not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Form {
    /// As gaiad writes it with `--log_format json`.
    #[default]
    Json,
    /// As gaiad writes it unless it is told otherwise, and as Beam has captured it.
    Plain,
}

const AFTER_HELP: &str = "\
Example: cargo run --release -p beam-benches --bin logs -- --million 10
Exit codes: 0 as good as promised; 1 worse; 2 not measured. Promised: a million lines a second on one core, and memory that
does not grow with the file.";

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("logs: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure(args: &Args) -> Result<bool> {
    let place = args.dir.clone().unwrap_or_else(target_dir);
    let dir = tempfile::Builder::new().prefix("bench-logs-").tempdir_in(&place);
    let dir = dir.with_context(|| format!("cannot make a folder in {}", place.display()))?;
    let path = dir.path().join("node.log");
    let lines = args.million.saturating_mul(1_000_000);

    write_log(&path, args.form, lines / GROWTH)?;
    analyse(&path)?;
    let small_kib = peak_kib()?;
    write_log(&path, args.form, lines)?;
    let mut best = f64::INFINITY;
    let mut report = None;
    for _ in 0..args.rounds.max(1) {
        let began = Instant::now();
        report = Some(black_box(analyse(&path)?));
        best = best.min(began.elapsed().as_secs_f64());
    }
    let large_kib = peak_kib()?;

    let read = report.map(|report| report.lines).unwrap_or_default();
    let (all, mib) = (float(read.all), float(read.bytes) / (1024.0 * 1024.0));
    let (rate, grown) = (all / best, large_kib.saturating_sub(small_kib));
    println!(
        "{all:.0} lines, {mib:.0} MiB: {best:.2} s, {:.2} M lines/s, {:.0} MiB/s",
        rate / 1e6,
        mib / best
    );
    println!("peak memory {large_kib} KiB, {grown} KiB more than for a file {GROWTH} times shorter");
    Ok(rate >= LINES_PER_SECOND_MIN && grown <= GROWTH_KIB_MAX)
}

fn analyse(path: &Path) -> Result<Report> {
    let (mut file, mut block) = (File::open(path)?, vec![0; BLOCK_LEN]);
    let (mut splitter, mut analysis) = (Splitter::new(LINE_LEN_MAX), Analysis::default());
    loop {
        let len = file.read(&mut block)?;
        if len == 0 {
            break;
        }
        splitter.push(block.get(..len).unwrap_or_default(), |part| analysis.line(part.text));
    }
    splitter.flush(|part| analysis.line(part.text));
    Ok(analysis.report())
}

/// The sample over and over: each time its heights and its clock go on.
fn write_log(path: &Path, form: Form, lines: u64) -> Result<()> {
    let mut out = BufWriter::with_capacity(BLOCK_LEN, File::create(path)?);
    let sample: Vec<&str> = if form == Form::Json { JSON } else { PLAIN }.lines().collect();
    for number in 0..lines {
        let round = number / u64::try_from(sample.len())?;
        let line = sample.get(usize::try_from(number)? % sample.len()).copied().unwrap_or_default();
        match form {
            Form::Json => {
                let clock =
                    format!("2026-11-{:02}T{:02}:{:02}", 1 + round / 1440 % 28, round / 60 % 24, round % 60);
                let line = line.replace("2026-11-22T07:33", &clock);
                writeln!(out, "{}", line.replace("\"height\":18", &format!("\"height\":{}8", 1 + round)))?;
            }
            Form::Plain => writeln!(out, "{} | {line}", Stamp::at_ms(1_795_000_000_000 + number))?,
        }
    }
    out.flush()?;
    Ok(())
}

/// The most memory that this process has had.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("the kernel does not tell")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

#[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
fn float(number: u64) -> f64 {
    number as f64
}
