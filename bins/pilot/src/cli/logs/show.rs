//! Showing lines: the last ones, those of a time, and those that come.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use beam_core::logs::{Level, Stamp};
use beam_gaia::logs::{Follow, LogFolder, LogSource};
use tokio::signal::unix::{SignalKind, signal};

use super::moment;
use super::select::Select;
use crate::cli::{Ending, WrongUse};

/// How many lines are shown if nothing else is asked for.
const LINES: usize = 50;
/// How often is looked for lines that come.
const POLL: Duration = Duration::from_millis(100);

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    /// How many of the last lines [default: 50, and all of them with --since or --until].
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,
    /// Go on with the lines that come, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    /// Only what came after: how long ago (2h), or when (2026-11-24T11:00:00Z).
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Stamp>,
    /// Only what came before, likewise.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Stamp>,
    /// Only lines as loud as this, and what has no level.
    #[arg(long, value_enum)]
    level: Option<Loudness>,
    /// Only lines with these words in them.
    #[arg(long, value_name = "TEXT")]
    grep: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Loudness {
    Debug,
    Info,
    Warn,
    Error,
}

impl From<Loudness> for Level {
    fn from(level: Loudness) -> Self {
        match level {
            Loudness::Debug => Self::Debug,
            Loudness::Info => Self::Info,
            Loudness::Warn => Self::Warn,
            Loudness::Error => Self::Error,
        }
    }
}

pub(super) async fn run(folder: LogFolder, args: Wanted) -> Result<Ending> {
    if args.follow && args.until.is_some() {
        bail!(WrongUse("--follow and --until together have no end to wait for; leave one out".to_owned()));
    }
    if !folder.path().exists() && !args.follow {
        bail!(
            "nothing is captured in {}; `beam start` captures the node's output there",
            folder.path().display()
        );
    }
    let timed = args.since.is_some() || args.until.is_some();
    let count = args.lines.unwrap_or(if timed { usize::MAX } else { LINES });
    let mut select = Select::new(args.since, args.until, args.level.map(Level::from), args.grep);
    // The lines that are there end where those that come begin: none may fall between.
    let follow = args.follow.then(|| Follow::from_end(folder.clone())).transpose()?;
    let sources = match &follow {
        Some(follow) => follow.before(),
        None => LogSource::captured(&folder),
    };
    let shown = match sources
        .and_then(|sources| last_lines(sources, &mut select, count))
        .with_context(|| format!("{} cannot be read", folder.path().display()))?
    {
        Shown::Lines(lines) => print(lines.iter().map(String::as_str)),
        Shown::Already(outcome) => outcome,
    };
    let outcome = match (shown, follow) {
        (Ok(()), Some(follow)) => go_on(follow, &mut select).await,
        (outcome, _) => outcome,
    };
    match outcome {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Ending::Fine),
        outcome => outcome.map(|()| Ending::Fine).context("the lines could not be shown"),
    }
}

enum Shown {
    /// To be shown.
    Lines(VecDeque<String>),
    /// All were asked for, and shown as they were read.
    Already(io::Result<()>),
}

/// The last lines that are selected. Newer files are read first, and older ones only if need be.
fn last_lines(mut sources: Vec<LogSource>, select: &mut Select, count: usize) -> io::Result<Shown> {
    drop_older(&mut sources, select.since)?;
    if count == usize::MAX {
        return Ok(Shown::Already(show_all(&sources, select)));
    }
    let mut last = VecDeque::new();
    for source in sources.iter().rev() {
        let mut lines = VecDeque::new();
        let room = count.saturating_sub(last.len());
        source.lines(Arc::default(), |part| {
            if let Some(line) = select.shown(part.text) {
                lines.push_back(line);
            }
            if lines.len() > room {
                lines.pop_front();
            }
            true
        })?;
        lines.append(&mut last);
        last = lines;
        if last.len() >= count {
            break;
        }
    }
    Ok(Shown::Lines(last))
}

/// Takes out the files whose every line came before that: those that a file follows which began no later.
pub(super) fn drop_older(sources: &mut Vec<LogSource>, since: Option<Stamp>) -> io::Result<()> {
    let Some(since) = since else { return Ok(()) };
    let mut first = 0;
    for (number, source) in sources.iter().enumerate() {
        if source.began()?.is_some_and(|began| began <= since) {
            first = number;
        }
    }
    sources.drain(..first);
    Ok(())
}

fn show_all(sources: &[LogSource], select: &mut Select) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for source in sources {
        let mut written = Ok(());
        source.lines(Arc::default(), |part| {
            if let Some(line) = select.shown(part.text) {
                written = writeln!(out, "{line}");
            }
            written.is_ok()
        })?;
        written?;
    }
    out.flush()
}

async fn go_on(mut follow: Follow, select: &mut Select) -> io::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    loop {
        let mut lines = Vec::new();
        follow.pass(|line| lines.extend(select.shown(line)))?;
        print(lines.iter().map(String::as_str))?;
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = interrupt.recv() => return Ok(()),
            _ = terminate.recv() => return Ok(()),
        }
    }
}

fn print<'a>(lines: impl Iterator<Item = &'a str>) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in lines {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
