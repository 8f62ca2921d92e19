//! `cargo simulate`: lets the real signer live through many seeded worlds, and says what came of it.
//!
//! Every run is a function of its seed. A run that goes wrong is told with the command that repeats it, and ends the program with 1.

mod args;
mod many;
mod print;

use std::io::{Write as _, stderr, stdout};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use beam_core::sim::{Fault, Faults, Settings, Strike, When, simulate};
use clap::Parser as _;

use args::{Args, Output};
use many::Task;

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let settings = args.settings();
    if let Some(seed) = args.seed {
        return one(&args, seed, &settings);
    }
    let tasks = if args.sweep { sweep(&args, &settings) } else { seeds(&args, &settings) };
    let began = Instant::now();
    let (summary, wrong) = many::run(&tasks, args.threads);
    let took = began.elapsed();
    let mut out = stdout().lock();
    match args.output {
        Output::Text => write!(out, "{}", print::text(&summary, &args, took))?,
        Output::Json => writeln!(out, "{}", print::json(&summary, took))?,
    }
    for task in wrong.iter().take(print::STORIES_MAX) {
        let run = simulate(task.seed, &Settings { story: true, ..task.settings() });
        write!(stderr(), "{}", print::failure(&run, task, &args))?;
    }
    Ok(ExitCode::from(u8::from(!wrong.is_empty())))
}

/// One seed, with its story if that is wanted.
fn one(args: &Args, seed: u64, settings: &Settings) -> Result<ExitCode> {
    let run = simulate(seed, &Settings { story: args.trace, ..settings.clone() });
    let mut out = stdout().lock();
    write!(out, "{}", run.story)?;
    writeln!(out, "{}", print::line(&run))?;
    Ok(ExitCode::from(u8::from(run.violation.is_some())))
}

fn seeds<'a>(args: &Args, settings: &'a Settings) -> Vec<Task<'a>> {
    (args.first..args.first.saturating_add(args.seeds.unwrap_or(args::SEEDS)))
        .map(|seed| Task { seed, strike: None, settings })
        .collect()
}

/// Each kind of fault at each point of each base seed's history.
fn sweep<'a>(args: &Args, settings: &'a Settings) -> Vec<Task<'a>> {
    let mut tasks = Vec::new();
    for seed in args.first..args.first.saturating_add(args.seeds.unwrap_or(1)) {
        let calm = simulate(seed, &Settings { faults: Faults::Given(Vec::new()), ..settings.clone() });
        for fault in Fault::SWEPT {
            let strike = |point| Some(Strike { when: When::Point(point), fault: *fault });
            tasks.extend((1..=calm.points).map(|point| Task { seed, strike: strike(point), settings }));
        }
    }
    tasks
}
