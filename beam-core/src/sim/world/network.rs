//! What lies between nodes: packets take time, and in bad times they are lost, late, doubled and out of order.
//!
//! Nodes speak over TCP, so a lost packet in good times is only a late one; what a cut line swallows is not sent again by itself, but
//! asked for by gossip later.

use super::{Ev, MS, Micros, Packet, STRANGER, World};
use crate::sim::consensus::{Kind, Message};
use crate::sim::dice::{Dice, mix};

pub(super) struct Network {
    latency: Micros,
    jitter: Micros,
    /// In bad times: how many packets of a thousand are lost, and how late others are at most.
    pub(super) bad: Option<(u64, Micros)>,
    /// What does not arrive while votes are withheld.
    pub(super) withheld: Option<Withheld>,
    /// Whose packets do not leave, and who gets none.
    pub(super) silenced: [bool; STRANGER + 1],
    pub(super) deafened: [bool; STRANGER + 1],
}

/// How many of a thousand do not arrive, and what is mixed in to say which.
#[derive(Clone, Copy, Debug)]
pub(super) struct Withheld {
    pub(super) proposals: u64,
    pub(super) prevotes: u64,
    pub(super) precommits: u64,
    pub(super) salt: u64,
}

impl Network {
    pub(super) fn drawn(dice: &mut Dice) -> Self {
        let latency = dice.one_of(&[2 * MS, 10 * MS, 40 * MS, 80 * MS]);
        let none = [false; STRANGER + 1];
        Self { latency, jitter: latency, bad: None, withheld: None, silenced: none, deafened: none }
    }

    /// Whether this vote never gets to this node, from whomever and however often it is sent, while votes are withheld.
    fn withholds(&self, to: usize, packet: &Packet) -> bool {
        let Some(withheld) = self.withheld else { return false };
        let (what, of_a_thousand) = match packet {
            Packet::Message(Message::Vote(vote)) => {
                let of = if vote.kind == Kind::Prevote { withheld.prevotes } else { withheld.precommits };
                let what = u64::from(vote.round) << 8 | u64::from(vote.seat) << 1 | vote.kind as u64;
                (vote.height << 32 | what, of)
            }
            Packet::Message(Message::Proposal(proposal)) => {
                (proposal.block.height << 32 | u64::from(proposal.round) << 8 | 0xff, withheld.proposals)
            }
            _ => return false,
        };
        mix(withheld.salt ^ mix(what << 4 | to as u64)) % 1000 < of_a_thousand
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
        if self.network.withholds(to, &packet) {
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
