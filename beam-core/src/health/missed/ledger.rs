//! The ledger: every height once, in order, none forgotten.

use std::collections::{BTreeMap, VecDeque};

use crate::health::missed::{Account, Cause, Commit, Flag, Part, SigningInfo, SlashingParams, Tally, Window};
use crate::signing::{Height, Round};

/// Counts what the chain shows of our votes.
///
/// ```
/// use beam_core::health::missed::{Commit, Flag, MissedBlocks, Share};
/// use beam_core::signing::{Height, Round};
///
/// let mut ledger = MissedBlocks::default();
/// // Our node is at height 12: the commit of 11 is in a block, the one of 12 is not yet.
/// assert_eq!(ledger.wanted(Height(12)), [Height(11)]);
/// let others = Share { absent: 1, of: 179 };
/// let commit = Commit { height: Height(11), round: Round(0), ours: Flag::Absent, others, power: None };
/// assert_eq!(ledger.note(commit).len(), 1);
/// assert_eq!(ledger.tally().missed_own, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MissedBlocks {
    /// What came before its turn; `None` for a height that nobody can show.
    waiting: BTreeMap<Height, Option<Commit>>,
    /// The last heights, consecutive; a gap clears it.
    history: VecDeque<(Height, Flag)>,
    seen: BTreeMap<Height, Round>,
    parts: BTreeMap<Height, Part>,
    /// The next height to count; `None` before counting begins.
    next: Option<Height>,
    counts: Tally,
    chain: Option<(SlashingParams, SigningInfo)>,
}

/// A vote that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// Where.
    pub height: Height,
    /// Why, by what is known.
    pub cause: Cause,
}

impl MissedBlocks {
    /// How many heights are asked for at once.
    pub const ASKED_MAX: usize = 20;
    /// How far it looks back after a gap. What lies further back is counted as unknown.
    pub const BACKFILL_MAX: u64 = 2_000;
    /// How many heights it remembers for the chain's window.
    pub const HISTORY_MAX: usize = 30_000;
    /// How many heights' worth of our own part it remembers ahead of their commits.
    pub const PARTS_MAX: usize = 2_000;

    /// The heights whose canonical commits it wants, the oldest first, when the node is at `tip`. Counting begins with the first call,
    /// at the newest height that has one.
    pub fn wanted(&mut self, tip: Height) -> Vec<Height> {
        let Some(last) = tip.0.checked_sub(1).filter(|last| *last > 0) else { return Vec::new() };
        let next = self.next.map_or(last, |next| next.0);
        if self.next.is_none() {
            self.counts.from = Height(last);
        }
        let skipped = last.saturating_add(1).saturating_sub(next).saturating_sub(Self::BACKFILL_MAX);
        let next = next.saturating_add(skipped);
        self.next = Some(Height(next));
        if skipped > 0 {
            self.give_up(skipped, next);
        }
        (next..=last)
            .map(Height)
            .filter(|height| !self.waiting.contains_key(height))
            .take(Self::ASKED_MAX)
            .collect()
    }

    /// The canonical commit of a height, in any order and any number of times. Says which votes it now knows to be missing.
    pub fn note(&mut self, commit: Commit) -> Vec<Missed> {
        self.wait(commit.height, Some(commit))
    }

    /// Nobody can show the commit of this height: it is pruned, or from before a state sync.
    pub fn unavailable(&mut self, height: Height) -> Vec<Missed> {
        self.wait(height, None)
    }

    /// Our vote is in the commit that our node keeps of its latest block: it was there when the node took it as decided.
    pub fn seen(&mut self, height: Height, round: Round) {
        remember(&mut self.seen, height, round);
    }

    /// What our validator did for a height, whichever of its machines did it. To be told before the height's commit; the last
    /// word counts, but a vote that was released stays released.
    pub fn part(&mut self, height: Height, part: Part) {
        match (self.parts.get(&height), part) {
            (Some(Part::Released(_)), Part::Refused | Part::NotAsked) => {}
            _ => remember(&mut self.parts, height, part),
        }
    }

    /// What the chain itself says. To be told every now and then: its word replaces what was carried on from the one before.
    pub fn chain(&mut self, params: SlashingParams, info: SigningInfo) {
        self.chain = Some((params, info));
    }

    /// All counts.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let misses = |last: usize| {
            let missed = self.history.iter().rev().take(last).filter(|(_, flag)| *flag == Flag::Absent);
            u64::try_from(missed.count()).unwrap_or(u64::MAX)
        };
        Tally { missed_last: misses(Tally::LAST), window: self.account(), ..self.counts }
    }

    fn account(&self) -> Option<Account> {
        let (params, info) = self.chain?;
        let history: Vec<_> = self.history.iter().copied().collect();
        // After a gap since the chain told, its account cannot be carried on until it tells again.
        if self.counts.to >= info.at && !history.iter().any(|(height, _)| *height == info.at) {
            return None;
        }
        let now = Window::carry_on(params, info, &history);
        Some(Account { window: params.window, now, tombstoned: info.tombstoned })
    }

    /// Takes in what is known of a height, and counts all whose turn it is.
    fn wait(&mut self, height: Height, commit: Option<Commit>) -> Vec<Missed> {
        let Some(next) = self.next else { return Vec::new() };
        let is_ahead = height.0.checked_sub(next.0).is_some_and(|ahead| ahead <= Self::BACKFILL_MAX);
        if is_ahead {
            self.waiting.entry(height).or_insert(commit);
        }
        let mut missed = Vec::new();
        while let Some((height, commit)) = self.turn() {
            missed.extend(self.count(height, commit));
        }
        missed
    }

    fn turn(&mut self) -> Option<(Height, Option<Commit>)> {
        let next = self.next?;
        let commit = self.waiting.remove(&next)?;
        self.next = Some(Height(next.0.saturating_add(1)));
        Some((next, commit))
    }

    fn count(&mut self, height: Height, commit: Option<Commit>) -> Option<Missed> {
        let (seen, part) = (self.seen.get(&height).copied(), self.parts.get(&height).copied());
        forget_until(&mut self.seen, height);
        forget_until(&mut self.parts, height);
        self.counts.to = height;
        let Some(commit) = commit else {
            self.counts.unknown = self.counts.unknown.saturating_add(1);
            self.history.clear();
            return None;
        };
        self.history.push_back((height, commit.ours));
        if self.history.len() > Self::HISTORY_MAX {
            self.history.pop_front();
        }
        let counts = &mut self.counts;
        counts.seated = commit.ours != Flag::NotSeated;
        let cause = match commit.ours {
            Flag::NotSeated => {
                counts.not_seated = counts.not_seated.saturating_add(1);
                counts.missed_in_a_row = 0;
                return None;
            }
            Flag::Nil => {
                counts.nil = counts.nil.saturating_add(1);
                counts.missed_in_a_row = 0;
                return None;
            }
            Flag::Block => {
                counts.missed_in_a_row = 0;
                return None;
            }
            Flag::Absent => Cause::of(&commit, seen, part),
        };
        counts.missed = counts.missed.saturating_add(1);
        counts.missed_in_a_row = counts.missed_in_a_row.saturating_add(1);
        let of_cause = match cause {
            Cause::Own | Cause::Late => &mut counts.missed_own,
            Cause::Network => &mut counts.missed_network,
            Cause::NotIncluded => &mut counts.seen_not_included,
        };
        *of_cause = of_cause.saturating_add(1);
        Some(Missed { height, cause })
    }

    /// A gap is too wide: `skipped` heights before `next` will not be looked at.
    fn give_up(&mut self, skipped: u64, next: u64) {
        self.counts.unknown = self.counts.unknown.saturating_add(skipped);
        self.counts.to = Height(next.saturating_sub(1));
        self.history.clear();
        self.waiting.retain(|height, _| height.0 >= next);
    }
}

/// Keeps the newest [`MissedBlocks::PARTS_MAX`].
fn remember<T>(known: &mut BTreeMap<Height, T>, height: Height, what: T) {
    known.insert(height, what);
    while known.len() > MissedBlocks::PARTS_MAX {
        known.pop_first();
    }
}

fn forget_until<T>(known: &mut BTreeMap<Height, T>, height: Height) {
    while known.first_key_value().is_some_and(|(first, _)| *first <= height) {
        known.pop_first();
    }
}
