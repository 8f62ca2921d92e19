//! `beam history`: each change of owner, with its cause, its evidence, its cost, and who did it and why.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use beam_core::history::{Entry, History};
use beam_core::signing::{Epoch, Handover};
use serde::Serialize;

use super::{Ending, Output, output};
use crate::assemble;
use crate::clock::utc;
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  beam history\n  beam history --explain 12\nMISSED counts the blocks without our vote around the change, by the chain; TOOK is from the owner's silence, or the command, to the new owner's first signature."
)]
pub(super) struct Args {
    /// How many of the newest to show.
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20)]
    last: usize,
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
        None => history.entries.get(history.entries.len().saturating_sub(args.last)..).unwrap_or_default(),
    };
    if args.output == Output::Json {
        output::json(&Shown { schema: "beam.history/1", entries })?;
    } else if args.explain.is_some() {
        entries.iter().for_each(explain);
    } else {
        table(entries);
    }
    Ok(Ending::Fine)
}

fn entry(history: &History, epoch: u64) -> Result<&Entry> {
    history.entry(Epoch(epoch)).with_context(|| {
        let known: Vec<_> = history.entries.iter().map(|entry| entry.epoch.to_string()).collect();
        format!("no change of owner with epoch {epoch} is remembered; there are: {}", known.join(", "))
    })
}

fn table(entries: &[Entry]) {
    if entries.is_empty() {
        println!("ownership has not changed yet");
        return;
    }
    println!(
        "{:>5}  {:<24}{:<11}{:<22}{:>12}{:>9}{:>7}  BY, WHY",
        "EPOCH", "WHEN", "HOW", "FROM -> TO", "SINCE", "TOOK", "MISSED"
    );
    for entry in entries {
        let owners = format!("{} -> {}", entry.from.as_deref().unwrap_or("-"), entry.to);
        println!(
            "{:>5}  {:<24}{:<11}{owners:<22}{:>12}{:>9}{:>7}  {}{}",
            entry.epoch,
            utc(entry.at_ms),
            entry.how.to_string(),
            entry.since.height,
            entry.took().map_or_else(|| "-".to_owned(), in_ms),
            entry.cost.map_or_else(|| "-".to_owned(), |cost| cost.missed.to_string()),
            entry.by,
            if entry.reason.is_empty() { String::new() } else { format!(": {}", entry.reason) },
        );
    }
}

/// A story of one entry: what was seen, what was done, what it cost.
fn explain(entry: &Entry) {
    let from = entry.from.as_deref().unwrap_or("nobody");
    println!("epoch {}: {} from {from} to {}, {}", entry.epoch, entry.how, entry.to, utc(entry.at_ms));
    match (entry.how, entry.was) {
        (Handover::Takeover, Some(was)) => println!(
            "  evidence  {}'s node wanted {} signed and {from} had come to {was} only",
            entry.to, entry.since
        ),
        (_, Some(was)) => println!("  before    {from} had come to {was}"),
        (_, None) => {}
    }
    println!("  since     {}", entry.since.in_words());
    let phases = [
        ("waited", entry.waited_ms, "for the owner, from when its silence was first seen"),
        ("swapped", entry.swapped_ms, "for the register's word"),
        ("signed", entry.signed_ms, "from there to the new owner's first signature"),
    ];
    for (phase, took, what) in phases {
        if let Some(took) = took {
            println!("  {phase:<9} {took} ms {what}");
        }
    }
    match entry.cost {
        Some(cost) => println!(
            "  cost      {} missed and {} nil, at heights {} to {}",
            cost.missed, cost.nil, cost.from_height, cost.to_height
        ),
        None => println!("  cost      not known: nobody has told yet"),
    }
    let reason = if entry.reason.is_empty() { "no reason given" } else { &entry.reason };
    println!("  by        {}: {reason}", entry.by);
}

fn in_ms(took: Duration) -> String {
    format!("{} ms", took.as_millis())
}
