//! The machine: one node's view of one height, and the functions of `state.go` that move it.
//!
//! `CometBFT` calls them from one another and stops in the middle of them to have something signed. Here each such call is a [`Call`] in
//! a list of what is to be done, so that the machine can stop and go on.

use std::collections::VecDeque;

use super::{
    Ask, Block, Hash, Kind, Message, Output, Phase, Proposal, QUORUM, SEATS, Seen, Stored, Timeouts, Vote,
};
use crate::sim::Micros;

/// What a write-ahead log holds: everything that was told to the machine at its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) enum Entry {
    Message(Message),
    Timeout(u32, Phase),
}

/// What a node says it has, so that others send what it lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Have {
    pub(in crate::sim) height: u64,
    round: u32,
    prevotes: u8,
    precommits: u8,
    /// Precommits of the height before; all bits if it takes no more.
    last: u8,
    block: Option<Hash>,
    proposal: bool,
    wants: Option<Hash>,
    pol: Option<(u32, u8)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    NewRound(u32),
    Propose(u32),
    Proposed,
    Prevote(u32),
    PrevoteWait(u32),
    Precommit(u32),
    PrecommitWait(u32),
    Commit(u32),
    TryFinalize,
    Own(Message),
}

/// One node's consensus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Consensus {
    seat: u8,
    timeouts: Timeouts,
    /// The block before, with the precommits that go into the next.
    last: Stored,
    height: u64,
    round: u32,
    phase: Phase,
    proposal: Option<Proposal>,
    block: Option<Block>,
    /// The hash of the block whose parts are collected.
    parts: Option<Hash>,
    locked: Option<(u32, Block)>,
    valid: Option<(u32, Block)>,
    votes: Seen,
    commit_round: u32,
    commit_time: Micros,
    precommit_timed: bool,
    timer: Option<(u32, Phase, Micros)>,
    /// The newest timer set at this height; older ones are not taken any more.
    newest: (u32, Phase),
    todo: VecDeque<Call>,
    asking: bool,
    /// A mistake: it prevotes what is proposed, locked or not.
    pub(in crate::sim) ignores_locks: bool,
    /// Counts the blocks made, so that no two are the same.
    made: u64,
}

impl Consensus {
    /// A node that stands on `last` and begins the next height.
    pub(in crate::sim) fn new(seat: u8, timeouts: Timeouts, last: Stored, now: Micros, made: u64) -> Self {
        Self {
            seat,
            timeouts,
            last,
            height: last.block.height + 1,
            round: 0,
            phase: Phase::NewHeight,
            proposal: None,
            block: None,
            parts: None,
            locked: None,
            valid: None,
            votes: Seen::default(),
            commit_round: 0,
            commit_time: now,
            precommit_timed: false,
            timer: Some((0, Phase::NewHeight, now + timeouts.commit)),
            newest: (0, Phase::NewHeight),
            todo: VecDeque::new(),
            asking: false,
            ignores_locks: false,
            made,
        }
    }

    pub(in crate::sim) fn height(&self) -> u64 {
        self.height
    }

    pub(in crate::sim) fn place(&self) -> (u64, u32, Phase) {
        (self.height, self.round, self.phase)
    }

    /// Whether it waits for a signature.
    pub(in crate::sim) fn is_asking(&self) -> bool {
        self.asking
    }

    pub(in crate::sim) fn wake_at(&self) -> Option<Micros> {
        if self.asking { None } else { self.timer.map(|(_, _, at)| at) }
    }

    /// The timeout that is due, which is to be told by [`Consensus::timeout`] once it is in the log.
    pub(in crate::sim) fn due(&mut self, now: Micros) -> Option<(u32, Phase)> {
        let (round, phase, _) = self.timer.take_if(|(_, _, at)| *at <= now)?;
        Some((round, phase))
    }

    pub(in crate::sim) fn timeout(&mut self, now: Micros, round: u32, phase: Phase, out: &mut Vec<Output>) {
        if round < self.round || (round == self.round && phase < self.phase) {
            return;
        }
        match phase {
            Phase::NewHeight => self.call(&[Call::NewRound(0)]),
            Phase::Propose => self.call(&[Call::Prevote(round)]),
            Phase::PrevoteWait => self.call(&[Call::Precommit(round)]),
            Phase::PrecommitWait => self.call(&[Call::Precommit(round), Call::NewRound(round + 1)]),
            Phase::NewRound | Phase::Prevote | Phase::Precommit | Phase::Commit => {}
        }
        self.run(now, out);
    }

    pub(in crate::sim) fn message(&mut self, now: Micros, message: Message, out: &mut Vec<Output>) {
        self.take_in(message);
        self.run(now, out);
    }

    /// The answer to an [`Ask`]: the signed message, or a refusal. The message must be in the log before.
    pub(in crate::sim) fn signed(&mut self, now: Micros, made: Option<Message>, out: &mut Vec<Output>) {
        self.asking = false;
        self.todo.extend(made.map(Call::Own));
        self.run(now, out);
    }

    /// Takes a block that others have committed, as block sync does: nothing is signed for it.
    pub(in crate::sim) fn sync(&mut self, now: Micros, stored: &Stored, out: &mut Vec<Output>) {
        if stored.block.height == self.height && stored.is_committed() && !self.asking {
            self.commit_time = now;
            self.finalize(now, *stored, out);
        }
    }

    // ---- what to do next ----

    /// Puts calls before all others, in this order.
    fn call(&mut self, calls: &[Call]) {
        for call in calls.iter().rev() {
            self.todo.push_front(*call);
        }
    }

    fn run(&mut self, now: Micros, out: &mut Vec<Output>) {
        while !self.asking {
            let Some(call) = self.todo.pop_front() else { return };
            match call {
                Call::NewRound(round) => self.enter_new_round(round),
                Call::Propose(round) => self.enter_propose(now, round, out),
                Call::Proposed if self.is_proposal_complete() => self.call(&[Call::Prevote(self.round)]),
                Call::Proposed => {}
                Call::Prevote(round) => self.enter_prevote(round, out),
                Call::PrevoteWait(round) => self.enter_prevote_wait(now, round),
                Call::Precommit(round) => self.enter_precommit(round, out),
                Call::PrecommitWait(round) => self.enter_precommit_wait(now, round),
                Call::Commit(round) => self.enter_commit(now, round),
                Call::TryFinalize => self.try_finalize(now, out),
                Call::Own(message) => {
                    out.push(Output::Broadcast(message));
                    self.take_in(message);
                }
            }
        }
    }

    fn schedule(&mut self, now: Micros, round: u32, phase: Phase, wait: Micros) {
        if (round, phase) > self.newest {
            self.newest = (round, phase);
            self.timer = Some((round, phase, now + wait));
        }
    }

    fn ask(&mut self, ask: Ask, out: &mut Vec<Output>) {
        self.asking = true;
        out.push(Output::Ask(ask));
    }

    fn ask_vote(&mut self, kind: Kind, block: Option<Hash>, out: &mut Vec<Output>) {
        let (height, round) = (self.height, self.round);
        self.ask(Ask::Vote { height, round, kind, block }, out);
    }

    // ---- the steps ----

    fn enter_new_round(&mut self, round: u32) {
        if round < self.round || (round == self.round && self.phase != Phase::NewHeight) {
            return;
        }
        self.round = round;
        self.phase = Phase::NewRound;
        if round != 0 {
            (self.proposal, self.block, self.parts) = (None, None, None);
        }
        self.precommit_timed = false;
        self.call(&[Call::Propose(round)]);
    }

    fn enter_propose(&mut self, now: Micros, round: u32, out: &mut Vec<Output>) {
        if round < self.round || (round == self.round && Phase::Propose <= self.phase) {
            return;
        }
        self.schedule(now, round, Phase::Propose, self.timeouts.propose + self.extra(round));
        self.phase = Phase::Propose;
        self.call(&[Call::Proposed]);
        if proposer(self.height, round) == self.seat {
            let pol_round = self.valid.map(|(round, _)| round);
            let block = self.valid.map_or_else(|| Block::on(&self.last, self.made), |(_, block)| block);
            self.made = self.made.wrapping_add(1 << 8);
            self.ask(Ask::Proposal { round, pol_round, block }, out);
        }
    }

    fn extra(&self, round: u32) -> Micros {
        self.timeouts.delta * u64::from(round)
    }

    fn enter_prevote(&mut self, round: u32, out: &mut Vec<Output>) {
        if round < self.round || (round == self.round && Phase::Prevote <= self.phase) {
            return;
        }
        self.phase = Phase::Prevote;
        let block = match self.locked {
            Some((_, block)) if !self.ignores_locks => Some(block),
            _ => self.block.filter(|block| self.is_valid(block)),
        };
        self.ask_vote(Kind::Prevote, block.map(|block| block.hash), out);
    }

    fn is_valid(&self, block: &Block) -> bool {
        block.height == self.height
            && block.parent == self.last.block.hash
            && (block.height == 1 || block.signed.count_ones() >= QUORUM)
    }

    fn enter_prevote_wait(&mut self, now: Micros, round: u32) {
        if round < self.round || (round == self.round && Phase::PrevoteWait <= self.phase) {
            return;
        }
        self.phase = Phase::PrevoteWait;
        self.schedule(now, round, Phase::PrevoteWait, self.timeouts.vote + self.extra(round));
    }

    fn enter_precommit(&mut self, round: u32, out: &mut Vec<Output>) {
        if round < self.round || (round == self.round && Phase::Precommit <= self.phase) {
            return;
        }
        self.phase = Phase::Precommit;
        let vote = match self.votes.of(round, Kind::Prevote).majority() {
            // No polka: the lock stays.
            None => None,
            Some(None) => {
                self.locked = None;
                None
            }
            Some(Some(hash)) => self.lock(round, hash),
        };
        self.ask_vote(Kind::Precommit, vote, out);
    }

    /// A polka for this block in this round: locks on it, if it is here.
    fn lock(&mut self, round: u32, hash: Hash) -> Option<Hash> {
        let is_it = |block: &Block| block.hash == hash;
        let locked = self.locked.map(|(_, block)| block).filter(is_it);
        if let Some(block) = locked.or(self.block.filter(is_it)) {
            self.locked = Some((round, block));
            return Some(hash);
        }
        self.locked = None;
        self.collect(hash);
        None
    }

    /// Collects the parts of this block, if it does not already.
    fn collect(&mut self, hash: Hash) {
        if self.parts != Some(hash) {
            self.block = None;
            self.parts = Some(hash);
        }
    }

    fn enter_precommit_wait(&mut self, now: Micros, round: u32) {
        if round < self.round || (round == self.round && self.precommit_timed) {
            return;
        }
        self.precommit_timed = true;
        self.schedule(now, round, Phase::PrecommitWait, self.timeouts.vote + self.extra(round));
    }

    fn enter_commit(&mut self, now: Micros, round: u32) {
        if Phase::Commit <= self.phase {
            return;
        }
        let Some(Some(hash)) = self.votes.of(round, Kind::Precommit).majority() else { return };
        if let Some((_, block)) = self.locked.filter(|(_, block)| block.hash == hash) {
            (self.block, self.parts) = (Some(block), Some(hash));
        }
        if self.block.is_none_or(|block| block.hash != hash) {
            self.collect(hash);
        }
        self.phase = Phase::Commit;
        self.commit_round = round;
        self.commit_time = now;
        self.call(&[Call::TryFinalize]);
    }

    fn try_finalize(&mut self, now: Micros, out: &mut Vec<Output>) {
        let precommits = self.votes.of(self.commit_round, Kind::Precommit);
        let Some(Some(hash)) = precommits.majority() else { return };
        let Some(block) = self.block.filter(|block| block.hash == hash) else { return };
        let stored = Stored { block, round: self.commit_round, precommits: precommits.votes };
        self.finalize(now, stored, out);
    }

    fn finalize(&mut self, now: Micros, stored: Stored, out: &mut Vec<Output>) {
        out.push(Output::Committed(stored));
        self.last = stored;
        self.height = stored.block.height + 1;
        self.round = 0;
        self.phase = Phase::NewHeight;
        (self.proposal, self.block, self.parts) = (None, None, None);
        (self.locked, self.valid) = (None, None);
        self.votes.clear();
        self.precommit_timed = false;
        self.newest = (0, Phase::NewHeight);
        self.timer = Some((0, Phase::NewHeight, now.max(self.commit_time + self.timeouts.commit)));
        self.todo.retain(|call| matches!(call, Call::Own(_)));
    }

    // ---- what comes in ----

    fn take_in(&mut self, message: Message) {
        match message {
            Message::Vote(vote) => self.add_vote(vote),
            Message::Block(block) => self.add_block(block),
            Message::Proposal(proposal) => {
                if proposal.block.height != self.height {
                    return;
                }
                let here = proposal.round == self.round && proposal.seat == proposer(self.height, self.round);
                let pol_is_earlier = proposal.pol_round.is_none_or(|pol| pol < proposal.round);
                if self.proposal.is_none() && here && pol_is_earlier {
                    self.proposal = Some(proposal);
                    self.parts = self.parts.or(Some(proposal.block.hash));
                }
                self.add_block(proposal.block);
            }
        }
    }

    fn add_block(&mut self, block: Block) {
        if block.height != self.height || self.parts != Some(block.hash) || self.block.is_some() {
            return;
        }
        self.block = Some(block);
        let polka = self.votes.of(self.round, Kind::Prevote).majority();
        if polka == Some(Some(block.hash)) && self.valid.is_none_or(|(round, _)| round < self.round) {
            self.valid = Some((self.round, block));
        }
        if self.phase <= Phase::Propose && self.is_proposal_complete() {
            self.call(&[Call::Prevote(self.round)]);
            if polka.is_some() {
                self.todo.insert(1, Call::Precommit(self.round));
            }
        } else if self.phase == Phase::Commit {
            self.call(&[Call::TryFinalize]);
        }
    }

    fn is_proposal_complete(&self) -> bool {
        self.proposal.is_some_and(|proposal| {
            let polka = |round| self.votes.of(round, Kind::Prevote).majority().is_some();
            self.block.is_some() && proposal.pol_round.is_none_or(polka)
        })
    }

    fn add_vote(&mut self, vote: Vote) {
        if vote.height + 1 == self.height && vote.kind == Kind::Precommit {
            // A late one, for the commit of the block before. Only of its round, as its set is of that round.
            let seat = &mut self.last.precommits[usize::from(vote.seat)];
            if self.phase == Phase::NewHeight && seat.is_none() && vote.round == self.last.round {
                *seat = Some(vote);
            }
            return;
        }
        if vote.height != self.height || !self.votes.add(vote) {
            return;
        }
        match vote.kind {
            Kind::Prevote => self.added_prevote(vote.round),
            Kind::Precommit => self.added_precommit(vote.round),
        }
    }

    fn added_prevote(&mut self, round: u32) {
        let prevotes = *self.votes.of(round, Kind::Prevote);
        if let Some(polka) = prevotes.majority() {
            // A polka since the lock, for anything else: the network has moved on.
            let newer = |lock: &mut (u32, Block)| lock.0 < round && Some(lock.1.hash) != polka;
            if round <= self.round {
                self.locked.take_if(newer);
            }
            if let Some(hash) = polka
                && round == self.round
                && self.valid.is_none_or(|(valid, _)| valid < round)
            {
                match self.block.filter(|block| block.hash == hash) {
                    Some(block) => self.valid = Some((round, block)),
                    None => self.block = None,
                }
                if self.parts != Some(hash) {
                    self.parts = Some(hash);
                }
            }
        }
        if self.round < round && prevotes.any() {
            self.call(&[Call::NewRound(round)]);
        } else if self.round == round && Phase::Prevote <= self.phase {
            match prevotes.majority() {
                Some(polka) if polka.is_none() || self.is_proposal_complete() => {
                    self.call(&[Call::Precommit(round)]);
                }
                _ if prevotes.any() => self.call(&[Call::PrevoteWait(round)]),
                _ => {}
            }
        } else if self.proposal.is_some_and(|proposal| proposal.pol_round == Some(round)) {
            self.call(&[Call::Proposed]);
        }
    }

    fn added_precommit(&mut self, round: u32) {
        let precommits = self.votes.of(round, Kind::Precommit);
        match precommits.majority() {
            Some(Some(_)) => {
                self.call(&[Call::NewRound(round), Call::Precommit(round), Call::Commit(round)]);
            }
            Some(None) => {
                self.call(&[Call::NewRound(round), Call::Precommit(round), Call::PrecommitWait(round)]);
            }
            None if self.round <= round && precommits.any() => {
                self.call(&[Call::NewRound(round), Call::PrecommitWait(round)]);
            }
            None => {}
        }
    }

    // ---- gossip ----

    /// What this node has.
    pub(in crate::sim) fn have(&self) -> Have {
        let waits = self.phase == Phase::NewHeight;
        let last = self.last.precommits.iter().flatten().fold(0, |seats, vote| seats | 1 << vote.seat);
        let pol = self.proposal.and_then(|proposal| proposal.pol_round);
        Have {
            height: self.height,
            round: self.round,
            prevotes: self.votes.of(self.round, Kind::Prevote).seats(),
            precommits: self.votes.of(self.round, Kind::Precommit).seats(),
            last: if waits { last } else { u8::MAX },
            block: self.block.map(|block| block.hash),
            proposal: self.proposal.is_some(),
            wants: self.parts.filter(|_| self.block.is_none()),
            pol: pol.map(|round| (round, self.votes.of(round, Kind::Prevote).seats())),
        }
    }

    /// Whether nothing is missing that somebody could have.
    pub(in crate::sim) fn has_all(&self) -> bool {
        let all = |votes: &[Option<Vote>; SEATS]| votes.iter().all(Option::is_some);
        self.phase == Phase::NewHeight && (all(&self.last.precommits) || self.height == 1)
    }

    /// What this node can give to one at the same height.
    pub(in crate::sim) fn give(&self, have: &Have, out: &mut Vec<Message>) {
        if have.height != self.height {
            return;
        }
        let mut give = |votes: &[Option<Vote>; SEATS], has: u8| {
            let lacking = |vote: &&Vote| has & 1 << vote.seat == 0;
            out.extend(votes.iter().flatten().filter(lacking).map(|vote| Message::Vote(*vote)));
        };
        give(&self.last.precommits, have.last);
        let mut votes = |tally: &super::Tally, has| give(&tally.votes, has);
        if let Some((round, has)) = have.pol {
            votes(self.votes.of(round, Kind::Prevote), has);
        }
        votes(self.votes.of(have.round, Kind::Prevote), have.prevotes);
        votes(self.votes.of(have.round, Kind::Precommit), have.precommits);
        for round in have.round + 1..self.votes.rounds() {
            if round == self.round || self.votes.of(round, Kind::Precommit).any() {
                votes(self.votes.of(round, Kind::Prevote), 0);
                votes(self.votes.of(round, Kind::Precommit), 0);
            }
        }
        for round in 0..have.round {
            // A commit of an earlier round, that this node waits to have the block of.
            if matches!(self.votes.of(round, Kind::Precommit).majority(), Some(Some(_))) {
                votes(self.votes.of(round, Kind::Precommit), 0);
            }
        }
        if let Some(proposal) = self.proposal.filter(|proposal| proposal.round == have.round)
            && (!have.proposal || have.block.is_none())
        {
            out.push(Message::Proposal(proposal));
        }
        let known = [self.block, self.locked.map(|lock| lock.1), self.valid.map(|valid| valid.1)];
        if let Some(block) = known.into_iter().flatten().find(|block| Some(block.hash) == have.wants) {
            out.push(Message::Block(block));
        }
    }
}

/// Whose turn it is to propose.
fn proposer(height: u64, round: u32) -> u8 {
    ((height + u64::from(round)) % SEATS as u64) as u8
}
