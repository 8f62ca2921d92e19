//! Votes of one height, counted by round.

use super::{Hash, Kind, QUORUM, SEATS, Vote};

/// The votes of one kind in one round: the first of each validator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sim) struct Tally {
    pub(in crate::sim) votes: [Option<Vote>; SEATS],
    count: u32,
    majority: Option<Option<Hash>>,
}

impl Tally {
    pub(in crate::sim) const NONE: Self = Self { votes: [None; SEATS], count: 0, majority: None };

    /// Counts a vote; whether it is the validator's first.
    pub(in crate::sim) fn add(&mut self, vote: Vote) -> bool {
        let seat = &mut self.votes[usize::from(vote.seat)];
        if seat.is_some() {
            return false;
        }
        *seat = Some(vote);
        self.count += 1;
        let same = self.votes.iter().flatten().filter(|other| other.block == vote.block).count();
        if same as u32 >= QUORUM {
            self.majority = Some(vote.block);
        }
        true
    }

    /// What more than two thirds voted for, if they voted for the same.
    pub(in crate::sim) fn majority(&self) -> Option<Option<Hash>> {
        self.majority
    }

    /// Whether more than two thirds voted, for whatever.
    pub(in crate::sim) fn any(&self) -> bool {
        self.count >= QUORUM
    }

    /// Who voted, a bit a seat.
    pub(in crate::sim) fn seats(&self) -> u8 {
        self.votes.iter().flatten().fold(0, |seats, vote| seats | 1 << vote.seat)
    }
}

/// All votes of one height.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sim) struct Seen(Vec<[Tally; 2]>);

impl Seen {
    /// Votes of rounds beyond this are nobody's honest votes within the time that is simulated.
    const ROUNDS_MAX: u32 = 200;

    pub(in crate::sim) fn of(&self, round: u32, kind: Kind) -> &Tally {
        const NONE: &Tally = &Tally::NONE;
        self.0.get(round as usize).map_or(NONE, |round| &round[kind as usize])
    }

    pub(in crate::sim) fn add(&mut self, vote: Vote) -> bool {
        if vote.round > Self::ROUNDS_MAX {
            return false;
        }
        let round = vote.round as usize;
        if self.0.len() <= round {
            self.0.resize(round + 1, [Tally::NONE; 2]);
        }
        self.0[round][vote.kind as usize].add(vote)
    }

    pub(in crate::sim) fn rounds(&self) -> u32 {
        self.0.len() as u32
    }

    pub(in crate::sim) fn clear(&mut self) {
        self.0.clear();
    }
}
