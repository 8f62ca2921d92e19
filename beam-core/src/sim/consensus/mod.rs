//! Tendermint consensus as `CometBFT` 0.38 runs it, as a machine without IO.
//!
//! The rules are those of the Tendermint paper (arXiv 1807.04938) in the form that `consensus/state.go` of v0.38 gives them, function by
//! function: a node that is locked prevotes its lock, whatever is proposed; a polka of a later round for anything else unlocks it; a node
//! that enters precommit without a polka precommits nil, also when it only learns of a commit that others made; late precommits are
//! taken into the commit until `timeout_commit` is over; two thirds of any votes of a later round make it skip rounds.
//!
//! Signing is asked for and waited for: while it waits, the machine takes in nothing, as the consensus thread of `CometBFT` does.
//!
//! Simplified: a fixed set of [`SEATS`] validators of equal power that propose in turn, blocks without content that are always valid and
//! are sent whole, and no vote extensions.

mod machine;
#[cfg(test)]
mod tests;
mod votes;

pub(super) use machine::{Consensus, Entry, Have};
pub(super) use votes::{Seen, Tally};

use super::Micros;
use super::dice::mix;

/// How many validators there are.
pub(super) const SEATS: usize = 4;

/// The same as a number of validators; more than two thirds of them are three.
pub(super) const QUORUM: u32 = 3;

/// The two kinds of votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Prevote,
    Precommit,
}

/// A block's hash.
pub(super) type Hash = u64;

/// A block. Of what is in it only the commit of the block before matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) hash: Hash,
    pub(super) height: u64,
    pub(super) parent: Hash,
    /// The round in which the block before was committed.
    pub(super) last_round: u32,
    /// Who precommitted the block before, a bit a seat.
    pub(super) signed: u8,
    /// Who precommitted nil instead.
    pub(super) nil: u8,
}

impl Block {
    pub(super) const GENESIS: Self = Self { hash: 1, height: 0, parent: 0, last_round: 0, signed: 0, nil: 0 };

    /// A block on top of `last`. `made` tells apart blocks that are otherwise the same, as their times and contents would.
    fn on(last: &Stored, made: u64) -> Self {
        let mut block = Self {
            hash: 0,
            height: last.block.height + 1,
            parent: last.block.hash,
            last_round: last.round,
            signed: 0,
            nil: 0,
        };
        for vote in last.precommits.iter().flatten() {
            let bit = 1 << vote.seat;
            match vote.block {
                Some(hash) if hash == last.block.hash => block.signed |= bit,
                Some(_) => {}
                None => block.nil |= bit,
            }
        }
        let content =
            u64::from(block.signed) << 40 ^ u64::from(block.nil) << 32 ^ u64::from(block.last_round);
        block.hash = mix(block.parent ^ mix(content ^ mix(made))) | 1;
        block
    }
}

/// A vote. Whether its signature is genuine is the judge's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Vote {
    pub(super) kind: Kind,
    pub(super) seat: u8,
    pub(super) round: u32,
    pub(super) height: u64,
    /// For nil if `None`.
    pub(super) block: Option<Hash>,
    pub(super) stamp: u64,
}

/// A proposal, with its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proposal {
    pub(super) seat: u8,
    pub(super) round: u32,
    pub(super) pol_round: Option<u32>,
    pub(super) block: Block,
    pub(super) stamp: u64,
}

/// What nodes send one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Message {
    Proposal(Proposal),
    /// A block whose proposal may not be known.
    Block(Block),
    Vote(Vote),
}

/// What a node wants signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    Proposal { round: u32, pol_round: Option<u32>, block: Block },
    Vote { height: u64, round: u32, kind: Kind, block: Option<Hash> },
}

/// A committed block, with the precommits that are known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) block: Block,
    pub(super) round: u32,
    pub(super) precommits: [Option<Vote>; SEATS],
}

impl Stored {
    pub(super) const GENESIS: Self = Self { block: Block::GENESIS, round: 0, precommits: [None; SEATS] };

    /// Whether more than two thirds precommitted it.
    pub(super) fn is_committed(&self) -> bool {
        let mine = |vote: &&Vote| vote.block == Some(self.block.hash) && vote.round == self.round;
        self.precommits.iter().flatten().filter(mine).count() as u32 >= QUORUM
    }
}

/// What comes out of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    /// Sign this and call [`Consensus::signed`]; nothing else may be told to the machine before.
    Ask(Ask),
    /// Send one's own message to everybody.
    Broadcast(Message),
    /// A block is committed. It must be stored before anything that follows is told to anybody.
    Committed(Stored),
}

/// The steps within a round, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    NewHeight,
    NewRound,
    Propose,
    Prevote,
    PrevoteWait,
    Precommit,
    PrecommitWait,
    Commit,
}

/// How long each step waits, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Timeouts {
    pub(super) propose: Micros,
    pub(super) vote: Micros,
    /// Added for each round.
    pub(super) delta: Micros,
    pub(super) commit: Micros,
}
