//! Positions at which a validator signs, in the order in which it passes them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::ParseError;

/// A block's height. The first block of a chain has at least height 1; 0 is "before any".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Height(pub u64);

impl Height {
    /// The highest height that CometBFT can count (its heights are signed).
    pub const MAX: Self = Self(i64::MAX as u64);
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An attempt at agreeing on one height's block, beginning with 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Round(pub u32);

impl Round {
    /// The highest round that CometBFT can count (its rounds are signed).
    pub const MAX: Self = Self(i32::MAX as u32);
}

impl fmt::Display for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What is signed within a round, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A proposed block, by the round's proposer only.
    Proposal,
    /// The first vote.
    Prevote,
    /// The second vote; two thirds of these commit the block.
    Precommit,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Proposal => "proposal",
            Self::Prevote => "prevote",
            Self::Precommit => "precommit",
        })
    }
}

/// One position: a validator may sign one thing at each, and only ever at a higher one than before.
///
/// Ordered by height, then round, then step. Written `height/round/step`, as in `12345/0/precommit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The block's height.
    pub height: Height,
    /// The attempt at that height.
    pub round: Round,
    /// What is signed in that round.
    pub step: Step,
}

impl Mark {
    /// The position from its parts.
    #[must_use]
    pub const fn new(height: u64, round: u32, step: Step) -> Self {
        Self { height: Height(height), round: Round(round), step }
    }

    /// The position for people: the end of a height is called that, since its numbers tell nothing.
    #[must_use]
    pub fn in_words(&self) -> String {
        if *self == Self::end_of(self.height) {
            format!("the end of height {}", self.height)
        } else {
            self.to_string()
        }
    }

    /// The last position of a height: whoever is there signs nothing more at that height.
    #[must_use]
    pub const fn end_of(height: Height) -> Self {
        Self { height, round: Round::MAX, step: Step::Precommit }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.height, self.round, self.step)
    }
}

impl FromStr for Mark {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bad = |why| ParseError::new("mark", text, why);
        let mut parts = text.split('/');
        let (Some(height), Some(round), Some(step), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad("expected height/round/step"));
        };
        let height =
            decimal(height).filter(|h| *h <= Height::MAX.0).ok_or_else(|| bad("the height is no height"))?;
        let round = decimal(round)
            .and_then(|round| u32::try_from(round).ok())
            .filter(|round| *round <= Round::MAX.0)
            .ok_or_else(|| bad("the round is no round"))?;
        let step = match step {
            "proposal" => Step::Proposal,
            "prevote" => Step::Prevote,
            "precommit" => Step::Precommit,
            _ => return Err(bad("the step must be proposal, prevote or precommit")),
        };
        Ok(Self::new(height, round, step))
    }
}

/// A number written in decimal digits and nothing else (`str::parse` would take a plus sign too).
fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_ordered_by_height_then_round_then_step() {
        let rising = [
            Mark::new(1, 0, Step::Proposal),
            Mark::new(1, 0, Step::Prevote),
            Mark::new(1, 0, Step::Precommit),
            Mark::new(1, 1, Step::Proposal),
            Mark::end_of(Height(1)),
            Mark::new(2, 0, Step::Proposal),
        ];
        assert!(rising.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_mark_reads_back_as_written() {
        for mark in [Mark::new(12, 3, Step::Prevote), Mark::end_of(Height::MAX)] {
            assert_eq!(mark.to_string().parse::<Mark>().unwrap(), mark);
        }
    }

    #[test]
    fn the_end_of_a_height_is_told_in_words() {
        assert_eq!(Mark::end_of(Height(12)).in_words(), "the end of height 12");
        assert_eq!(Mark::new(12, 3, Step::Prevote).in_words(), "12/3/prevote");
    }

    #[test]
    fn what_is_no_mark_is_refused() {
        for text in [
            "",
            "1/0",
            "1/0/vote",
            "-1/0/prevote",
            "+1/0/prevote",
            "1/0/prevote/",
            "9223372036854775808/0/prevote",
        ] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }
}
