//! How long a standby waits before it takes over.
//!
//! The wait begins when this machine's own node asks for a signature that the owner has not given. It is never a
//! question of safety (a takeover too early is harmless: the former owner's next swap fails and it becomes the
//! standby), only of not passing ownership to and fro between two machines that are both a little slow:
//!
//! * each takeover seen doubles the wait, up to [`TakeoverConfig::cap`];
//! * it halves again with every [`TakeoverConfig::calm_heights`] heights that go by;
//! * the standby of rank `n` waits `n` times as long, so that several do not jump at once.

use std::time::Duration;

use crate::signing::Height;

/// How patient a standby is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TakeoverConfig {
    /// How long the standby of rank 1 waits for the owner when all has been calm.
    pub takeover_after: Duration,
    /// The longest wait, whatever happened before. It must leave time to sign within the answer deadline.
    pub cap: Duration,
    /// How many heights without a takeover halve the wait again.
    pub calm_heights: u64,
    /// 1 for the first standby, 2 for the second, and so on.
    pub rank: u32,
}

impl Default for TakeoverConfig {
    /// One second (right for blocks of 5 to 6 seconds), at most two. One doubling is forgotten every 5 heights, so that only
    /// takeovers in quick succession, which is what ping-pong is, make anybody slower.
    fn default() -> Self {
        Self { takeover_after: Duration::from_secs(1), cap: Duration::from_secs(2), calm_heights: 5, rank: 1 }
    }
}

/// What a standby remembers of recent takeovers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Patience {
    config: TakeoverConfig,
    doublings: u32,
    /// The height from which calm is counted.
    since: Height,
}

impl Patience {
    /// Enough doublings to reach any cap from any wait worth configuring.
    const DOUBLINGS_MAX: u32 = 8;

    /// Patience that has seen nothing yet.
    #[must_use]
    pub fn new(config: TakeoverConfig) -> Self {
        Self { config, doublings: 0, since: Height(0) }
    }

    /// A takeover, ours or another's, happened at `height`.
    pub fn took_over(&mut self, height: Height) {
        self.doublings = self.doublings_left(height).saturating_add(1).min(Self::DOUBLINGS_MAX);
        self.since = height;
    }

    /// How long to wait at `height`.
    #[must_use]
    pub fn wait(&self, height: Height) -> Duration {
        let factor =
            2_u32.saturating_pow(self.doublings_left(height)).saturating_mul(self.config.rank.max(1));
        self.config.takeover_after.saturating_mul(factor).min(self.config.cap)
    }

    /// What calm has left of the doublings at `height`.
    fn doublings_left(&self, height: Height) -> u32 {
        let calm = height.0.saturating_sub(self.since.0) / self.config.calm_heights.max(1);
        self.doublings.saturating_sub(u32::try_from(calm).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(rank: u32) -> Patience {
        let takeover_after = Duration::from_millis(300);
        Patience::new(TakeoverConfig { takeover_after, rank, calm_heights: 20, ..TakeoverConfig::default() })
    }

    #[test]
    fn each_takeover_doubles_the_wait_up_to_the_cap() {
        let mut patience = patience(1);
        let mut waits = Vec::new();
        for height in 100..105 {
            waits.push(patience.wait(Height(height)).as_millis());
            patience.took_over(Height(height));
        }
        assert_eq!(waits, [300, 600, 1200, 2000, 2000]);
    }

    #[test]
    fn calm_heights_halve_it_again() {
        let mut patience = patience(1);
        patience.took_over(Height(100));
        patience.took_over(Height(101));
        let waits = [101, 120, 121, 140, 141, 500].map(|height| patience.wait(Height(height)).as_millis());
        assert_eq!(waits, [1200, 1200, 600, 600, 300, 300]);
    }

    #[test]
    fn the_second_standby_waits_twice_as_long() {
        assert_eq!(patience(2).wait(Height(1)), 2 * patience(1).wait(Height(1)));
    }

    #[test]
    fn no_number_of_takeovers_overflows() {
        let mut patience = patience(u32::MAX);
        for _ in 0..1000 {
            patience.took_over(Height(u64::MAX));
        }
        assert_eq!(patience.wait(Height(u64::MAX)), Duration::from_secs(2));
    }
}
