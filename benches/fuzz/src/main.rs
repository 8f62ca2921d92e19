//! `cargo fuzz-all`: builds the targets with coverage, lets libFuzzer run each for a while, and prints a table.
//!
//! ```text
//! cargo fuzz-all                            every target, a minute each
//! cargo fuzz-all --seconds 600 logs floor   these two, ten minutes each
//! cargo fuzz-all --executions 10000000 record
//! cargo fuzz-all --minimise                 writes corpus/ anew from what was found
//! cargo fuzz-all --input FILE record        one input, without libFuzzer: repeats what it found
//! ```
//!
//! It ends with 1 if a target has found something. A stable compiler is enough: the passes that count coverage are LLVM's own.

mod fuzz;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use beam_fuzz::{TARGETS, Target};
use clap::Parser;

use fuzz::{Bounds, Places, campaign, compile, minimise, table};

#[derive(Debug, Parser)]
#[command(name = "cargo fuzz-all", about = "Fuzzes whatever reads bytes that others may have written")]
struct Args {
    /// How long each target runs, in seconds. Also the most that `--executions` may take.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How often each target runs at most.
    #[arg(long)]
    executions: Option<u64>,
    /// How many targets run at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=64))]
    jobs: u64,
    /// Writes the corpus of the targets anew, as few inputs as cover as much. Fuzzes nothing.
    #[arg(long)]
    minimise: bool,
    /// Gives a target the bytes of this file, once, in this process.
    #[arg(long, conflicts_with_all = ["minimise", "executions"])]
    input: Option<PathBuf>,
    /// Which targets: all, unless some are named.
    targets: Vec<String>,
}

fn main() -> Result<ExitCode> {
    let args = Args::parse();
    let targets = chosen(&args.targets)?;
    if let Some(path) = &args.input {
        ensure!(targets.len() == 1, "name the one target that the input is for");
        let bytes = std::fs::read(path).with_context(|| format!("{} could not be read", path.display()))?;
        targets.iter().for_each(|target| (target.run)(&bytes));
        println!("it finds nothing");
        return Ok(ExitCode::SUCCESS);
    }
    let places = Places::new()?;
    compile(&places, &targets)?;
    if args.minimise {
        targets.iter().try_for_each(|target| minimise(&places, target))?;
        return Ok(ExitCode::SUCCESS);
    }
    let bounds = Bounds { seconds: args.seconds, executions: args.executions };
    let outcomes = campaign(&places, &targets, bounds, usize::try_from(args.jobs)?)?;
    print!("{}", table(&outcomes));
    let failed: Vec<_> = outcomes.iter().filter(|outcome| outcome.found.is_some()).collect();
    for outcome in &failed {
        eprint!("{}", outcome.complaint());
    }
    Ok(if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(names: &[String]) -> Result<Vec<Target>> {
    for name in names {
        let known = TARGETS.map(|target| target.name).join(", ");
        ensure!(
            TARGETS.iter().any(|target| target.name == name),
            "there is no target {name}; there are {known}"
        );
    }
    let wanted = |target: &Target| names.is_empty() || names.iter().any(|name| name == target.name);
    Ok(TARGETS.into_iter().filter(wanted).collect())
}
