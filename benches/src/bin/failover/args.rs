//! What can be measured.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use beam_examples::network::NetworkPlan;
use beam_examples::trial::{self, Fault, Need};
use clap::Parser;
use clap::builder::ArgPredicate;

/// Measures what a fault costs, over many faults, on a real network.
#[derive(Debug, Parser)]
#[command(name = "cargo measure", bin_name = "cargo measure", after_help = after_help(), max_term_width = 100)]
pub(crate) struct Args {
    /// One of those listed below; any for all of them that the network can have, in random order; stranger; or idle.
    #[arg(
        long,
        value_name = "FAULT",
        required = false,
        required_unless_present = "table",
        default_value_if("table", ArgPredicate::IsPresent, "idle")
    )]
    pub(crate) fault: What,
    /// Measures nothing: prints a table of all faults in these files, kept with --output.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) table: Vec<PathBuf>,
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
    /// Where the register is: in a file, or on DynamoDB Local, which needs Java. Some faults need the one, some the other.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) register: RegisterKind,
    /// How much longer every packet to and from the table takes, each way: 5ms is another zone and to spare, 80ms another
    /// continent.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) register_delay: Option<Duration>,
    /// How long what is struck stays so, from the next vote on.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = humantime::parse_duration)]
    pub(crate) down: Duration,
    /// Sentries between the validator's machines and the others.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) sentries: usize,
    /// After so many faults everything is made anew: the kvstore's nodes replay the whole chain when they start.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) fresh_after: usize,
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

fn after_help() -> String {
    let faults: Vec<_> =
        Fault::ALL.iter().map(|fault| format!("  {:<18} {}", fault.name(), fault.describe())).collect();
    format!(
        "Faults:\n{}\n  stranger           the key signs on another machine, past Beam\n\n{EXAMPLES}",
        faults.join("\n")
    )
}

const EXAMPLES: &str = "\
Examples:
  cargo measure --fault kill --count 50
  cargo measure --fault freeze --count 20 --block-time 5s --output freeze.json
  cargo measure --fault idle --minutes 20
  cargo measure --fault any --count 500 --minutes 240 --output any.json
  cargo measure --fault kill --register dynamodb --register-delay 20ms
  cargo measure --fault register-out --register dynamodb --down 30s --count 5
  cargo measure --fault any --count 500 --minutes 240 --register dynamodb --output table.json
  cargo measure --table kill.json freeze.json any.json

Disks of a machine's own need root, and a clock of its own Debian's libfaketime: where they
cannot be had, `any` does without the faults that need them, and says so.

Exit codes: 0 as good as promised; 1 a signature contradicted another, or a fault cost more
than it may; 2 not measured.";

impl Args {
    pub(crate) fn takeover_after(&self) -> Duration {
        self.takeover_after.unwrap_or_else(|| trial::takeover_after(self.block_time))
    }

    /// The faults to draw from.
    pub(crate) fn faults(&self, offers: impl Fn(Need) -> bool) -> Vec<Fault> {
        match self.fault {
            What::Idle | What::Stranger => Vec::new(),
            What::Fault(fault) => vec![fault],
            What::Any => Fault::ALL.into_iter().filter(|fault| fault.need().is_none_or(&offers)).collect(),
        }
    }

    /// The network to measure on.
    pub(crate) fn network(&self) -> NetworkPlan {
        let plan = if self.hub { NetworkPlan::hub() } else { NetworkPlan::default() };
        let wired = self.wants(Need::Wires);
        NetworkPlan { block_time: self.block_time, sentries: self.sentries, wired, ..plan }
    }

    /// Whether what is measured needs this of the lab.
    pub(crate) fn wants(&self, need: Need) -> bool {
        match self.fault {
            What::Idle | What::Stranger => false,
            What::Fault(fault) => fault.need().is_some_and(|needs| needs.includes(need)),
            What::Any => true,
        }
    }

    /// The most that the run may take.
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.minutes.saturating_mul(60))
    }
}

/// Where the register is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RegisterKind {
    /// A file that both machines share.
    #[default]
    Sqlite,
    /// A table of an emulator of DynamoDB.
    #[value(name = "dynamodb")]
    DynamoDb,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// Nothing happens: what is missed then, and how much memory is used.
    Idle,
    /// The key signs on another machine, past Beam, each time on a network of its own.
    Stranger,
    /// Faults of one kind.
    Fault(Fault),
    /// Faults of all kinds.
    Any,
}

impl std::str::FromStr for What {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "idle" => Ok(Self::Idle),
            "stranger" => Ok(Self::Stranger),
            "any" => Ok(Self::Any),
            fault => Ok(Self::Fault(fault.parse()?)),
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("idle"),
            Self::Stranger => f.write_str("stranger"),
            Self::Fault(fault) => fault.fmt(f),
            Self::Any => f.write_str("any"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn a_fault_must_be_named_unless_a_table_is_wanted() {
        Args::command().debug_assert();
        let parse = |line: &[&str]| Args::try_parse_from([&["measure"], line].concat());
        assert!(parse(&[]).is_err());
        assert_eq!(parse(&["--table", "x.json"]).unwrap().table.len(), 1);
        let kill = parse(&["--fault", "register-and-chain", "--register", "dynamodb"]).unwrap();
        assert!(kill.wants(Need::Wires) && kill.wants(Need::RegisterWires) && !kill.wants(Need::Disks));
    }
}
