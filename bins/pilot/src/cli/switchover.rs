//! `beam switchover`: the planned switch.

use std::path::Path;

use anyhow::Result;
use beam_core::runtime::Switchover;
use beam_core::signing::Mark;
use serde::Serialize;

use super::{Ending, Output, output};
use crate::assemble::{self, Shared};
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam switchover --to b\nThe target must follow the chain; that is looked at first. What really happened is looked at afterwards."
)]
pub(super) struct Args {
    /// The machine that shall own; may be left out if there is only one other.
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    /// Say what would be done, and change nothing.
    #[arg(long)]
    dry_run: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    done: bool,
    from: Option<String>,
    to: String,
    epoch: u64,
    since: Mark,
    first_signed: Option<Mark>,
    took_ms: Option<u128>,
}

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let shared = assemble::shared(&config).await?;
    let roster = shared.roster();
    let Shared { register, cells } = shared;
    let switchover = Switchover { register, signing: cells.signing, roster };
    let plan = switchover.plan(args.to.as_deref()).await?;
    let schema = "beam.switchover/1";
    let report = if args.dry_run {
        let (epoch, since) = (plan.epoch.0, plan.mark);
        Report {
            schema,
            done: false,
            from: plan.from,
            to: plan.to,
            epoch,
            since,
            first_signed: None,
            took_ms: None,
        }
    } else {
        let report = switchover.carry_out(plan).await?;
        Report {
            schema,
            done: true,
            from: report.from,
            to: report.to,
            epoch: report.epoch.0,
            since: report.since,
            first_signed: Some(report.first_signed),
            took_ms: Some((report.swapped_within + report.signed_within).as_millis()),
        }
    };
    if args.output == Output::Json {
        output::json(&report)?;
        return Ok(Ending::Fine);
    }
    let from = report.from.as_deref().unwrap_or("nobody");
    match (report.first_signed, report.took_ms) {
        (Some(first), Some(took)) => println!(
            "switched from {from} to {} (epoch {}, since {}); it first signed at {first}, {took} ms later",
            report.to, report.epoch, report.since
        ),
        _ => {
            println!("would switch from {from} to {}, which is ready (epoch {} now)", report.to, report.epoch)
        }
    }
    Ok(Ending::Fine)
}
