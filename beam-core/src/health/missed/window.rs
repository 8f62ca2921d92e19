//! The chain's own account: x/slashing's window, of which the chain tells the sum and not the bits.
//!
//! The rule (cosmos-sdk 0.50 to 0.53, `HandleValidatorSignature`, run in block `H + 1` for the commit of `H`): a validator in the set
//! has a ring of `signed_blocks_window` bits. Each height sets the bit at `index_offset % window` to whether it is
//! absent, `index_offset` grows by one, and `missed_blocks_counter` is how many bits are set. It is jailed when the block's height
//! is above `start_height + window` and the counter above `window - round(window * min_signed_per_window)`; counter, offset and
//! bits are then zeroed, and nothing is counted until it is let in again. A change of the set that block `B` decides holds from height
//! `B + 2` on, so a jailed validator is asked for two votes more; and one that joins has `start_height = B`.
//!
//! Between two answers of the chain the counter is carried on here, height by height. The bit that falls out of the ring is known if
//! we saw that height, or if no bit is set that we did not see. If it is not known it is taken for unset, so that the
//! counter is never below the chain's and nobody feels safer than he is (`the_window_is_the_chains`,
//! `nobody_feels_safer_than_he_is`). One thing shows in no commit, and only when the chain tells again: that a validator left for lack of
//! stake and was back in the next block.

use std::collections::VecDeque;

use crate::health::missed::Flag;
use crate::signing::Height;

/// x/slashing's parameters, as far as they matter here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlashingParams {
    /// `signed_blocks_window`.
    pub window: u64,
    /// `min_signed_per_window` in parts of 10^18, as the chain keeps it.
    pub min_signed: u64,
}

impl SlashingParams {
    /// One, in parts of 10^18.
    pub const ONE: u64 = 1_000_000_000_000_000_000;

    /// How many misses within a window are forgiven: the next one jails.
    #[must_use]
    pub fn missed_max(&self) -> u64 {
        self.window.saturating_sub(self.signed_min())
    }

    /// `round(window * min_signed_per_window)`, half to even as the SDK's decimals round.
    fn signed_min(&self) -> u64 {
        let (one, product) =
            (u128::from(Self::ONE), u128::from(self.window).saturating_mul(self.min_signed.into()));
        let (whole, rest) = (product / one, product % one);
        let up = match (rest * 2).cmp(&one) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => whole % 2,
            std::cmp::Ordering::Greater => 1,
        };
        u64::try_from(whole + up).unwrap_or(u64::MAX)
    }
}

/// x/slashing's account of our validator, after block `at` was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningInfo {
    /// The block after which this was so. It counts the commits of all heights below.
    pub at: Height,
    /// `start_height`: where the validator joined the set, or joined it again.
    pub start_height: u64,
    /// `index_offset`: how many heights were counted since the validator was last jailed, or ever.
    pub index_offset: u64,
    /// `missed_blocks_counter`.
    pub missed: u64,
    /// Whether it is jailed for downtime and may not return yet: `jailed_until` is later than the time of block `at`.
    pub jailed: bool,
    /// Out for ever, for a double sign.
    pub tombstoned: bool,
}

/// The account carried on to the last height that we have counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// `missed_blocks_counter` by now, or more than that if `exact` is not set.
    pub missed: u64,
    /// Whether it is certain.
    pub exact: bool,
    /// How many more heights may be missed without being jailed; the one after them jails. (As long as the first
    /// window since `start_height` is not over, none does.)
    pub left_to_jail: u64,
    /// Whether the account says that we are jailed: nothing is counted, and there is nothing left to lose.
    pub jailed: bool,
}

impl Window {
    /// Carries the chain's account on over `history`: what we saw of consecutive heights, oldest first.
    #[must_use]
    pub fn carry_on(params: SlashingParams, info: SigningInfo, history: &[(Height, Flag)]) -> Self {
        let mut ring = Ring::known(params, info, history);
        let mut seated = true;
        for (height, flag) in history.iter().filter(|(height, _)| *height >= info.at) {
            let sits = *flag != Flag::NotSeated;
            if sits && !seated {
                ring.joins(*height);
            }
            if sits {
                ring.count(*height, *flag == Flag::Absent);
            }
            seated = sits;
        }
        let left_to_jail = params.missed_max().saturating_sub(ring.missed);
        Self { missed: ring.missed, exact: ring.exact, left_to_jail, jailed: ring.jailed }
    }
}

/// The ring of bits, as far as it is known.
struct Ring {
    params: SlashingParams,
    start_height: u64,
    offset: u64,
    missed: u64,
    jailed: bool,
    exact: bool,
    /// The last bits, oldest first: never more than `window`.
    bits: VecDeque<bool>,
}

impl Ring {
    /// The ring as the chain told it, with the bits that we have seen ourselves.
    fn known(params: SlashingParams, info: SigningInfo, history: &[(Height, Flag)]) -> Self {
        let seen_until_then = history.iter().any(|(height, _)| height.0.checked_add(1) == Some(info.at.0));
        let most = if seen_until_then { info.index_offset.min(params.window) } else { 0 };
        let mut bits: VecDeque<bool> = history
            .iter()
            .rev()
            .filter(|(height, flag)| *height < info.at && *flag != Flag::NotSeated)
            .map(|(_, flag)| *flag == Flag::Absent)
            .take(usize::try_from(most).unwrap_or(usize::MAX))
            .collect();
        bits.make_contiguous().reverse();
        let SigningInfo { start_height, index_offset: offset, missed, jailed, .. } = info;
        Self { params, start_height, offset, missed, jailed, exact: true, bits }
    }

    /// The validator is in the set again, from this height on.
    fn joins(&mut self, height: Height) {
        self.start_height = height.0.saturating_sub(2);
        self.jailed = false;
    }

    /// One height more at which it sits in the set.
    fn count(&mut self, height: Height, missed: bool) {
        if self.jailed || self.params.window == 0 {
            return;
        }
        match (self.falls_out(), missed) {
            (false, true) => self.missed = self.missed.saturating_add(1),
            (true, false) => self.missed = self.missed.saturating_sub(1),
            (true, true) | (false, false) => {}
        }
        self.bits.push_back(missed);
        self.offset = self.offset.saturating_add(1);
        let past_first = height.0.saturating_add(1) > self.start_height.saturating_add(self.params.window);
        // A counter that may be too high must not be believed when it says that all is over and nothing counts any more.
        if self.exact && past_first && self.missed > self.params.missed_max() {
            (self.missed, self.offset, self.jailed) = (0, 0, true);
            self.bits.clear();
        }
    }

    /// The bit that makes room for the next one.
    fn falls_out(&mut self) -> bool {
        let known = u64::try_from(self.bits.len()).unwrap_or(u64::MAX);
        if known >= self.params.window {
            return self.bits.pop_front().unwrap_or_default();
        }
        // Before the ring has gone round once, the bit was never set; and if all that are set were seen, this one is not.
        let seen_set: u64 = self.bits.iter().map(|bit| u64::from(*bit)).sum();
        self.exact &= self.offset < self.params.window || self.missed <= seen_set;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hub_forgives_nine_and_a_half_thousand_in_ten_thousand() {
        let hub = SlashingParams { window: 10_000, min_signed: SlashingParams::ONE / 20 };
        assert_eq!(hub.missed_max(), 9_500);
    }

    #[test]
    fn halves_are_rounded_to_even_as_the_sdk_does() {
        let half = SlashingParams::ONE / 2;
        // 0.5, 1.5, 2.5, 3.5 signed at least: 0, 2, 2, 4.
        let forgiven = [1, 3, 5, 7].map(|window| SlashingParams { window, min_signed: half }.missed_max());
        assert_eq!(forgiven, [1, 1, 3, 3]);
        let all = SlashingParams { window: u64::MAX, min_signed: SlashingParams::ONE };
        assert_eq!(all.missed_max(), 0);
    }
}
