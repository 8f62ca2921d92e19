//! The signing machine: rules 1 to 11 of [the module](super) as one state machine. What comes in is taken in here; what
//! is decided about it stands in [`rules`].

#[cfg(any(test, feature = "model"))]
mod rebase;
mod rules;

use std::collections::VecDeque;
use std::time::Duration;

use crate::id::{SessionId, SignerId};
use crate::machine::Machine;
use crate::signing::{
    Action, Attempt, BlockId, Epoch, Event, Floor, Halt, Height, Mark, ReadOutcome, Record, Refusal, Release,
    RequestId, Round, Sighting, Signatures, Statement, Step, SwapOutcome, Takeover, View,
};
use crate::takeover::{Patience, TakeoverConfig};
use crate::time::Instant;

/// What a signer is told at its start.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SignerConfig {
    /// This start of this process. Drawn anew each time: a signer is never recognised by a name.
    pub me: SignerId,
    /// How patient it is as a standby.
    pub takeover: TakeoverConfig,
}

/// One signer of one validator key on one chain.
///
/// It is the *owner* if the register's record names it, else a *standby*; every start is as a standby.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Signer {
    me: SignerId,
    patience: Patience,
    /// Whether it leaves everything to the owner, however silent.
    paused: bool,
    /// The register as last known. An owner acts on it without reading; a standby reads first.
    view: Option<View>,
    /// What is known to be on disk.
    floor: Option<Floor>,
    /// The highest mark seen, on disk or not: a floor whose writing takes too long may be there although nobody waited for it.
    seen: Option<Floor>,
    halted: Option<Halt>,
    /// The last block this machine's node asked to precommit: proof that it saw why (rule 6).
    pub(super) asked: Option<Asked>,
    /// A signature on the chain that the register must be shown to know of (rule 11).
    sighting: Option<(Sighting, Attempt)>,
    /// Requests in order of arrival; the first is being worked on.
    waiting: VecDeque<Request>,
    stage: Stage,
    attempts: u64,
    /// The epoch people were last told about.
    told: Option<Epoch>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Request {
    id: RequestId,
    session: SessionId,
    statement: Statement,
    extension: Option<Vec<u8>>,
    /// When it is refused if nothing else has come of it.
    deadline: Instant,
    /// Since when it has been left to the owner of that epoch.
    left_to: Option<(Epoch, Instant)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Asked {
    pub(super) session: SessionId,
    pub(super) height: Height,
    pub(super) round: Round,
    pub(super) block: BlockId,
}

/// What the first waiting request waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Idle,
    /// The register is being read.
    Reading(Attempt),
    /// The register is read again then: the owner is given time, or the register is.
    Pausing {
        until: Instant,
        for_owner: bool,
    },
    /// The register is being written.
    Swapping {
        attempt: Attempt,
        record: Record,
        taking: Option<Taking>,
    },
    /// The floor is being written.
    Flooring {
        attempt: Attempt,
        floor: Floor,
    },
    /// The key is signing the recorded bytes, and the floor is on its way to the disk meanwhile if it must be raised. The
    /// signature leaves when both are done.
    Signing {
        attempt: Attempt,
        repeated: bool,
        floor: Option<(Attempt, Floor)>,
        made: Option<Signatures>,
    },
}

/// A takeover under way: what it was decided upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Taking {
    from: SignerId,
    was: Mark,
    waited: Duration,
    decided: Instant,
}

impl Taking {
    fn done(self, now: Instant) -> Takeover {
        let Self { from, was, waited, decided } = self;
        Takeover { from, was, waited, swapped_within: now.since(decided) }
    }
}

impl Request {
    /// Whether the record holds what is asked for: then its bytes may be signed, and nothing else at this mark.
    fn repeats(&self, record: &Record) -> bool {
        self.statement.mark() == record.mark && self.statement.repeats(&record.bytes)
    }
}

impl Signer {
    /// How long after its arrival a request is answered at the latest, come what may.
    ///
    /// CometBFT drops a signer that says nothing for 5 s and freezes its consensus meanwhile; design and tests ask for 3 s.
    /// The rest is for the way there and back.
    pub const ANSWER_WITHIN: Duration = Duration::from_millis(2500);
    /// How often a standby looks whether the owner has signed.
    pub const POLL_EVERY: Duration = Duration::from_millis(25);
    /// How soon an operation on the register that failed is tried again.
    pub const RETRY_AFTER: Duration = Duration::from_millis(50);
    /// How many requests may wait. A node makes one at a time; a few more are left behind when it reconnects.
    pub const WAITING_MAX: usize = 16;

    /// A signer that has just started, with the floor that it found on its disk, if any.
    #[must_use]
    pub fn new(config: SignerConfig, floor: Option<Floor>) -> Self {
        Self {
            me: config.me,
            patience: Patience::new(config.takeover),
            paused: false,
            view: None,
            seen: floor.clone(),
            floor,
            halted: None,
            asked: None,
            sighting: None,
            waiting: VecDeque::new(),
            stage: Stage::Idle,
            attempts: 0,
            told: None,
        }
    }

    /// The register as this signer last knew it.
    #[must_use]
    pub fn view(&self) -> Option<&View> {
        self.view.as_ref()
    }

    /// How long it waits for the owner at the height after the register's mark, as things stand.
    #[must_use]
    pub fn waits(&self) -> Duration {
        let height = self.view.as_ref().map_or(0, |view| view.record.mark.height.0.saturating_add(1));
        self.patience.wait(Height(height))
    }

    /// Whether takeovers are paused.
    #[must_use]
    pub fn paused(&self) -> bool {
        self.paused
    }

    /// Whether it believes that it is the owner. Only the register knows; a wrong belief is harmless.
    #[must_use]
    pub fn owns(&self) -> bool {
        self.view.as_ref().is_some_and(|view| view.record.owner == Some(self.me))
    }

    /// Why it has stopped, if it has.
    #[must_use]
    pub fn halted(&self) -> Option<&Halt> {
        self.halted.as_ref()
    }

    fn next_attempt(&mut self) -> Attempt {
        self.attempts = self.attempts.saturating_add(1);
        Attempt(self.attempts)
    }

    fn asked(&mut self, now: Instant, request: Request, out: &mut Vec<Action>) {
        let mark = request.statement.mark();
        if let (Step::Precommit, Some(block)) = (mark.step, request.statement.block()) {
            self.asked = Some(Asked {
                session: request.session,
                height: mark.height,
                round: mark.round,
                block: block.clone(),
            });
        }
        if let Some(halt) = &self.halted {
            out.push(refuse(request.id, Refusal::Halted(halt.clone())));
        } else if self.waiting.len() >= Self::WAITING_MAX {
            out.push(refuse(request.id, Refusal::TooMany));
        } else {
            self.waiting.push_back(request);
            self.proceed(now, out);
        }
    }

    fn read(&mut self, now: Instant, attempt: Attempt, outcome: ReadOutcome, out: &mut Vec<Action>) {
        if self.stage == Stage::Reading(attempt) {
            self.stage = Stage::Idle;
            self.learned(now, attempt, outcome, out);
        }
    }

    fn swapped(&mut self, now: Instant, attempt: Attempt, outcome: SwapOutcome, out: &mut Vec<Action>) {
        let (record, taking) = match &self.stage {
            Stage::Swapping { attempt: current, record, taking } if *current == attempt => {
                (record.clone(), *taking)
            }
            _ => return,
        };
        self.stage = Stage::Idle;
        match outcome {
            SwapOutcome::Won(version) => {
                self.note_epoch(&record, taking.map(|taking| taking.done(now)), out);
                self.seen = Some(Floor::of(&record));
                self.view = Some(View { version, record });
                // Rule 3 does the rest: the record now holds what was asked for.
                self.decide(now, out);
            }
            SwapOutcome::Lost(current) => self.learned(now, attempt, current, out),
            // Rule 7: only reading tells. If it did happen, rule 3 recognises the bytes as ours to sign.
            SwapOutcome::Unknown => {
                self.view = None;
                self.start_reading(out);
            }
            SwapOutcome::Failed => {
                self.view = None;
                self.pause(now, Self::RETRY_AFTER, false);
            }
        }
    }

    fn floor_kept(&mut self, now: Instant, attempt: Attempt, kept: bool, out: &mut Vec<Action>) {
        let due = match &mut self.stage {
            Stage::Flooring { attempt: current, floor } if *current == attempt => Some(floor.clone()),
            Stage::Signing { floor, .. } => {
                floor.take_if(|(current, _)| *current == attempt).map(|due| due.1)
            }
            _ => None,
        };
        let Some(floor) = due else { return };
        if !kept {
            return self.finish(now, Err(Refusal::FloorNotKept), out);
        }
        self.floor = Some(floor);
        if matches!(self.stage, Stage::Signing { .. }) {
            self.release(now, out);
        } else {
            self.stage = Stage::Idle;
            self.decide(now, out);
        }
    }

    fn signed(
        &mut self,
        now: Instant,
        attempt: Attempt,
        signatures: Option<Signatures>,
        out: &mut Vec<Action>,
    ) {
        match &mut self.stage {
            Stage::Signing { attempt: current, made, .. } if *current == attempt => *made = signatures,
            _ => return,
        }
        if matches!(self.stage, Stage::Signing { made: None, .. }) {
            let mark = self.waiting.front().map(|request| request.statement.mark());
            return self.finish(now, Err(mark.map_or(Refusal::ShuttingDown, Refusal::KeyFailed)), out);
        }
        self.release(now, out);
    }

    /// Lets the signature go if it is made and the floor is there.
    fn release(&mut self, now: Instant, out: &mut Vec<Action>) {
        let (Stage::Signing { made: Some(signatures), floor: None, repeated, .. }, Some(view)) =
            (&self.stage, &self.view)
        else {
            return;
        };
        let release = Release {
            mark: view.record.mark,
            bytes: view.record.bytes.clone(),
            signatures: signatures.clone(),
            epoch: view.record.epoch,
            repeated: *repeated,
        };
        self.finish(now, Ok(release), out);
    }

    fn seen(&mut self, sighting: Sighting, out: &mut Vec<Action>) {
        let known = |view: &View| sighting.mark < view.record.mark || records(&view.record, &sighting);
        if self.view.as_ref().is_some_and(known) || self.halted.is_some() {
            return;
        }
        let lower = |(earlier, _): &(Sighting, Attempt)| earlier.mark < sighting.mark;
        if self.sighting.as_ref().is_none_or(lower) {
            // Only a read that begins from now on can tell: one under way may be older than the signature.
            self.sighting = Some((sighting, Attempt(self.attempts)));
        }
        if self.stage == Stage::Idle {
            self.start_reading(out);
        }
    }

    /// Lets expire what was due by now.
    fn expire(&mut self, now: Instant, out: &mut Vec<Action>) {
        let late =
            self.waiting.iter().position(|request| request.deadline > now).unwrap_or(self.waiting.len());
        let late: Vec<Request> = self.waiting.drain(..late).collect();
        for (place, request) in late.into_iter().enumerate() {
            out.push(refuse(request.id, self.late_refusal(&request)));
            if place == 0 {
                // Whatever the first one was doing is given up; a swap under way may still happen.
                if matches!(self.stage, Stage::Swapping { .. }) {
                    self.view = None;
                }
                self.stage = Stage::Idle;
            }
        }
        match self.stage {
            Stage::Pausing { until, .. } if until <= now => {
                self.stage = Stage::Idle;
                self.start_reading(out);
            }
            Stage::Idle => self.proceed(now, out),
            _ => {}
        }
    }

    /// What to say to a request whose time is up: what it was waiting for.
    fn late_refusal(&self, request: &Request) -> Refusal {
        let mark: Mark = request.statement.mark();
        match (&self.stage, &self.view) {
            (Stage::Pausing { for_owner: true, .. }, Some(view)) if self.paused => {
                Refusal::Paused(mark, view.record.epoch)
            }
            (Stage::Pausing { for_owner: true, .. }, Some(view)) => {
                Refusal::OwnersTurn(mark, view.record.epoch)
            }
            (Stage::Flooring { .. } | Stage::Signing { made: Some(_), .. }, _) => Refusal::FloorNotKept,
            (Stage::Signing { .. }, _) => Refusal::KeyFailed(mark),
            _ => Refusal::RegisterOutOfReach(mark),
        }
    }
}

impl Machine for Signer {
    type Event = Event;
    type Action = Action;

    fn step(&mut self, now: Instant, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        self.expire(now, &mut out);
        match event {
            Event::Woken => {}
            Event::Asked { request, session, statement, extension } => {
                let deadline = now + Self::ANSWER_WITHIN;
                let request = Request { id: request, session, statement, extension, deadline, left_to: None };
                self.asked(now, request, &mut out);
            }
            Event::Read { attempt, outcome } => self.read(now, attempt, outcome, &mut out),
            Event::Swapped { attempt, outcome } => self.swapped(now, attempt, outcome, &mut out),
            Event::FloorKept { attempt, kept } => self.floor_kept(now, attempt, kept, &mut out),
            Event::Signed { attempt, signatures } => self.signed(now, attempt, signatures, &mut out),
            Event::Seen(sighting) => self.seen(sighting, &mut out),
            Event::Paused(paused) => self.paused = paused,
        }
        out
    }

    fn woken() -> Event {
        Event::Woken
    }

    fn wake_at(&self) -> Option<Instant> {
        let pause = match self.stage {
            Stage::Pausing { until, .. } => Some(until),
            _ => None,
        };
        self.waiting.iter().map(|request| request.deadline).chain(pause).min()
    }
}

fn refuse(request: RequestId, refusal: Refusal) -> Action {
    Action::Answer { request, answer: Err(refusal) }
}

/// Whether the record holds just this signature.
fn records(record: &Record, sighting: &Sighting) -> bool {
    sighting.mark == record.mark
        && Statement::canonical(record.bytes.clone())
            .is_ok_and(|statement| statement.block() == sighting.block.as_ref())
}
