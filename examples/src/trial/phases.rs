//! How long each part of a takeover took, by Beam's own history and by the first vote that others saw.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::scene::wall_ms;
use crate::lab::Lab;

/// The parts of a takeover, in milliseconds, from the blow to the first vote at another validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Phases {
    /// From the blow until the standby's node wanted a vote that the owner had not given: how long nobody missed anything.
    pub noticed_ms: u64,
    /// From there to the decision to take over: the standby's patience.
    pub decided_ms: u64,
    /// From there to the register's word.
    pub swapped_ms: u64,
    /// From there to the signature's release, the floor's flush included.
    pub signed_ms: u64,
    /// From there until another validator had received a vote.
    pub seen_ms: u64,
}

impl Phases {
    /// Of the takeover that began the epoch after `epoch`, if it was one and its history is whole. The blow fell at `at`, and the next vote
    /// came `next_vote` later.
    ///
    /// # Errors
    /// When no machine gives the history.
    pub(super) async fn read(
        lab: &Lab,
        epoch: u64,
        at: Instant,
        next_vote: Duration,
    ) -> Result<Option<Self>> {
        let machine = lab.machines.first().context("a lab without machines")?;
        let history: Value = serde_json::from_str(&machine.beam(&["history"], &["--output", "json"]).await?)?;
        let entries =
            history.get("entries").and_then(Value::as_array).context("a history without entries")?;
        let next = Some(epoch.saturating_add(1));
        let is_next = |entry: &&Value| entry.get("epoch").and_then(Value::as_u64) == next;
        let seen_at = wall_ms(at).saturating_add(u64::try_from(next_vote.as_millis())?);
        Ok(entries.iter().find(is_next).and_then(|entry| Self::of(entry, wall_ms(at), seen_at)))
    }

    fn of(entry: &Value, blow_ms: u64, seen_ms: u64) -> Option<Self> {
        let number = |key: &str| entry.get(key).and_then(Value::as_u64);
        if entry.get("how").and_then(Value::as_str) != Some("takeover") {
            return None;
        }
        let (decided_ms, swapped_ms, signed_ms) =
            (number("waited_ms")?, number("swapped_ms")?, number("signed_ms")?);
        let owned_at = number("at_ms")?;
        let noticed_at = owned_at.checked_sub(swapped_ms)?.checked_sub(decided_ms)?;
        // A request may have waited already when the blow fell; a vote may be seen before its release was noted.
        let noticed_ms = noticed_at.saturating_sub(blow_ms);
        let seen_ms = seen_ms.saturating_sub(owned_at.saturating_add(signed_ms));
        Some(Self { noticed_ms, decided_ms, swapped_ms, signed_ms, seen_ms })
    }

    /// Each part by its name, in order.
    pub fn parts(&self) -> [(&'static str, u64); 5] {
        [
            ("noticed", self.noticed_ms),
            ("decided", self.decided_ms),
            ("swapped", self.swapped_ms),
            ("signed", self.signed_ms),
            ("seen", self.seen_ms),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_parts_add_up_from_the_blow_to_the_vote() {
        let entry = json!({ "epoch": 3, "how": "takeover", "at_ms": 10_500, "waited_ms": 300, "swapped_ms": 4, "signed_ms": 6 });
        let phases = Phases::of(&entry, 10_000, 10_520).unwrap();
        let parts = phases.parts().map(|(_, ms)| ms);
        assert_eq!(parts, [196, 300, 4, 6, 14]);
        assert_eq!(parts.iter().sum::<u64>(), 520);
        assert_eq!(Phases::of(&json!({ "how": "switchover", "at_ms": 1 }), 0, 0), None);
    }
}
