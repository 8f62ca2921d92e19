//! `beam history`: each change of owner, with its cause, its evidence, its cost, and who did it and why.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_core::history::{Entry, History};
use beam_core::signing::{Epoch, Handover};
use serde::Serialize;

use super::output::push_line;
use super::{Ending, Output, output, table};
use crate::assemble;
use crate::clock::utc;
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  beam history\n  beam history --explain 12\nMISSED counts the blocks without our vote around the change, by the chain; TOOK is from the owner's silence, or the command, to the new owner's first signature.\nExit code 0: shown; 2: the register does not give it, or has no such epoch."
)]
pub(super) struct Args {
    /// How many of the newest to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20,
          value_parser = clap::value_parser!(u32).range(1..))]
    last: u32,
    /// Tell one of them whole: the epoch that it began.
    #[arg(long, value_name = "EPOCH")]
    explain: Option<u64>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    entries: &'a [Entry],
}

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let history = assemble::shared(&config).await?.history().read().await?;
    let entries = match args.explain {
        Some(epoch) => std::slice::from_ref(entry(&history, epoch)?),
        None => {
            let last = usize::try_from(args.last).unwrap_or(usize::MAX);
            history.entries.get(history.entries.len().saturating_sub(last)..).unwrap_or_default()
        }
    };
    if args.output == Output::Json {
        output::json(&Shown { schema: "beam.history/1", entries })?;
    } else if args.explain.is_some() {
        output::text(&entries.iter().map(explain).collect::<String>())?;
    } else {
        output::text(&in_lines(entries))?;
    }
    Ok(Ending::Fine)
}

fn entry(history: &History, epoch: u64) -> Result<&Entry> {
    history.entry(Epoch(epoch)).with_context(|| {
        let known: Vec<_> = history.entries.iter().map(|entry| entry.epoch.to_string()).collect();
        format!("no change of owner with epoch {epoch} is remembered; there are: {}", known.join(", "))
    })
}

/// A line an entry, the oldest first.
fn in_lines(entries: &[Entry]) -> String {
    if entries.is_empty() {
        return "ownership has not changed yet\n".to_owned();
    }
    let heads =
        ["EPOCH", "WHEN", "HOW", "FROM -> TO", "SINCE", "TOOK", "MISSED", "BY, WHY"].map(str::to_owned);
    let row = |entry: &Entry| {
        let reason = if entry.reason.is_empty() { String::new() } else { format!(": {}", entry.reason) };
        vec![
            entry.epoch.to_string(),
            utc(entry.at_ms),
            entry.how.to_string(),
            format!("{} -> {}", entry.from.as_deref().unwrap_or("nobody"), entry.to),
            entry.since.height.to_string(),
            entry.took().map_or_else(|| "-".to_owned(), in_ms),
            entry.cost.map_or_else(|| "-".to_owned(), |cost| cost.missed.to_string()),
            format!("{}{reason}", entry.by),
        ]
    };
    let rows: Vec<_> = std::iter::once(heads.to_vec()).chain(entries.iter().map(row)).collect();
    table::aligned(&rows)
}

/// A story of one entry: what was seen, what was done, what it cost.
fn explain(entry: &Entry) -> String {
    let mut out = String::new();
    let from = entry.from.as_deref().unwrap_or("nobody");
    push_line!(out, "epoch {}: {} from {from} to {}, {}", entry.epoch, entry.how, entry.to, utc(entry.at_ms));
    match (entry.how, entry.was) {
        (Handover::Takeover, Some(was)) => push_line!(
            out,
            "  evidence  {}'s node wanted {} signed and {from} had come to {was} only",
            entry.to,
            entry.since
        ),
        (_, Some(was)) => push_line!(out, "  before    {from} had come to {was}"),
        (_, None) => {}
    }
    push_line!(out, "  since     {}", entry.since.in_words());
    let phases = [
        ("waited", entry.waited_ms, "for the owner, from when its silence was first seen"),
        ("swapped", entry.swapped_ms, "for the register's word"),
        ("signed", entry.signed_ms, "from there to the new owner's first signature"),
    ];
    for (phase, took, what) in phases {
        if let Some(took) = took {
            push_line!(out, "  {phase:<9} {took} ms {what}");
        }
    }
    match entry.cost {
        Some(cost) => push_line!(
            out,
            "  cost      {} missed and {} nil, at heights {} to {}",
            cost.missed,
            cost.nil,
            cost.from_height,
            cost.to_height
        ),
        None => push_line!(out, "  cost      not known: nobody has told yet"),
    }
    let reason = if entry.reason.is_empty() { "no reason given" } else { &entry.reason };
    push_line!(out, "  by        {}: {reason}", entry.by);
    out
}

fn in_ms(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}
