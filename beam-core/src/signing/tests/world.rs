//! Several signers over one register, with everything that can go wrong between them, and a judge over it all.
//!
//! The world is driven by a list of numbers, so that a failing history is a list that can be shrunk and kept.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{block_id, statement};
use crate::id::{Lineage, SessionId, SignerId};
use crate::machine::Machine;
use crate::register::Version;
use crate::signing::{
    Action, Attempt, BlockId, Event, Floor, Handover, Height, Lock, Mark, ReadOutcome, Record, RequestId,
    Round, Signatures, Signer, SignerConfig, Step, SwapOutcome, View,
};
use crate::takeover::TakeoverConfig;
use crate::time::Instant;

/// One choice: what happens, to whom, and how.
pub(super) type Choice = (u8, u8, u16);

pub(super) struct World {
    now: Instant,
    machines: Vec<Host>,
    register: View,
    /// What the register has held at each mark.
    values: BTreeMap<Mark, Vec<u8>>,
    /// What was signed at each mark, by anybody.
    signed: BTreeMap<Mark, Vec<u8>>,
    /// Writes whose answer was given up, and which may still happen.
    late: Vec<(Version, Record)>,
    /// The block last precommitted, as this judge saw it, whatever the record says.
    lock: Option<Lock>,
    /// Blocks that each session asked to precommit.
    precommits: Vec<(SessionId, Height, Round, BlockId)>,
    ids: u64,
    pub(super) signatures: usize,
}

struct Host {
    signer: Signer,
    me: SignerId,
    session: SessionId,
    disk: Option<Floor>,
    pending: Vec<Action>,
    /// Requests that wait for their answer, and since when.
    waiting: BTreeMap<RequestId, Instant>,
}

impl World {
    pub(super) fn new(machines: u8) -> Self {
        let begin = Record::begin(Lineage::from_random(5), Mark::end_of(Height(0)));
        let mut world = Self {
            now: Instant::default(),
            machines: Vec::new(),
            register: View { version: Version::FIRST, record: begin },
            values: BTreeMap::new(),
            signed: BTreeMap::new(),
            late: Vec::new(),
            lock: None,
            precommits: Vec::new(),
            ids: 0,
            signatures: 0,
        };
        for _ in 0..machines {
            let host = world.host(None);
            world.machines.push(host);
        }
        world
    }

    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    fn host(&mut self, disk: Option<Floor>) -> Host {
        let me = SignerId::from_random(self.id().into());
        let takeover =
            TakeoverConfig { takeover_after: Duration::from_millis(300), ..TakeoverConfig::default() };
        Host {
            signer: Signer::new(SignerConfig { me, takeover }, disk.clone()),
            me,
            session: SessionId::from_random(self.id().into()),
            disk,
            pending: Vec::new(),
            waiting: BTreeMap::new(),
        }
    }

    pub(super) fn live(&mut self, (what, who, how): Choice) {
        let who = usize::from(who) % self.machines.len();
        match what % 16 {
            0..=3 => self.ask(who, how),
            4..=9 => self.carry_out_one(who, how),
            10..=11 => self.wait(Duration::from_millis(u64::from(how % 700))),
            12 => self.restart(who, how),
            13 => self.machines[who].session = SessionId::from_random(self.id().into()),
            14 if how & 1 == 0 => self.switch_to(who),
            14 => self.step(who, Event::Paused(how & 2 == 0)),
            _ => self.write_late(how),
        }
    }

    /// The node asks for something at, just after or just before the register's mark.
    fn ask(&mut self, who: usize, how: u16) {
        let at = self.register.record.mark;
        let height = at.height.0.max(1) + u64::from(how & 3 == 3);
        let round = if at.round == Round::MAX { 0 } else { at.round.0 };
        let round = if height > at.height.0 { 0 } else { round + u32::from(how >> 2 & 3 == 3) };
        let step = [Step::Proposal, Step::Prevote, Step::Precommit][usize::from(how >> 4) % 3];
        let block = [None, Some(1), Some(2)][usize::from(how >> 6) % 3];
        let block = if step == Step::Proposal { Some(block.unwrap_or(1)) } else { block };
        let nanos = u8::try_from(how >> 8 & 1).unwrap();
        let statement = statement(Mark::new(height, round, step), block, nanos);
        let session = self.machines[who].session;
        if let (Step::Precommit, Some(block)) = (step, block) {
            self.precommits.push((session, Height(height), Round(round), block_id(block)));
        }
        let request = RequestId(self.id());
        self.machines[who].waiting.insert(request, self.now);
        let extension = None;
        self.step(who, Event::Asked { request, session, statement, extension });
    }

    fn step(&mut self, who: usize, event: Event) {
        for action in self.machines[who].signer.step(self.now, event) {
            if let Action::Swap { record, .. } = &action {
                let takes_over = record.handover == Handover::Takeover && record.since == record.mark;
                assert!(!(takes_over && self.machines[who].signer.paused()), "a takeover while paused");
            }
            match action {
                Action::Answer { request, answer } => {
                    let asked = self.machines[who].waiting.remove(&request);
                    assert!(asked.is_some(), "a request was answered twice");
                    if let Ok(release) = answer {
                        self.signatures += 1;
                        assert_eq!(release.signatures.statement, release.bytes, "another vote's signature");
                        let floor = self.machines[who].disk.as_ref();
                        assert!(
                            floor.is_some_and(|floor| floor.mark >= release.mark),
                            "{} left before the floor was there",
                            release.mark
                        );
                    }
                }
                Action::Tell(_) => {}
                action => self.machines[who].pending.push(action),
            }
        }
    }

    fn carry_out_one(&mut self, who: usize, how: u16) {
        let pending = self.machines[who].pending.len();
        if pending == 0 {
            return;
        }
        let action = self.machines[who].pending.remove(usize::from(how >> 8) % pending);
        let fate = how & 15;
        let event = match action {
            Action::Read { attempt } => {
                let outcome = match fate {
                    0 => ReadOutcome::Failed,
                    _ => ReadOutcome::Found(self.register.clone()),
                };
                Event::Read { attempt, outcome }
            }
            Action::Swap { attempt, expected, record } => {
                let outcome = match fate {
                    0 => SwapOutcome::Failed,
                    1 => SwapOutcome::Unknown,
                    2 => {
                        self.write(expected, record);
                        SwapOutcome::Unknown
                    }
                    3 => {
                        self.late.push((expected, record));
                        SwapOutcome::Unknown
                    }
                    // A retry below us: written, and then found in place.
                    4 => {
                        self.write(expected, record);
                        SwapOutcome::Lost(ReadOutcome::Found(self.register.clone()))
                    }
                    _ => self.write(expected, record),
                };
                Event::Swapped { attempt, outcome }
            }
            Action::KeepFloor { attempt, floor } => self.keep_floor(who, attempt, floor, fate),
            Action::Sign { attempt, bytes, .. } => {
                self.judge(&bytes);
                let signatures = Signatures { statement: bytes, extension: None };
                Event::Signed { attempt, signatures: (fate != 0).then_some(signatures) }
            }
            Action::Answer { .. } | Action::Tell(_) => unreachable!(),
        };
        if fate == 15 {
            // Answers may come twice.
            self.step(who, event.clone());
        }
        self.step(who, event);
    }

    fn keep_floor(&mut self, who: usize, attempt: Attempt, floor: Floor, fate: u16) -> Event {
        let kept = fate != 0;
        let disk = &mut self.machines[who].disk;
        let higher = disk.as_ref().is_none_or(|old| old.mark < floor.mark);
        // A write that failed may be on the disk all the same.
        if higher && fate != 1 {
            *disk = Some(floor);
        }
        Event::FloorKept { attempt, kept: kept && fate != 1 }
    }

    /// The register: one winner, versions grow.
    fn write(&mut self, expected: Version, record: Record) -> SwapOutcome {
        if self.register.version != expected {
            return SwapOutcome::Lost(ReadOutcome::Found(self.register.clone()));
        }
        let before = &self.register.record;
        assert!(record.mark > before.mark, "a swap that does not raise the mark");
        assert_eq!(record.lineage, before.lineage);
        let moved = record.owner != before.owner;
        assert_eq!(record.epoch.0, before.epoch.0 + u64::from(moved), "a new owner without a new epoch");
        self.judge_lock(&record);
        if let (Step::Precommit, Some(made)) = (record.mark.step, &record.lock) {
            // Nil leaves the lock of its height as it is; a block makes a new one.
            if made.round == record.mark.round {
                self.lock = Some(made.clone());
            }
        }
        let still = self.lock.clone().filter(|lock| lock.height == record.mark.height);
        assert_eq!(record.lock, still, "the record has another lock than was made");
        let version = expected.next().unwrap();
        assert_eq!(self.values.insert(record.mark, record.bytes.clone()), None, "two values at a mark");
        self.register = View { version, record };
        SwapOutcome::Won(version)
    }

    /// Rule 6, told from outside: who asks for another block than the locked one must have shown that it saw why.
    fn judge_lock(&self, record: &Record) {
        let Some(lock) = &self.lock else { return };
        let prevote = crate::signing::Statement::canonical(record.bytes.clone()).unwrap();
        let Some(block) = prevote.block() else { return };
        let session =
            self.machines.iter().find(|host| Some(host.me) == record.owner).map(|host| host.session);
        let Some(session) = session else { return };
        if record.mark.step != Step::Prevote || record.mark.height != lock.height || *block == lock.block {
            return;
        }
        let mut sessions = self
            .precommits
            .iter()
            .filter(|(_, height, round, _)| *height == lock.height && *round > lock.round);
        // The session may have changed since it asked; any session that has seen why will do for the judge.
        let saw_why = sessions.any(|(_, _, _, asked)| *asked != lock.block);
        assert!(
            saw_why || lock.session == session || self.restarted_since(lock.session),
            "a lock was ignored"
        );
    }

    /// A request of the locking session may be under way when its node restarts.
    fn restarted_since(&self, session: SessionId) -> bool {
        self.machines.iter().all(|host| host.session != session)
    }

    fn judge(&mut self, bytes: &[u8]) {
        let mark = crate::signing::Statement::canonical(bytes.to_vec()).unwrap().mark();
        assert_eq!(
            self.values.get(&mark).map(Vec::as_slice),
            Some(bytes),
            "signed what the register never held"
        );
        let before = self.signed.insert(mark, bytes.to_vec());
        assert!(before.is_none_or(|before| before == bytes), "two values signed at {mark}");
    }

    /// Lets time go by, waking each signer when it asked to be.
    pub(super) fn wait(&mut self, wait: Duration) {
        let until = self.now + wait;
        loop {
            let next = self.machines.iter().filter_map(|host| host.signer.wake_at()).min();
            self.now = next.unwrap_or(until).max(self.now).min(until);
            for who in 0..self.machines.len() {
                self.step(who, Event::Woken);
                for asked in self.machines[who].waiting.values() {
                    assert!(self.now.since(*asked) < Signer::ANSWER_WITHIN, "a request was left unanswered");
                }
            }
            if self.now >= until {
                return;
            }
        }
    }

    /// kill -9 and a new process, on the same disk, on an empty one, or on a clone of another machine's.
    fn restart(&mut self, who: usize, how: u16) {
        for action in std::mem::take(&mut self.machines[who].pending) {
            if let Action::Swap { expected, record, .. } = action {
                self.late.push((expected, record));
            }
        }
        let disk = match how % 4 {
            0 => None,
            1 => self.machines[usize::from(how >> 2) % self.machines.len()].disk.clone(),
            _ => self.machines[who].disk.clone(),
        };
        self.machines[who] = self.host(disk);
    }

    fn switch_to(&mut self, who: usize) {
        let me = self.machines[who].me;
        if self.register.record.owner != Some(me) {
            let record = self.register.record.handed_to(me, Handover::Switchover).unwrap();
            self.register = View { version: self.register.version.next().unwrap(), record };
        }
    }

    fn write_late(&mut self, how: u16) {
        if !self.late.is_empty() {
            let (expected, record) = self.late.swap_remove(usize::from(how) % self.late.len());
            self.write(expected, record);
        }
    }

    /// No more faults: whoever asks now, some machine must be able to sign the next height.
    pub(super) fn heal(&mut self) {
        for who in 0..self.machines.len() {
            self.step(who, Event::Paused(false));
        }
        self.late.clear();
        self.wait(Signer::ANSWER_WITHIN);
        let next = Mark::new(self.register.record.mark.height.0 + 1, 0, Step::Prevote);
        for who in 0..self.machines.len() {
            self.machines[who].pending.clear();
            let request = RequestId(self.id());
            let session = self.machines[who].session;
            self.machines[who].waiting.insert(request, self.now);
            let statement = statement(next, Some(1), 0);
            self.step(who, Event::Asked { request, session, statement, extension: None });
        }
        let before = self.signatures;
        for _ in 0..200 {
            for who in 0..self.machines.len() {
                while !self.machines[who].pending.is_empty() {
                    self.carry_out_one(who, 14);
                }
            }
            self.wait(Signer::POLL_EVERY);
        }
        assert!(self.signatures > before, "nobody can sign the next height");
    }
}
