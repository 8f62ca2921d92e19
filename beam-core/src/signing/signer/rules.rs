//! The way of a request: from what the register holds to a swap, a signature or a refusal. Each rule of
//! [`signing`](crate::signing) that decides anything is one function here.

use std::time::Duration;

use super::{Request, Signer, Stage, Taking, records, refuse};
use crate::signing::floor::Above;
use crate::signing::{
    Action, Attempt, Epoch, Floor, Halt, Handover, Lock, Notice, ReadOutcome, Record, Refusal, Release,
    Round, Step, Takeover, View,
};
use crate::time::Instant;

impl Signer {
    /// Takes up the next request, if none is being worked on.
    pub(super) fn proceed(&mut self, now: Instant, out: &mut Vec<Action>) {
        if self.stage != Stage::Idle || (self.waiting.is_empty() && self.sighting.is_none()) {
            return;
        }
        // Rule 4: the owner does not read.
        if self.owns() && self.sighting.is_none() {
            self.decide(now, out);
        } else {
            self.start_reading(out);
        }
    }

    pub(super) fn start_reading(&mut self, out: &mut Vec<Action>) {
        let attempt = self.next_attempt();
        self.stage = Stage::Reading(attempt);
        out.push(Action::Read { attempt });
    }

    pub(super) fn pause(&mut self, now: Instant, wait: Duration, for_owner: bool) {
        self.stage = Stage::Pausing { until: now + wait, for_owner };
    }

    /// Takes in what the register holds, as an operation that began with `attempt` found it.
    pub(super) fn learned(
        &mut self,
        now: Instant,
        attempt: Attempt,
        outcome: ReadOutcome,
        out: &mut Vec<Action>,
    ) {
        let view = match outcome {
            ReadOutcome::Found(view) => view,
            ReadOutcome::Missing => return self.refuse_all(&Refusal::NoRecord, out),
            ReadOutcome::Damaged => return self.refuse_all(&Refusal::RecordDamaged, out),
            ReadOutcome::Failed => {
                self.view = None;
                return self.pause(now, Self::RETRY_AFTER, false);
            }
        };
        if let Some(halt) = self.reason_to_halt(&view.record, attempt) {
            self.halted = Some(halt.clone());
            self.refuse_all(&Refusal::Halted(halt.clone()), out);
            out.push(Action::Tell(Notice::Halted(halt)));
            return;
        }
        self.note_epoch(&view.record, None, out);
        self.seen = Some(Floor::of(&view.record));
        self.view = Some(view);
        self.decide(now, out);
    }

    /// Rules 8 and 11: reasons why nothing may be signed until a person has looked.
    fn reason_to_halt(&mut self, record: &Record, attempt: Attempt) -> Option<Halt> {
        if let Some(floor) = &self.seen {
            match floor.compare(record) {
                Above::Higher | Above::Same => {}
                Above::PutBack => {
                    return Some(Halt::PutBack { register: record.mark, floor: floor.mark });
                }
                Above::OtherLineage => return Some(Halt::OtherLineage),
            }
        }
        let (sighting, before) = self.sighting.take_if(|(_, before)| *before < attempt)?;
        debug_assert!(before < attempt);
        let known = sighting.mark < record.mark || records(record, &sighting);
        (!known).then_some(Halt::Stranger { chain: sighting.mark, register: record.mark })
    }

    /// Decides on the first waiting request, with a view of the register that is the owner's own or was just read.
    pub(super) fn decide(&mut self, now: Instant, out: &mut Vec<Action>) {
        let Some(view) = self.view.clone() else {
            return self.start_reading(out);
        };
        if self.waiting.front().is_some_and(|request| request.repeats(&view.record)) {
            return self.sign_recorded(&view.record, out);
        }
        // Rule 8: what was seen is remembered before anything else is done about it.
        if let Some((attempt, floor)) = self.raise_floor(&view.record, out) {
            self.stage = Stage::Flooring { attempt, floor };
            return;
        }
        let register = view.record.mark;
        match self.waiting.front().map(|request| request.statement.mark()) {
            None => self.proceed(now, out),
            Some(asked) if asked < register => self.finish(now, Err(Refusal::Past { asked, register }), out),
            Some(asked) if asked == register => self.finish(now, Err(Refusal::Conflicting(asked)), out),
            Some(_) if view.record.owner.is_none_or(|owner| owner == self.me) => {
                self.advance(now, &view, out)
            }
            Some(_) if self.waited(now, view.record.epoch) && !self.paused => self.advance(now, &view, out),
            Some(_) => self.pause(now, Self::POLL_EVERY, true),
        }
    }

    /// Rule 8: begins to raise the floor to this record, if it is lower.
    fn raise_floor(&mut self, record: &Record, out: &mut Vec<Action>) -> Option<(Attempt, Floor)> {
        let raised = self.floor.as_ref().is_none_or(|floor| floor.compare(record) == Above::Higher);
        raised.then(|| {
            let (attempt, floor) = (self.next_attempt(), Floor::of(record));
            out.push(Action::KeepFloor { attempt, floor: floor.clone() });
            (attempt, floor)
        })
    }

    /// Rule 3: signs what the register holds. The only place from which anything is signed.
    fn sign_recorded(&mut self, record: &Record, out: &mut Vec<Action>) {
        let Some(request) = self.waiting.front() else { return };
        // Our own write of a moment ago comes this way too: it is ours if the very bytes and the owner are.
        let repeated = record.owner != Some(self.me) || request.statement.bytes() != record.bytes;
        let extension = request.extension.clone();
        // Both at once: a key in an HSM takes as long as a disk.
        let floor = self.raise_floor(record, out);
        let attempt = self.next_attempt();
        self.stage = Stage::Signing { attempt, repeated, floor, made: None };
        out.push(Action::Sign { attempt, bytes: record.bytes.clone(), extension });
    }

    /// Rule 5: whether the owner of this epoch has had its time. Begins to count if it has not.
    fn waited(&mut self, now: Instant, epoch: Epoch) -> bool {
        let Some(request) = self.waiting.front_mut() else {
            return false;
        };
        let wait = self.patience.wait(request.statement.mark().height);
        match request.left_to {
            Some((of, since)) if of == epoch => now.since(since) >= wait,
            _ => {
                request.left_to = Some((epoch, now));
                false
            }
        }
    }

    /// Rules 1, 2 and 5: raises the mark, as the owner or to become it.
    fn advance(&mut self, now: Instant, view: &View, out: &mut Vec<Action>) {
        let Some(request) = self.waiting.front() else {
            return;
        };
        let mark = request.statement.mark();
        if let Some(lock_round) = self.bound_by(view.record.lock.as_ref(), request) {
            return self.finish(now, Err(Refusal::Locked { asked: mark, lock_round: lock_round.0 }), out);
        }
        let base = if view.record.owner == Some(self.me) {
            Some(view.record.clone())
        } else {
            // The first owner takes nothing over from anybody.
            let how = if view.record.owner.is_some() { Handover::Takeover } else { Handover::Init };
            view.record.handed_to(self.me, how).map(|record| Record { since: mark, ..record })
        };
        let Some(base) = base else {
            return self.finish(now, Err(Refusal::RecordDamaged), out);
        };
        let lock = match (mark.step, request.statement.block()) {
            (Step::Precommit, Some(block)) => Some(Lock {
                height: mark.height,
                round: mark.round,
                block: block.clone(),
                session: request.session,
            }),
            _ => base.lock.clone().filter(|lock| lock.height == mark.height),
        };
        let record = Record { mark, bytes: request.statement.bytes().to_vec(), lock, ..base };
        let taking = view.record.owner.filter(|owner| *owner != self.me).map(|from| {
            let waited = request.left_to.map_or(Duration::ZERO, |(_, since)| now.since(since));
            Taking { from, was: view.record.mark, waited, decided: now }
        });
        let attempt = self.next_attempt();
        self.stage = Stage::Swapping { attempt, record: record.clone(), taking };
        out.push(Action::Swap { attempt, expected: view.version, record });
    }

    /// Rule 6: the round of a lock that forbids this prevote.
    fn bound_by(&self, lock: Option<&Lock>, request: &Request) -> Option<Round> {
        let mark = request.statement.mark();
        let lock = lock.filter(|lock| lock.height == mark.height && lock.session != request.session)?;
        let other_block = request.statement.block().is_some_and(|block| *block != lock.block);
        let saw_why = self.asked.as_ref().is_some_and(|asked| {
            asked.session == request.session
                && asked.height == lock.height
                && asked.round > lock.round
                && asked.block != lock.block
        });
        (mark.step == Step::Prevote && other_block && !saw_why).then_some(lock.round)
    }

    /// Answers the first waiting request and takes up the next.
    pub(super) fn finish(&mut self, now: Instant, answer: Result<Release, Refusal>, out: &mut Vec<Action>) {
        self.stage = Stage::Idle;
        if let Some(request) = self.waiting.pop_front() {
            out.push(Action::Answer { request: request.id, answer });
        }
        self.proceed(now, out);
    }

    /// The register has nothing that can be acted on: nobody who waits gets a signature.
    fn refuse_all(&mut self, refusal: &Refusal, out: &mut Vec<Action>) {
        self.view = None;
        self.stage = Stage::Idle;
        self.sighting = None;
        out.extend(self.waiting.drain(..).map(|request| refuse(request.id, refusal.clone())));
    }

    /// Tells of a new epoch, and remembers takeovers.
    pub(super) fn note_epoch(&mut self, record: &Record, takeover: Option<Takeover>, out: &mut Vec<Action>) {
        if self.told == Some(record.epoch) {
            return;
        }
        let how = record.handover;
        // The first epoch that a signer sees may be ages old.
        if how == Handover::Takeover && self.told.is_some() {
            self.patience.took_over(record.since.height);
        }
        self.told = Some(record.epoch);
        let (epoch, since) = (record.epoch, record.since);
        out.push(Action::Tell(if record.owner == Some(self.me) {
            Notice::Owning { epoch, since, how, takeover }
        } else {
            Notice::Standby { epoch, since, how }
        }));
    }
}
