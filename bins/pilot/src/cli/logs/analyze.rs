//! `beam logs analyze`: a log in, causes out.

use std::fmt::Write as _;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use beam_core::alert_sink::Severity;
use beam_core::logs::address::{Address, of_bech32, of_hex};
use beam_core::logs::{Analysis, Finding, Report, Stamp, printable};
use beam_gaia::logs::{LogFolder, LogSource};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::{moment, show};
use crate::cli::output::push_line;
use crate::cli::{Ending, Output, WrongUse, output};

/// The name of this form of the result.
const SCHEMA: &str = "beam.logs.analysis/1";
/// From how many bytes on it is shown how far it is.
const LONG_BYTES: u64 = 64 * 1024 * 1024;
/// After how many lines that is shown anew.
const TICK_LINES: u64 = 16 * 1024;

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Args {
    /// Logs of any node, plain or gzip, in order; - is standard input. Without one, what was captured on this machine.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only what came after: how long ago (2h), or when (2026-11-24T11:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Stamp>,
    /// Only what came before, likewise.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Stamp>,
    /// Whose node it is: the validator's consensus address, in hexadecimal or as cosmosvalcons1…. Else what the log says.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    validator: Option<Address>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

const AFTER_HELP: &str = "\
Exit codes: 0 nothing serious, 1 warnings, or something that is over; 2 something critical; 64 wrong use.
Examples:
  beam logs analyze --since 24h
  journalctl -u gaiad -o cat | beam logs analyze - --output json";

fn address(text: &str) -> Result<Address, String> {
    of_hex(text)
        .or_else(|| of_bech32(text))
        .ok_or_else(|| "neither 40 hexadecimal digits nor a bech32 address".to_owned())
}

#[derive(Serialize)]
struct Result1<'a> {
    schema: &'static str,
    /// Whether all of it could be read.
    whole: bool,
    #[serde(flatten)]
    report: &'a Report,
}

pub(super) fn run(folder: &LogFolder, args: &Args) -> Result<Ending> {
    let mut sources = sources(folder, args).map_err(WrongUse)?;
    if args.files.is_empty() {
        show::drop_older(&mut sources, args.since).context("the captured logs cannot be read")?;
    }
    let mut analysis = Analysis::of(args.validator).between(args.since, args.until);
    let whole = read(&sources, &mut analysis);
    let report = analysis.report();
    if report.lines.timed == 0 && report.lines.records > 0 && (args.since.is_some() || args.until.is_some()) {
        bail!(WrongUse(
            "these lines carry no time, so --since and --until select nothing; leave them out".to_owned()
        ));
    }
    match args.output {
        Output::Json => output::json(&Result1 { schema: SCHEMA, whole, report: &report })?,
        Output::Text => output::text(&text(&report))?,
    }
    Ok(match report.worst() {
        Some(Severity::Critical) => Ending::Down,
        Some(Severity::Warning) => Ending::Degraded,
        Some(Severity::Info) | None if whole => Ending::Fine,
        Some(Severity::Info) | None => Ending::Degraded,
    })
}

fn sources(folder: &LogFolder, args: &Args) -> Result<Vec<LogSource>, String> {
    if args.files.is_empty() {
        let sources =
            LogSource::captured(folder).map_err(|error| format!("{}: {error}", folder.path().display()))?;
        if sources.is_empty() {
            return Err(format!("nothing is captured in {}; name a FILE", folder.path().display()));
        }
        return Ok(sources);
    }
    let source = |path: &PathBuf| match path.as_os_str() {
        stdin if stdin == "-" => Ok(LogSource::Stdin),
        _ => match path.metadata() {
            Ok(metadata) if metadata.is_dir() => {
                Err(format!("{} is a folder; name the files in it", path.display()))
            }
            Ok(_) => Ok(LogSource::File(path.clone())),
            Err(error) => Err(format!("{} cannot be read: {error}", path.display())),
        },
    };
    args.files.iter().map(source).collect()
}

/// Reads everything; `false` if something could not be read to its end, which is said.
fn read(sources: &[LogSource], analysis: &mut Analysis) -> bool {
    let read = Arc::new(AtomicU64::new(0));
    let (bar, mut lines, mut whole) = (bar(sources), 0_u64, true);
    for source in sources {
        let outcome = source.lines(Arc::clone(&read), |part| {
            analysis.line(part.text);
            lines += 1;
            if lines.is_multiple_of(TICK_LINES) {
                bar.set_position(read.load(Ordering::Relaxed));
            }
            true
        });
        if let Err(error) = outcome {
            bar.suspend(|| eprintln!("beam: {} was not read to its end: {error}", name(source)));
            whole = false;
        }
    }
    bar.finish_and_clear();
    whole
}

fn name(source: &LogSource) -> String {
    match source {
        LogSource::Stdin => "standard input".to_owned(),
        LogSource::File(path) | LogSource::Closed(path) | LogSource::Part { path, .. } => {
            path.display().to_string()
        }
    }
}

/// Shown on a terminal, and only if it takes a while.
fn bar(sources: &[LogSource]) -> ProgressBar {
    let total: Option<u64> = sources.iter().map(LogSource::len).sum();
    if !std::io::stderr().is_terminal() || total.is_some_and(|total| total < LONG_BYTES) {
        return ProgressBar::hidden();
    }
    let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
    let form = match total {
        Some(_) => "{wide_bar} {bytes} of {total_bytes}, {binary_bytes_per_sec}, {eta} left",
        None => "{spinner} {bytes}, {binary_bytes_per_sec}",
    };
    // A form that cannot be read would be our own mistake, and the bar's own is as good.
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar
}

fn text(report: &Report) -> String {
    let mut out = head(report);
    if report.findings.is_empty() {
        out += "nothing found\n";
    }
    for finding in &report.findings {
        out += &describe(finding);
    }
    out
}

fn head(report: &Report) -> String {
    let (mut out, lines) = (String::new(), &report.lines);
    let span = match (report.from, report.until) {
        (Some(from), Some(until)) => format!(", {from} to {until}"),
        _ => String::new(),
    };
    let outside = match lines.outside {
        0 => String::new(),
        outside => format!(" ({outside} of them outside of what was asked for)"),
    };
    push_line!(out, "{} lines{outside}{span}", lines.all);
    if let (Some(first), Some(last)) = (report.first_height, report.last_height) {
        push_line!(
            out,
            "{} blocks, heights {first} to {last}; {} heights needed more than one round",
            report.blocks,
            report.late_blocks
        );
    }
    if report.starts > 0 {
        let role = match report.validator {
            Some(true) => ", as a validator",
            Some(false) => ", not as a validator",
            None => "",
        };
        push_line!(out, "started {}{role}", times(report.starts));
    }
    if lines.timed == 0 && lines.records > 0 {
        out += "the lines carry no time: a silence cannot be seen in them\n";
    }
    out.push('\n');
    out
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn describe(finding: &Finding) -> String {
    let mut out = String::new();
    let severity = match finding.severity {
        Severity::Critical => "CRITICAL",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let over = if finding.over { " (over)" } else { "" };
    push_line!(out, "{severity:<9} {}{over}: {}", finding.cause.code(), finding.what);
    let mut seen = times(finding.count);
    if let (Some(first), Some(last)) = (finding.first, finding.last) {
        let _ =
            if first == last { write!(seen, ", at {first}") } else { write!(seen, ", {first} to {last}") };
    }
    if let (Some(first), Some(last)) = (finding.first_height, finding.last_height) {
        let _ = if first == last {
            write!(seen, ", height {first}")
        } else {
            write!(seen, ", heights {first} to {last}")
        };
    }
    push_line!(out, "          {seen}");
    for subject in &finding.subjects {
        push_line!(out, "          {} × {}", subject.count, printable(subject.name.as_bytes()));
    }
    if finding.other_subjects > 0 {
        push_line!(out, "          {} × others", finding.other_subjects);
    }
    if !finding.example.is_empty() {
        push_line!(out, "          said: {}", finding.example);
    }
    if finding.advice != "nothing" {
        push_line!(out, "          do:   {}", finding.advice);
    }
    out
}
