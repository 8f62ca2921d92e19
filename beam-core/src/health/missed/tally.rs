//! The counts, as people and metrics want them.

use crate::health::Votes;
use crate::health::missed::Window;
use crate::signing::Height;

/// What was counted since counting began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The first height that was looked at.
    pub from: Height,
    /// The last one, with all between them.
    pub to: Height,
    /// Without our vote, though we were in the set.
    pub missed: u64,
    /// With a vote for nil. Not missed.
    pub nil: u64,
    /// Heights at which we were not in the set.
    pub not_seated: u64,
    /// Heights that nobody could show us. Never counted as anything.
    pub unknown: u64,
    /// Of `missed`: by our own fault; not signed, or too late.
    pub missed_own: u64,
    /// Of `missed`: while many others were absent as well.
    pub missed_network: u64,
    /// Of `missed`: our node had the vote, and the next proposer left it out.
    pub seen_not_included: u64,
    /// Missed among the last [`Tally::LAST`] heights.
    pub missed_last: u64,
    /// Missed in a row up to `to`.
    pub missed_in_a_row: u64,
    /// Whether we were in the set at `to`.
    pub seated: bool,
    /// The chain's own account, once it has told us.
    pub window: Option<Account>,
}

/// The chain's account of our validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// The window's length in heights.
    pub window: u64,
    /// How many of those are counted against us, and what that means.
    pub now: Window,
    /// Out for ever.
    pub tombstoned: bool,
}

impl Tally {
    /// Over how many heights `missed_last` counts.
    pub const LAST: usize = 100;

    /// The part of it that a node's health is judged by.
    #[must_use]
    pub const fn votes(&self) -> Votes {
        Votes { seated: self.seated, missed_in_a_row: self.missed_in_a_row }
    }
}
