//! What may be asked for: a few positions, a few values at each, as real sign bytes.

use std::collections::BTreeMap;
use std::fmt;

use beam_core::signing::{Mark, Statement, Step};

/// What is said at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// For no block.
    Nil,
    /// For one block.
    A,
    /// For another.
    B,
}

/// One vote or proposal of one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// Which of the positions.
    pub at: u8,
    /// For what.
    pub value: Value,
    /// Whose clock it carries: two machines that mean the same still sign other bytes.
    pub clock: u8,
}

impl Vote {
    /// This vote among all votes at its position, as one bit.
    #[must_use]
    pub fn bit(self) -> u16 {
        1 << (self.value as u16 * CLOCKS + u16::from(self.clock))
    }
}

const CLOCKS: u16 = 3;

/// All votes of a model, with their bytes.
#[derive(Clone, Debug)]
pub struct Votes {
    positions: Vec<Mark>,
    statements: BTreeMap<Vote, Statement>,
    votes: BTreeMap<Vec<u8>, Vote>,
}

impl Votes {
    /// The votes at these rising positions, and at the first of the height after them.
    #[must_use]
    pub fn new(positions: &[Mark]) -> Self {
        let mut positions = positions.to_vec();
        let next = positions.last().map_or(1, |mark| mark.height.0.saturating_add(1));
        positions.push(Mark::new(next, 0, Step::Prevote));
        let mut statements = BTreeMap::new();
        for (at, mark) in (0_u8..).zip(&positions) {
            for (value, clock) in
                [Value::Nil, Value::A, Value::B].into_iter().flat_map(|v| (0..3).map(move |c| (v, c)))
            {
                // A proposal is always for a block.
                if mark.step == Step::Proposal && value == Value::Nil {
                    continue;
                }
                if let Ok(statement) = Statement::canonical(sign_bytes(*mark, value, clock)) {
                    statements.insert(Vote { at, value, clock }, statement);
                }
            }
        }
        let votes = statements.iter().map(|(vote, statement)| (statement.bytes().to_vec(), *vote)).collect();
        Self { positions, statements, votes }
    }

    /// How many positions nodes ask for.
    #[must_use]
    pub fn len(&self) -> u8 {
        u8::try_from(self.positions.len().saturating_sub(1)).unwrap_or(u8::MAX)
    }

    /// Whether there is nothing to ask for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A position.
    #[must_use]
    pub fn mark(&self, at: u8) -> Option<Mark> {
        self.positions.get(usize::from(at)).copied()
    }

    /// A vote's statement; `None` if there is no such vote.
    #[must_use]
    pub fn statement(&self, vote: Vote) -> Option<&Statement> {
        self.statements.get(&vote)
    }

    /// Which vote these bytes are.
    #[must_use]
    pub fn of(&self, bytes: &[u8]) -> Option<Vote> {
        self.votes.get(bytes).copied()
    }

    /// A vote for people.
    #[must_use]
    pub fn name(&self, vote: Vote) -> impl fmt::Display + use<> {
        let mark = self.mark(vote.at).map_or_else(String::new, |mark| mark.to_string());
        format!("{mark} for {:?} at {}'s time", vote.value, super::host::name(vote.clock))
    }
}

/// Canonical sign bytes as `CometBFT` writes them, with a block id, a time and a chain id as short as the reader lets them be.
fn sign_bytes(mark: Mark, value: Value, clock: u8) -> Vec<u8> {
    let (kind, shift) = match mark.step {
        Step::Prevote => (1, 0),
        Step::Precommit => (2, 0),
        Step::Proposal => (32, 8),
    };
    let mut body = vec![0x08, kind, 0x11];
    body.extend(mark.height.0.to_le_bytes());
    if mark.round.0 > 0 {
        body.push(0x19);
        body.extend(u64::from(mark.round.0).to_le_bytes());
    }
    match value {
        Value::Nil => {}
        Value::A => body.extend([0x22 + shift, 1, b'A']),
        Value::B => body.extend([0x22 + shift, 1, b'B']),
    }
    match clock {
        0 => body.extend([0x2a + shift, 0]),
        nanos => body.extend([0x2a + shift, 2, 0x10, nanos]),
    }
    body.extend([0x32 + shift, 1, b'c']);
    let mut bytes = vec![u8::try_from(body.len()).unwrap_or_default()];
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vote_reads_back_as_it_was_meant() {
        let positions = ["1/0/proposal", "1/0/prevote", "2/1/precommit"].map(|mark| mark.parse().unwrap());
        let votes = Votes::new(&positions);
        assert_eq!(votes.statements.len(), 6 + 9 + 9 + 9);
        for (vote, statement) in &votes.statements {
            assert_eq!(Some(statement.mark()), votes.mark(vote.at));
            assert_eq!(statement.block().is_none(), vote.value == Value::Nil);
            assert_eq!(votes.of(statement.bytes()), Some(*vote));
            let other = votes.statement(Vote { clock: (vote.clock + 1) % 3, ..*vote }).unwrap();
            assert_eq!(statement.repeats(other.bytes()), statement.mark().step != Step::Proposal);
        }
    }
}
