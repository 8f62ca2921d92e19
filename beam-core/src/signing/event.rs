//! What the signing machine is told, and what it says.

use std::time::Duration;

use crate::id::{SessionId, SignerId};
use crate::register::Version;
use crate::signing::{BlockId, Epoch, Floor, Halt, Handover, Mark, Record, Refusal, Statement};

/// Names one request of one node. Given by the driver, never used twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Names one try at something outside. Given by the machine, never used twice in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u64);

/// A record as it was read, and its cell's version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// The version that a swap must expect.
    pub version: Version,
    /// The record.
    pub record: Record,
}

/// One signature of our key that the chain shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Sighting {
    /// Where it is.
    pub mark: Mark,
    /// For which block; `None` for nil.
    pub block: Option<BlockId>,
}

/// What can happen to a signer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// Time went by.
    Woken,
    /// A node asks for a signature.
    Asked {
        /// Names the request; the answer carries it.
        request: RequestId,
        /// The run of the node that asks.
        session: SessionId,
        /// What it wants signed.
        statement: Statement,
        /// Sign bytes of a vote extension to sign along with it. Extensions are guarded by nothing: two of them at one
        /// position are no offence.
        extension: Option<Vec<u8>>,
    },
    /// The register was read, or not.
    Read {
        /// Which try this answers.
        attempt: Attempt,
        /// What came of it.
        outcome: ReadOutcome,
    },
    /// The register was written, or not.
    Swapped {
        /// Which try this answers.
        attempt: Attempt,
        /// What came of it.
        outcome: SwapOutcome,
    },
    /// The floor is on disk, or not.
    FloorKept {
        /// Which try this answers.
        attempt: Attempt,
        /// Whether it is there to stay.
        kept: bool,
    },
    /// The key has signed, or not.
    Signed {
        /// Which try this answers.
        attempt: Attempt,
        /// The signatures; `None` if the key failed.
        signatures: Option<Signatures>,
    },
    /// The chain shows a signature of our key.
    Seen(Sighting),
    /// Takeovers are paused from now on, or are not any more. Nothing else is: what may be signed stays what it was.
    Paused(bool),
}

/// What came of reading the register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::large_enum_variant,
    reason = "one is made for each read and moved twice; a box would cost more"
)]
pub enum ReadOutcome {
    /// The record.
    Found(View),
    /// There is none.
    Missing,
    /// There is something that is no record.
    Damaged,
    /// The register did not answer.
    Failed,
}

/// What came of writing to the register.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SwapOutcome {
    /// It was written.
    Won(Version),
    /// The register held another version; with what it holds now.
    Lost(ReadOutcome),
    /// It may or may not have been written.
    Unknown,
    /// It was certainly not written.
    Failed,
}

/// What the key made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signatures {
    /// Over the recorded bytes.
    pub statement: Vec<u8>,
    /// Over the extension's bytes, if there were any.
    pub extension: Option<Vec<u8>>,
}

/// What a signer does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read the register.
    Read {
        /// Names the try.
        attempt: Attempt,
    },
    /// Write the record if the version is still the expected one.
    Swap {
        /// Names the try.
        attempt: Attempt,
        /// The version that was read.
        expected: Version,
        /// What to write.
        record: Record,
    },
    /// Put the floor on disk, synced, and never lower than it is.
    KeepFloor {
        /// Names the try.
        attempt: Attempt,
        /// The new floor.
        floor: Floor,
    },
    /// Sign.
    Sign {
        /// Names the try.
        attempt: Attempt,
        /// The recorded bytes.
        bytes: Vec<u8>,
        /// The extension's bytes, if any.
        extension: Option<Vec<u8>>,
    },
    /// Answer a request. Each request is answered once.
    Answer {
        /// Which request.
        request: RequestId,
        /// The signature, or why there is none.
        answer: Result<Release, Refusal>,
    },
    /// Tell whoever listens.
    Tell(Notice),
}

/// A signature that leaves.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Release {
    /// The position.
    pub mark: Mark,
    /// The bytes that were signed: the recorded ones, whose timestamp may not be the one asked for.
    pub bytes: Vec<u8>,
    /// The signatures.
    pub signatures: Signatures,
    /// The epoch in which it was signed.
    pub epoch: Epoch,
    /// Whether we put the bytes into the register, or repeat what was there.
    pub repeated: bool,
}

/// Something that people want to know of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Notice {
    /// We are the owner now.
    Owning {
        /// The new epoch.
        epoch: Epoch,
        /// The mark at which it began.
        since: Mark,
        /// How we came to own.
        how: Handover,
        /// If we took over and saw it through: how. `None` if it was done by others, or the register's answer was lost.
        takeover: Option<Takeover>,
    },
    /// Somebody else is the owner now.
    Standby {
        /// The epoch that is not ours.
        epoch: Epoch,
        /// The mark at which it began.
        since: Mark,
        /// How they came to own.
        how: Handover,
    },
    /// Nothing is signed any more until a person has looked. Page.
    Halted(Halt),
}

/// How a standby became the owner, for the history: what it saw, and how long each part took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Takeover {
    /// The owner that did not sign.
    pub from: SignerId,
    /// How far that owner had come.
    pub was: Mark,
    /// From when the owner's silence was first seen to the decision.
    pub waited: Duration,
    /// From the decision to the register's word that it was won.
    pub swapped_within: Duration,
}
