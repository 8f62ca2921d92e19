//! Why a request was not signed. Every request gets an answer; most refusals are a standby's daily bread.

use crate::signing::{Epoch, Mark};

/// Why nothing was signed, in words for a node's log.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The register is already further. Normal on a standby that is a little behind.
    #[error("beam: {asked} is behind the register, which is at {register}")]
    Past {
        /// Where the request is.
        asked: Mark,
        /// Where the register is.
        register: Mark,
    },
    /// Something else was already signed, or may have been, at this very position.
    #[error("beam: something else is recorded at {0}")]
    Conflicting(Mark),
    /// Another session has precommitted another block at this height, and this node has not shown that it knows why.
    #[error("beam: at {asked}, another run of the node is locked on another block since round {lock_round}")]
    Locked {
        /// Where the request is.
        asked: Mark,
        /// The round of the lock.
        lock_round: u32,
    },
    /// The owner is expected to sign this, and there was no time left to take over.
    #[error("beam: {0} is left to the owner of epoch {1}")]
    OwnersTurn(Mark, Epoch),
    /// The owner has not signed this, and takeovers are paused.
    #[error("beam: takeovers are paused, so {0} is left to the owner of epoch {1}")]
    Paused(Mark, Epoch),
    /// The register did not answer in time. Without it nothing is signed.
    #[error("beam: the register did not answer in time for {0}; without it nothing is signed")]
    RegisterOutOfReach(Mark),
    /// There is no record in the register.
    #[error("beam: the register has no record; make one with `beam watermark init`")]
    NoRecord,
    /// The record could not be read.
    #[error("beam: the register's record is damaged; nothing is signed until it is mended")]
    RecordDamaged,
    /// The floor could not be written, so nothing may leave.
    #[error("beam: the floor file could not be written (disk full?); nothing is signed")]
    FloorNotKept,
    /// The key did not sign.
    #[error("beam: the signing key failed at {0}")]
    KeyFailed(Mark),
    /// The signer has stopped, and only a person can let it go on.
    #[error("beam: the signer has stopped: {0}")]
    Halted(Halt),
    /// More requests are waiting than any node makes.
    #[error("beam: too many requests are waiting")]
    TooMany,
    /// The signer is shutting down.
    #[error("beam: the signer is shutting down")]
    ShuttingDown,
}

/// Why a signer stops until a person has looked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Halt {
    /// The register is behind what this signer has seen of it.
    #[error("the register was put back: it is at {register}, this machine has seen {floor}")]
    PutBack {
        /// Where the register is now.
        register: Mark,
        /// What the floor remembers.
        floor: Mark,
    },
    /// The register's record is not the one that this signer knows.
    #[error("the register's record was made anew: it has another lineage than this machine's floor")]
    OtherLineage,
    /// The chain has a signature of our key that the register knows nothing of.
    #[error(
        "the chain shows a signature of our key at {chain} that the register (at {register}) has not: somebody else has the key"
    )]
    Stranger {
        /// Where the stranger signed.
        chain: Mark,
        /// Where the register is.
        register: Mark,
    },
}
