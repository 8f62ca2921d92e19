//! Faults end; then it must heal. And what a person does about a register that was put back.

use super::{Ev, MACHINES_MAX, Micros, PLAIN, SECOND, World, tell};
use crate::signing::{Adoption, Floor, Known, Mark, Step, SwapOutcome, Wish, adopt};
use crate::sim::consensus::Stored;
use crate::sim::judge::{OURS, Signed};

/// How many of our precommits in a row say that it has healed, and how many must follow without one missing.
const HEALED: usize = 2;
const AND_THEN: usize = 3;

/// So many blocks behind the others a plain validator does not propose in time. In the round after that, a node that learns of the
/// commit before it has seen all prevotes precommits nil (as `CometBFT` does), which says nothing about us.
const BEHIND: usize = 2;

/// How long a request may be on its way, after the pilot that sent it has died.
const LATE_MAX: Micros = 6 * SECOND;

impl World<'_> {
    /// No more faults: whatever is broken is mended, whatever is off is switched on. A machine that stands still goes on by itself.
    pub(super) fn become_calm(&mut self) {
        tell!(self, "CALM");
        self.calm = true;
        self.next_point = u64::MAX;
        (self.network.bad, self.network.withheld) = (None, None);
        self.network.silenced.fill(false);
        self.network.deafened.fill(false);
        self.store.down = false;
        self.store.slow = false;
        self.store.throttled = false;
        self.store.flaky = false;
        self.store.unreached.fill(false);
        self.store.unheard.fill(false);
        self.store.next.fill(None);
        for machine in &mut self.machines {
            machine.slow = 0;
            (machine.disk_full, machine.disk_flaky, machine.floor_fails, machine.key_fails) =
                (false, false, false, false);
        }
        self.pause(false);
        self.kill_node(super::STRANGER);
        for node in 0..PLAIN {
            self.start_node(node);
        }
        for machine in 0..MACHINES_MAX {
            self.queue.put(self.now + SECOND / 2, Ev::Start { machine });
        }
        self.report.points = self.points;
    }

    /// How long it may take until our precommits are in the commits again.
    fn heals_within(&self) -> Micros {
        25 * (self.timeouts.commit + SECOND)
    }

    /// Looks whether it is over.
    pub(super) fn look(&mut self) {
        if !self.calm {
            return;
        }
        if self.stranger {
            // Nobody promises to go on beside a stranger.
            self.over = self.now > self.calm_at + 5 * (self.timeouts.commit + SECOND);
            return;
        }
        let tip = self.judge.chain.len();
        if self.nodes.iter().take(PLAIN).any(|node| node.blocks.len() + BEHIND <= tip) {
            self.behind_at = self.now;
        }
        let late = self.now > self.calm_at.max(self.store.adopted_at) + self.heals_within();
        if self.looked == self.judge.ours.len() && !late {
            return;
        }
        self.looked = self.judge.ours.len();
        let since = self.calm_at.max(self.store.adopted_at).max(self.behind_at);
        let after = self.judge.chain.iter().take_while(|link| link.at <= since).count();
        let ours = self.judge.ours.get(after..).unwrap_or_default();
        let healed = ours.windows(HEALED).position(|votes| votes.iter().all(|vote| *vote == Signed::Block));
        let Some(healed) = healed else {
            if late {
                let seen = ours.len();
                self.wrong(format!(
                    "NOT HEALED: of {seen} heights after the faults none two in a row are ours"
                ));
            }
            return;
        };
        let then = ours.get(healed + HEALED..).unwrap_or_default();
        self.over = then.len() >= AND_THEN || late;
        if let Some(place) = then.iter().position(|vote| *vote != Signed::Block) {
            let height = after + healed + HEALED + place + 1;
            let what = then[place];
            self.wrong(format!("MISSED AFTER HEALING: height {height} is {what:?}"));
        }
    }

    /// A person has seen that the register went back: stops every pilot, and adopts when nothing that they sent can still arrive. (Who does not
    /// wait may see a late write find the version that it expects, since a register that is put back counts its versions again.)
    pub(super) fn stop_all(&mut self) {
        tell!(self, "a person stops every pilot");
        for machine in 0..MACHINES_MAX {
            self.kill_pilot(machine);
            self.kill_node(PLAIN + machine);
            self.machines[machine].still_until = self.now;
            self.machines[machine].down = true;
            let then = self.now + LATE_MAX + SECOND / 3 * machine as Micros;
            self.queue.put(then, Ev::Adopt { machine });
        }
    }

    /// A person adopts the register on one machine, as `beam watermark adopt` does.
    pub(super) fn adopt(&mut self, machine: usize) {
        if !self.machines[machine].exists {
            self.machines[machine].down = false;
            return;
        }
        if self.store.down || self.machines[machine].disk_full {
            self.queue.put(self.now + SECOND, Ev::Adopt { machine });
            return;
        }
        let (version, record) = (self.store.view.version, self.store.view.record.clone());
        let floor = self.machines[machine].disk.clone();
        // Of a node that follows the chain: its tip, and our last vote that it shows.
        let shows = self.nodes.iter().take(PLAIN).map(|node| &node.blocks);
        let blocks = shows.max_by_key(|blocks| blocks.len()).map_or(&[][..], |blocks| &blocks[..]);
        let tip = Some(crate::signing::Height(blocks.len() as u64));
        let votes = |stored: &&Stored| (stored.block.signed | stored.block.nil) & 1 << OURS != 0;
        let last = blocks.iter().rev().find(votes);
        let seen =
            last.map(|stored| Mark::new(stored.block.height - 1, stored.block.last_round, Step::Precommit));
        let remembered: Vec<Mark> =
            [Some(record.mark), floor.as_ref().map(|floor| floor.mark), seen].into_iter().flatten().collect();
        let known = Known { remembered: &remembered, tip };
        let Ok(safe) = known.begin_at(Wish::Lowest, true) else {
            return self.wrong("no mark to begin with could be found".to_owned());
        };
        match adopt(&record, floor.as_ref(), seen, safe, false) {
            None => self.wrong("epochs have run out".to_owned()),
            Some(Adoption::Accepted) => tell!(self, "machine {machine} accepts {}", record.mark),
            Some(Adoption::Repin(floor)) => self.machines[machine].disk = Some(floor),
            Some(Adoption::Raise(raised)) => {
                tell!(self, "a person adopts on machine {machine}: raised to {}", raised.mark.in_words());
                let floor = Floor::of(&raised);
                if let SwapOutcome::Won(_) = self.write(version, raised, true) {
                    self.machines[machine].disk = Some(floor);
                }
            }
        }
        self.store.adopted_at = self.now + SECOND;
        self.machines[machine].down = false;
        self.queue.put(self.now + SECOND, Ev::Start { machine });
    }
}
