//! Nothing happens: what is missed then, who thinks that he must take over, and how much memory it takes.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use beam_examples::lab::Lab;
use beam_examples::machine::Machine;
use serde_json::json;

use crate::Log;
use crate::args::Args;

/// How often memory is looked at.
const SAMPLE_EVERY: Duration = Duration::from_secs(10);

/// The most memory that each pilot was seen to use, in KiB.
pub(crate) type Memory = BTreeMap<String, u64>;

/// Lets the time go by.
pub(crate) async fn run(args: &Args, lab: &mut Lab, log: &mut Log) -> Result<Memory> {
    let began = Instant::now();
    let mut most = Memory::new();
    while began.elapsed() < args.limit() {
        let rest = args.limit().saturating_sub(began.elapsed());
        tokio::time::sleep(SAMPLE_EVERY.min(rest)).await;
        let standing = lab.standing().await?;
        let height = lab.chain.height().await?;
        let mut now = Memory::new();
        for machine in &mut lab.machines {
            let used = resident_kib(machine)?;
            let known = most.entry(machine.name().to_owned()).or_default();
            *known = used.max(*known);
            now.insert(machine.name().to_owned(), used);
        }
        let seconds = began.elapsed().as_secs();
        log.write(&json!({ "seconds": seconds, "height": height, "epoch": standing.epoch, "rss_kib": now }))?;
        println!(
            "{seconds:>6} s  height {height}, epoch {}, {}, pilots use {now:?} KiB",
            standing.epoch, standing.state
        );
    }
    Ok(most)
}

fn resident_kib(machine: &mut Machine) -> Result<u64> {
    let name = machine.name().to_owned();
    let pid = machine.pilot_pid().with_context(|| format!("the pilot of {name} has ended"))?;
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let fields: Vec<_> = line.context("the kernel does not tell")?.split_whitespace().collect();
    ensure!(fields.get(1) == Some(&"kB"), "VmRSS in another unit");
    Ok(fields.first().context("VmRSS without a number")?.parse()?)
}
