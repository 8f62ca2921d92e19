//! The command line.

use std::num::NonZeroUsize;

use beam_core::sim::{Fault, Faults, Mistake, Settings, Strike, When};
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
    /// Instead of the faults that a seed draws, this one: at a point of the history (host-killed@120) or at a time (host-killed@6.5s);
    /// may be given several times
    #[arg(long, value_name = "FAULT@WHEN", value_parser = strike, conflicts_with = "sweep")]
    pub(crate) strike: Vec<Strike>,
    /// Break a part of the world on purpose, to see that the judge notices
    #[arg(long, value_name = "NAME", value_parser = mistake)]
    pub(crate) mistake: Option<Mistake>,
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
        let (machines, mistake) = (self.machines, self.mistake);
        Settings { machines, faults, mistake, ..Settings::default() }
    }
}

fn strike(text: &str) -> Result<Strike, String> {
    let (name, point) = text.split_once('@').ok_or("expected FAULT@POINT, such as host-killed@120")?;
    let fault = Fault::named(name).ok_or_else(|| {
        let known: Vec<&str> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        format!("no fault is called {name:?}; there are: {}", known.join(", "))
    })?;
    let when = match point.strip_suffix('s') {
        Some(time) => micros(time).map(When::At),
        None => point.parse().ok().map(When::Point),
    };
    let when = when.ok_or_else(|| format!("{point:?} is neither a point (120) nor a time (6.5s)"))?;
    Ok(Strike { when, fault })
}

/// Seconds as a decimal number, in microseconds.
fn micros(seconds: &str) -> Option<u64> {
    let (whole, part) = seconds.split_once('.').unwrap_or((seconds, ""));
    let part = format!("{part:0<6}");
    let whole: u64 = whole.parse().ok()?;
    whole.checked_mul(1_000_000)?.checked_add(part.get(..6)?.parse().ok()?)
}

fn mistake(name: &str) -> Result<Mistake, String> {
    Mistake::named(name).ok_or_else(|| {
        let known: Vec<&str> = Mistake::ALL.iter().map(|mistake| mistake.name()).collect();
        format!("no mistake is called {name:?}; there are: {}", known.join(", "))
    })
}
