//! That the port keeps Tendermint's promises: among plain validators, whatever the network does.

use super::*;
use crate::sim::dice::Dice;
use crate::sim::queue::Queue;

const MS: Micros = 1_000;
const TIMEOUTS: Timeouts =
    Timeouts { propose: 2000 * MS, vote: 1000 * MS, delta: 500 * MS, commit: 1000 * MS };

enum Event {
    Message(usize, Message),
    Give(usize, Have),
    Commit(usize, Stored),
    Timer(usize),
    Gossip(usize),
}

/// Four validators that sign what their consensus asks for.
struct Net {
    nodes: Vec<Consensus>,
    chains: Vec<Vec<Stored>>,
    queue: Queue<Event>,
    dice: Dice,
    now: Micros,
    lost: u64,
    /// Two nodes that hear nothing and are not heard.
    split: bool,
}

impl Net {
    fn new(seed: u64, lost: u64) -> Self {
        let nodes =
            (0..SEATS as u8).map(|seat| Consensus::new(seat, TIMEOUTS, Stored::GENESIS, 0, seat.into()));
        let mut net = Self {
            nodes: nodes.collect(),
            chains: vec![Vec::new(); SEATS],
            queue: Queue::new(),
            dice: Dice::new(seed),
            now: 0,
            lost,
            split: false,
        };
        for node in 0..SEATS {
            net.queue.put(TIMEOUTS.commit, Event::Timer(node));
            net.queue.put(0, Event::Gossip(node));
        }
        net
    }

    fn arrives(&mut self, from: usize, to: usize) -> Option<Micros> {
        let cut = self.split && (from < 2) != (to < 2);
        let lost = self.dice.happens(self.lost);
        let late = self.dice.below(if self.lost > 0 { 900 * MS } else { 30 * MS });
        (from != to && !cut && !lost).then_some(self.now + late)
    }

    fn carry_out(&mut self, node: usize, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Committed(stored) => {
                    assert!(stored.is_committed());
                    self.chains[node].push(stored);
                }
                Output::Broadcast(message) => {
                    for to in 0..SEATS {
                        if let Some(at) = self.arrives(node, to) {
                            self.queue.put(at, Event::Message(to, message));
                        }
                    }
                }
                Output::Ask(ask) => {
                    let (seat, stamp) = (node as u8, self.now);
                    let made = match ask {
                        Ask::Proposal { round, pol_round, block } => {
                            Message::Proposal(Proposal { seat, round, pol_round, block, stamp })
                        }
                        Ask::Vote { height, round, kind, block } => {
                            Message::Vote(Vote { kind, seat, round, height, block, stamp })
                        }
                    };
                    let mut out = Vec::new();
                    self.nodes[node].signed(self.now, Some(made), &mut out);
                    self.carry_out(node, out);
                }
            }
        }
        if let Some(at) = self.nodes[node].wake_at() {
            self.queue.put(at.max(self.now), Event::Timer(node));
        }
    }

    fn run(&mut self, until: Micros) {
        while self.now < until {
            let Some((at, event)) = self.queue.next() else { return };
            self.now = at;
            let mut out = Vec::new();
            match event {
                Event::Message(node, message) => {
                    self.nodes[node].message(at, message, &mut out);
                    self.carry_out(node, out);
                }
                Event::Commit(node, stored) => {
                    for vote in stored.precommits.into_iter().flatten() {
                        self.nodes[node].message(at, Message::Vote(vote), &mut out);
                        self.carry_out(node, std::mem::take(&mut out));
                    }
                    self.nodes[node].message(at, Message::Block(stored.block), &mut out);
                    self.carry_out(node, out);
                }
                Event::Timer(node) => {
                    if let Some((round, phase)) = self.nodes[node].due(at) {
                        self.nodes[node].timeout(at, round, phase, &mut out);
                        self.carry_out(node, out);
                    }
                }
                Event::Gossip(node) => {
                    self.queue.put(at + 200 * MS, Event::Gossip(node));
                    let (have, to) = (self.nodes[node].have(), self.dice.place(SEATS));
                    if self.arrives(node, to).is_some() {
                        self.queue.put(at, Event::Give(node * SEATS + to, have));
                    }
                }
                Event::Give(who, have) => self.give(who % SEATS, who / SEATS, &have),
            }
        }
    }

    fn give(&mut self, from: usize, to: usize, have: &Have) {
        if let Some(stored) = self.chains[from].get(have.height as usize - 1).copied() {
            if let Some(at) = self.arrives(from, to) {
                self.queue.put(at, Event::Commit(to, stored));
            }
            return;
        }
        let mut out = Vec::new();
        self.nodes[from].give(have, &mut out);
        for message in out {
            if let Some(at) = self.arrives(from, to) {
                self.queue.put(at, Event::Message(to, message));
            }
        }
    }

    fn assert_agreed(&self) -> usize {
        let longest = self.chains.iter().max_by_key(|chain| chain.len()).unwrap();
        for chain in &self.chains {
            for (mine, theirs) in chain.iter().zip(longest) {
                assert_eq!(mine.block.hash, theirs.block.hash, "the chain forked at {}", mine.block.height);
            }
        }
        longest.len()
    }
}

#[test]
fn a_quiet_network_makes_a_block_a_round_and_everybody_is_in_the_commits() {
    let mut net = Net::new(1, 0);
    net.run(20_000 * MS);
    assert!(net.assert_agreed() >= 15);
    for stored in &net.chains[0] {
        assert_eq!(stored.round, 0);
        assert!(stored.block.height == 1 || stored.block.signed == 0b1111, "{stored:?}");
    }
}

#[test]
fn they_agree_whatever_is_lost_and_late_and_go_on_when_it_ends() {
    let mut later_rounds = 0;
    for seed in 0..24 {
        let mut net = Net::new(seed, 100 + 25 * seed);
        net.run(20_000 * MS);
        net.split = true;
        net.run(26_000 * MS);
        (net.split, net.lost) = (false, 0);
        let before = net.assert_agreed();
        net.run(120_000 * MS);
        assert!(net.assert_agreed() > before + 3, "seed {seed} stands still at {before}");
        later_rounds += net.chains[0].iter().filter(|stored| stored.round > 0).count();
    }
    assert!(later_rounds > 8, "only {later_rounds} blocks needed a later round");
}

// ---- the lock, step by step ----

const BLOCK: Block = Block { hash: 77, parent: 1, height: 1, ..Block::GENESIS };
const OTHER: Block = Block { hash: 99, ..BLOCK };

fn vote(seat: u8, round: u32, kind: Kind, block: Option<Hash>) -> Message {
    Message::Vote(Vote { kind, seat, round, height: 1, block, stamp: 0 })
}

fn proposal(seat: u8, round: u32, block: Block) -> Message {
    Message::Proposal(Proposal { seat, round, pol_round: None, block, stamp: 0 })
}

/// Tells the node of these, lets it sign whatever it asks for, and gives what it asked for.
fn told(node: &mut Consensus, messages: &[Message]) -> Vec<Ask> {
    let mut asked = Vec::new();
    for message in messages {
        let mut out = Vec::new();
        node.message(0, *message, &mut out);
        sign(node, out, &mut asked);
    }
    asked
}

fn timed_out(node: &mut Consensus, round: u32, phase: Phase) -> Vec<Ask> {
    let (mut out, mut asked) = (Vec::new(), Vec::new());
    node.timeout(0, round, phase, &mut out);
    sign(node, out, &mut asked);
    asked
}

fn sign(node: &mut Consensus, mut out: Vec<Output>, asked: &mut Vec<Ask>) {
    while let Some(ask) =
        out.iter().find_map(|output| if let Output::Ask(ask) = output { Some(*ask) } else { None })
    {
        asked.push(ask);
        let Ask::Vote { round, kind, block, .. } = ask else { panic!("{ask:?}") };
        out.clear();
        node.signed(0, Some(vote(0, round, kind, block)), &mut out);
    }
}

fn asks(round: u32, kind: Kind, block: Option<Hash>) -> Ask {
    Ask::Vote { height: 1, round, kind, block }
}

/// Seat 0, locked on a block in round 0, and in round 1 since. Proposers of height 1 are seats 1, 2 and 3.
fn locked() -> Consensus {
    let mut node = Consensus::new(0, TIMEOUTS, Stored::GENESIS, 0, 0);
    timed_out(&mut node, 0, Phase::NewHeight);
    let hash = Some(BLOCK.hash);
    assert_eq!(told(&mut node, &[proposal(1, 0, BLOCK)]), [asks(0, Kind::Prevote, hash)]);
    let polka = [vote(1, 0, Kind::Prevote, hash), vote(2, 0, Kind::Prevote, hash)];
    assert_eq!(told(&mut node, &polka), [asks(0, Kind::Precommit, hash)]);
    told(&mut node, &[vote(1, 0, Kind::Precommit, None), vote(2, 0, Kind::Precommit, None)]);
    assert_eq!(timed_out(&mut node, 0, Phase::PrecommitWait), []);
    node
}

#[test]
fn who_is_locked_prevotes_the_lock_whatever_is_proposed() {
    let mut node = locked();
    let asked = told(&mut node, &[proposal(2, 1, OTHER)]);
    assert_eq!(asked, [asks(1, Kind::Prevote, Some(BLOCK.hash))]);
}

#[test]
fn without_a_polka_nil_is_precommitted_and_the_lock_stays() {
    let mut node = locked();
    timed_out(&mut node, 1, Phase::Propose);
    let split = [vote(1, 1, Kind::Prevote, None), vote(2, 1, Kind::Prevote, Some(OTHER.hash))];
    assert_eq!(told(&mut node, &split), []);
    assert_eq!(timed_out(&mut node, 1, Phase::PrevoteWait), [asks(1, Kind::Precommit, None)]);
    told(&mut node, &[vote(1, 1, Kind::Precommit, None), vote(2, 1, Kind::Precommit, None)]);
    timed_out(&mut node, 1, Phase::PrecommitWait);
    assert_eq!(told(&mut node, &[proposal(3, 2, OTHER)]), [asks(2, Kind::Prevote, Some(BLOCK.hash))]);
}

#[test]
fn a_later_polka_for_something_else_unlocks() {
    for polka in [None, Some(OTHER.hash)] {
        let mut node = locked();
        timed_out(&mut node, 1, Phase::Propose);
        told(&mut node, &[1, 2, 3].map(|seat| vote(seat, 1, Kind::Prevote, polka)));
        told(&mut node, &[vote(1, 1, Kind::Precommit, None), vote(2, 1, Kind::Precommit, None)]);
        timed_out(&mut node, 1, Phase::PrecommitWait);
        let asked = told(&mut node, &[proposal(3, 2, OTHER)]);
        assert_eq!(asked, [asks(2, Kind::Prevote, Some(OTHER.hash))], "after a polka for {polka:?}");
    }
}

#[test]
fn who_only_hears_of_a_commit_precommits_nil_and_takes_the_block() {
    let mut node = Consensus::new(0, TIMEOUTS, Stored::GENESIS, 0, 0);
    let hash = Some(BLOCK.hash);
    let asked = told(&mut node, &[1, 2, 3].map(|seat| vote(seat, 0, Kind::Precommit, hash)));
    assert_eq!(asked, [asks(0, Kind::Precommit, None)]);
    told(&mut node, &[Message::Block(BLOCK)]);
    assert_eq!(node.height(), 2);
}
