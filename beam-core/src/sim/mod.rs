//! A seeded simulator of everything around the signer (docs at the end).
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
mod queue;
mod report;
mod world;

pub use fault::{Fault, Strike, When};
pub use judge::Signed;
pub use report::{Cost, Run, Summary, Violation};

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

/// A part of the world that is broken on purpose, to see that the judge notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// The register says that it wrote, and now and then it did not.
    RegisterForgets,
    /// The register takes a write whatever version it expects.
    RegisterIgnoresVersions,
    /// The driver takes a write that was not answered for done.
    TimeoutIsDone,
    /// The register does not keep the lock.
    LockForgotten,
    /// The disk says that it kept a floor, and did not.
    DiskLies,
    /// The driver says that the floor is kept before it is.
    FloorTooLate,
    /// The signer has no fence: it signs what its node asks for.
    NoFence,
    /// The driver loses answers.
    AnswersLost,
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
