//! Chance for a wire: good enough to spread delays, and repeated by nothing, as on a real one.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

/// A source of random numbers (xorshift).
#[derive(Debug)]
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new() -> Self {
        // Zero would stay zero.
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    /// Whether a thing happens that does so `per_thousand` times in a thousand.
    pub(super) fn happens(&mut self, per_thousand: u32) -> bool {
        self.below(1_000) < u64::from(per_thousand)
    }

    /// `around`, by at most `by` more or less.
    pub(super) fn near(&mut self, around: Duration, by: Duration) -> Duration {
        let span = u64::try_from(by.as_micros()).unwrap_or(u64::MAX).saturating_mul(2);
        let offset = Duration::from_micros(self.below(span.saturating_add(1)));
        around.saturating_add(offset).saturating_sub(by)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.checked_rem(end).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_never_happens_and_what_is_always_does() {
        let mut chance = Chance::new();
        assert!((0..1_000).all(|_| !chance.happens(0) && chance.happens(1_000)));
        let happened = (0..10_000).filter(|_| chance.happens(100)).count();
        assert!((500..2_000).contains(&happened), "{happened}");
    }

    #[test]
    fn a_jitter_goes_both_ways_and_no_further() {
        let (around, by) = (Duration::from_millis(80), Duration::from_millis(20));
        let mut chance = Chance::new();
        let times: Vec<_> = (0..1_000).map(|_| chance.near(around, by)).collect();
        assert!(times.iter().all(|time| *time >= around - by && *time <= around + by));
        assert!(times.iter().any(|time| *time < around) && times.iter().any(|time| *time > around));
        assert_eq!(chance.near(around, Duration::ZERO), around);
    }
}
