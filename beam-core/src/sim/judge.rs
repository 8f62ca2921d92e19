//! The judge: sees every signature, every vote on the wire, every write to the register and every block, and believes nobody.
//!
//! What it says is wrong ends the run. It keeps its own account of everything; it asks neither the signers nor the record.

use std::collections::BTreeMap;

use super::Micros;
use super::bytes;
use super::consensus::{Ask, Hash, Kind, Message, Proposal, QUORUM, SEATS, Stored, Vote};
use crate::register::Version;
use crate::signing::canonical::Canonical;
use crate::signing::{Above, Floor, Mark, Record, Release, Statement, Step};

/// Our validator's seat.
pub(super) const OURS: u8 = (SEATS - 1) as u8;

/// What our validator did at a height, as the chain has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Its precommit for the block is in the commit.
    Block,
    /// Its precommit for nil is.
    Nil,
    /// It is missing.
    Absent,
}

#[derive(Clone, Copy, Debug, Default)]
struct Cast {
    vote: Option<Option<Hash>>,
    at: u64,
}

/// One signed thing at a mark.
#[derive(Clone, Debug)]
struct Made {
    bytes: Vec<u8>,
    /// In the order of all votes.
    at: u64,
}

/// One height of the chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) hash: Hash,
    pub(super) at: Micros,
}

#[derive(Debug, Default)]
pub(super) struct Judge {
    /// What Beam's signers signed.
    made: BTreeMap<Mark, Made>,
    /// What the register held at each mark.
    held: BTreeMap<Mark, Vec<u8>>,
    mark: Option<(Version, Mark)>,
    /// Prevotes by height, round and seat, when they were made.
    prevotes: BTreeMap<(u64, u32), [Cast; SEATS]>,
    votes: u64,
    pub(super) chain: Vec<Link>,
    /// What became of our vote at each height, from height 1 on; final one height later.
    pub(super) ours: Vec<Signed>,
    pub(super) signatures: u64,
    pub(super) nil_while_locked: u64,
    /// Heights that needed more than one round.
    pub(super) later_rounds: u64,
    /// Marks after a lock in its height.
    pub(super) after_lock: u64,
    pub(super) wrong: Option<String>,
}

impl Judge {
    pub(super) fn says(&mut self, wrong: impl FnOnce() -> String) {
        if self.wrong.is_none() {
            self.wrong = Some(wrong());
        }
    }

    fn check(&mut self, right: bool, wrong: impl FnOnce() -> String) {
        if !right {
            self.says(wrong);
        }
    }

    /// The register was written.
    pub(super) fn wrote(&mut self, version: Version, record: &Record, by_a_person: bool) {
        let rises =
            self.mark.is_none_or(|(_, mark)| record.mark > mark || (by_a_person && record.mark == mark));
        let newer = self.mark.is_none_or(|(before, _)| version > before);
        let was = self.mark;
        self.check(rises && newer, || {
            format!("the register went from {was:?} to {} ({version})", record.mark)
        });
        if !record.bytes.is_empty() && !by_a_person {
            let before = self.held.insert(record.mark, record.bytes.clone());
            self.check(before.is_none_or(|before| before == record.bytes), || {
                format!("the register held two values at {}", record.mark)
            });
        }
        self.mark = Some((version, record.mark));
    }

    /// A signer without a fence has no register: what it signs counts as held, so that what it does wrong is seen and not how.
    pub(super) fn held(&mut self, statement: &Statement) {
        self.held.insert(statement.mark(), statement.bytes().to_vec());
    }

    /// The register was put back: what it held above is forgotten by it, not by the judge.
    pub(super) fn put_back(&mut self, version: Version, mark: Mark) {
        self.mark = Some((version, mark));
    }

    /// One of Beam's signers made a signature, whether it leaves or not.
    pub(super) fn signed(&mut self, signed: &[u8]) {
        self.signatures += 1;
        self.votes += 1;
        let Ok(read) = Canonical::read(signed) else {
            return self.says(|| "something was signed that is no vote".to_owned());
        };
        let mark = read.mark;
        let held = self.held.get(&mark).is_some_and(|held| held == signed);
        self.check(held, || format!("{mark} was signed and the register never held it"));
        let (at, bytes) = (self.votes, signed.to_vec());
        let made = self.made.entry(mark).or_insert(Made { bytes, at });
        if made.bytes != signed {
            return self.says(|| format!("TWO VALUES WERE SIGNED AT {mark}"));
        }
        if mark.step == Step::Prevote {
            let hash = read.block.and_then(|block| bytes::hash_of(&crate::signing::BlockId(block.to_vec())));
            self.cast(mark.height.0, mark.round.0, OURS, hash);
        }
    }

    /// A signature leaves a pilot.
    pub(super) fn released(&mut self, release: &Release, disk: Option<&Floor>) {
        let kept = disk.is_some_and(|floor| {
            floor.mark > release.mark || (floor.mark == release.mark && floor.bytes == release.bytes)
        });
        self.check(kept, || format!("{} left before the floor was on the disk", release.mark));
        let made = self.made.get(&release.mark).is_some_and(|made| made.bytes == release.bytes);
        let genuine = release.signatures.statement == bytes::sign(&release.bytes);
        self.check(made && genuine, || format!("what left at {} was never signed", release.mark));
    }

    /// A message is sent for the first time, by the node that made it.
    pub(super) fn sent(&mut self, message: &Message, stranger: bool) {
        match message {
            Message::Vote(vote) if vote.seat == OURS => {
                if stranger {
                    if vote.kind == Kind::Prevote {
                        self.cast(vote.height, vote.round, OURS, vote.block);
                    }
                } else {
                    let Vote { height, round, kind, block, stamp, .. } = *vote;
                    self.is_genuine(&Ask::Vote { height, round, kind, block }, stamp);
                }
            }
            Message::Vote(vote) if vote.kind == Kind::Prevote => {
                self.votes += 1;
                self.cast(vote.height, vote.round, vote.seat, vote.block);
            }
            Message::Proposal(proposal) if proposal.seat == OURS && !stranger => {
                let Proposal { round, pol_round, block, stamp, .. } = *proposal;
                self.is_genuine(&Ask::Proposal { round, pol_round, block }, stamp);
            }
            _ => {}
        }
    }

    /// A message with our key's signature that is on the wire must be one that was signed, and the only one at its mark.
    fn is_genuine(&mut self, ask: &Ask, stamp: u64) {
        let mark = bytes::mark(ask);
        let sent = bytes::statement(ask, stamp);
        let made = self.made.get(&mark).map(|made| &made.bytes[..]);
        let genuine = sent.is_some_and(|sent| made == Some(sent.bytes()));
        self.check(genuine, || format!("a vote on the wire at {mark} is not what was signed there"));
    }

    fn cast(&mut self, height: u64, round: u32, seat: u8, vote: Option<Hash>) {
        let at = self.votes;
        let cast = &mut self.prevotes.entry((height, round)).or_default()[usize::from(seat)];
        if cast.vote.is_none() {
            *cast = Cast { vote: Some(vote), at };
        }
    }

    /// A node committed a block.
    pub(super) fn committed(&mut self, now: Micros, stored: &Stored) {
        self.check(stored.is_committed(), || format!("a block without a commit at {}", stored.block.height));
        let place = (stored.block.height - 1) as usize;
        if let Some(link) = self.chain.get(place) {
            let same = link.hash == stored.block.hash;
            self.check(same, || format!("THE CHAIN FORKED at {}", stored.block.height));
            return;
        }
        let height = stored.block.height;
        let next = self.chain.len() == place;
        self.check(next, || format!("{height} was committed before what is below it"));
        self.later_rounds += u64::from(stored.round > 0);
        self.chain.push(Link { hash: stored.block.hash, at: now });
        if stored.block.height > 1 {
            let (signed, nil) = (stored.block.signed, stored.block.nil);
            self.check(signed.count_ones() >= QUORUM, || format!("{height} has no commit for the one below"));
            self.ours.push(match (signed >> OURS & 1, nil >> OURS & 1) {
                (1, _) => Signed::Block,
                (_, 1) => Signed::Nil,
                _ => Signed::Absent,
            });
        }
    }

    /// Whether, before this vote, more than two thirds prevoted for one thing that is not `block`, in a round after `since` and up to the
    /// vote's own: a node that comes late to a round may see the others' polka before it votes itself.
    fn polka_for_other(&self, height: u64, since: u32, round: u32, block: Hash, at: u64) -> bool {
        self.prevotes.range((height, since + 1)..=(height, round)).any(|(_, casts)| {
            casts.iter().filter(|cast| cast.at <= at).filter_map(|cast| cast.vote).any(|vote| {
                let same = casts.iter().filter(|cast| cast.at <= at && cast.vote == Some(vote)).count();
                same as u32 >= QUORUM && vote != Some(block)
            })
        })
    }

    /// At the end: our votes in their order, as one validator's, kept their locks.
    pub(super) fn locks(&mut self) {
        let mut lock: Option<(u64, u32, Hash)> = None;
        let mut broken = None;
        for (mark, made) in &self.made {
            let Ok(read) = Canonical::read(&made.bytes) else { continue };
            let block = read.block.and_then(|block| bytes::hash_of(&crate::signing::BlockId(block.to_vec())));
            let (height, round) = (mark.height.0, mark.round.0);
            match (mark.step, block) {
                (Step::Precommit, Some(block)) => lock = Some((height, round, block)),
                (Step::Prevote, vote) => {
                    let Some((at, since, locked)) = lock.filter(|lock| lock.0 == height) else { continue };
                    self.after_lock += 1;
                    if vote == Some(locked) || self.polka_for_other(at, since, round, locked, made.at) {
                        continue;
                    }
                    match vote {
                        None => self.nil_while_locked += 1,
                        Some(_) => broken = broken.or(Some((*mark, since))),
                    }
                }
                _ => {}
            }
        }
        if let Some((mark, since)) = broken {
            self.says(|| format!("AMNESIA: {mark} is for another block than the lock of round {since}"));
        }
    }
}

/// Whether a disk would hold back a put-back register at this record.
pub(super) fn would_notice(disk: Option<&Floor>, record: &Record) -> bool {
    disk.is_some_and(|floor| floor.compare(record) == Above::PutBack)
}
