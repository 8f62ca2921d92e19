//! One of our machines: its pilot with the real signer, its disk, its clock.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Ev, MS, Micros, PLAIN, SECOND, World, tell};
use crate::id::{SessionId, SignerId};
use crate::machine::Machine as _;
use crate::signing::{
    Action, Attempt, Event, Floor, Handover, Mark, Notice, Refusal, Release, RequestId, Signatures, Signer,
    SignerConfig, Statement,
};
use crate::sim::Mistake;
use crate::sim::bytes;
use crate::takeover::TakeoverConfig;
use crate::time::Instant;

/// A pilot that runs.
pub(super) struct Pilot {
    pub(super) signer: Signer,
    pub(super) me: SignerId,
    /// On the machine's monotonic clock.
    started: Micros,
    /// Requests that wait for their answer: which, whose, and since when on the clock that stands still with the machine.
    waiting: Vec<(RequestId, u64, Micros)>,
    wake_at: Option<Micros>,
    /// A signature on the chain that the register did not know of when the signer was told, and how many writes may still follow: one,
    /// as it may have been decided before.
    told: Option<(Mark, u32)>,
}

/// One machine.
pub(super) struct Machine {
    pub(super) exists: bool,
    pub(super) run: u32,
    pub(super) pilot: Option<Pilot>,
    pub(super) session: SessionId,
    /// The floor on the disk, and how it was at some earlier time.
    pub(super) disk: Option<Floor>,
    pub(super) backup: Option<Floor>,
    /// A floor that is being written: it may be on the disk, or not.
    pub(super) writing: Option<Floor>,
    pub(super) disk_takes: Micros,
    pub(super) key_takes: Micros,
    pub(super) still_until: Micros,
    /// How long it stood still, in all, and how much of that its clock does not know of.
    pub(super) stood: Micros,
    pub(super) unknown: Micros,
    pub(super) slow: Micros,
    pub(super) clock_wrong_by: u64,
    pub(super) disk_full: bool,
    pub(super) disk_flaky: bool,
    pub(super) floor_fails: bool,
    pub(super) key_fails: bool,
    /// Switched off until the world is calm, or for ever.
    pub(super) down: bool,
}

impl Machine {
    pub(super) fn new(dice: &mut crate::sim::dice::Dice, exists: bool) -> Self {
        Self {
            exists,
            run: 0,
            pilot: None,
            session: SessionId::from_random(dice.id()),
            disk: None,
            backup: None,
            writing: None,
            disk_takes: dice.one_of(&[MS / 5, MS, 5 * MS, 20 * MS]),
            key_takes: dice.one_of(&[0, 0, 0, 20 * MS]),
            still_until: 0,
            stood: 0,
            unknown: 0,
            slow: 0,
            clock_wrong_by: 0,
            disk_full: false,
            disk_flaky: false,
            floor_fails: false,
            key_fails: false,
            down: false,
        }
    }
}

/// What Beam promises: an answer, whatever happens, within this time.
const ANSWERED_WITHIN: Micros = 3 * SECOND;

impl World<'_> {
    /// Starts a machine, or what of it does not run: the pilot, then the node.
    pub(super) fn start_machine(&mut self, machine: usize) {
        if self.machines[machine].down || !self.machines[machine].exists {
            return;
        }
        if self.machines[machine].pilot.is_none() {
            self.start_pilot(machine);
        }
        self.start_node(PLAIN + machine);
    }

    pub(super) fn start_pilot(&mut self, machine: usize) {
        let me = SignerId::from_random(self.dice.id());
        // The session of a node that outlived its pilot is not known to the new one.
        let session = SessionId::from_random(self.dice.id());
        let rank = machine.clamp(1, 2) as u32;
        let takeover = TakeoverConfig { rank, ..self.takeover };
        let started = self.monotonic(machine);
        let host = &mut self.machines[machine];
        host.session = session;
        host.run += 1;
        let signer = Signer::new(SignerConfig { me, takeover }, host.disk.clone());
        host.pilot = Some(Pilot { signer, me, started, waiting: Vec::new(), wake_at: None, told: None });
        tell!(self, "pilot {machine} starts, floor {}", Self::at(self.machines[machine].disk.as_ref()));
        if self.paused {
            self.tell_pilot(machine, 100 * MS, Event::Paused(true));
        }
    }

    pub(super) fn at(floor: Option<&Floor>) -> String {
        floor.map_or_else(|| "none".to_owned(), |floor| floor.mark.to_string())
    }

    pub(super) fn kill_pilot(&mut self, machine: usize) {
        let host = &mut self.machines[machine];
        if host.pilot.take().is_some() {
            host.run += 1;
            tell!(self, "pilot {machine} is dead");
        }
        // What was on its way to the disk gets there, as the kernel has it.
        self.settle_disk(machine, true);
    }

    /// What becomes of a floor that was being written.
    pub(super) fn settle_disk(&mut self, machine: usize, arrives: bool) {
        if let Some(floor) = self.machines[machine].writing.take()
            && arrives
            && !self.mistakes(Mistake::DiskLies)
        {
            self.put_on_disk(machine, floor);
        }
    }

    fn put_on_disk(&mut self, machine: usize, floor: Floor) {
        let disk = &mut self.machines[machine].disk;
        let higher = disk.as_ref().is_none_or(|old| old.lineage == floor.lineage && old.mark < floor.mark);
        if higher {
            *disk = Some(floor);
        }
    }

    /// The machine's monotonic clock.
    fn monotonic(&self, machine: usize) -> Micros {
        self.now.saturating_sub(self.machines[machine].unknown)
    }

    /// A clock that stands still while the machine does.
    fn awake(&self, machine: usize) -> Micros {
        self.now.saturating_sub(self.machines[machine].stood)
    }

    pub(super) fn tell_pilot(&mut self, machine: usize, late: Micros, event: Event) {
        let run = self.machines[machine].run;
        self.queue.put(self.now + late, Ev::Pilot { machine, run, event: Box::new(event) });
    }

    pub(super) fn ask_pilot(&mut self, machine: usize, serial: u64, statement: Statement) {
        if self.mistakes(Mistake::NoFence) {
            return self.sign_without_fence(machine, serial, &statement);
        }
        let request = RequestId(self.id());
        let awake = self.awake(machine);
        let session = self.machines[machine].session;
        if let Some(pilot) = &mut self.machines[machine].pilot {
            pilot.waiting.push((request, serial, awake));
        }
        let extension = None;
        self.pilot(machine, Event::Asked { request, session, statement, extension });
    }

    /// A mistake: signs whatever its own node asks for.
    fn sign_without_fence(&mut self, machine: usize, serial: u64, statement: &Statement) {
        self.judge.held(statement);
        self.judge.signed(statement.bytes());
        self.give_node(machine, serial, Some(statement.bytes()));
    }

    // ---- the loop around the machine, as the driver has it ----

    pub(super) fn pilot(&mut self, machine: usize, event: Event) {
        if let Event::Seen(sighting) = &event {
            let above = sighting.mark > self.store.view.record.mark;
            if let Some(pilot) = &mut self.machines[machine].pilot
                && above
                && pilot.signer.halted().is_none()
            {
                pilot.told = Some((sighting.mark, 1));
            }
        }
        let mut due = VecDeque::from([event]);
        while let Some(event) = due.pop_front() {
            let now = self.monotonic(machine);
            let Some(pilot) = &mut self.machines[machine].pilot else { return };
            let now = Instant::at(Duration::from_micros(now.saturating_sub(pilot.started)));
            let actions = pilot.signer.step(now, event);
            self.carry_out(machine, actions, &mut due);
        }
        self.after_step(machine);
    }

    /// A process that stood still in the middle of its work goes on.
    pub(super) fn go_on(&mut self, machine: usize, actions: Vec<Action>) {
        let mut due = VecDeque::new();
        self.carry_out(machine, actions, &mut due);
        for event in due {
            self.pilot(machine, event);
        }
        self.after_step(machine);
    }

    fn carry_out(&mut self, machine: usize, actions: Vec<Action>, due: &mut VecDeque<Event>) {
        let run = self.machines[machine].run;
        let mut actions = actions.into_iter();
        while let Some(action) = actions.next() {
            if !matches!(action, Action::Tell(_)) {
                self.point(Some(machine), None);
            }
            if self.machines[machine].run != run {
                return;
            }
            let until = self.machines[machine].still_until;
            if until > self.now {
                let rest = std::iter::once(action).chain(actions).collect();
                return self.queue.put(until, Ev::GoOn { machine, run, actions: rest });
            }
            due.extend(self.carry_out_one(machine, action));
            if self.machines[machine].run != run {
                return;
            }
        }
    }

    fn carry_out_one(&mut self, machine: usize, action: Action) -> Option<Event> {
        match action {
            Action::Read { attempt } => {
                self.ask_register(machine, attempt, None);
                None
            }
            Action::Swap { attempt, expected, record } => {
                self.watch_swap(machine, &record);
                tell!(
                    self,
                    "pilot {machine} writes {} (epoch {}) over {expected}",
                    record.mark,
                    record.epoch
                );
                self.ask_register(machine, attempt, Some((expected, record)));
                None
            }
            Action::KeepFloor { attempt, floor } => {
                self.keep_floor(machine, attempt, floor);
                None
            }
            Action::Sign { attempt, bytes, .. } => self.sign(machine, attempt, bytes),
            Action::Answer { request, answer } => {
                self.answer(machine, request, answer);
                None
            }
            Action::Tell(notice) => {
                self.hear(machine, &notice);
                None
            }
        }
    }

    fn watch_swap(&mut self, machine: usize, record: &crate::signing::Record) {
        let register = self.store.view.record.mark;
        let Some(pilot) = &mut self.machines[machine].pilot else { return };
        let takes = record.handover == Handover::Takeover && record.since == record.mark;
        let paused = pilot.signer.paused();
        let mut ignored = false;
        if let Some((mark, left)) = &mut pilot.told {
            if *mark <= register {
                pilot.told = None;
            } else {
                ignored = *left == 0;
                *left = left.saturating_sub(1);
            }
        }
        if takes && paused {
            self.wrong(format!("pilot {machine} takes over at {} while takeovers are paused", record.mark));
        }
        if ignored {
            self.wrong(format!("pilot {machine} goes on at {} after a stranger's signature", record.mark));
        }
    }

    fn after_step(&mut self, machine: usize) {
        let (monotonic, awake) = (self.monotonic(machine), self.awake(machine));
        let run = self.machines[machine].run;
        let Some(pilot) = &mut self.machines[machine].pilot else { return };
        let late = pilot.waiting.iter().find(|(_, _, since)| awake.saturating_sub(*since) > ANSWERED_WITHIN);
        let late = late.copied();
        let wake = pilot.signer.wake_at().map(|at| {
            let at = pilot.started + u64::try_from(at.since_start().as_micros()).unwrap_or(u64::MAX);
            self.now + at.saturating_sub(monotonic)
        });
        // An earlier waking than needed is harmless; a later one is not.
        if let Some(at) = wake
            && pilot.wake_at.is_none_or(|set| at < set || set < self.now)
        {
            pilot.wake_at = Some(at);
            self.queue.put(at, Ev::Wake { machine, run });
        }
        if late.is_some() {
            self.wrong(format!("a request to pilot {machine} was left without an answer for 3 s"));
        }
    }

    pub(super) fn wake(&mut self, machine: usize) {
        if let Some(pilot) = &mut self.machines[machine].pilot {
            pilot.wake_at = None;
        }
        self.pilot(machine, Event::Woken);
    }

    // ---- the key, the disk, the answer ----

    fn sign(&mut self, machine: usize, attempt: Attempt, bytes: Vec<u8>) -> Option<Event> {
        let fails = std::mem::take(&mut self.machines[machine].key_fails);
        let signatures = (!fails).then(|| {
            self.judge.signed(&bytes);
            Signatures { statement: bytes::sign(&bytes), extension: None }
        });
        let event = Event::Signed { attempt, signatures };
        let takes = self.machines[machine].key_takes + self.lag(PLAIN + machine);
        self.point(Some(machine), None);
        if takes == 0 {
            return Some(event);
        }
        self.tell_pilot(machine, takes, event);
        None
    }

    fn keep_floor(&mut self, machine: usize, attempt: Attempt, floor: Floor) {
        let host = &mut self.machines[machine];
        let fails = std::mem::take(&mut host.floor_fails) || host.disk_full;
        let flaky = host.disk_flaky;
        let run = host.run;
        let kept = !(fails || (flaky && self.dice.happens(400)));
        // What failed may be there all the same, but not on a full disk.
        let written = kept || (!self.machines[machine].disk_full && self.dice.happens(500));
        let takes = self.machines[machine].disk_takes + self.lag(PLAIN + machine);
        let takes = if flaky { takes + self.dice.below(900 * MS) } else { takes };
        if self.mistakes(Mistake::FloorTooLate) {
            self.tell_pilot(machine, MS / 10, Event::FloorKept { attempt, kept: true });
        }
        if written {
            self.machines[machine].writing = Some(floor.clone());
        }
        self.queue.put(
            self.now + takes,
            Ev::Floor { machine, run, attempt, floor: Box::new(floor), written, kept },
        );
    }

    pub(super) fn floor_written(
        &mut self,
        machine: usize,
        attempt: Attempt,
        floor: Floor,
        written: bool,
        kept: bool,
    ) {
        let run = self.machines[machine].run;
        if written && !self.mistakes(Mistake::DiskLies) {
            // Now and then the disk is copied, as a backup would.
            if self.dice.happens(100) {
                self.machines[machine].backup = self.machines[machine].disk.clone();
            }
            self.put_on_disk(machine, floor);
        }
        self.machines[machine].writing = None;
        self.point(Some(machine), None);
        if self.machines[machine].run == run {
            self.tell_pilot(machine, 0, Event::FloorKept { attempt, kept });
        }
    }

    fn answer(&mut self, machine: usize, request: RequestId, answer: Result<Release, Refusal>) {
        let awake = self.awake(machine);
        if let Ok(release) = &answer {
            let disk = self.machines[machine].disk.clone();
            let disk = if self.mistakes(Mistake::DiskLies) { Some(floor_of(release, disk)) } else { disk };
            self.judge.released(release, disk.as_ref());
            self.report.counts.released += 1;
        }
        let Some(pilot) = &mut self.machines[machine].pilot else { return };
        let place = pilot.waiting.iter().position(|(waiting, _, _)| *waiting == request);
        let Some((_, serial, since)) = place.map(|place| pilot.waiting.swap_remove(place)) else {
            return self.wrong("a request was answered twice".to_owned());
        };
        if awake.saturating_sub(since) > ANSWERED_WITHIN {
            return self.wrong(format!("pilot {machine} answered after more than 3 s"));
        }
        match &answer {
            Ok(release) => tell!(self, "pilot {machine} gives {}", release.mark),
            Err(refusal) => {
                self.report.counts.locked += u64::from(matches!(refusal, Refusal::Locked { .. }));
                tell!(self, "pilot {machine} refuses: {refusal}");
            }
        }
        if self.mistakes(Mistake::AnswersLost) && self.dice.happens(200) {
            if let Some(pilot) = &mut self.machines[machine].pilot {
                pilot.waiting.push((request, serial, since));
            }
            return;
        }
        let signed = answer.ok().map(|release| release.bytes);
        self.give_node(machine, serial, signed.as_deref());
    }

    fn give_node(&mut self, machine: usize, serial: u64, signed: Option<&[u8]>) {
        self.point(Some(machine), None);
        let place = PLAIN + machine;
        let node = &self.nodes[place];
        let run = node.run;
        let Some(asking) = node.asking.filter(|asking| asking.serial == serial) else { return };
        let message = signed.and_then(|signed| bytes::message(&asking.ask, node.seat, asking.stamp, signed));
        let late = MS / 5 + self.lag(place);
        self.queue.put(self.now + late, Ev::Answer { node: place, run, serial, message });
    }

    fn hear(&mut self, machine: usize, notice: &Notice) {
        match notice {
            Notice::Owning { epoch, since, how, .. } => {
                self.report.counts.takeovers += u64::from(*how == Handover::Takeover);
                tell!(self, "pilot {machine} OWNS from {since} on, epoch {epoch} ({how})");
            }
            Notice::Standby { epoch, since, .. } => {
                tell!(self, "pilot {machine} is standby from {since} on, epoch {epoch}");
            }
            Notice::Halted(halt) => {
                tell!(self, "pilot {machine} HALTS: {halt}");
                self.halted = true;
                if let Some(pilot) = &mut self.machines[machine].pilot {
                    pilot.told = None;
                }
                self.report.counts.halts += 1;
                if !self.stranger && !self.store.was_put_back {
                    self.wrong(format!("pilot {machine} halted for no reason: {halt}"));
                }
            }
        }
    }
}

/// What a disk that lies says it has.
fn floor_of(release: &Release, disk: Option<Floor>) -> Floor {
    let lineage = disk.map_or(crate::id::Lineage::from_random(0), |floor| floor.lineage);
    Floor { lineage, mark: release.mark, bytes: release.bytes.clone() }
}
