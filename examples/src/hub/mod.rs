//! A Hub-like chain's own word, and its operators' hands.
//!
//! [`Modules`] asks the chain's modules what they think of a validator: x/slashing, x/staking, x/evidence, x/upgrade. It
//! is the judge that cannot be talked round, since it is the same one that punishes on the Hub. [`Operators`] sends the
//! transactions that people send there: an upgrade is proposed and voted for, a jailed validator is let out.

mod modules;
pub(crate) mod operators;
mod wire;

pub use modules::{Modules, SigningInfo, SlashingParams, Standing, UpgradePlan};
pub use operators::Operators;
