//! A full node around its consensus: its disk, its log, its signer, its gossip.

use std::collections::VecDeque;

use super::{Ev, MS, Micros, PLAIN, Packet, SECOND, STRANGER, World, tell};
use crate::id::SessionId;
use crate::signing::{Mark, Sighting};
use crate::sim::Mistake;
use crate::sim::bytes;
use crate::sim::consensus::{Ask, Consensus, Entry, Message, Output, Stored};
use crate::sim::judge::OURS;

/// What a node does with what it receives.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// It fetches blocks; nothing is signed.
    Syncing {
        got: u64,
    },
    /// It goes through its log again, and asks for the same signatures again.
    Replaying(VecDeque<Entry>),
    Live,
}

/// A request to the signer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    pub(super) serial: u64,
    pub(super) ask: Ask,
    pub(super) stamp: u64,
    since: Micros,
}

pub(super) struct Node {
    pub(super) seat: u8,
    /// Which of our machines it runs on.
    pub(super) machine: Option<usize>,
    pub(super) up: bool,
    pub(super) run: u32,
    pub(super) core: Consensus,
    mode: Mode,
    /// On disk: blocks from height 1 on, and the log since the last one.
    pub(super) blocks: Vec<Stored>,
    pub(super) wal: Vec<Entry>,
    pub(super) synced: usize,
    inbox: VecDeque<Entry>,
    pub(super) asking: Option<Asking>,
    /// What a plain validator's own signer remembers, on disk.
    signed: Option<(Mark, Ask, u64)>,
    timer_at: Micros,
    was: (u64, u32, u64),
    runs: u64,
}

impl Node {
    pub(super) fn new(seat: u8, machine: Option<usize>, core: Consensus) -> Self {
        Self {
            seat,
            machine,
            up: false,
            run: 0,
            core,
            mode: Mode::Live,
            blocks: Vec::new(),
            wal: Vec::new(),
            synced: 0,
            inbox: VecDeque::new(),
            asking: None,
            signed: None,
            timer_at: 0,
            was: (0, 0, 0),
            runs: 0,
        }
    }
}

/// How often a node that gets no further says what it has.
const GOSSIP_EVERY: Micros = 200 * MS;

/// A node drops a signer that says nothing for so long, and asks again.
const SIGNER_ANSWERS_WITHIN: Micros = 5 * SECOND;

impl World<'_> {
    pub(super) fn start_node(&mut self, place: usize) {
        if self.nodes[place].up {
            return;
        }
        let now = self.now;
        let timeouts = self.timeouts;
        let node = &mut self.nodes[place];
        node.up = true;
        node.run += 1;
        node.runs += 1;
        let last = node.blocks.last().copied().unwrap_or(Stored::GENESIS);
        let made = (place as u64) << 56 ^ node.runs << 40;
        node.core = Consensus::new(node.seat, timeouts, last, now, made);
        node.mode = if node.runs == 1 && now == 0 { Mode::Live } else { Mode::Syncing { got: 0 } };
        node.inbox.clear();
        node.asking = None;
        node.timer_at = 0;
        let run = node.run;
        if let Some(machine) = node.machine {
            // The pilot draws a new session for each run that it starts.
            let session = SessionId::from_random(self.dice.id());
            self.machines[machine].session = session;
        }
        self.break_locks(place);
        tell!(self, "node {place} starts at {}", self.nodes[place].core.height());
        let first = self.dice.below(GOSSIP_EVERY);
        self.queue.put(now + first, Ev::Gossip { node: place, run });
        self.arm_timer(place);
    }

    fn break_locks(&mut self, place: usize) {
        self.nodes[place].core.ignores_locks = place < PLAIN && self.mistakes(Mistake::LocksIgnored);
    }

    pub(super) fn kill_node(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if node.up {
            node.up = false;
            node.run += 1;
            node.asking = None;
            tell!(self, "node {place} is dead");
        }
    }

    // ---- what comes in ----

    pub(super) fn receive(&mut self, to: usize, packet: Packet) {
        match packet {
            Packet::Message(message) => {
                if matches!(self.nodes[to].mode, Mode::Live | Mode::Replaying(_)) {
                    self.take(to, Entry::Message(message));
                }
            }
            Packet::Have(from, have) => self.help(to, usize::from(from), &have),
            Packet::Commit(stored) => self.receive_commit(to, &stored),
            Packet::Tip(height) => {
                let node = &self.nodes[to];
                if matches!(node.mode, Mode::Syncing { .. }) && node.core.height() > height {
                    self.leave_sync(to);
                }
            }
        }
    }

    fn receive_commit(&mut self, to: usize, stored: &Stored) {
        let height = self.nodes[to].core.height();
        if let Mode::Syncing { got } = &mut self.nodes[to].mode {
            if stored.block.height == height {
                *got += 1;
                let mut out = Vec::new();
                self.nodes[to].core.sync(self.now, stored, &mut out);
                self.carry_out_node(to, out);
                // The next one at once.
                self.say_have(to);
            }
            return;
        }
        // By gossip: the votes first, then the block.
        for vote in stored.precommits.iter().flatten() {
            self.take(to, Entry::Message(Message::Vote(*vote)));
        }
        self.take(to, Entry::Message(Message::Block(stored.block)));
    }

    fn leave_sync(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        let got = match node.mode {
            Mode::Syncing { got } => got,
            Mode::Replaying(_) | Mode::Live => return,
        };
        // A node that fetched blocks skips its log.
        if got > 0 {
            node.wal.clear();
        }
        node.synced = node.wal.len();
        let log: VecDeque<Entry> = node.wal.iter().copied().collect();
        let last = node.blocks.last().copied().unwrap_or(Stored::GENESIS);
        let made = (place as u64) << 56 ^ node.runs << 40 ^ 1;
        node.core = Consensus::new(node.seat, self.timeouts, last, self.now, made);
        self.break_locks(place);
        tell!(self, "node {place} is in step at {}, {} entries to replay", last.block.height + 1, log.len());
        self.nodes[place].mode = Mode::Replaying(log);
        self.work(place);
    }

    /// Puts something into the node's queue, and works on it if it does not wait for its signer.
    fn take(&mut self, place: usize, entry: Entry) {
        const INBOX_MAX: usize = 1000;
        if self.nodes[place].inbox.len() < INBOX_MAX {
            self.nodes[place].inbox.push_back(entry);
        }
        self.work(place);
    }

    fn work(&mut self, place: usize) {
        let run = self.nodes[place].run;
        loop {
            let node = &mut self.nodes[place];
            if !node.up || node.run != run || node.core.is_asking() || self.is_still(place) {
                break;
            }
            let node = &mut self.nodes[place];
            let entry = match &mut node.mode {
                Mode::Syncing { .. } => break,
                Mode::Replaying(log) => match log.pop_front() {
                    Some(entry) => entry,
                    None => {
                        node.mode = Mode::Live;
                        continue;
                    }
                },
                Mode::Live => {
                    let Some(entry) = node.inbox.pop_front() else { break };
                    node.wal.push(entry);
                    entry
                }
            };
            self.tell_core(place, entry);
        }
        self.arm_timer(place);
    }

    fn is_still(&self, place: usize) -> bool {
        self.nodes[place].machine.is_some_and(|machine| self.machines[machine].still_until > self.now)
    }

    fn tell_core(&mut self, place: usize, entry: Entry) {
        let mut out = Vec::new();
        let now = self.now;
        let core = &mut self.nodes[place].core;
        match entry {
            Entry::Message(message) => core.message(now, message, &mut out),
            Entry::Timeout(round, phase) => core.timeout(now, round, phase, &mut out),
        }
        self.carry_out_node(place, out);
    }

    fn arm_timer(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if matches!(node.mode, Mode::Syncing { .. }) {
            return;
        }
        if let Some(at) = node.core.wake_at() {
            let at = at.max(self.now);
            if node.timer_at != at {
                node.timer_at = at;
                self.queue.put(at, Ev::Timer { node: place, run: node.run });
            }
        }
    }

    pub(super) fn node_timer(&mut self, place: usize) {
        let node = &mut self.nodes[place];
        if matches!(node.mode, Mode::Syncing { .. }) || node.core.is_asking() {
            node.timer_at = 0;
            return;
        }
        if let Some((round, phase)) = node.core.due(self.now) {
            node.timer_at = 0;
            self.take(place, Entry::Timeout(round, phase));
        }
    }

    // ---- what goes out ----

    fn carry_out_node(&mut self, place: usize, out: Vec<Output>) {
        let run = self.nodes[place].run;
        for output in out {
            match output {
                Output::Ask(ask) => self.node_asks(place, ask),
                Output::Broadcast(message) => {
                    for to in 0..=STRANGER {
                        self.send(place, to, Packet::Message(message));
                    }
                }
                Output::Committed(stored) => self.node_committed(place, stored),
            }
            if self.nodes[place].run != run {
                return;
            }
        }
    }

    fn node_committed(&mut self, place: usize, stored: Stored) {
        let run = self.nodes[place].run;
        self.point(None, Some(place));
        if self.nodes[place].run != run {
            return;
        }
        let node = &mut self.nodes[place];
        node.blocks.push(stored);
        node.wal.clear();
        node.synced = 0;
        if place < PLAIN || self.nodes[place].machine.is_some() || place == STRANGER {
            self.judge.committed(self.now, &stored);
        }
        tell!(
            self,
            "node {place} commits {} in round {} ({:x}), signed by {:04b}",
            stored.block.height,
            stored.round,
            stored.block.hash >> 48,
            stored.block.signed
        );
        if let Some(machine) = self.nodes[place].machine {
            self.show_chain(machine, &stored);
        }
        self.point(None, Some(place));
    }

    /// The pilot reads the commit of the block before from its node, and tells its signer of our vote in it.
    fn show_chain(&mut self, machine: usize, stored: &Stored) {
        let bit = 1 << OURS;
        if stored.block.height < 2 || (stored.block.signed | stored.block.nil) & bit == 0 {
            return;
        }
        let mark =
            Mark::new(stored.block.height - 1, stored.block.last_round, crate::signing::Step::Precommit);
        let id = || crate::signing::BlockId(bytes::block_id(stored.block.parent).to_vec());
        let block = (stored.block.signed & bit != 0).then(id);
        let late = 20 * MS + self.dice.below(100 * MS);
        self.tell_pilot(machine, late, crate::signing::Event::Seen(Sighting { mark, block }));
    }

    fn node_asks(&mut self, place: usize, ask: Ask) {
        let serial = self.id();
        let stamp = self.stamp(place);
        let since = self.now;
        self.nodes[place].asking = Some(Asking { serial, ask, stamp, since });
        let run = self.nodes[place].run;
        if self.nodes[place].machine.is_some() {
            let late = MS / 5 + self.lag(place);
            self.queue.put(self.now + late, Ev::Ask { node: place, run, serial });
        } else {
            let message = self.sign_plainly(place, ask, stamp);
            self.queue.put(self.now + MS / 5, Ev::Answer { node: place, run, serial, message });
        }
    }

    /// The time that goes into a vote, by a clock that may be wrong.
    fn stamp(&self, place: usize) -> u64 {
        const BEGAN: u64 = 1_700_000_000_000_000;
        let wrong = self.nodes[place].machine.map_or(0, |machine| self.machines[machine].clock_wrong_by);
        BEGAN.wrapping_add(self.now).wrapping_add(wrong)
    }

    /// A plain validator's signer: one machine, one file, as `CometBFT` has it.
    fn sign_plainly(&mut self, place: usize, ask: Ask, stamp: u64) -> Option<Message> {
        let mark = bytes::mark(&ask);
        let node = &mut self.nodes[place];
        let stamp = match node.signed {
            Some((last, _, _)) if last > mark => return None,
            Some((last, before, stamp)) if last == mark => {
                if before != ask {
                    return None;
                }
                stamp
            }
            _ => stamp,
        };
        let first = node.signed.is_none_or(|(last, _, _)| last != mark);
        node.signed = Some((mark, ask, stamp));
        let statement = bytes::statement(&ask, stamp)?;
        let message = bytes::message(&ask, node.seat, stamp, statement.bytes())?;
        if first {
            self.judge.sent(&message, place == STRANGER);
        }
        Some(message)
    }

    /// The request reaches the pilot; if there is none, the node tries again.
    pub(super) fn asked(&mut self, place: usize, serial: u64) {
        let Some(asking) = self.nodes[place].asking.filter(|asking| asking.serial == serial) else { return };
        let Some(machine) = self.nodes[place].machine else { return };
        let run = self.nodes[place].run;
        if self.machines[machine].pilot.is_none() {
            self.queue.put(self.now + 100 * MS, Ev::Ask { node: place, run, serial });
            return;
        }
        let Some(statement) = bytes::statement(&asking.ask, asking.stamp) else {
            return self.wrong("sign bytes that Beam cannot read".to_owned());
        };
        // If it says nothing, it is asked the same again.
        self.queue.put(self.now + SIGNER_ANSWERS_WITHIN, Ev::Ask { node: place, run, serial });
        tell!(self, "node {place} asks for {}", Self::in_words(&asking.ask));
        self.ask_pilot(machine, serial, statement);
    }

    pub(super) fn in_words(ask: &Ask) -> String {
        let block = match ask {
            Ask::Proposal { block, .. } => Some(block.hash),
            Ask::Vote { block, .. } => *block,
        };
        let block = block.map_or_else(|| "nil".to_owned(), |hash| format!("{:x}", hash >> 48));
        format!("{} for {block}", bytes::mark(ask))
    }

    pub(super) fn answered(&mut self, place: usize, serial: u64, message: Option<Message>) {
        let node = &mut self.nodes[place];
        let Some(asking) = node.asking.take_if(|asking| asking.serial == serial) else { return };
        let run = node.run;
        if node.machine.is_some() {
            let waited = self.now.saturating_sub(asking.since);
            self.report.counts.longest_wait = self.report.counts.longest_wait.max(waited);
        }
        if let Some(message) = message {
            if self.nodes[place].machine.is_some() {
                self.judge.sent(&message, false);
            }
            // One's own message is written and synced before anything comes of it.
            self.point(None, Some(place));
            if self.nodes[place].run != run {
                return;
            }
            let node = &mut self.nodes[place];
            node.wal.push(Entry::Message(message));
            node.synced = node.wal.len();
            self.point(None, Some(place));
            if self.nodes[place].run != run {
                return;
            }
        }
        let mut out = Vec::new();
        self.nodes[place].core.signed(self.now, message, &mut out);
        self.carry_out_node(place, out);
        self.work(place);
    }

    // ---- gossip ----

    pub(super) fn gossip(&mut self, place: usize) {
        let run = self.nodes[place].run;
        self.queue.put(self.now + GOSSIP_EVERY, Ev::Gossip { node: place, run });
        let node = &mut self.nodes[place];
        let (height, round, phase) = node.core.place();
        let place_now = (height, round, phase as u64);
        let stands = node.was == place_now;
        node.was = place_now;
        let syncing = matches!(node.mode, Mode::Syncing { .. });
        if syncing || (stands && !node.core.has_all()) {
            self.say_have(place);
        }
    }

    /// Says to one of the others what this node has.
    fn say_have(&mut self, place: usize) {
        let have = self.nodes[place].core.have();
        let up: [usize; 5] = [0, 1, 2, PLAIN, PLAIN + 1];
        let mut to = self.dice.one_of(&up);
        if to == place {
            to = (to + 1) % PLAIN;
        }
        self.send(place, to, Packet::Have(place as u8, have));
    }

    /// Gives one of the others what it lacks.
    fn help(&mut self, place: usize, other: usize, have: &crate::sim::consensus::Have) {
        let node = &self.nodes[place];
        let height = node.core.height();
        if have.height < height {
            let known = node.blocks.get((have.height - 1) as usize);
            if let Some(stored) = known.copied() {
                self.send(place, other, Packet::Commit(Box::new(stored)));
            }
            return;
        }
        if self.nodes[place].is_live() {
            let mut out = Vec::new();
            self.nodes[place].core.give(have, &mut out);
            for message in out {
                self.send(place, other, Packet::Message(message));
            }
            self.send(place, other, Packet::Tip(height - 1));
        }
    }
}

impl Node {
    pub(super) fn is_live(&self) -> bool {
        matches!(self.mode, Mode::Live)
    }
}
