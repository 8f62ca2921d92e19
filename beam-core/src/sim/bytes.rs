//! Votes and proposals as the bytes that `CometBFT` has signed, and back.

use super::consensus::{Ask, Hash, Kind, Message, Proposal, Vote};
use super::dice::mix;
use crate::signing::canonical::Canonical;
use crate::signing::{BlockId, Mark, Statement, Step};

/// The chain's name in all sign bytes.
const CHAIN: &[u8] = b"sim-1";

/// What a node asks for, as its signer is asked. `None` never happens; it is what the strict reader of Beam says.
pub(super) fn statement(ask: &Ask, stamp: u64) -> Option<Statement> {
    Statement::canonical(sign_bytes(ask, stamp)).ok()
}

fn sign_bytes(ask: &Ask, stamp: u64) -> Vec<u8> {
    let mut body = Vec::with_capacity(128);
    match *ask {
        Ask::Proposal { round, pol_round, block } => {
            body.extend([0x08, 32, 0x11]);
            body.extend(block.height.to_le_bytes());
            put_round(&mut body, round);
            match pol_round {
                None => {
                    body.push(0x20);
                    varint(&mut body, u64::MAX);
                }
                Some(0) => {}
                Some(round) => {
                    body.push(0x20);
                    varint(&mut body, round.into());
                }
            }
            body.extend([0x2a, 72]);
            body.extend(block_id(block.hash));
            put_stamp(&mut body, 0x32, stamp);
            body.push(0x3a);
        }
        Ask::Vote { height, round, kind, block } => {
            body.extend([0x08, if kind == Kind::Prevote { 1 } else { 2 }, 0x11]);
            body.extend(height.to_le_bytes());
            put_round(&mut body, round);
            if let Some(hash) = block {
                body.extend([0x22, 72]);
                body.extend(block_id(hash));
            }
            put_stamp(&mut body, 0x2a, stamp);
            body.push(0x32);
        }
    }
    body.push(CHAIN.len() as u8);
    body.extend(CHAIN);
    let mut bytes = Vec::with_capacity(body.len() + 2);
    varint(&mut bytes, body.len() as u64);
    bytes.extend(body);
    bytes
}

fn put_round(body: &mut Vec<u8>, round: u32) {
    if round > 0 {
        body.push(0x19);
        body.extend(u64::from(round).to_le_bytes());
    }
}

fn put_stamp(body: &mut Vec<u8>, tag: u8, micros: u64) {
    let mut stamp = Vec::with_capacity(12);
    for (tag, number) in [(0x08, micros / 1_000_000), (0x10, micros % 1_000_000 * 1000)] {
        if number > 0 {
            stamp.push(tag);
            varint(&mut stamp, number);
        }
    }
    body.extend([tag, stamp.len() as u8]);
    body.extend(stamp);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// A block's canonical id: its hash four times over, and the same as the hash of its parts.
pub(super) fn block_id(hash: Hash) -> [u8; 72] {
    let mut id = [0; 72];
    let eight = hash.to_le_bytes();
    for (place, byte) in id.iter_mut().enumerate() {
        *byte = match place {
            0 => 0x0a,
            1 | 39 => 0x20,
            34 => 0x12,
            35 => 0x24,
            36 => 0x08,
            37 => 0x01,
            38 => 0x12,
            2..34 => eight[(place - 2) % 8],
            _ => eight[(place - 40) % 8],
        };
    }
    id
}

/// The hash in a block's canonical id.
pub(super) fn hash_of(block: &BlockId) -> Option<Hash> {
    Some(Hash::from_le_bytes(block.0.get(2..10)?.try_into().ok()?))
}

/// What a node makes of a signer's answer: its own message, if the signature is over what was asked for. From a vote it takes the
/// timestamp that was signed; a proposal keeps its own, so another one's signature does not fit it.
pub(super) fn message(ask: &Ask, seat: u8, stamp: u64, signed: &[u8]) -> Option<Message> {
    match *ask {
        Ask::Proposal { round, pol_round, block } => (sign_bytes(ask, stamp) == signed)
            .then_some(Message::Proposal(Proposal { seat, round, pol_round, block, stamp })),
        Ask::Vote { height, round, kind, block } => {
            let read = Canonical::read(signed).ok()?;
            let stamp = u64::try_from(read.timestamp.seconds).ok()? * 1_000_000
                + u64::try_from(read.timestamp.nanos).ok()? / 1000;
            let fits = sign_bytes(ask, stamp) == signed;
            fits.then_some(Message::Vote(Vote { kind, seat, round, height, block, stamp }))
        }
    }
}

/// The signature over these bytes, as far as a simulation needs one.
pub(super) fn sign(bytes: &[u8]) -> Vec<u8> {
    let fold = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fold)).to_le_bytes().to_vec()
}

/// The position of what a node asks for.
pub(super) fn mark(ask: &Ask) -> Mark {
    match *ask {
        Ask::Proposal { round, block, .. } => Mark::new(block.height, round, Step::Proposal),
        Ask::Vote { height, round, kind: Kind::Prevote, .. } => Mark::new(height, round, Step::Prevote),
        Ask::Vote { height, round, kind: Kind::Precommit, .. } => Mark::new(height, round, Step::Precommit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::consensus::Block;

    fn asks() -> Vec<Ask> {
        let block = Block { hash: 0x0123_4567_89ab_cdef, height: 12, ..Block::GENESIS };
        let vote = |round, kind, block| Ask::Vote { height: 12, round, kind, block };
        vec![
            vote(0, Kind::Prevote, None),
            vote(3, Kind::Precommit, Some(block.hash)),
            Ask::Proposal { round: 0, pol_round: None, block },
            Ask::Proposal { round: 4, pol_round: Some(0), block },
            Ask::Proposal { round: 4, pol_round: Some(300), block },
        ]
    }

    #[test]
    fn the_strict_reader_takes_them_and_finds_what_was_put_in() {
        for ask in asks() {
            let statement = statement(&ask, 1_700_000_000_123_456).unwrap();
            assert_eq!(statement.mark(), mark(&ask));
            let hash = match ask {
                Ask::Proposal { block, .. } => Some(block.hash),
                Ask::Vote { block, .. } => block,
            };
            assert_eq!(statement.block().and_then(hash_of), hash);
        }
    }

    #[test]
    fn a_vote_takes_the_signed_time_and_a_proposal_only_its_own() {
        for ask in asks() {
            let (asked, recorded) = (1_700_000_000_000_000, 1_700_000_009_000_001);
            let signed = sign_bytes(&ask, recorded);
            match message(&ask, 3, asked, &signed) {
                Some(Message::Vote(vote)) => assert_eq!(vote.stamp, recorded),
                other => assert_eq!((other, mark(&ask).step), (None, Step::Proposal)),
            }
            assert!(message(&ask, 3, asked, &sign_bytes(&ask, asked)).is_some());
        }
    }
}
