//! `cargo measure`: what a fault costs, over many faults.
//!
//! A real network of four validators, one of them two Beam machines. At a random moment within a block (a seed repeats
//! them) the owner is struck; it is brought back, and once both machines sign in step the next fault follows. Missed
//! blocks are read from the chain, over windows that count every height of the run exactly once; see
//! [`beam_examples::trial`] for how, and for what "next vote" means.
//!
//! After a fault that both machines live to remember, a few quiet blocks follow: a standby's patience doubles with each
//! takeover (against ping-pong) and would be measured too. `--calm` sets another number.

mod args;
mod faults;
mod idle;
mod summary;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use beam_examples::install;
use beam_examples::lab::Lab;
use beam_examples::machine::MachinePlan;
use beam_examples::trial::{self, Ledger};
use clap::Parser;
use serde_json::Value;

use args::{Args, What};
use summary::Summary;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    // Dropping the measurement kills everything that it has started.
    tokio::select! {
        measured = measure(&args) => match measured {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => {
                eprintln!("measure: {error:#}");
                ExitCode::from(2)
            }
        },
        _ = tokio::signal::ctrl_c() => {
            eprintln!("measure: stopped; everything it had started is gone");
            ExitCode::from(130)
        }
    }
}

/// Measures, and says whether the numbers are as good as promised.
async fn measure(args: &Args) -> Result<bool> {
    if args.hub {
        install::hubd(install::to_stderr).await?;
    } else {
        install::cometbft(install::to_stderr).await?;
    }
    install::to_stderr("building beam");
    let beam = install::beam_binary().await?;
    let dir = std::env::temp_dir().join(format!("beam-measure-{}", std::process::id()));
    let measured = run(args, &dir, &beam).await;
    if matches!(measured, Ok(true)) {
        // A few megabytes left in the temporary directory would do no harm.
        let _ = std::fs::remove_dir_all(&dir);
    } else {
        eprintln!("measure: the logs of all nodes and machines are in {}", dir.display());
    }
    measured
}

async fn run(args: &Args, dir: &Path, beam: &Path) -> Result<bool> {
    let mut log = Log::open(args.output.as_ref())?;
    let takeover_after = args.takeover_after();
    let plan = MachinePlan { takeover_after, ..MachinePlan::default() };
    let mut lab = Lab::start(dir, beam, args.network(), plan).await?;
    let first = lab.wait_in_step(0).await?;
    let mut ledger = Ledger::from(first);
    let epoch = lab.standing().await?.epoch;
    println!(
        "{}: blocks of {:?}, takeover after {takeover_after:?}, seed {}, from height {first}, epoch {epoch}",
        args.fault, args.block_time, args.seed
    );
    let (outcomes, memory, trouble) = match args.fault {
        What::Idle => (Vec::new(), Some(idle::run(args, &mut lab, &mut log).await?), None),
        What::Fault(_) | What::Any => {
            let (outcomes, trouble) = faults::run(args, &mut lab, &mut ledger, &mut log).await;
            (outcomes, None, trouble)
        }
    };
    if trouble.is_none() {
        // One block more, so that the last one's commit is known.
        trial::let_heights_pass(&lab, 1).await?;
    }
    ledger.finish(&lab.chain).await?;
    let takeovers = lab.standing().await?.epoch.saturating_sub(epoch);
    let verdict = lab.verdict().await?;
    let summary = Summary { args, outcomes, memory, ledger, takeovers, verdict };
    log.write(&summary.to_json())?;
    println!("\n{summary}");
    match trouble {
        Some(error) => Err(error.context("the measurement ended early")),
        None => Ok(summary.is_good()),
    }
}

/// The results as JSON lines, if somebody wants them.
pub(crate) struct Log(Option<(PathBuf, File)>);

impl Log {
    fn open(path: Option<&PathBuf>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self(None)) };
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self(Some((path.clone(), file))))
    }

    /// One line, at once: what was measured stays if the rest fails.
    pub(crate) fn write(&mut self, value: &Value) -> Result<()> {
        match &mut self.0 {
            None => Ok(()),
            Some((path, file)) => {
                writeln!(file, "{value}").with_context(|| format!("cannot write {}", path.display()))
            }
        }
    }
}
