//! Throttling, as EC2 does it: a bucket of tokens for calls that read, and one for those that write.

use std::time::Duration;

use super::settings::RateLimit;

/// A thousandth of a token. So many per millisecond as tokens per second.
const PART: u64 = 1000;

/// Full at first; without a limit, always.
#[derive(Debug, Default)]
pub(super) struct Bucket {
    limit: Option<RateLimit>,
    parts: u64,
    filled_at: Duration,
}

impl Bucket {
    pub(super) fn set(&mut self, limit: Option<RateLimit>, now: Duration) {
        self.limit = limit;
        self.parts = limit.map_or(0, |limit| u64::from(limit.burst).saturating_mul(PART));
        self.filled_at = now;
    }

    /// Takes one token; `false` if there is none.
    pub(super) fn take(&mut self, now: Duration) -> bool {
        let Some(limit) = self.limit else { return true };
        let passed = u64::try_from(now.saturating_sub(self.filled_at).as_millis()).unwrap_or(u64::MAX);
        let full = u64::from(limit.burst).saturating_mul(PART);
        let parts = self.parts.saturating_add(passed.saturating_mul(u64::from(limit.per_second))).min(full);
        // Whole milliseconds are used up, the rest is kept for the next call.
        self.filled_at = self.filled_at.saturating_add(Duration::from_millis(passed));
        let left = parts.checked_sub(PART);
        self.parts = left.unwrap_or(parts);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let mut bucket = Bucket::default();
        let at = Duration::from_millis;
        assert!((0..100).all(|_| bucket.take(at(0))), "no limit");
        bucket.set(Some(RateLimit { burst: 3, per_second: 2 }), at(0));
        assert_eq!((0..5).filter(|_| bucket.take(at(0))).count(), 3);
        assert!(!bucket.take(at(499)) && bucket.take(at(500)) && !bucket.take(at(500)));
        assert_eq!((0..5).filter(|_| bucket.take(at(60_000))).count(), 3, "it holds no more than the burst");
    }
}
