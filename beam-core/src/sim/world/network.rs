//! What lies between nodes: packets take time, and in bad times they are lost, late, doubled and out of order.
//!
//! Nodes speak over TCP, so a lost packet in good times is only a late one; what a cut line swallows is not sent again by itself, but
//! asked for by gossip later.

use super::{Ev, MS, Micros, Packet, STRANGER, World};
use crate::sim::dice::Dice;

pub(super) struct Network {
    latency: Micros,
    jitter: Micros,
    /// In bad times: how many packets of a thousand are lost, and how late others are at most.
    pub(super) bad: Option<(u64, Micros)>,
    /// Whose packets do not leave, and who gets none.
    pub(super) silenced: [bool; STRANGER + 1],
    pub(super) deafened: [bool; STRANGER + 1],
}

impl Network {
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let latency = dice.one_of(&[2 * MS, 10 * MS, 40 * MS, 80 * MS]);
        let none = [false; STRANGER + 1];
        Self { latency, jitter: latency, bad: None, silenced: none, deafened: none }
    }

    fn is_cut(&self, from: usize, to: usize) -> bool {
        self.silenced[from] || self.deafened[to]
    }
}

impl World<'_> {
    pub(super) fn send(&mut self, from: usize, to: usize, packet: Packet) {
        if from == to || !self.nodes[to].up || self.network.is_cut(from, to) {
            return;
        }
        let mut late = self.network.latency + self.dice.below(self.network.jitter);
        if let Some((lost, late_max)) = self.network.bad {
            if self.dice.happens(lost) {
                return;
            }
            if self.dice.happens(300) {
                late += self.dice.below(late_max);
            }
            if self.dice.happens(100) {
                let again = late + self.dice.below(800 * MS);
                let run = self.nodes[to].run;
                self.queue.put(self.now + again, Ev::Packet { to, run, packet: packet.clone() });
            }
        }
        late += self.lag(from) / 4;
        let run = self.nodes[to].run;
        self.queue.put(self.now + late, Ev::Packet { to, run, packet });
    }

    /// How much longer everything takes on this node's machine.
    pub(super) fn lag(&mut self, node: usize) -> Micros {
        match self.nodes[node].machine {
            Some(machine) if self.machines[machine].slow > 0 => {
                let slow = self.machines[machine].slow;
                self.dice.below(slow)
            }
            _ => 0,
        }
    }
}
