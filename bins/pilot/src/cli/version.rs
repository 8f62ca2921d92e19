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
#[command(
    after_help = "Example: beam version --output json\nMachines of one validator must agree in record and roster."
)]
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
        Output::Text => output::text(&text(&version))?,
    }
    Ok(Ending::Fine)
}

fn text(version: &Version) -> String {
    let Protocols { record, roster, report, privval } = version.protocols;
    let Version { version, commit, sqlite, .. } = version;
    let commit = commit.unwrap_or("not known");
    format!(
        "beam {version}\ncommit   {commit}\nrecord   {record}\nroster   {roster}\nreport   {report}\n\
         privval  {privval}\nsqlite   {sqlite}\n"
    )
}
