//! How long a node waits for a vote: Beam's signer, and CometBFT's own file signer, on the same disk in the same run.
//!
//! * **beam** is the production path: a node's end of a real unix socket, the privval dialer, the signing machine, the
//!   SQLite register and the floor file on a real disk, the key file, the audit file. The signer has one thread, as in
//!   `beam start`; the node is another.
//! * **in memory** is the same, with register and floor in memory: what is Beam's own, without the disk's share.
//! * **file signer** is `privval.FilePV.SignVote` called from Go, as CometBFT does it without Beam: no socket, no second
//!   machine, and a temporary file, synced and renamed.
//!
//! Each height is a prevote and a precommit. The three take turns in short batches, so that a disk that is slow for a
//! while is slow for all of them.

mod beam;
mod filepv;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use beam_examples::install::target_dir;
use clap::Parser;

use report::{Contender, Report};

/// Measures how long a node waits for its signature, with Beam and without.
#[derive(Debug, Parser)]
#[command(name = "signer", after_help = AFTER_HELP, max_term_width = 100)]
struct Args {
    /// How many batches each.
    #[arg(long, value_name = "N", default_value_t = 10)]
    batches: usize,
    /// How many votes a batch.
    #[arg(long, value_name = "N", default_value_t = 200)]
    votes: usize,
    /// Where register, floor and state file lie: a folder on the disk to be measured; target/ if it is not given.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The result as JSON.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Example: cargo run --release -p beam-benches --bin signer
Exit codes: 0 as good as promised; 1 slower; 2 not measured. Promised: half of all votes within 1.5 times the file
signer's time and 99 of 100 within twice; half of them under 100 us with register and floor in memory.";

fn main() -> ExitCode {
    match measure(&Args::parse()) {
        Ok(report) => {
            println!("{report}");
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("signer: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn measure(args: &Args) -> Result<Report> {
    let place = args.dir.clone().unwrap_or_else(target_dir);
    let dir = tempfile::Builder::new().prefix("bench-signer-").tempdir_in(&place);
    let dir = dir.with_context(|| format!("cannot make a folder in {}", place.display()))?;
    // Apart, because the path of a socket has at most 107 bytes.
    let sockets = tempfile::tempdir()?;

    // The first votes make files and take the validator over. The file signer goes first: it makes the key that all use.
    let warm_up = args.votes / 10 + 2;
    let mut filepv = filepv::FilePv::start(dir.path())?;
    filepv.sign(warm_up)?;
    let mut on_disk = beam::start(beam::Stores::Disk, dir.path(), &sockets.path().join("disk"))?;
    on_disk.sign(warm_up)?;
    let mut in_memory = beam::start(beam::Stores::Memory, dir.path(), &sockets.path().join("memory"))?;
    in_memory.sign(warm_up)?;

    let mut report = Report::default();
    for batch in 1..=args.batches {
        report.add(Contender::Beam, on_disk.sign(args.votes)?);
        report.add(Contender::Memory, in_memory.sign(args.votes)?);
        report.add(Contender::FilePv, filepv.sign(args.votes)?);
        eprintln!("signer: batch {batch} of {}", args.batches);
    }
    if let Some(path) = &args.output {
        let text = serde_json::to_string_pretty(&report.to_json())?;
        std::fs::write(path, text + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report)
}
