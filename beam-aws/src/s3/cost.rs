//! What a register in a bucket costs, from what was counted.
//!
//! Storage is left out: cells are a few kilobytes, and where versions are kept for a week some 400,000 of them lie about, a third of a
//! gigabyte: one cent. Traffic from EC2 to S3 in one region is free.

use std::time::Duration;

use super::Counted;

/// What a thousand requests cost in one region, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A thousand PUT.
    pub thousand_writes: f64,
    /// A thousand GET.
    pub thousand_reads: f64,
}

/// S3 Standard, us-east-1, by AWS's list of prices. Other regions are up to about half dearer.
pub const US_EAST_1: Prices = Prices { thousand_writes: 0.005, thousand_reads: 0.0004 };

/// What two machines ask for in one block, signing, watching and noting themselves. The pilot's test
/// `a_block_takes_as_many_requests_as_the_price_is_worked_out_from` counts it on a chain, and fails if it grows.
pub const PER_BLOCK: Counted = Counted { reads: 11, writes: 6 };

/// A month as AWS's price lists have it: 730 hours.
pub const MONTH: Duration = Duration::from_secs(730 * 60 * 60);

/// What so many calls in so many blocks come to in a month of blocks of that time, in US dollars. No blocks, no cost.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a price, told to the cent")]
pub fn month(counted: &Counted, blocks: u64, block_time: Duration, prices: &Prices) -> f64 {
    if blocks == 0 || block_time.is_zero() {
        return 0.0;
    }
    let paid = counted.writes as f64 * prices.thousand_writes + counted.reads as f64 * prices.thousand_reads;
    paid / 1e3 / blocks as f64 * (MONTH.as_secs_f64() / block_time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_writes_a_block_of_six_seconds_cost_four_dollars_and_a_bit_a_month() {
        let counted = Counted { writes: 20, reads: 0 };
        let dollars = month(&counted, 10, Duration::from_secs(6), &US_EAST_1);
        // 438,000 blocks, 876,000 writes.
        assert!((dollars - 4.38).abs() < 1e-9, "{dollars}");
        assert!(month(&counted, 0, Duration::from_secs(6), &US_EAST_1) == 0.0);
    }
}
