//! The command line.

use std::num::NonZeroUsize;

use beam_core::sim::{Fault, Faults, Settings, Strike, When};
use clap::{Parser, ValueEnum};

/// How many seeds, if nobody says.
pub(crate) const SEEDS: u64 = 10_000;

/// Lets Beam's signer live through seeded worlds in which everything goes wrong, and judges what it signs.
#[derive(Debug, Parser)]
#[command(name = "cargo simulate", bin_name = "cargo simulate")]
pub(crate) struct Args {
    /// How many seeds (with --sweep: base seeds, 1 by default) [default: 10000]
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<u64>,
    /// The first seed
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    pub(crate) first: u64,
    /// Only this seed
    #[arg(long, value_name = "SEED", conflicts_with_all = ["seeds", "sweep"])]
    pub(crate) seed: Option<u64>,
    /// With --seed: tell what happens, a line an event
    #[arg(long, requires = "seed")]
    pub(crate) trace: bool,
    /// Strike with each kind of fault at each point of a history: before and after every action and every write
    #[arg(long)]
    pub(crate) sweep: bool,
    /// With --seed: instead of the faults that the seed draws, this one at this point (may be given several times)
    #[arg(long, value_name = "FAULT@POINT", value_parser = strike, requires = "seed")]
    pub(crate) strike: Vec<Strike>,
    /// How many machines the validator has, 1 to 3; drawn if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=3))]
    pub(crate) machines: Option<u8>,
    /// How many threads [default: one]
    #[arg(long, value_name = "N", default_value = "1")]
    pub(crate) threads: NonZeroUsize,
    /// The summary's form
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(crate) output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

impl Args {
    pub(crate) fn settings(&self) -> Settings {
        let faults = if self.strike.is_empty() { Faults::Drawn } else { Faults::Given(self.strike.clone()) };
        Settings { machines: self.machines, faults, ..Settings::default() }
    }
}

fn strike(text: &str) -> Result<Strike, String> {
    let (name, point) = text.split_once('@').ok_or("expected FAULT@POINT, such as host-killed@120")?;
    let fault = Fault::named(name).ok_or_else(|| {
        let known: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        format!("no fault is called {name:?}; there are: {}", known.join(", "))
    })?;
    let point = point.parse().map_err(|_| format!("{point:?} is no point: expected a number from 1 on"))?;
    Ok(Strike { when: When::Point(point), fault })
}
