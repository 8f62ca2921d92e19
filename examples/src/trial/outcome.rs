//! What one fault cost.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Fault, Phases};

/// What one fault cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What was done.
    pub fault: Fault,
    /// The machine it was done to.
    pub machine: String,
    /// The heights it answers for, the first and the last.
    pub heights: (u64, u64),
    /// Those without a vote of our validator.
    pub missed: Vec<u64>,
    /// Those with a vote for nil.
    pub nil: Vec<u64>,
    /// From the blow to the next vote, as the first plain validator received it.
    pub next_vote: Duration,
    /// The epoch before and after.
    pub epoch: (u64, u64),
    /// Who owns afterwards.
    pub owner: String,
    /// From the blow to both machines in step.
    pub took: Duration,
    /// Of the takeover that followed, if exactly one did: how long each part of it took.
    pub phases: Option<Phases>,
}

impl Outcome {
    /// How many heights it answers for.
    pub fn blocks(&self) -> u64 {
        let (from, to) = self.heights;
        to.saturating_add(1).saturating_sub(from)
    }

    /// Whether it cost no more than its fault may.
    pub fn is_good(&self) -> bool {
        self.fault.may_miss().is_none_or(|most| self.missed.len() <= most)
    }

    /// The same for programs.
    pub fn to_json(&self) -> Value {
        json!({
            "fault": self.fault,
            "machine": self.machine,
            "first_height": self.heights.0,
            "last_height": self.heights.1,
            "missed": self.missed,
            "nil": self.nil,
            "next_vote_ms": millis(self.next_vote),
            "epoch_before": self.epoch.0,
            "epoch_after": self.epoch.1,
            "owner_after": self.owner,
            "in_step_ms": millis(self.took),
            "phases": self.phases,
        })
    }
}

/// JSON has no 128-bit numbers.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
