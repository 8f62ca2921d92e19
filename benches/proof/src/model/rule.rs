//! What must hold, in every state and at every step.

use std::fmt;

/// One sentence of the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Everything signed at a position, by anybody and ever, released or not, is the same bytes.
    OneValue,
    /// What is signed was in the register at that mark before.
    WrittenFirst,
    /// A write raises the mark; a switch leaves mark, bytes and lock as they are.
    Forward,
    /// A write keeps the lineage.
    SameLineage,
    /// Whoever becomes owner does so in a new epoch, and nobody else changes it. Told by processes, not by their names.
    NewOwnerNewEpoch,
    /// A session that did not make the lock prevotes another block only if it asked to precommit one in a later round; and the record
    /// keeps the lock that was made.
    LockBinds,
    /// The floor is on disk, and not below the mark, before a signature leaves.
    FloorFirst,
    /// No signer signs what the floor on its own disk contradicts (below it, other bytes at it, or in another lineage), or decides to write on
    /// top of a record that it contradicts.
    FloorHolds,
    /// A signature that leaves is one over the recorded bytes, for the vote that was asked for (its time may differ).
    AnswerFits,
    /// No request is answered twice.
    AnsweredOnce,
    /// No request waits past its deadline.
    AnsweredInTime,
    /// No takeover while they are paused.
    PauseHolds,
    /// A signer stops only if the register was put back or made anew, or a stranger has signed.
    StopsWithCause,
    /// A signer that has been shown a stranger's vote above the register signs nothing up to there.
    StrangerStops,
    /// Any machine that is left alone, with no more faults, signs the next height within one request, unless it has stopped or must.
    GoesOn,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::OneValue,
        Self::WrittenFirst,
        Self::Forward,
        Self::SameLineage,
        Self::NewOwnerNewEpoch,
        Self::LockBinds,
        Self::FloorFirst,
        Self::FloorHolds,
        Self::AnswerFits,
        Self::AnsweredOnce,
        Self::AnsweredInTime,
        Self::PauseHolds,
        Self::StopsWithCause,
        Self::StrangerStops,
        Self::GoesOn,
    ];

    /// The sentence, in short.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneValue => "one value a mark",
            Self::WrittenFirst => "written before it is signed",
            Self::Forward => "marks only grow",
            Self::SameLineage => "a write keeps the lineage",
            Self::NewOwnerNewEpoch => "a new owner has a new epoch",
            Self::LockBinds => "a lock binds other sessions",
            Self::FloorFirst => "the floor is there before a signature leaves",
            Self::FloorHolds => "nothing is signed against the floor",
            Self::AnswerFits => "an answer is what was asked and recorded",
            Self::AnsweredOnce => "a request is answered once",
            Self::AnsweredInTime => "a request is answered in time",
            Self::PauseHolds => "no takeover while paused",
            Self::StopsWithCause => "a signer stops only with cause",
            Self::StrangerStops => "a stranger's signature stops us",
            Self::GoesOn => "any machine left alone signs the next height",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
