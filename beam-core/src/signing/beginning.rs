//! Where a record may begin, or begin again, so that nothing signed after it contradicts anything that was signed before.
//!
//! # Why the mark that comes out is high enough
//!
//! A node signs at height H only after it has committed H - 1. So every signature ever made with a key is
//! * at or below what the signer that made it remembers ([`Known::remembered`]: state files, floors, the register's own mark), and
//! * at most one height above the chain's newest block at that time ([`Known::tip`]), whoever made it and whatever it remembers.
//!
//! The mark is the end of the highest of these heights, [`Known::TIP_MARGIN`] above the tip, as the node that shows it may be a
//! moment behind. One of the two alone would do; a state file may be lost or put back, and a node may be behind, so both are asked for.
//! Old signers that still run make both wrong: they must be stopped first. (`nothing_known_is_above_the_mark`)

use crate::signing::{Height, Mark};

/// What is known of where a key may have signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// What somebody remembers: old signers, machines, the register.
    pub remembered: &'a [Mark],
    /// The chain's newest height, from a node that is seen to follow it; `None` if there is no such node to ask.
    pub tip: Option<Height>,
}

/// What a person wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// The lowest mark that is safe. Needs the chain.
    Lowest,
    /// This height, which is refused if it is not safe.
    Exactly(Height),
    /// This height, or a higher one if that is safe. Like `Exactly`, it stands in for a chain that cannot be asked.
    AtLeast(Height),
}

/// Why no mark is given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsure {
    /// The chain was not asked, and no person said a height instead.
    #[error("the chain's newest height is not known, and no height was given in its place")]
    ChainUnknown,
    /// Something may have been signed above the height asked for.
    #[error(
        "height {asked} is too low: it must be at least {least}, or something signed before could be contradicted"
    )]
    TooLow {
        /// The height asked for.
        asked: Height,
        /// The lowest that is safe.
        least: Height,
    },
    /// The mark would be far above the chain: another chain's file, or a slip of the finger. It could never be lowered again.
    #[error("height {height} is {} above the chain's newest height {tip}: another chain's file, or a wrong digit?", height.0.saturating_sub(tip.0))]
    FarAhead {
        /// Where the mark would be.
        height: Height,
        /// The chain's newest height.
        tip: Height,
    },
    /// No chain gets that high.
    #[error("height {0} is none: no chain gets that high")]
    NoHeight(Height),
}

impl Known<'_> {
    /// How far above the chain's newest block a signature may be: one height, and four that the node we ask may be behind.
    pub const TIP_MARGIN: u64 = 5;
    /// From how far above the chain on a mark needs a second word: ten minutes of the Hub's blocks.
    pub const FAR_AHEAD: u64 = 100;

    /// The lowest height whose end is safe, of what is known: 0 if nothing is.
    #[must_use]
    pub fn least(&self) -> Height {
        let remembered = self.remembered.iter().map(|mark| mark.height);
        let tip = self.tip.map(|tip| Height(tip.0.saturating_add(Self::TIP_MARGIN)));
        remembered.chain(tip).max().unwrap_or_default()
    }

    /// The mark to begin with: everything up to and including it counts as signed.
    ///
    /// `far_is_meant` says that a height far above the chain is no mistake.
    ///
    /// # Errors
    /// [`Unsure`]
    pub fn begin_at(&self, wish: Wish, far_is_meant: bool) -> Result<Mark, Unsure> {
        let least = self.least();
        let height = match wish {
            Wish::Lowest if self.tip.is_none() => return Err(Unsure::ChainUnknown),
            Wish::Lowest => least,
            Wish::Exactly(asked) if asked < least => return Err(Unsure::TooLow { asked, least }),
            Wish::Exactly(asked) => asked,
            Wish::AtLeast(asked) => asked.max(least),
        };
        if height > Height::MAX {
            return Err(Unsure::NoHeight(height));
        }
        match self.tip {
            Some(tip) if height.0 > tip.0.saturating_add(Self::FAR_AHEAD) && !far_is_meant => {
                Err(Unsure::FarAhead { height, tip })
            }
            _ => Ok(Mark::end_of(height)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::signing::{Round, Step};

    const SIGNED: Mark = Mark::new(100, 2, Step::Prevote);

    fn known(remembered: &[Mark], tip: Option<u64>) -> Known<'_> {
        Known { remembered, tip: tip.map(Height) }
    }

    fn end(height: u64) -> Result<Mark, Unsure> {
        Ok(Mark::end_of(Height(height)))
    }

    #[test]
    fn the_highest_of_all_that_is_known_decides() {
        let lower = Mark::end_of(Height(7));
        assert_eq!(known(&[lower, SIGNED], Some(100)).begin_at(Wish::Lowest, false), end(105));
        assert_eq!(
            known(&[lower, SIGNED], Some(50)).begin_at(Wish::Lowest, false),
            end(100),
            "a node that is behind"
        );
        assert_eq!(known(&[], Some(0)).begin_at(Wish::Lowest, false), end(5));
    }

    #[test]
    fn without_the_chain_a_person_must_say_a_height() {
        assert_eq!(known(&[SIGNED], None).begin_at(Wish::Lowest, false), Err(Unsure::ChainUnknown));
        assert_eq!(known(&[SIGNED], None).begin_at(Wish::Exactly(Height(100)), false), end(100));
        assert_eq!(known(&[SIGNED], None).begin_at(Wish::AtLeast(Height(1)), false), end(100));
    }

    #[test]
    fn a_height_that_is_too_low_is_refused_and_the_least_is_told() {
        let too_low = |asked, least| Err(Unsure::TooLow { asked: Height(asked), least: Height(least) });
        assert_eq!(known(&[SIGNED], None).begin_at(Wish::Exactly(Height(99)), false), too_low(99, 100));
        assert_eq!(known(&[SIGNED], Some(200)).begin_at(Wish::Exactly(Height(204)), true), too_low(204, 205));
    }

    #[test]
    fn far_above_the_chain_needs_a_second_word() {
        let far = |height, tip| Err(Unsure::FarAhead { height: Height(height), tip: Height(tip) });
        let wrong_chain = [Mark::new(20_000_000, 0, Step::Precommit)];
        assert_eq!(known(&wrong_chain, Some(500)).begin_at(Wish::Lowest, false), far(20_000_000, 500));
        assert_eq!(known(&[], Some(500)).begin_at(Wish::AtLeast(Height(601)), false), far(601, 500));
        assert_eq!(known(&[], Some(500)).begin_at(Wish::AtLeast(Height(600)), false), end(600));
        assert_eq!(known(&wrong_chain, Some(500)).begin_at(Wish::Lowest, true), end(20_000_000));
        let none = Height(Height::MAX.0 + 1);
        assert_eq!(known(&[], None).begin_at(Wish::Exactly(none), true), Err(Unsure::NoHeight(none)));
        let highest = Height::MAX.0;
        assert_eq!(known(&[], None).begin_at(Wish::Exactly(Height::MAX), true), end(highest));
    }

    proptest! {
        #[test]
        fn nothing_known_is_above_the_mark(
            heights in proptest::collection::vec(0..1_000_u64, 0..5), tip in proptest::option::of(0..1_000_u64),
            asked in 0..1_000_u64, kind in 0..3_u8, meant: bool,
        ) {
            let remembered: Vec<Mark> =
                heights.iter().map(|height| Mark { round: Round::MAX, ..Mark::new(*height, 0, Step::Precommit) }).collect();
            let wish = match kind { 0 => Wish::Lowest, 1 => Wish::Exactly(Height(asked)), _ => Wish::AtLeast(Height(asked)) };
            if let Ok(mark) = known(&remembered, tip).begin_at(wish, meant) {
                prop_assert!(remembered.iter().all(|known| *known <= mark));
                prop_assert!(tip.is_none_or(|tip| mark > Mark::end_of(Height(tip + 1))));
                prop_assert!(wish == Wish::Lowest || mark >= Mark::end_of(Height(asked)));
            }
        }
    }
}
