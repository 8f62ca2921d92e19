//! The register: one cell, linearizable. What is not reliable is the way there and back.

use super::{Ev, MACHINES_MAX, MS, Micros, SECOND, World, tell};
use crate::register::Version;
use crate::signing::{Attempt, Event, Handover, ReadOutcome, Record, SwapOutcome, View};
use crate::sim::Mistake;
use crate::sim::dice::Dice;

pub(super) struct Store {
    pub(super) view: View,
    pub(super) latency: Micros,
    jitter: Micros,
    pub(super) unreached: [bool; MACHINES_MAX],
    pub(super) unheard: [bool; MACHINES_MAX],
    pub(super) down: bool,
    pub(super) slow: bool,
    pub(super) throttled: bool,
    pub(super) flaky: bool,
    /// What becomes of a machine's next request.
    pub(super) next: [Option<Fate>; MACHINES_MAX],
    /// Whether earlier records are remembered, and they are.
    pub(super) remember: bool,
    pub(super) earlier: Vec<View>,
    pub(super) was_put_back: bool,
    pub(super) adopted_at: Micros,
    /// Connections before this one are cut.
    pub(super) opened: u32,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Fine,
    /// It never arrives.
    Lost,
    /// It is refused, and that is known.
    Refused,
    /// Its answer never arrives.
    Unanswered,
    /// It arrives long after it was given up.
    Late,
    /// It is sent twice by the client library; the second one's answer counts.
    Twice,
}

/// A request on its way.
pub(super) struct Op {
    pub(super) machine: usize,
    run: u32,
    attempt: Attempt,
    swap: Option<(Version, Record)>,
    issued: Micros,
    fate: Fate,
    back: Micros,
    opened: u32,
}

/// As the driver has it: what takes longer is given up.
const WITHIN: Micros = SECOND;

impl Store {
    pub(super) fn drawn(dice: &mut Dice, view: View) -> Self {
        let latency = dice.one_of(&[MS, 3 * MS, 10 * MS, 60 * MS]);
        Self {
            view,
            latency,
            jitter: latency,
            unreached: [false; MACHINES_MAX],
            unheard: [false; MACHINES_MAX],
            down: false,
            slow: false,
            throttled: false,
            flaky: false,
            next: [None; MACHINES_MAX],
            remember: false,
            earlier: Vec::new(),
            was_put_back: false,
            adopted_at: 0,
            opened: 0,
        }
    }
}

impl World<'_> {
    pub(super) fn ask_register(&mut self, machine: usize, attempt: Attempt, swap: Option<(Version, Record)>) {
        let fate = self.fate(machine);
        let store = &self.store;
        let (latency, jitter, opened) = (store.latency, store.jitter, store.opened);
        let mut there = latency / 2 + self.dice.below(jitter) / 2;
        let mut back = latency / 2 + self.dice.below(jitter) / 2;
        if self.store.slow {
            there += self.dice.below(700 * MS);
            back += self.dice.below(700 * MS);
        }
        there += self.lag(super::PLAIN + machine);
        let run = self.machines[machine].run;
        if fate == Fate::Late {
            there += self.dice.within(WITHIN, 4 * SECOND);
        }
        let op = Op { machine, run, attempt, swap, issued: self.now, fate, back, opened };
        match fate {
            Fate::Refused => {
                let event = op.outcome(false);
                self.tell_pilot(machine, there + back, event);
            }
            Fate::Lost => {
                let event = op.outcome(true);
                self.tell_pilot(machine, WITHIN, event);
            }
            _ => self.queue.put(self.now + there, Ev::Register(Box::new(op))),
        }
    }

    fn fate(&mut self, machine: usize) -> Fate {
        if let Some(fate) = self.store.next[machine].take() {
            return fate;
        }
        if self.store.down || self.store.unreached[machine] {
            return if self.dice.happens(300) { Fate::Refused } else { Fate::Lost };
        }
        if self.store.throttled && self.dice.happens(500) {
            return Fate::Refused;
        }
        if self.store.flaky && self.dice.happens(350) {
            return self.dice.one_of(&[Fate::Lost, Fate::Unanswered, Fate::Late, Fate::Twice, Fate::Refused]);
        }
        Fate::Fine
    }

    /// A request arrives.
    pub(super) fn at_register(&mut self, op: Op) {
        if op.opened != self.store.opened {
            // The store it was sent to is not there any more.
            return self.give_up(&op);
        }
        let event = match op.swap.clone() {
            None => Event::Read { attempt: op.attempt, outcome: self.found() },
            Some((expected, record)) => {
                let mut outcome = self.write(expected, record.clone(), false);
                if op.fate == Fate::Twice {
                    outcome = self.write(expected, record, false);
                }
                Event::Swapped { attempt: op.attempt, outcome }
            }
        };
        self.point(Some(op.machine), None);
        let answer_at = self.now + op.back;
        let unheard = op.fate == Fate::Unanswered || self.store.unheard[op.machine] || self.store.down;
        if unheard || answer_at > op.issued + WITHIN || self.now > op.issued + WITHIN {
            return self.give_up(&op);
        }
        let (machine, run) = (op.machine, op.run);
        self.queue.put(answer_at, Ev::Pilot { machine, run, event: Box::new(event) });
    }

    /// The pilot hears nothing, and gives up when its time is over.
    fn give_up(&mut self, op: &Op) {
        let mut event = op.outcome(true);
        if self.mistakes(Mistake::TimeoutIsDone)
            && let (Event::Swapped { outcome, .. }, Some((expected, _))) = (&mut event, &op.swap)
        {
            *outcome = SwapOutcome::Won(expected.next().unwrap_or(*expected));
        }
        let (machine, run) = (op.machine, op.run);
        let at = self.now.max(op.issued + WITHIN);
        self.queue.put(at, Ev::Pilot { machine, run, event: Box::new(event) });
    }

    fn found(&self) -> ReadOutcome {
        ReadOutcome::Found(self.store.view.clone())
    }

    /// One winner: the version must be the expected one.
    pub(super) fn write(&mut self, expected: Version, record: Record, by_a_person: bool) -> SwapOutcome {
        let blind = self.mistakes(Mistake::RegisterIgnoresVersions);
        if self.store.view.version != expected && !blind {
            return SwapOutcome::Lost(self.found());
        }
        let Some(version) = self.store.view.version.next() else { return SwapOutcome::Failed };
        if self.mistakes(Mistake::RegisterForgets) && self.dice.happens(50) {
            return SwapOutcome::Won(version);
        }
        let lock = if self.mistakes(Mistake::LockForgotten) { None } else { record.lock.clone() };
        self.judge.wrote(version, &record, by_a_person);
        let view = View { version, record: Record { lock, ..record } };
        let before = std::mem::replace(&mut self.store.view, view);
        if self.store.remember {
            self.store.earlier.push(before);
        }
        SwapOutcome::Won(version)
    }

    /// A person hands over: reads, and writes a moment later.
    pub(super) fn switch(&mut self, to: usize, forced: bool, tries: u32) {
        const TRIES_MAX: u32 = 20;
        let Some(pilot) = &self.machines[to].pilot else { return };
        let (me, height) = (pilot.me, self.nodes[super::PLAIN + to].core.height());
        let record = &self.store.view.record;
        let in_step = height >= record.mark.height.0;
        if record.owner == Some(me) || (!forced && !in_step) || self.store.down || tries > TRIES_MAX {
            return;
        }
        let how = if forced { Handover::Failover } else { Handover::Switchover };
        let Some(handed) = record.handed_to(me, how) else { return };
        // In between the owner may write; then it is tried again.
        let expected = self.store.view.version;
        let moved = self.dice.happens(200);
        if moved && tries == 0 {
            self.queue.put(self.now + self.store.latency, Ev::Switch { to, forced, tries: tries + 1 });
            return;
        }
        if let SwapOutcome::Won(_) = self.write(expected, handed, true) {
            tell!(self, "a person hands over to {to} ({how})");
            self.report.counts.switchovers += 1;
        }
    }
}

impl Op {
    /// What the pilot makes of hearing nothing, or of hearing that nothing was done.
    fn outcome(&self, unknown: bool) -> Event {
        let attempt = self.attempt;
        match &self.swap {
            None => Event::Read { attempt, outcome: ReadOutcome::Failed },
            Some(_) if unknown => Event::Swapped { attempt, outcome: SwapOutcome::Unknown },
            Some(_) => Event::Swapped { attempt, outcome: SwapOutcome::Failed },
        }
    }
}
