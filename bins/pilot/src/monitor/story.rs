//! The history as this machine can tell it: an entry for each epoch that it came to own, completed when it has signed, and again when
//! the chain has told what the change cost.

use std::time::Instant;

use beam_core::history::{Cost, Entry};
use beam_core::id::SignerId;
use beam_core::roster::Roster;
use beam_core::signing::{Epoch, Handover, Height, Mark, Takeover};

use crate::clock::millis;

/// How many heights after a change are counted as its cost. What goes wrong later has another cause.
const COST_HEIGHTS: u64 = 8;

/// The newest change, as far as it is told.
#[derive(Debug)]
pub(super) struct Story {
    entry: Entry,
    owned_at: Instant,
    costed: bool,
}

/// A change of owner to this machine.
pub(super) struct Owned {
    pub(super) epoch: Epoch,
    pub(super) since: Mark,
    pub(super) how: Handover,
    pub(super) takeover: Option<Takeover>,
}

impl Story {
    /// Begins with a change of owner to the machine `me`.
    pub(super) fn begin(me: &str, owned: &Owned, roster: &Roster, at_ms: u64, at: Instant) -> Self {
        let takeover = owned.takeover.as_ref();
        let name = |signer: SignerId| roster.name_of(signer).map(str::to_owned);
        let from = takeover.and_then(|takeover| name(takeover.from));
        let reason = match owned.how {
            Handover::Takeover => format!("{} was silent", from.as_deref().unwrap_or("the owner")),
            Handover::Init => "nobody had owned yet".to_owned(),
            // Who planned it says why.
            Handover::Switchover | Handover::Failover => String::new(),
        };
        let entry = Entry {
            epoch: owned.epoch,
            how: owned.how,
            at_ms,
            from,
            to: me.to_owned(),
            was: takeover.map(|takeover| takeover.was),
            since: owned.since,
            waited_ms: takeover.map(|takeover| millis(takeover.waited)),
            swapped_ms: takeover.map(|takeover| millis(takeover.swapped_within)),
            signed_ms: None,
            cost: None,
            by: Entry::BEAM.to_owned(),
            reason,
        };
        Self { entry, owned_at: at, costed: false }
    }

    /// The entry as far as it is known.
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The mark at which the epoch began.
    pub(super) fn since(&self) -> Mark {
        self.entry.since
    }

    /// When this machine learned that it owns.
    pub(super) fn owned_at(&self) -> Instant {
        self.owned_at
    }

    /// This machine has released a signature. Says whether the entry is another by that.
    pub(super) fn signed(&mut self, mark: Mark, at: Instant) -> bool {
        let news = self.entry.signed_ms.is_none() && at >= self.owned_at && mark >= self.entry.since;
        if news {
            self.entry.signed_ms = Some(millis(at.duration_since(self.owned_at)));
        }
        news
    }

    /// The heights whose commits tell the cost, once the last of them can be known.
    pub(super) fn wants_cost(&self) -> Option<(Height, Height)> {
        let since = self.entry.since.height.0;
        let from = Height(since.saturating_sub(1).max(1));
        (!self.costed).then_some((from, Height(since.saturating_add(COST_HEIGHTS))))
    }

    /// What the chain has told of those heights: how many of our votes are absent, and nil.
    pub(super) fn cost(&mut self, (from, to): (Height, Height), missed: u64, nil: u64) {
        self.costed = true;
        self.entry.cost = Some(Cost { from_height: from.0, to_height: to.0, missed, nil });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use beam_core::roster::Member;
    use beam_core::signing::Step;

    use super::*;

    fn owned(how: Handover) -> Owned {
        let takeover = Takeover {
            from: SignerId::from_random(1),
            was: Mark::new(99, 0, Step::Precommit),
            waited: Duration::from_millis(301),
            swapped_within: Duration::from_millis(4),
        };
        let takeover = (how == Handover::Takeover).then_some(takeover);
        Owned { epoch: Epoch(5), since: Mark::new(100, 0, Step::Prevote), how, takeover }
    }

    fn roster() -> Roster {
        let mut roster = Roster::default();
        let signer = SignerId::from_random(1);
        roster.note("a", Member { signer, height: Height(99), seen_ms: 1, agent: None });
        roster
    }

    #[test]
    fn a_takeover_is_told_when_it_happens_when_it_signs_and_when_its_cost_is_known() {
        let at = Instant::now();
        let mut story = Story::begin("b", &owned(Handover::Takeover), &roster(), 7, at);
        assert_eq!((story.entry().from.as_deref(), story.entry().waited_ms), (Some("a"), Some(301)));
        assert_eq!(story.entry().reason, "a was silent");
        // What left before does not count.
        assert!(!story.signed(Mark::new(99, 0, Step::Precommit), at));
        assert!(story.signed(Mark::new(100, 0, Step::Prevote), at + Duration::from_millis(9)));
        assert!(!story.signed(Mark::new(100, 0, Step::Precommit), at + Duration::from_millis(90)));
        assert_eq!(story.entry().took(), Some(Duration::from_millis(314)));
        let heights = story.wants_cost().unwrap();
        assert_eq!(heights, (Height(99), Height(108)));
        story.cost(heights, 1, 0);
        assert_eq!((story.wants_cost(), story.entry().cost.unwrap().missed), (None, 1));
    }

    #[test]
    fn of_a_planned_change_this_machine_does_not_claim_to_know_why() {
        let story = Story::begin("b", &owned(Handover::Switchover), &roster(), 7, Instant::now());
        assert_eq!((story.entry().reason.as_str(), story.entry().by.as_str()), ("", "beam"));
    }
}
