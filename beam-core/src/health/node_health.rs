//! The machine: readings in, what the node suffers from and restarts out.

use std::time::Duration;

use crate::health::brake::{Brake, Leave};
use crate::health::config::{
    HealthConfig, NO_PEERS_PATIENCE, READINGS_STALE_AFTER, RESTARTED_WITHIN, SIGNER_LOST_PATIENCE,
    SILENT_PATIENCE,
};
use crate::health::diagnosis::Diagnosis;
use crate::health::memory::Memory;
use crate::health::{Condition, Readings, Remedy, Unknown};
use crate::logs::Clue;
use crate::machine::Machine;
use crate::signing::{Attempt, Height};
use crate::time::Instant;

/// What can happen to a node's health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Time went by.
    Woken,
    /// Somebody has looked at the node.
    Looked(Readings),
    /// The node's log told something.
    Told(Clue),
    /// A run of the node has begun, or was found; whoever began it.
    Started,
    /// The node is judged by this from now on. What was seen of it, and its restarts, are kept.
    Configured(HealthConfig),
    /// A restart that this machine asked for is done, or has failed, or was not wanted.
    Restarted {
        /// Which one.
        attempt: Attempt,
        /// Whether the node was started anew.
        done: bool,
    },
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// What the node suffers from, or what is to be done, is another than before. For logs and alerts.
    Tell(Finding),
    /// End the node, kill it if it does not end, and start it again. Answered by [`Event::Restarted`].
    Restart {
        /// Names the restart.
        attempt: Attempt,
        /// Why.
        because: Condition,
    },
}

/// How the node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it suffers from; `None` if nothing.
    pub condition: Option<Condition>,
    /// What is to be done about that now.
    pub remedy: Remedy,
    /// If a restart would heal it: what keeps this machine from doing it now.
    pub hold: Option<Hold>,
}

/// Why a restart that would heal is not done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Nobody was seen to advance while the node stands. It may be the chain.
    NoEvidence,
    /// The node was started a moment ago.
    Grace,
    /// It may still heal by itself.
    Patience,
    /// Its RPC is silent and it commits blocks all the same: a restart would cost more than it heals.
    Works,
    /// The last restart was not long ago.
    Pause,
    /// It is being restarted.
    UnderWay,
    /// It was restarted as often as is allowed.
    UsedUp,
}

/// Watches one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeHealth {
    config: HealthConfig,
    memory: Memory,
    brake: Brake,
    finding: Finding,
    looked: Option<Instant>,
    /// What the node suffers from without a break, and since when.
    ailing: Option<(&'static str, Instant)>,
    attempts: u64,
    under_way: Option<(Attempt, Instant)>,
}

impl NodeHealth {
    /// Watches a node of which nothing is known yet.
    #[must_use]
    pub fn new(config: HealthConfig) -> Self {
        let brake = Brake::new(config.restarts_max, config.restart_window);
        let finding = Finding {
            condition: Some(Condition::Unknown(Unknown::NotAsked)),
            remedy: Remedy::Wait,
            hold: None,
        };
        let memory = Memory::default();
        Self { config, memory, brake, finding, looked: None, ailing: None, attempts: 0, under_way: None }
    }

    /// How the node is, by what is known now.
    #[must_use]
    pub fn finding(&self) -> &Finding {
        &self.finding
    }

    /// How far the highest of the others is; `None` if nothing is known of them.
    #[must_use]
    pub fn network_height(&self) -> Option<Height> {
        self.memory.others.highest()
    }

    /// How often the node was restarted within the window that limits it.
    pub fn restarts(&self, now: Instant) -> u32 {
        self.brake.used(now)
    }

    fn look(&mut self, now: Instant, seen: &Readings) -> Vec<Action> {
        self.looked = Some(now);
        self.memory.look(now, seen);
        let diagnosis = Diagnosis { config: &self.config, memory: &self.memory, seen, now };
        let condition = diagnosis.condition();
        self.brake.is_well(now, condition.is_none());
        if condition.as_ref().is_some_and(|condition| !matches!(condition, Condition::NotVoting { .. })) {
            self.memory.ill();
        }
        let ailment = condition.as_ref().map(ailment);
        if self.ailing.map(|(name, _)| name) != ailment {
            self.ailing = ailment.map(|name| (name, now));
        }
        let Some(condition) = condition else {
            return self.find(Finding { condition: None, remedy: Remedy::Wait, hold: None });
        };
        if condition.remedy() != Remedy::Restart {
            let remedy = condition.remedy();
            return self.find(Finding { condition: Some(condition), remedy, hold: None });
        }
        let hold = self.hold(now, &condition);
        let remedy = match hold {
            Some(Hold::NoEvidence | Hold::Works | Hold::UsedUp) => Remedy::Person,
            Some(Hold::Grace | Hold::Patience | Hold::Pause | Hold::UnderWay) | None => Remedy::Restart,
        };
        let finding = Finding { condition: Some(condition.clone()), remedy, hold };
        let mut actions = self.find(finding);
        if hold.is_none() {
            self.attempts = self.attempts.saturating_add(1);
            let attempt = Attempt(self.attempts);
            self.brake.restarted(now);
            self.under_way = Some((attempt, now));
            actions.push(Action::Restart { attempt, because: condition });
        }
        actions
    }

    /// What keeps us from restarting the node now.
    fn hold(&mut self, now: Instant, condition: &Condition) -> Option<Hold> {
        if self.under_way.is_some() {
            return Some(Hold::UnderWay);
        }
        if self.is_patient(now, condition) {
            return Some(Hold::Patience);
        }
        if *condition == Condition::Unreachable && self.works(now) {
            return Some(Hold::Works);
        }
        if !self.memory.others_go_on() {
            return Some(Hold::NoEvidence);
        }
        if self.memory.ran_for(now) <= self.config.start_grace {
            return Some(Hold::Grace);
        }
        match self.brake.leave(now) {
            Leave::Given => None,
            Leave::Pause => Some(Hold::Pause),
            Leave::UsedUp => Some(Hold::UsedUp),
        }
    }

    /// Whether the node may still heal by itself.
    fn is_patient(&self, now: Instant, condition: &Condition) -> bool {
        let memory = &self.memory;
        let (since, patience) = match condition {
            Condition::Unreachable => (memory.silent_since, self.still_for(SILENT_PATIENCE)),
            Condition::SignerGone => (memory.signer_gone_since, self.still_for(SIGNER_LOST_PATIENCE)),
            Condition::NoPeers => (memory.alone_since, NO_PEERS_PATIENCE),
            // Not since the height stands: what held it may have ended a moment ago, such as a signer that is back.
            _ => (None, self.config.still_after),
        };
        let since = since.or(self.ailing.map(|(_, since)| since));
        since.is_none_or(|since| now.since(since) <= patience)
    }

    /// Whether a node whose RPC is silent asked its signer lately.
    fn works(&self, now: Instant) -> bool {
        self.memory.stirred.is_some_and(|last| now.since(last) <= self.still_for(SILENT_PATIENCE))
    }

    /// So many times `still_after`.
    fn still_for(&self, times: u32) -> Duration {
        self.config.still_after.saturating_mul(times)
    }

    /// Keeps the finding, and tells it if it is news.
    fn find(&mut self, finding: Finding) -> Vec<Action> {
        let key = |finding: &Finding| (finding.condition.as_ref().map(Condition::name), finding.remedy);
        let is_news = key(&finding) != key(&self.finding);
        self.finding = finding.clone();
        if is_news { vec![Action::Tell(finding)] } else { Vec::new() }
    }

    /// Gives up what was due by now.
    fn expire(&mut self, now: Instant) -> Vec<Action> {
        if self.under_way.is_some_and(|(_, asked)| now.since(asked) >= RESTARTED_WITHIN) {
            self.under_way = None;
        }
        if self.looked.is_some_and(|looked| now.since(looked) >= READINGS_STALE_AFTER) {
            self.looked = None;
            let condition = Some(Condition::Unknown(Unknown::NotAsked));
            return self.find(Finding { condition, remedy: Remedy::Wait, hold: None });
        }
        Vec::new()
    }
}

/// A condition's name; one for all that are a deaf node, told apart by less or more evidence.
fn ailment(condition: &Condition) -> &'static str {
    match condition {
        Condition::ConsensusFailure | Condition::Frozen { .. } | Condition::Stuck { .. } => "deaf",
        other => other.name(),
    }
}

impl Machine for NodeHealth {
    type Event = Event;
    type Action = Action;

    /// A restart is only ever asked for on fresh readings.
    fn step(&mut self, now: Instant, event: Event) -> Vec<Action> {
        let mut actions = self.expire(now);
        match event {
            Event::Woken => {}
            Event::Looked(seen) => actions.extend(self.look(now, &seen)),
            Event::Told(clue) => self.memory.clue(clue),
            Event::Started => self.memory.started(now),
            Event::Configured(config) => {
                self.brake.limit(config.restarts_max, config.restart_window);
                self.config = config;
            }
            Event::Restarted { attempt, done } => {
                if self.under_way.is_some_and(|(asked, _)| asked == attempt) {
                    self.under_way = None;
                    if done {
                        self.memory.started(now);
                    }
                }
            }
        }
        actions
    }

    fn woken() -> Event {
        Event::Woken
    }

    fn wake_at(&self) -> Option<Instant> {
        let stale = self.looked.map(|looked| looked + READINGS_STALE_AFTER);
        let given_up = self.under_way.map(|(_, asked)| asked + RESTARTED_WITHIN);
        stale.into_iter().chain(given_up).min()
    }
}
