//! What has happened on the way, so that a check that never saw the interesting cases is noticed.

use std::sync::atomic::{AtomicU64, Ordering};

use beam_core::signing::Refusal;

/// What is counted, over all steps (not states).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is told by its name")]
pub enum What {
    Signed,
    Repeated,
    FirstOwner,
    Takeover,
    WriteLost,
    LateWriteWon,
    BlindWrite,
    Crash,
    Past,
    Conflicting,
    Locked,
    OwnersTurn,
    Paused,
    OutOfReach,
    FloorNotKept,
    KeyFailed,
    Stopped,
    Other,
}

impl What {
    /// All of them, with their names.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Signed, "signatures released"),
        (Self::Repeated, "repeated signatures released"),
        (Self::FirstOwner, "first owners"),
        (Self::Takeover, "takeovers"),
        (Self::WriteLost, "writes that lost"),
        (Self::LateWriteWon, "late writes that won"),
        (Self::BlindWrite, "writes decided upon before the register was put back that won"),
        (Self::Crash, "restarts"),
        (Self::Past, "refused: past"),
        (Self::Conflicting, "refused: conflicting"),
        (Self::Locked, "refused: locked"),
        (Self::OwnersTurn, "refused: the owner's turn"),
        (Self::Paused, "refused: paused"),
        (Self::OutOfReach, "refused: register out of reach"),
        (Self::FloorNotKept, "refused: floor not kept"),
        (Self::KeyFailed, "refused: key failed"),
        (Self::Stopped, "signers stopped"),
        (Self::Other, "refused: otherwise"),
    ];

    /// What a refusal counts as.
    #[must_use]
    pub fn of_refusal(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::Past { .. } => Self::Past,
            Refusal::Conflicting(_) => Self::Conflicting,
            Refusal::Locked { .. } => Self::Locked,
            Refusal::OwnersTurn(..) => Self::OwnersTurn,
            Refusal::Paused(..) => Self::Paused,
            Refusal::RegisterOutOfReach(_) => Self::OutOfReach,
            Refusal::FloorNotKept => Self::FloorNotKept,
            Refusal::KeyFailed(_) => Self::KeyFailed,
            _ => Self::Other,
        }
    }
}

/// Counters that several threads share.
#[derive(Debug, Default)]
pub struct Tally([AtomicU64; 18]);

impl Tally {
    /// One more.
    pub fn note(&self, what: What) {
        if let Some(count) = self.0.get(what as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How often it was noted.
    #[must_use]
    pub fn count(&self, what: What) -> u64 {
        self.0.get(what as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}
