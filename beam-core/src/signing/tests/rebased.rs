//! A signer whose counters were set back goes on as it would have: what a model check takes for granted.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::statement;
use crate::id::{Lineage, SessionId, SignerId};
use crate::machine::Machine as _;
use crate::register::Version;
use crate::signing::{
    Action, Attempt, Event, Floor, Handover, Height, Mark, ReadOutcome, Record, RequestId, Sighting,
    Signatures, Signer, SignerConfig, Step, SwapOutcome, View,
};
use crate::takeover::TakeoverConfig;
use crate::time::Instant;

/// A signer, and the same one rebased again and again.
struct Twins {
    one: Signer,
    other: Signer,
    now: Instant,
    /// What is outstanding, as the first one names it.
    pending: Vec<Action>,
    waiting: Vec<(RequestId, Instant)>,
    /// How many attempts the first one has made.
    attempts: u64,
    attempts_gone: u64,
    time_gone: Duration,
    requests: u64,
}

fn attempt_of(action: &Action) -> Option<Attempt> {
    match action {
        Action::Read { attempt }
        | Action::Swap { attempt, .. }
        | Action::KeepFloor { attempt, .. }
        | Action::Sign { attempt, .. } => Some(*attempt),
        Action::Answer { .. } | Action::Tell(_) => None,
    }
}

fn renamed(mut action: Action, more: u64) -> Action {
    match &mut action {
        Action::Read { attempt }
        | Action::Swap { attempt, .. }
        | Action::KeepFloor { attempt, .. }
        | Action::Sign { attempt, .. } => attempt.0 += more,
        Action::Answer { .. } | Action::Tell(_) => {}
    }
    action
}

fn renamed_event(mut event: Event, fewer: u64) -> Event {
    match &mut event {
        Event::Read { attempt, .. }
        | Event::Swapped { attempt, .. }
        | Event::FloorKept { attempt, .. }
        | Event::Signed { attempt, .. } => attempt.0 -= fewer,
        Event::Woken | Event::Asked { .. } | Event::Seen(_) | Event::Paused(_) => {}
    }
    event
}

impl Twins {
    fn new() -> Self {
        let takeover =
            TakeoverConfig { takeover_after: Duration::from_millis(20), ..TakeoverConfig::default() };
        let one = Signer::new(SignerConfig { me: SignerId::from_random(1), takeover }, None);
        Self {
            other: one.clone(),
            one,
            now: Instant::default(),
            pending: Vec::new(),
            waiting: Vec::new(),
            attempts: 0,
            attempts_gone: 0,
            time_gone: Duration::ZERO,
            requests: 0,
        }
    }

    fn step(&mut self, event: Event) {
        let actions = self.one.step(self.now, event.clone());
        let then = Instant::at(self.now.since_start() - self.time_gone);
        let event = renamed_event(event, self.attempts_gone);
        let others =
            self.other.step(then, event).into_iter().map(|action| renamed(action, self.attempts_gone));
        assert_eq!(actions, others.collect::<Vec<_>>());
        let wakes = self.other.wake_at().map(|at| at + self.time_gone);
        assert_eq!(self.one.wake_at(), wakes);
        for action in actions {
            match &action {
                Action::Answer { request, .. } => self.waiting.retain(|(id, _)| id != request),
                Action::Tell(_) => {}
                _ => {
                    self.attempts =
                        attempt_of(&action).map_or(self.attempts, |attempt| attempt.0.max(self.attempts));
                    self.pending.push(action);
                }
            }
        }
    }

    /// As the model does it.
    fn rebase(&mut self) {
        let oldest = self.pending.iter().filter_map(attempt_of).min();
        let oldest = oldest.map(|oldest| Attempt(oldest.0 - self.attempts_gone));
        let begin = self.waiting.iter().map(|(_, since)| *since).chain([self.now]).min().unwrap();
        let time = begin.since_start() - self.time_gone;
        self.other.rebase(oldest, time);
        self.attempts_gone = oldest.map_or(self.attempts, |oldest| self.attempts_gone + oldest.0 - 1);
        self.time_gone += time;
    }

    fn live(&mut self, (what, how): (u8, u8)) {
        match what % 8 {
            0 | 1 => {
                self.requests += 1;
                let step = if how & 1 == 0 { Step::Prevote } else { Step::Precommit };
                let vote = statement(Mark::new(u64::from(how >> 4) + 1, 0, step), Some(how & 2), 0);
                let request = RequestId(self.requests);
                self.waiting.push((request, self.now));
                let session = SessionId::from_random(u128::from(how >> 3 & 1));
                self.step(Event::Asked { request, session, statement: vote, extension: None });
            }
            2..=4 if !self.pending.is_empty() => {
                let action = self.pending.remove(usize::from(how) % self.pending.len());
                self.answer(action, how);
            }
            5 => {
                self.now = self.one.wake_at().unwrap_or(self.now).max(self.now);
                self.step(Event::Woken);
            }
            6 if how & 1 == 0 => self.step(Event::Paused(how & 2 == 0)),
            6 => {
                let mark = Mark::new(u64::from(how >> 4) + 1, 0, Step::Prevote);
                self.step(Event::Seen(Sighting { mark, block: None }));
            }
            _ => self.rebase(),
        }
    }

    fn answer(&mut self, action: Action, how: u8) {
        let begin = Record::begin(Lineage::from_random(5), Mark::end_of(Height(u64::from(how & 3))));
        let record = begin.handed_to(SignerId::from_random(u128::from(how & 1)), Handover::Takeover).unwrap();
        let found = ReadOutcome::Found(View { version: Version(u64::from(how)), record });
        let event = match action {
            Action::Read { attempt } if how & 4 == 0 => Event::Read { attempt, outcome: ReadOutcome::Failed },
            Action::Read { attempt } => Event::Read { attempt, outcome: found },
            Action::Swap { attempt, .. } => {
                let outcome = match how >> 2 & 3 {
                    0 => SwapOutcome::Unknown,
                    1 => SwapOutcome::Lost(found),
                    _ => SwapOutcome::Won(Version(u64::from(how))),
                };
                Event::Swapped { attempt, outcome }
            }
            Action::KeepFloor { attempt, floor: Floor { .. } } => {
                Event::FloorKept { attempt, kept: how & 12 > 0 }
            }
            Action::Sign { attempt, bytes, .. } => {
                let signatures = Some(Signatures { statement: bytes, extension: None });
                Event::Signed { attempt, signatures }
            }
            Action::Answer { .. } | Action::Tell(_) => unreachable!(),
        };
        self.step(event);
    }
}

proptest! {
    #[test]
    fn a_rebased_signer_goes_on_as_it_would_have(history in vec(any::<(u8, u8)>(), 1..200)) {
        let mut twins = Twins::new();
        history.into_iter().for_each(|choice| twins.live(choice));
    }
}
