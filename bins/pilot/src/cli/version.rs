//! `beam version`: what this program is, and which forms of what machines share it reads and writes.

use anyhow::Result;
use beam_core::roster::Roster;
use beam_core::signing::Record;
use beam_core::sqlite::sqlite_version;
use serde::Serialize;

use super::{Ending, Output, output};
use crate::report;

/// The commit it was built from, if whoever built it said so in `BEAM_COMMIT`.
const COMMIT: Option<&str> = option_env!("BEAM_COMMIT");

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

/// `version` is what a running pilot looks at before it lets this program take its place.
#[derive(Serialize)]
struct Version {
    schema: &'static str,
    version: &'static str,
    commit: Option<&'static str>,
    protocols: Protocols,
    sqlite: &'static str,
}

/// Machines of one validator must agree in the first two.
#[derive(Serialize)]
struct Protocols {
    record: &'static str,
    roster: &'static str,
    report: &'static str,
    /// What the node speaks to its signer: `CometBFT`'s messages of these versions.
    privval: &'static str,
}

pub(super) fn run(args: &Args) -> Result<Ending> {
    let version = Version {
        schema: "beam.version/1",
        version: env!("CARGO_PKG_VERSION"),
        commit: COMMIT,
        protocols: Protocols {
            record: Record::FORMAT,
            roster: Roster::FORMAT,
            report: report::SCHEMA,
            privval: "cometbft 0.34 to 0.40",
        },
        sqlite: sqlite_version(),
    };
    match args.output {
        Output::Json => output::json(&version)?,
        Output::Text => print(&version),
    }
    Ok(Ending::Fine)
}

fn print(version: &Version) {
    let Protocols { record, roster, report, privval } = version.protocols;
    println!("beam {}", version.version);
    println!("commit   {}", version.commit.unwrap_or("not known"));
    println!("record   {record}");
    println!("roster   {roster}");
    println!("report   {report}");
    println!("privval  {privval}");
    println!("sqlite   {}", version.sqlite);
}
