//! A seeded simulator: the real signer in a world in which everything goes wrong, in virtual time.
//!
//! ```
//! use beam_core::sim::{Settings, simulate};
//!
//! let run = simulate(7, &Settings::default());
//! assert_eq!(run.violation, None);
//! assert!(run.counts.heights > 0 && run.counts.signatures > 0);
//! // The same seed is the same history, whatever the machine.
//! assert_eq!(simulate(7, &Settings::default()), run);
//! ```
//!
//! One thread, one queue of events ordered by time and then by the order in which they were put in, one generator (`SplitMix64`) from
//! which everything is drawn, no clock, no map that has no order: so a seed is a history, to the last byte.
//!
//! # What is real
//! * [`signing::Signer`](crate::signing::Signer) with [`takeover`](crate::takeover) inside it, as the pilot runs it: one machine, its
//!   actions carried out in order, each outcome an event, a register operation given up after one second.
//! * The planned switch ([`Record::handed_to`](crate::signing::Record::handed_to)), pauses of takeovers, and
//!   [`signing::adopt`](crate::signing::adopt) with [`Known`](crate::signing::Known) after a register was put back.
//! * The sign bytes: what nodes ask for is `CometBFT`'s canonical form, read by Beam's own strict reader.
//!
//! # What is simulated
//! * **The chain**: four validators of equal power. Three are plain; the fourth is ours, on two or three machines, each with a full node
//!   of its own that believes to be the validator. Consensus is a port of `CometBFT` 0.38's `state.go`, function by function: rounds and
//!   proposers, locks and polkas, growing timeouts, late precommits, commits and blocks from peers, a log that is replayed.
//! * **The register**: one linearizable cell. Requests and answers take time and are lost before or after they took effect, late, doubled,
//!   slow, refused; the whole cell is down or put back.
//! * **Disks**: floor writes fail, fail and are there all the same, are cut off by a loss of power; disks are full, restored, emptied, copied
//!   to another machine.
//! * **Processes**: pilot, node, machine are killed, stand still with their clock going on or not, are slow. A fault strikes at a time, or at
//!   a *point*: before any action of a signer is carried out, after it is done and before its answer, before and after each write of a node.
//! * **The network**: delay, loss, doubling, disorder, cuts in one or both directions, votes that never reach some nodes.
//! * **People**: who switch over, force, pause, put a register back and adopt it, and a stranger who signs with our key.
//!
//! # What the judge says
//! Never two values at a mark; nothing signed that the register did not hold; marks only grow; the floor is on the disk before a signature
//! leaves; every request is answered once, within 3 s of the time that its machine was awake; a vote on the wire is the one that was signed;
//! our votes, as one validator's, keep Tendermint's lock; the chain never forks; no signer stops without a reason, and none goes on after
//! it was shown a stranger's signature. Then all faults end, and our precommits must be in the commits again within a bounded time, and
//! none may be missing after that. Each of these was seen to fail: [`Mistake`] breaks a part of the world on purpose.
//!
//! # What is not covered
//! Health checks and their restarts, the runtime's own task switching, privval's framing, vote extensions, changes of the validator set, more
//! than one faulty validator beside ours, memory or disks that return wrong bytes. A register that is put back is put back only as far as
//! every machine's floor would notice, its late requests die with it, and who adopts it waits until those of the stopped pilots are over:
//! beyond that Beam promises nothing, and says so.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a simulator: every index is a node's or a machine's own number, and a wrong one must stop the run at once"
)]

mod bytes;
mod consensus;
mod dice;
mod fault;
mod judge;
mod mistake;
mod queue;
mod report;
mod world;

pub use fault::{Fault, Strike, When};
pub use judge::Signed;
pub use mistake::Mistake;
pub use report::{Cost, Counts, Run, Summary, Violation};

/// Virtual time, in microseconds since the beginning of a run.
type Micros = u64;

/// Which faults strike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Faults {
    /// Those that the seed draws.
    Drawn,
    /// These. What else is drawn stays as the seed has it, up to the first that strikes.
    Given(Vec<Strike>),
}

/// How to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How many machines our validator has, 1 to 3; drawn (two or three) if `None`.
    pub machines: Option<u8>,
    /// The Hub's pace (5 s after each commit) or one-second blocks; drawn if `None`.
    pub hub_pace: Option<bool>,
    /// Which faults strike.
    pub faults: Faults,
    /// What is broken on purpose.
    pub mistake: Option<Mistake>,
    /// Whether to write down what happens.
    pub story: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { machines: None, hub_pace: None, faults: Faults::Drawn, mistake: None, story: false }
    }
}

/// Lets one world live.
#[must_use]
pub fn simulate(seed: u64, settings: &Settings) -> Run {
    world::World::new(seed, settings).run()
}
