//! From a look and what is remembered to what the node suffers from.
//!
//! The first that holds is named, from what is certain to what is only likely:
//!
//! 1. what makes the readings worthless: no process, no answer, another chain;
//! 2. what the node itself has announced: in its log, in `upgrade-info.json`, in its configuration;
//! 3. what holds it, if its height stands for longer than `still_after`: the signer, a block that takes long, no peers, a
//!    consensus thread that hangs or has ended; and if nobody else advances either, the chain;
//! 4. what is wrong with a node that advances.
//!
//! Two facts of `CometBFT` make the hanging node legible. The consensus thread holds a lock while it works, and
//! `consensus_state` wants it: it hangs while the thread waits for a signature or for the application, and answers when the
//! thread has died of a consensus failure. And the application answers `abci_info` late or with the height before, while it
//! works on a block that is already stored.

use crate::health::config::{BYPASS_BLOCKS, CATCHING_UP_STALLS_AFTER, HealthConfig, SIGNER_GONE_AFTER};
use crate::health::memory::{Memory, Own};
use crate::health::{Answer, Condition, Consensus, Readings, Status, Unknown};
use crate::logs::Clue;
use crate::signing::Height;
use crate::time::Instant;

/// One look, being judged.
pub(super) struct Diagnosis<'a> {
    pub(super) config: &'a HealthConfig,
    pub(super) memory: &'a Memory,
    pub(super) seen: &'a Readings,
    pub(super) now: Instant,
}

impl Diagnosis<'_> {
    /// What the node suffers from; `None` if nothing.
    pub(super) fn condition(&self) -> Option<Condition> {
        if self.seen.running == Some(false) {
            return Some(self.not_running());
        }
        let status = match &self.seen.node {
            Answer::NotAsked => return Some(Condition::Unknown(Unknown::NotAsked)),
            Answer::Odd(answer) => return Some(Condition::Unknown(Unknown::NoNode(answer.clone()))),
            Answer::Silent => return Some(self.silent()),
            Answer::Status(status) => status,
        };
        if status.network != self.config.chain {
            return Some(Condition::WrongChain(status.network.clone()));
        }
        let own = self.memory.own.as_ref()?;
        if let Some(announced) = self.announced(own) {
            return Some(announced);
        }
        if status.catching_up {
            return Some(self.catching_up(status));
        }
        if let Some(signer) = self.signer() {
            return Some(signer);
        }
        if !own.moved && self.is_fresh() {
            return Some(Condition::Starting);
        }
        if self.stands() {
            return Some(self.standing(own));
        }
        if !own.moved {
            return Some(Condition::Unknown(Unknown::NotYetSeenToAdvance));
        }
        self.advancing()
    }

    fn not_running(&self) -> Condition {
        let last_words = self.memory.clues().find_map(|clue| match clue {
            Clue::DiskFull => Some(Condition::DiskFull),
            Clue::EarlyBinary | Clue::WrongBinary => Some(Condition::WrongBinary),
            Clue::UpgradeNeeded { name, height } => {
                Some(Condition::UpgradeNeeded { name: name.clone(), height: *height })
            }
            _ => None,
        });
        last_words.or_else(|| self.upgrade_file(self.memory.app)).unwrap_or(Condition::NotRunning)
    }

    fn silent(&self) -> Condition {
        if self.is_fresh() { Condition::Starting } else { Condition::Unreachable }
    }

    /// Whether the node was started a moment ago, as somebody told.
    fn is_fresh(&self) -> bool {
        self.memory.started.is_some_and(|started| self.now.since(started) <= self.config.start_grace)
    }

    /// What the node itself says is wrong. A line of a log says so at once; a file or a setting only once the height stands.
    fn announced(&self, own: &Own) -> Option<Condition> {
        let mut failed = false;
        for clue in self.memory.clues() {
            match clue {
                Clue::UpgradeNeeded { name, height } => {
                    return Some(Condition::UpgradeNeeded { name: name.clone(), height: *height });
                }
                Clue::HaltHeight { height } => return Some(Condition::HaltHeight { height: *height }),
                Clue::EarlyBinary | Clue::WrongBinary => return Some(Condition::WrongBinary),
                Clue::AppHash => return Some(Condition::StateDiverged),
                Clue::DiskFull => return Some(Condition::DiskFull),
                Clue::ConsensusFailure { .. } => failed = true,
                // What these come to, the readings show better.
                Clue::SignerGone
                | Clue::SignerRefused { .. }
                | Clue::ConflictingVote { .. }
                | Clue::Jailed
                | Clue::WalLost
                | Clue::Panic { .. }
                | Clue::StartRefused { .. } => {}
            }
        }
        // A thread that answers is not at work on the block: it has given up on it.
        let gave_up = self.stands()
            && self.seen.consensus == Some(Consensus::Answers)
            && self.seen.app_height.is_some_and(|app| app < own.height);
        if gave_up || failed {
            if let Some(upgrade) = self.upgrade_file(self.seen.app_height) {
                return Some(upgrade);
            }
            if self.seen.halt_height.is_some_and(|halt| halt.0 > 0 && own.height >= halt) {
                return Some(Condition::HaltHeight { height: own.height });
            }
            return Some(Condition::ConsensusFailure);
        }
        None
    }

    /// The upgrade in `upgrade-info.json`, if it is the next block's. The file stays there when the upgrade is done.
    fn upgrade_file(&self, app: Option<Height>) -> Option<Condition> {
        let upgrade = self.seen.upgrade.as_ref()?;
        let is_next = app?.0.checked_add(1) == Some(upgrade.height.0);
        is_next.then(|| Condition::UpgradeNeeded { name: upgrade.name.clone(), height: upgrade.height })
    }

    fn catching_up(&self, status: &Status) -> Condition {
        // Height 0 is a state sync, which says nothing of how far it is.
        let stalled = status.height.0 > 0 && self.memory.stood_for(self.now) > CATCHING_UP_STALLS_AFTER;
        Condition::CatchingUp { lag: self.memory.lag(), stalled }
    }

    fn signer(&self) -> Option<Condition> {
        let since = self.memory.signer_gone_since?;
        if self.memory.blocks_without_signer >= BYPASS_BLOCKS {
            return Some(Condition::SignerBypassed);
        }
        let long = self.now.since(since) > SIGNER_GONE_AFTER;
        let still = self.memory.stood_for(self.now) > SIGNER_GONE_AFTER;
        ((long && still) || self.stands()).then_some(Condition::SignerGone)
    }

    fn standing(&self, own: &Own) -> Condition {
        let hangs = self.seen.consensus == Some(Consensus::Hangs);
        let executed = self.seen.app_height.is_some_and(|app| app >= own.height);
        if hangs && !executed {
            return Condition::Busy { height: own.height };
        }
        if self.memory.alone_since.is_some() {
            return Condition::NoPeers;
        }
        if self.memory.others_go_on() {
            let lag = self.memory.lag().unwrap_or_default();
            return if hangs { Condition::Frozen { lag } } else { Condition::Stuck { lag } };
        }
        if hangs && self.memory.clues().any(|clue| *clue == Clue::SignerGone) {
            return Condition::SignerGone;
        }
        if self.memory.others.stand(self.now, self.config.still_after) {
            Condition::ChainStands { height: own.height }
        } else if self.memory.others.independent() {
            Condition::Unknown(Unknown::OthersNotYetSeen)
        } else {
            Condition::Stands { height: own.height }
        }
    }

    fn advancing(&self) -> Option<Condition> {
        let lag = self.memory.lag().unwrap_or_default();
        if lag > self.config.lag_blocks_max {
            return Some(Condition::Behind { lag });
        }
        let votes = self.seen.votes.filter(|votes| votes.seated)?;
        // What is missing from the time when the node did not do its work was told then.
        let since_well = votes.to.0.saturating_sub(self.memory.ill_until.0);
        let missed = votes.missed_in_a_row.min(since_well);
        (missed >= self.config.missed_in_a_row_max.max(1)).then_some(Condition::NotVoting { missed })
    }

    fn stands(&self) -> bool {
        self.memory.stood_for(self.now) > self.config.still_after
    }
}
