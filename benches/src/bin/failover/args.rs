//! What can be measured.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use beam_examples::network::NetworkPlan;
use beam_examples::trial::{self, Fault};
use clap::Parser;

/// Measures what a fault costs, over many faults, on a real network.
#[derive(Debug, Parser)]
#[command(name = "cargo measure", bin_name = "cargo measure", after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Args {
    /// kill, freeze, node, pilot, switchover, both-at-once, standby, sentry-kill, sentry-freeze; any for all of them but
    /// both-at-once, in random order; or idle.
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: What,
    /// How many faults.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub(crate) count: u32,
    /// How long at most; for idle: how long.
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) minutes: u64,
    /// CometBFT's timeout_commit.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) block_time: Duration,
    /// On a chain like the Cosmos Hub, which jails and tombstones, instead of CometBFT's kvstore.
    #[arg(long)]
    pub(crate) hub: bool,
    /// Sentries between the validator's machines and the others.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) sentries: usize,
    /// How long a standby waits for the owner; 300ms at blocks of 1s, 1s at 5s if it is not given.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    takeover_after: Option<Duration>,
    /// Quiet blocks after each fault; 6 if both machines live to remember it and 0 if not, unless it is given.
    #[arg(long, value_name = "BLOCKS")]
    pub(crate) calm: Option<u64>,
    /// Repeats the same moments.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Results as JSON lines: one a fault, and a summary.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Examples:
  cargo measure --fault kill --count 50
  cargo measure --fault freeze --count 20 --block-time 5s --output freeze.json
  cargo measure --fault idle --minutes 20
  cargo measure --fault any --count 1000 --minutes 30 --hub --sentries 2

Exit codes: 0 as good as promised; 1 a signature contradicted another, or one
fault cost more than one block (a planned switch: any); 2 not measured.";

impl Args {
    pub(crate) fn takeover_after(&self) -> Duration {
        self.takeover_after.unwrap_or_else(|| trial::takeover_after(self.block_time))
    }

    /// The faults to draw from.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        match self.fault {
            What::Idle => Vec::new(),
            What::Fault(fault) => vec![fault],
            What::Any => {
                let fits = |fault: &Fault| {
                    *fault != Fault::BothAtOnce && (self.sentries > 0 || !fault.strikes_a_sentry())
                };
                Fault::ALL.into_iter().filter(fits).collect()
            }
        }
    }

    /// The network to measure on.
    pub(crate) fn network(&self) -> NetworkPlan {
        let plan = if self.hub { NetworkPlan::hub() } else { NetworkPlan::default() };
        NetworkPlan { block_time: self.block_time, sentries: self.sentries, ..plan }
    }

    /// The most that the run may take.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.minutes.saturating_mul(60))
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Nothing happens: what is missed then, and how much memory is used.
    Idle,
    /// Faults of one kind.
    Fault(Fault),
    /// Faults of all kinds that leave somebody to sign.
    Any,
}

impl std::str::FromStr for What {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "idle" => Ok(Self::Idle),
            "any" => Ok(Self::Any),
            fault => Ok(Self::Fault(fault.parse()?)),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Fault(fault) => fault.fmt(f),
            Self::Any => f.write_str("any"),
        }
    }
}
