//! `beam status`: the validator's machines, as the register knows them. Nobody's word is taken for who owns.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use beam_core::signing::Mark;
use beam_gaia::rpc::NodeRpc;
use jiff::Timestamp;
use serde::Serialize;

use super::{Ending, Output, output};
use crate::assemble;
use crate::config::Config;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam status --output json\nExit code 0: an owner signs and a standby is in step; 1: no standby in step; 2: nobody can sign."
)]
pub(super) struct Args {
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Status {
    schema: &'static str,
    chain_id: String,
    validator: String,
    /// What the register says, or nothing if there is no record.
    mark: Mark,
    epoch: u64,
    since: Mark,
    handover: beam_core::signing::Handover,
    machines: Vec<Machine>,
    /// This machine's node, as its RPC tells.
    node: Option<Node>,
    state: &'static str,
}

#[derive(Serialize)]
struct Machine {
    name: String,
    role: &'static str,
    height: u64,
    seen_seconds_ago: u64,
    here: bool,
    in_step: bool,
}

#[derive(Serialize)]
struct Node {
    height: u64,
    catching_up: bool,
}

/// How many heights a machine may be behind the register and still count as in step.
const IN_STEP_HEIGHTS: u64 = 2;
/// After how long a note counts as old, whatever the heights: the chain may stand still.
const SEEN_WITHIN: Duration = Duration::from_secs(60);

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let shared = assemble::shared(&config).await?;
    let record = shared.record().await?;
    let roster = shared.roster().read().await?;
    let now_ms = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
    let machines: Vec<Machine> = roster
        .members
        .iter()
        .map(|(name, member)| {
            let seen_seconds_ago = now_ms.saturating_sub(member.seen_ms) / 1000;
            let near = member.height.0.saturating_add(IN_STEP_HEIGHTS) >= record.mark.height.0;
            Machine {
                name: name.clone(),
                role: if record.owner == Some(member.signer) { "owner" } else { "standby" },
                height: member.height.0,
                seen_seconds_ago,
                here: *name == config.name,
                in_step: near && seen_seconds_ago <= SEEN_WITHIN.as_secs(),
            }
        })
        .collect();
    let node = NodeRpc::new(config.rpc()?).status().await.ok();
    let ready = machines.iter().filter(|machine| machine.in_step).count();
    let owner_in_step = machines.iter().any(|machine| machine.role == "owner" && machine.in_step);
    let (state, ending) = match (owner_in_step, ready) {
        (true, 2..) => ("fine", Ending::Fine),
        (_, 1..) => ("degraded", Ending::Degraded),
        (_, 0) => ("down", Ending::Down),
    };
    let status = Status {
        schema: "beam.status/1",
        chain_id: config.chain.id.to_string(),
        validator: assemble::validator(&config)?,
        mark: record.mark,
        epoch: record.epoch.0,
        since: record.since,
        handover: record.handover,
        machines,
        node: node.map(|node| Node { height: node.height.0, catching_up: node.catching_up }),
        state,
    };
    match args.output {
        Output::Json => output::json(&status)?,
        Output::Text => print(&status),
    }
    Ok(ending)
}

fn print(status: &Status) {
    println!("{} on {}: {}", status.validator, status.chain_id, status.state);
    println!(
        "last signed {}   epoch {} since {} ({})",
        status.mark.in_words(),
        status.epoch,
        status.since.in_words(),
        status.handover
    );
    println!();
    println!("{:<2}{:<20} {:<8} {:>10}  {:>8}  STATE", "", "NAME", "ROLE", "HEIGHT", "SEEN");
    for machine in &status.machines {
        println!(
            "{:<2}{:<20} {:<8} {:>10}  {:>6} s  {}",
            if machine.here { "*" } else { "" },
            machine.name,
            machine.role,
            machine.height,
            machine.seen_seconds_ago,
            if machine.in_step { "in step" } else { "out of step" },
        );
    }
    match &status.node {
        Some(node) if node.catching_up => {
            println!("\nthis machine's node is catching up, at height {}", node.height)
        }
        Some(node) => println!("\nthis machine's node is at height {}", node.height),
        None => println!("\nthis machine's node does not answer its RPC"),
    }
}
