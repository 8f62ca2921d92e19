//! The history as this machine can tell it: an entry for each epoch that it came to own, completed when it has signed; and which
//! changes of owner still lack what they cost.

use std::time::Instant;

use beam_core::history::{Entry, History};
use beam_core::id::SignerId;
use beam_core::roster::Roster;
use beam_core::signing::{Epoch, Handover, Height, Mark, Takeover};

use crate::clock::millis;

/// How many heights after a change are counted as its cost. What goes wrong later has another cause.
const COST_HEIGHTS: u64 = 8;
/// How many of the newest changes are looked at for a missing cost.
const COSTED_MAX: usize = 16;

/// The newest change to this machine, as far as it is told.
#[derive(Debug)]
pub(super) struct Story {
    entry: Entry,
    owned_at: Instant,
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
        Self { entry, owned_at: at }
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
}

/// A change of owner whose cost nobody has told, and the heights that tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Uncosted {
    pub(super) epoch: Epoch,
    pub(super) from: Height,
    pub(super) to: Height,
}

/// Those whose cost is missing, the newest first: from the height before the change to a few after it, or to the next change.
/// Whoever owns tells it, since the machine that came to own may not have lived to.
pub(super) fn uncosted(history: &History) -> Vec<Uncosted> {
    let newest_first = || history.entries.iter().rev();
    let nexts = std::iter::once(None).chain(newest_first().map(|next| Some(next.since.height.0)));
    let entries = newest_first().zip(nexts).take(COSTED_MAX);
    let missing = entries.filter(|(entry, _)| entry.cost.is_none()).map(|(entry, next)| {
        let since = entry.since.height.0;
        let until_next = next.map_or(u64::MAX, |next| next.saturating_sub(1).max(since));
        let to = Height(since.saturating_add(COST_HEIGHTS).min(until_next));
        Uncosted { epoch: entry.epoch, from: Height(since.saturating_sub(1).max(1)), to }
    });
    missing.collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use beam_core::history::Cost;
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
    fn a_takeover_is_told_when_it_happens_and_when_it_signs() {
        let at = Instant::now();
        let mut story = Story::begin("b", &owned(Handover::Takeover), &roster(), 7, at);
        assert_eq!((story.entry().from.as_deref(), story.entry().waited_ms), (Some("a"), Some(301)));
        assert_eq!(story.entry().reason, "a was silent");
        // What left before does not count.
        assert!(!story.signed(Mark::new(99, 0, Step::Precommit), at));
        assert!(story.signed(Mark::new(100, 0, Step::Prevote), at + Duration::from_millis(9)));
        assert!(!story.signed(Mark::new(100, 0, Step::Precommit), at + Duration::from_millis(90)));
        assert_eq!(story.entry().took(), Some(Duration::from_millis(314)));
    }

    #[test]
    fn a_cost_is_wanted_up_to_the_next_change_and_once() {
        let entry = |epoch, height| {
            let owned = Owned {
                epoch: Epoch(epoch),
                since: Mark::new(height, 0, Step::Prevote),
                ..owned(Handover::Init)
            };
            Story::begin("b", &owned, &roster(), 7, Instant::now()).entry().clone()
        };
        let cost = Some(Cost { from_height: 1, to_height: 9, missed: 0, nil: 0 });
        let entries =
            vec![Entry { cost, ..entry(1, 1) }, entry(2, 100), entry(3, 103), entry(4, 103), entry(5, 200)];
        let heights: Vec<_> = uncosted(&History { entries })
            .into_iter()
            .map(|wanted| (wanted.epoch.0, wanted.from.0, wanted.to.0))
            .collect();
        assert_eq!(heights, [(5, 199, 208), (4, 102, 111), (3, 102, 103), (2, 99, 102)]);
    }

    #[test]
    fn of_a_planned_change_this_machine_does_not_claim_to_know_why() {
        let story = Story::begin("b", &owned(Handover::Switchover), &roster(), 7, Instant::now());
        assert_eq!((story.entry().reason.as_str(), story.entry().by.as_str()), ("", "beam"));
    }
}
