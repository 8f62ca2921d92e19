//! What the chain shows of one height, and what is known of our part in it.

use crate::signing::{Height, Round};

/// Our validator in a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Not in the set at that height: nothing was asked of us.
    NotSeated,
    /// In the set and without a signature. This, and only this, counts against us.
    Absent,
    /// A signature for nil. The chain counts it as signed; some tools do not.
    Nil,
    /// A signature for the block.
    Block,
}

/// How a part of a whole stands to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The part.
    pub absent: u64,
    /// The whole.
    pub of: u64,
}

/// The canonical commit of one height: the one that the next block holds. (The node's own commit of its latest height
/// still gains votes; see [`MissedBlocks::seen`](super::MissedBlocks::seen).)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The height.
    pub height: Height,
    /// The round in which the block was decided.
    pub round: Round,
    /// Our validator.
    pub ours: Flag,
    /// How many of the other validators are absent.
    pub others: Share,
    /// The same in voting power, if known.
    pub power: Option<Share>,
}

impl Commit {
    /// A miss is *network-wide* if this part of the other validators, a third, is absent as well...
    pub const NETWORK_HEADS: Share = Share { absent: 1, of: 3 };
    /// ...or a tenth of their voting power. It can never be a third: then there would be no commit. One to three hundredths are
    /// absent on an ordinary day of the Hub.
    pub const NETWORK_POWER: Share = Share { absent: 1, of: 10 };

    /// Whether so many others are absent that it was the network's trouble rather than ours.
    #[must_use]
    pub fn is_network_wide(&self) -> bool {
        self.others.reaches(Self::NETWORK_HEADS)
            || self.power.is_some_and(|power| power.reaches(Self::NETWORK_POWER))
    }
}

impl Share {
    /// Whether this share is at least that one. Of nothing no share is any.
    fn reaches(self, other: Self) -> bool {
        self.of > 0
            && u128::from(self.absent).saturating_mul(other.of.into())
                >= u128::from(other.absent).saturating_mul(self.of.into())
    }
}

/// What our validator did for a height, whichever of its machines did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A precommit was released in this round.
    Released(Round),
    /// The signer refused, or had stopped.
    Refused,
    /// No node of ours asked for a signature.
    NotAsked,
}

/// Why a vote is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It was there: our node had it when it took the block as decided, and the next proposer left it out.
    NotIncluded,
    /// Many others are absent, too.
    Network,
    /// It was released in the round that counts, and did not arrive in time.
    Late,
    /// It was not made, or nobody knows that it was.
    Own,
}

impl Cause {
    /// Why the vote of this commit is missing, by what is known.
    ///
    /// Seeing it goes before everything. Knowing that we did not sign goes before others' trouble: whatever theirs was, ours was our
    /// own.
    #[must_use]
    pub fn of(commit: &Commit, seen: Option<Round>, part: Option<Part>) -> Self {
        match (seen, part) {
            (Some(round), _) if round == commit.round => Self::NotIncluded,
            (_, Some(Part::Refused | Part::NotAsked)) => Self::Own,
            (_, _) if commit.is_network_wide() => Self::Network,
            (_, Some(Part::Released(round))) if round == commit.round => Self::Late,
            (_, _) => Self::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(others: (u64, u64), power: Option<(u64, u64)>) -> Commit {
        let share = |(absent, of)| Share { absent, of };
        Commit {
            height: Height(7),
            round: Round(1),
            ours: Flag::Absent,
            others: share(others),
            power: power.map(share),
        }
    }

    #[test]
    fn a_third_of_the_heads_or_a_tenth_of_the_power_is_the_network() {
        for (others, power, wide) in [
            ((59, 179), None, false),
            ((60, 179), None, true),
            ((0, 0), Some((0, 0)), false),
            ((1, 179), Some((9, 100)), false),
            ((1, 179), Some((10, 100)), true),
            ((u64::MAX, u64::MAX), None, true),
        ] {
            assert_eq!(commit(others, power).is_network_wide(), wide, "{others:?} {power:?}");
        }
    }

    #[test]
    fn each_cause_has_its_evidence() {
        let (calm, wide) = (commit((1, 179), None), commit((90, 179), None));
        let (here, before) = (Round(1), Round(0));
        let released = |round| Some(Part::Released(round));
        for (commit, seen, part, cause) in [
            (calm, None, None, Cause::Own),
            (calm, None, Some(Part::Refused), Cause::Own),
            (calm, None, Some(Part::NotAsked), Cause::Own),
            (calm, None, released(here), Cause::Late),
            (calm, None, released(before), Cause::Own),
            (calm, Some(here), released(here), Cause::NotIncluded),
            (calm, Some(before), released(here), Cause::Late),
            (wide, None, None, Cause::Network),
            (wide, None, released(here), Cause::Network),
            (wide, None, Some(Part::Refused), Cause::Own),
            (wide, Some(here), None, Cause::NotIncluded),
        ] {
            assert_eq!(Cause::of(&commit, seen, part), cause, "{seen:?} {part:?}");
        }
    }
}
