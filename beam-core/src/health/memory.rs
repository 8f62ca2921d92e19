//! What is remembered of a node from one look to the next, so that "since when" can be answered.

use std::time::Duration;

use crate::health::others::Others;
use crate::health::{Answer, Readings};
use crate::logs::Clue;
use crate::signing::Height;
use crate::time::Instant;

/// A height, and since when it has been that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) height: Height,
    pub(super) since: Instant,
    /// Whether it was ever seen to rise; before that nobody knows whether it does.
    pub(super) moved: bool,
}

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Memory {
    /// When the present run began, if we were told.
    pub(super) started: Option<Instant>,
    /// When it was first looked at.
    first_look: Option<Instant>,
    pub(super) own: Option<Own>,
    /// The last app height that was read.
    pub(super) app: Option<Height>,
    /// When the node last showed any sign of getting on: a higher height, or one more question for our key.
    pub(super) stirred: Option<Instant>,
    keys_given: Option<u64>,
    pub(super) silent_since: Option<Instant>,
    pub(super) alone_since: Option<Instant>,
    pub(super) signer_gone_since: Option<Instant>,
    /// How many blocks it has committed since then.
    pub(super) blocks_without_signer: u64,
    /// Up to which height the network was when the node last suffered from anything: votes missing up to there have that cause.
    pub(super) ill_until: Height,
    clues: Vec<(Clue, Option<Height>)>,
    pub(super) others: Others,
}

impl Memory {
    /// A run begins: what was known of the last one no longer counts. Its heights are kept: they are the chain's.
    pub(super) fn started(&mut self, now: Instant) {
        let (own, others) = (self.own.take(), std::mem::take(&mut self.others));
        let (app, ill_until) = (self.app, self.ill_until);
        *self = Self { started: Some(now), own, app, others, ill_until, ..Self::default() };
        if let Some(own) = &mut self.own {
            own.since = now;
            own.moved = false;
        }
    }

    /// The node's log told something. A consensus failure tells its reason too.
    pub(super) fn clue(&mut self, mut clue: Clue) {
        if let Clue::ConsensusFailure { why, .. } = &mut clue
            && let Some(why) = why.take()
        {
            self.keep(*why);
        }
        self.keep(clue);
    }

    /// The newest of each kind is kept.
    fn keep(&mut self, clue: Clue) {
        let height = self.own.as_ref().map(|own| own.height);
        self.clues.retain(|(known, _)| std::mem::discriminant(known) != std::mem::discriminant(&clue));
        self.clues.push((clue, height));
    }

    /// What the log told and the node has not got past.
    pub(super) fn clues(&self) -> impl Iterator<Item = &Clue> {
        self.clues.iter().map(|(clue, _)| clue)
    }

    /// Takes in a look.
    pub(super) fn look(&mut self, now: Instant, seen: &Readings) {
        self.first_look.get_or_insert(now);
        self.others.hear(now, &seen.others);
        let mark = |since: &mut Option<Instant>, holds: bool| {
            *since = holds.then(|| since.unwrap_or(now));
        };
        mark(&mut self.silent_since, seen.node == Answer::Silent);
        mark(
            &mut self.alone_since,
            seen.peers.is_some_and(|peers| peers.inbound == 0 && peers.outbound == 0),
        );
        mark(&mut self.signer_gone_since, seen.signer.is_some_and(|link| !link.connected));
        if self.signer_gone_since.is_none() {
            self.blocks_without_signer = 0;
        }
        self.app = seen.app_height.or(self.app);
        let keys_given = seen.signer.map(|link| link.keys_given);
        if keys_given > self.keys_given {
            self.stirred = Some(now);
        }
        self.keys_given = keys_given.or(self.keys_given);
        if let Answer::Status(status) = &seen.node {
            self.height(now, status.height);
        }
    }

    fn height(&mut self, now: Instant, height: Height) {
        let anew = Own { height, since: now, moved: false };
        match &self.own {
            Some(own) if height > own.height => {
                let blocks = height.0.saturating_sub(own.height.0);
                if self.signer_gone_since.is_some_and(|since| since < now) {
                    self.blocks_without_signer = self.blocks_without_signer.saturating_add(blocks);
                }
                self.stirred = Some(now);
                self.own = Some(Own { moved: true, ..anew });
                self.clues.retain(|(clue, told_at)| !is_past(clue, *told_at, height));
            }
            Some(own) if height == own.height => {}
            // It fell: its data was put back.
            Some(_) | None => self.own = Some(anew),
        }
    }

    /// The node suffers from something that keeps it from voting.
    pub(super) fn ill(&mut self) {
        let own = self.own.as_ref().map(|own| own.height);
        let reached = self.others.highest().max(own).unwrap_or_default();
        self.ill_until = self.ill_until.max(reached);
    }

    /// For how long the node's height has stood.
    pub(super) fn stood_for(&self, now: Instant) -> Duration {
        self.own.as_ref().map_or(Duration::ZERO, |own| now.since(own.since))
    }

    /// How far the others are ahead; `None` if nothing is known of them.
    pub(super) fn lag(&self) -> Option<u64> {
        let own = self.own.as_ref()?.height;
        self.others.highest().map(|height| height.0.saturating_sub(own.0))
    }

    /// Whether others advance while the node stands. One that never said its height cannot be compared: it may not be asked rightly.
    pub(super) fn others_go_on(&self) -> bool {
        self.own.as_ref().is_some_and(|own| self.others.go_on(own.height, own.since))
    }

    /// For how long the present run has been going on, as far as anybody knows.
    pub(super) fn ran_for(&self, now: Instant) -> Duration {
        self.started.or(self.first_look).map_or(Duration::ZERO, |since| now.since(since))
    }
}

/// Whether a node at this height has left behind what its log told. The block of a clue may be stored a moment after the line, so
/// one height more proves nothing.
fn is_past(clue: &Clue, told_at: Option<Height>, height: Height) -> bool {
    match clue {
        Clue::UpgradeNeeded { height: upgrade, .. } => height > *upgrade,
        Clue::HaltHeight { height: halt } => height > *halt,
        Clue::ConsensusFailure { .. }
        | Clue::EarlyBinary
        | Clue::WrongBinary
        | Clue::DiskFull
        | Clue::SignerGone
        | Clue::SignerRefused { .. }
        | Clue::ConflictingVote { .. }
        | Clue::Jailed
        | Clue::AppHash
        | Clue::WalLost
        | Clue::Panic { .. }
        | Clue::StartRefused { .. } => told_at.is_none_or(|told_at| height.0 > told_at.0.saturating_add(1)),
    }
}
