//! Faults strike, and end.

use super::{Ev, MACHINES_MAX, MS, Micros, PLAIN, Packet, SECOND, STRANGER, World, tell};
use crate::signing::Event;
use crate::sim::fault::Fault;
use crate::sim::judge::would_notice;
use crate::sim::world::network::Withheld;
use crate::sim::world::register::Fate;

impl World<'_> {
    pub(super) fn strike_by_time(&mut self, place: usize) {
        let fault = self.strikes[place].fault;
        self.strike(fault, None);
    }

    /// A machine to strike: the owner's more often than another.
    fn victim(&mut self) -> usize {
        let owner = self.store.view.record.owner;
        let owns = |machine: &usize| {
            self.machines[*machine].pilot.as_ref().is_some_and(|pilot| Some(pilot.me) == owner)
        };
        let owner = (0..MACHINES_MAX).find(owns);
        let there: Vec<usize> = (0..MACHINES_MAX).filter(|machine| self.machines[*machine].exists).collect();
        match owner {
            Some(owner) if self.dice.happens(500) => owner,
            _ => self.dice.one_of(&there),
        }
    }

    fn a_while(&mut self) -> Micros {
        let short = self.dice.happens(500);
        if short { self.dice.within(100, 1_500) * MS } else { self.dice.within(1_500, 7_000) * MS }
    }

    pub(super) fn strike(&mut self, fault: Fault, machine: Option<usize>) {
        if self.calm {
            return;
        }
        let machine = match machine {
            Some(machine) => machine,
            None => self.victim(),
        };
        // A register that went back is noticed by who remembers more; without anybody who does, it is not (and Beam does not say so).
        let blind = fault.loses_memory() && self.store.was_put_back;
        if blind || self.machines[machine].down {
            return;
        }
        tell!(self, "STRIKE {} (machine {machine}, point {})", fault.name(), self.points);
        self.struck.push(fault);
        self.report.owner_struck |= self.machines[machine]
            .pilot
            .as_ref()
            .is_some_and(|pilot| Some(pilot.me) == self.store.view.record.owner);
        self.begin_fault(fault, machine);
    }

    fn begin_fault(&mut self, fault: Fault, machine: usize) {
        let node = PLAIN + machine;
        let mut lasts = self.a_while();
        if fault == Fault::VotesWithheld {
            // Rounds take seconds.
            lasts += self.timeouts.commit + 5 * SECOND;
        }
        match fault {
            Fault::HostKilled => self.kill_host(machine, true),
            Fault::NodeKilled => {
                self.kill_node(node);
                let run = self.nodes[node].run;
                self.queue.put(self.now + 300 * MS + lasts / 4, Ev::StartNode { node, run });
            }
            Fault::PilotKilled => {
                self.kill_pilot(machine);
                self.queue.put(self.now + 200 * MS + lasts / 4, Ev::Start { machine });
            }
            Fault::PowerLost => self.kill_host(machine, false),
            Fault::Frozen => self.stand_still(machine, lasts, true),
            Fault::Suspended => self.stand_still(machine, lasts, false),
            Fault::Slow => self.machines[machine].slow = self.dice.within(10, 150) * MS,
            Fault::CutFromChain => {
                (self.network.silenced[node], self.network.deafened[node]) = (true, true);
            }
            Fault::NotHeard => self.network.silenced[node] = true,
            Fault::NotHearing => self.network.deafened[node] = true,
            Fault::CutFromRegister => self.store.unreached[machine] = true,
            Fault::RegisterUnheard => self.store.unheard[machine] = true,
            Fault::CutFromBoth => {
                (self.network.silenced[node], self.network.deafened[node]) = (true, true);
                (self.store.unreached[machine], self.store.unheard[machine]) = (true, true);
            }
            Fault::RegisterDown => self.store.down = true,
            Fault::RegisterSlow => self.store.slow = true,
            Fault::RegisterThrottled => self.store.throttled = true,
            Fault::RegisterFlaky => self.store.flaky = true,
            Fault::DiskFull => self.machines[machine].disk_full = true,
            Fault::DiskFlaky => self.machines[machine].disk_flaky = true,
            Fault::BadNetwork => {
                self.network.bad = Some((self.dice.within(50, 500), self.dice.within(200, 3_000) * MS));
            }
            Fault::VotesWithheld => {
                let proposals = self.dice.one_of(&[150, 300]);
                let prevotes = self.dice.one_of(&[100, 200, 350]);
                let precommits = self.dice.one_of(&[0, 200, 400]);
                let salt = self.dice.bits();
                self.network.withheld = Some(Withheld { proposals, prevotes, precommits, salt });
            }
            Fault::ClockJump => {
                let jump = self.dice.below(7_200 * SECOND);
                self.machines[machine].clock_wrong_by = jump.wrapping_sub(3_600 * SECOND);
            }
            Fault::DiskRestored => self.restore(machine),
            Fault::DiskEmptied => self.empty(machine),
            Fault::HomeCloned => self.clone_home(machine),
            Fault::Switchover => self.switch(machine, false, 0),
            Fault::Failover => self.switch(machine, true, 0),
            Fault::Paused => self.pause(true),
            Fault::PutBack => self.put_back(),
            Fault::Stranger => self.let_stranger_in(),
            Fault::OtherKilled => {
                let other = self.dice.place(PLAIN);
                self.kill_node(other);
                let run = self.nodes[other].run;
                self.queue.put(self.now + 500 * MS + lasts, Ev::StartNode { node: other, run });
            }
            Fault::RequestLost => self.store.next[machine] = Some(Fate::Lost),
            Fault::AnswerLost => self.store.next[machine] = Some(Fate::Unanswered),
            Fault::EffectLate => self.store.next[machine] = Some(Fate::Late),
            Fault::SentTwice => self.store.next[machine] = Some(Fate::Twice),
            Fault::FloorFailed => self.machines[machine].floor_fails = true,
            Fault::KeyFailed => self.machines[machine].key_fails = true,
        }
        self.queue.put(self.now + lasts, Ev::End(machine, fault));
    }

    /// A state that lasts is over.
    pub(super) fn end(&mut self, machine: usize, fault: Fault) {
        let node = PLAIN + machine;
        match fault {
            Fault::Slow => self.machines[machine].slow = 0,
            Fault::CutFromChain | Fault::NotHeard | Fault::NotHearing => self.join_chain(node),
            Fault::CutFromRegister | Fault::RegisterUnheard => self.join_register(machine),
            Fault::CutFromBoth => {
                self.join_chain(node);
                self.join_register(machine);
            }
            Fault::RegisterDown => self.store.down = false,
            Fault::RegisterSlow => self.store.slow = false,
            Fault::RegisterThrottled => self.store.throttled = false,
            Fault::RegisterFlaky => self.store.flaky = false,
            Fault::DiskFull => self.machines[machine].disk_full = false,
            Fault::DiskFlaky => self.machines[machine].disk_flaky = false,
            Fault::BadNetwork => self.network.bad = None,
            Fault::VotesWithheld => self.network.withheld = None,
            Fault::Paused => self.pause(false),
            Fault::Stranger => self.kill_node(STRANGER),
            _ => {}
        }
    }

    fn join_chain(&mut self, node: usize) {
        (self.network.silenced[node], self.network.deafened[node]) = (false, false);
    }

    fn join_register(&mut self, machine: usize) {
        (self.store.unreached[machine], self.store.unheard[machine]) = (false, false);
    }

    /// Pilot and node die; what was written stays, what was not synced stays or not.
    fn kill_host(&mut self, machine: usize, page_cache_survives: bool) {
        let node = PLAIN + machine;
        if !page_cache_survives {
            let arrives = self.dice.happens(500);
            self.settle_disk(machine, arrives);
            let (kept, written) = (self.nodes[node].synced, self.nodes[node].wal.len());
            let kept = kept + self.dice.place(written.saturating_sub(kept) + 1);
            self.nodes[node].wal.truncate(kept);
        }
        self.kill_pilot(machine);
        self.kill_node(node);
        self.machines[machine].still_until = self.now;
        let after = SECOND + self.a_while();
        self.queue.put(self.now + after, Ev::Start { machine });
    }

    fn stand_still(&mut self, machine: usize, lasts: Micros, clock_goes_on: bool) {
        let until = self.now + lasts;
        let host = &mut self.machines[machine];
        let from = host.still_until.max(self.now);
        if until > from {
            host.stood += until - from;
            if !clock_goes_on {
                host.unknown += until - from;
            }
            host.still_until = until;
        }
    }

    fn restore(&mut self, machine: usize) {
        self.kill_host(machine, false);
        self.machines[machine].disk = self.machines[machine].backup.clone();
        let node = PLAIN + machine;
        let blocks = self.nodes[node].blocks.len();
        let kept = self.dice.within((blocks as u64) / 2, blocks as u64) as usize;
        self.nodes[node].blocks.truncate(kept);
        self.nodes[node].wal.clear();
        self.nodes[node].synced = 0;
    }

    fn empty(&mut self, machine: usize) {
        self.kill_host(machine, false);
        (self.machines[machine].disk, self.machines[machine].backup) = (None, None);
        let node = PLAIN + machine;
        self.nodes[node].blocks.clear();
        self.nodes[node].wal.clear();
        self.nodes[node].synced = 0;
    }

    /// Another machine starts with a copy of this one's home, as it is at this moment.
    fn clone_home(&mut self, machine: usize) {
        let clone = MACHINES_MAX - 1;
        if self.machines[clone].exists || machine == clone {
            return;
        }
        let node = PLAIN + machine;
        self.machines[clone].disk = self.machines[machine].disk.clone();
        self.nodes[PLAIN + clone].blocks = self.nodes[node].blocks.clone();
        self.nodes[PLAIN + clone].wal = self.nodes[node].wal.clone();
        self.machines[clone].exists = true;
        let after = self.a_while();
        self.queue.put(self.now + after, Ev::Start { machine: clone });
    }

    pub(super) fn pause(&mut self, paused: bool) {
        self.paused = paused;
        for machine in 0..MACHINES_MAX {
            // Each pilot reads it for itself, about once a second.
            let late = self.dice.below(SECOND);
            self.tell_pilot(machine, late, Event::Paused(paused));
        }
    }

    /// The register goes back to how it was, as far as every machine would notice.
    fn put_back(&mut self) {
        let (machines, view) = (&self.machines, &self.store.view);
        let noticed = |earlier: &&crate::signing::View| {
            earlier.record.mark < view.record.mark
                && machines.iter().filter(|machine| machine.exists).all(|machine| {
                    would_notice(machine.disk.as_ref(), &earlier.record) || self.mistakes_disk()
                })
        };
        let candidates: Vec<_> = self.store.earlier.iter().filter(noticed).cloned().collect();
        if candidates.is_empty() || self.store.was_put_back {
            return;
        }
        // A backup is old, or it is what was there a moment ago.
        let newest = if self.dice.happens(500) { candidates.len().min(4) } else { candidates.len() };
        let back = candidates[candidates.len() - 1 - self.dice.place(newest)].clone();
        tell!(self, "the register is put back from {} to {}", self.store.view.record.mark, back.record.mark);
        self.judge.put_back(back.version, back.record.mark);
        self.store.view = back;
        self.store.was_put_back = true;
        self.store.opened += 1;
        let found_after = self.dice.within(2_000, 5_000) * MS;
        self.queue.put(self.now + found_after, Ev::StopAll);
    }

    fn mistakes_disk(&self) -> bool {
        self.mistakes(crate::sim::Mistake::DiskLies)
    }

    /// Somebody starts a node of his own with our key.
    fn let_stranger_in(&mut self) {
        if self.nodes[STRANGER].up {
            return;
        }
        self.stranger = true;
        self.nodes[STRANGER].blocks = self.nodes[0].blocks.clone();
        self.start_node(STRANGER);
        let tip = self.nodes[0].core.height().saturating_sub(1);
        let run = self.nodes[STRANGER].run;
        self.queue.put(self.now + MS, Ev::Packet { to: STRANGER, run, packet: Packet::Tip(tip) });
        if self.dice.happens(500) {
            self.store.down = true;
            let lasts = self.a_while();
            self.queue.put(self.now + lasts, Ev::End(0, Fault::RegisterDown));
        }
    }
}
