//! What can be asked of the demo.

use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Two machines, one validator, a real network: watch machines die and the validator go on signing.
///
/// Makes a CometBFT network of four validators on this machine and runs one of them as two Beam machines, a and b, over
/// one register. Then it kills, freezes and switches them, shows each block by who signed it, and has a judge look through
/// everything that was ever signed. Needs Go once, to install CometBFT.
#[derive(Debug, Parser)]
#[command(name = "cargo demo", bin_name = "cargo demo", after_help = AFTER_HELP, max_term_width = 80)]
pub(crate) struct Args {
    /// How fast the chain is: CometBFT's timeout_commit, 500ms to 10s.
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = block_time)]
    pub(crate) block_time: Duration,
    /// How often to play all acts.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// Leave the network up at the end, and say how to look around, until Ctrl-C.
    #[arg(long)]
    pub(crate) keep: bool,
    /// How to write the result. With json, progress goes to stderr.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) output: Output,
}

/// How the result is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people.
    #[default]
    Text,
    /// One JSON object for programs.
    Json,
}

const AFTER_HELP: &str = "\
Examples:
  cargo demo                      a minute and a half, six acts
  cargo demo --keep               ... and then look around
  cargo demo --block-time 5s      as slow as the Cosmos Hub

Exit codes: 0 all is well; 1 a block too many was missed, or the validator
contradicted itself; 2 the demo could not be played; 130 stopped by a signal.
NO_COLOR is honoured; into a file or a pipe go plain lines.";

fn block_time(text: &str) -> Result<Duration, String> {
    let allowed = Duration::from_millis(500)..=Duration::from_secs(10);
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if allowed.contains(&time) { Ok(time) } else { Err("must be 500ms to 10s".to_owned()) }
}
