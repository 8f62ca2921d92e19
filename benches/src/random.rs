//! Random moments that a seed repeats.

use std::time::Duration;

/// `SplitMix64`: small, and good enough to be spread over a block.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    /// A moment before `end`, evenly spread.
    pub fn moment_before(&mut self, end: Duration) -> Duration {
        let nanos = u64::try_from(end.as_nanos()).unwrap_or(u64::MAX).max(1);
        Duration::from_nanos(self.next().checked_rem(nanos).unwrap_or(0))
    }

    /// One of several, each as likely as the other; `None` of none.
    pub fn choose<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        let place = self.next().checked_rem(u64::try_from(from.len()).ok()?)?;
        from.get(usize::try_from(place).ok()?).copied()
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_moments_and_none_is_late() {
        let second = Duration::from_secs(1);
        let moments = |seed| {
            let mut random = Random::from_seed(seed);
            (0..100).map(|_| random.moment_before(second)).collect::<Vec<_>>()
        };
        assert_eq!(moments(7), moments(7));
        assert_ne!(moments(7), moments(8));
        assert!(moments(7).iter().all(|moment| *moment < second));
        assert!(moments(7).iter().any(|moment| *moment > second / 2));
    }

    #[test]
    fn every_one_is_chosen_some_time_and_none_of_none() {
        let mut random = Random::from_seed(1);
        let chosen: std::collections::BTreeSet<_> =
            (0..100).filter_map(|_| random.choose(&[1, 2, 3])).collect();
        assert_eq!(chosen.len(), 3);
        assert_eq!(random.choose::<u8>(&[]), None);
    }
}
