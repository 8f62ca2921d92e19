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
mod bag;
mod faults;
mod idle;
mod rows;
mod stranger;
mod summary;
mod table;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use beam_examples::dynamodb_local::DynamoDbLocal;
use beam_examples::install;
use beam_examples::lab::Lab;
use beam_examples::machine::{Disk, MachinePlan, RegisterPlan};
use beam_examples::proxy::{Proxy, Weather};
use beam_examples::trial::{self, Ledger, Need};
use clap::Parser;
use serde_json::Value;

use args::{Args, RegisterKind, What};
use faults::Course;
use summary::{Found, Summary};

/// The register's table on an emulator.
const TABLE: &str = "beam";

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    if !args.table.is_empty() {
        return match table::print(&args.table) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("measure: {error:#}");
                ExitCode::from(2)
            }
        };
    }
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
    let measured = match args.fault {
        What::Stranger => stranger::run(args, &dir, &beam).await,
        What::Idle | What::Fault(_) | What::Any => run(args, &dir, &beam).await,
    };
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
    let mut plan = machines(args).await?;
    std::fs::create_dir_all(dir)?;
    // One for all networks: each chain has a record of its own.
    let emulator = match args.register {
        RegisterKind::Sqlite => None,
        RegisterKind::DynamoDb => Some(DynamoDbLocal::start(dir, install::to_stderr).await?),
    };
    ensure!(
        args.register_delay.is_none() || emulator.is_some(),
        "a file has no wire: --register-delay goes with --register dynamodb"
    );
    let mut distance = None;
    if let Some(emulator) = &emulator {
        let mut endpoint = emulator.endpoint();
        if let Some(delay) = args.register_delay {
            let wire = Proxy::start(emulator.address())?;
            wire.set(Weather { delay, ..Weather::FINE });
            endpoint = format!("http://{}", wire.address());
            distance = Some(wire);
        }
        plan.register = RegisterPlan::DynamoDb { table: TABLE.to_owned(), endpoint };
    }
    let (mut course, mut found, mut memory) = (Course::new(args), Found::default(), None);
    println!(
        "{}: blocks of {:?}, takeover after {:?}, seed {}",
        args.fault, args.block_time, plan.takeover_after, args.seed
    );
    let mut trouble = None;
    for number in 1.. {
        let home = dir.join(number.to_string());
        let started = async {
            let lab = Lab::start(&home, beam, args.network(), plan.clone()).await?;
            let network = Measured::begin(&lab).await?;
            anyhow::Ok((lab, network))
        };
        let (mut lab, mut network) = match started.await {
            Ok(started) => started,
            // What was measured on the networks before counts.
            Err(error) => {
                trouble = Some(error.context("a network did not begin"));
                break;
            }
        };
        let measured = match args.fault {
            What::Idle => idle::run(args, &mut lab, &mut log).await.map(|used| memory = Some(used)),
            What::Fault(_) | What::Any | What::Stranger => {
                course.run(args, &mut lab, &mut network.ledger, &mut log).await
            }
        };
        network.end(&lab, measured.is_ok(), &mut found).await?;
        trouble = measured.err();
        if trouble.is_some() || args.fault == What::Idle || course.is_over(args) {
            break;
        }
        drop(lab);
        let _ = std::fs::remove_dir_all(&home);
    }
    drop(distance);
    let summary = Summary::new(args, &course.outcomes, memory, found, trouble.is_none())?;
    log.write(&summary.to_json())?;
    println!("\n{summary}");
    match trouble {
        Some(error) => Err(error.context("the measurement ended early")),
        None => Ok(summary.is_good()),
    }
}

/// The machines to measure on: with what this host can give them of what the faults need.
async fn machines(args: &Args) -> Result<MachinePlan> {
    let mut plan = MachinePlan { takeover_after: args.takeover_after(), ..MachinePlan::default() };
    if args.wants(Need::Disks) {
        match Disk::why_not() {
            None => plan.own_disk = true,
            Some(why) => without("disks of their own", why, args)?,
        }
    }
    if args.wants(Need::Clocks) {
        match install::faketime(install::to_stderr).await {
            Ok(library) => plan.clock = Some(library),
            Err(error) => without("clocks of their own", &format!("{error:#}"), args)?,
        }
    }
    Ok(plan)
}

/// `any` does without some; who asked for one fault wants that.
fn without(what: &str, why: &str, args: &Args) -> Result<()> {
    ensure!(args.fault == What::Any, "machines cannot have {what} here: {why}");
    eprintln!("measure: without faults that need {what}: {why}");
    Ok(())
}

/// One network of a run.
struct Measured {
    ledger: Ledger,
    epoch: u64,
}

impl Measured {
    async fn begin(lab: &Lab) -> Result<Self> {
        let first = lab.wait_in_step(0).await?;
        Ok(Self { ledger: Ledger::from(first), epoch: lab.standing().await?.epoch })
    }

    /// Judges it.
    async fn end(mut self, lab: &Lab, is_whole: bool, found: &mut Found) -> Result<()> {
        if is_whole {
            // One block more, so that the last one's commit is known.
            trial::let_heights_pass(lab, 1).await?;
        }
        self.ledger.finish(&lab.chain).await?;
        let changes = lab.standing().await?.epoch.saturating_sub(self.epoch);
        found.add(lab.verdict().await?, &self.ledger, changes);
        Ok(())
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
