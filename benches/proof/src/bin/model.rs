//! `cargo model`: checks the signing rule over every history within stated bounds.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use beam_proof::model::bounds::Bounds;
use beam_proof::model::preset::Preset;
use beam_proof::model::run::{Outcome, run};
use clap::{Parser, ValueEnum};

/// Checks the signing rule over every history within stated bounds, with the machine that signs in earnest.
///
/// Exit code 0: everything held. 1: something was broken; the history that breaks it is printed. 2: wrong use.
#[derive(Debug, Parser)]
#[command(name = "cargo model", bin_name = "cargo model", max_term_width = 100)]
struct Args {
    /// Configurations that belong together. Without it, the bounds below make one.
    #[arg(long, value_name = "PRESET")]
    preset: Option<Preset>,
    /// Of the preset, only configurations whose name has this text.
    #[arg(long, value_name = "TEXT", requires = "preset")]
    only: Option<String>,
    /// End with the first configuration in which something is broken.
    #[arg(long)]
    fail_fast: bool,
    /// How many threads; as many as there are cores if it is not given.
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// How to print what comes of it.
    #[arg(long, value_enum, value_name = "FORM", default_value_t = Output::Text)]
    output: Output,
    #[command(flatten)]
    bounds: Bounds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

fn main() -> ExitCode {
    match check(Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error:#}");
            ExitCode::from(2)
        }
    }
}

/// Whether everything held.
fn check(args: Args) -> anyhow::Result<bool> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = args.threads.map_or(cores, NonZeroUsize::get);
    let configurations: Vec<(String, String, Bounds)> = match args.preset {
        None => vec![("as given".to_owned(), String::new(), args.bounds)],
        Some(preset) => preset
            .configurations()?
            .into_iter()
            .filter(|named| args.only.as_ref().is_none_or(|only| named.name.contains(only)))
            .map(|named| (named.name.to_owned(), named.arguments.to_owned(), named.bounds))
            .collect(),
    };
    anyhow::ensure!(!configurations.is_empty(), "no configuration has that in its name");
    for (.., bounds) in &configurations {
        bounds.check().map_err(anyhow::Error::msg)?;
    }
    let (mut out, mut all) = (io::stdout().lock(), Vec::new());
    for (name, arguments, bounds) in configurations {
        if args.output == Output::Text {
            writeln!(out, "{name}: {bounds}")?;
        }
        let outcome = run(&bounds, threads, |states, since| progress(&name, states, since));
        if args.output == Output::Text {
            print(&mut out, &outcome)?;
        }
        let broken = outcome.broken.is_some();
        all.push((name, arguments, bounds.to_string(), outcome));
        if broken && args.fail_fast {
            break;
        }
    }
    let broken = all.iter().any(|(.., outcome)| outcome.broken.is_some());
    match args.output {
        Output::Text => table(&mut out, &all)?,
        Output::Json => {
            let all: Vec<serde_json::Value> = all
                .iter()
                .map(|(name, arguments, bounds, outcome)| {
                    serde_json::json!({ "name": name, "arguments": arguments, "bounds": bounds, "outcome": outcome })
                })
                .collect();
            let text = serde_json::to_string_pretty(&all).context("cannot write JSON")?;
            writeln!(out, "{text}")?;
        }
    }
    Ok(!broken)
}

fn progress(name: &str, states: usize, since: Duration) {
    // Nobody may be looking.
    let _ = writeln!(io::stderr(), "{name}: {states} states, {} s", since.as_secs());
}

fn print(out: &mut impl io::Write, outcome: &Outcome) -> io::Result<()> {
    let Outcome { states, steps, depth, seconds, .. } = outcome;
    writeln!(out, "  {states} states, {steps} steps, depth {depth}, {seconds:.1} s")?;
    for (what, count) in outcome.happened.iter().filter(|(_, count)| *count > 0) {
        writeln!(out, "  {count:>12} {what}")?;
    }
    if let Some(broken) = &outcome.broken {
        writeln!(out, "BROKEN: {}", broken.rule)?;
        for (number, line) in (1..).zip(&broken.path) {
            writeln!(out, "  {number:>3}. {line}")?;
        }
        for line in &broken.alone {
            writeln!(out, "    alone: {line}")?;
        }
    }
    writeln!(out)
}

fn table(out: &mut impl io::Write, all: &[(String, String, String, Outcome)]) -> io::Result<()> {
    writeln!(
        out,
        "{:>12} {:>12} {:>5} {:>8}  {:<8} configuration",
        "states", "steps", "depth", "seconds", "result"
    )?;
    for (name, _, _, outcome) in all {
        let result = if outcome.broken.is_some() { "BROKEN" } else { "held" };
        let Outcome { states, steps, depth, seconds, .. } = outcome;
        writeln!(out, "{states:>12} {steps:>12} {depth:>5} {seconds:>8.1}  {result:<8} {name}")?;
    }
    let states: usize = all.iter().map(|(.., outcome)| outcome.states).sum();
    let steps: usize = all.iter().map(|(.., outcome)| outcome.steps).sum();
    let seconds: f64 = all.iter().map(|(.., outcome)| outcome.seconds).sum();
    writeln!(out, "{states:>12} {steps:>12} {:>5} {seconds:>8.1}  in all", "")?;
    for (name, arguments, ..) in all.iter().filter(|(_, arguments, ..)| !arguments.is_empty()) {
        writeln!(out, "\n{name}:\n  cargo model {arguments}")?;
    }
    Ok(())
}
