//! What a register costs, from what was counted.
//!
//! Storage is left out: a validator's four cells are a few kilobytes, and the first 25 GB of an account are free.

use std::time::Duration;

use super::Counted;

/// What a million requests cost in one region, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A million write request units.
    pub million_writes: f64,
    /// A million read request units.
    pub million_reads: f64,
}

/// On-demand, standard table class, us-east-1: the list price since 1 November 2024, as AWS announced it then (half of the
/// price before). Other regions are up to about half dearer; each extra region of a global table costs the writes again.
pub const US_EAST_1: Prices = Prices { million_writes: 0.625, million_reads: 0.125 };

/// What two machines ask for in one block, signing, watching and noting themselves. The pilot's test
/// `a_block_takes_as_many_calls_as_the_price_is_worked_out_from` counts it on a chain, and fails if it grows.
pub const PER_BLOCK: Counted = Counted { reads: 10, read_units: 10, writes: 6, write_units: 6 };

/// A month as AWS's price lists have it: 730 hours.
pub const MONTH: Duration = Duration::from_secs(730 * 60 * 60);

/// The units of a strongly consistent read of an item of so many bytes; an absent item is billed as one.
#[must_use]
pub fn read_units(size: usize) -> u64 {
    units(size, 4096)
}

/// The units of a write.
#[must_use]
pub fn write_units(size: usize) -> u64 {
    units(size, 1024)
}

fn units(size: usize, each: usize) -> u64 {
    u64::try_from(size.div_ceil(each).max(1)).unwrap_or(u64::MAX)
}

/// What so many calls in so many blocks come to in a month of blocks of that time, in US dollars. No blocks, no cost.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a price, told to the cent")]
pub fn month(counted: &Counted, blocks: u64, block_time: Duration, prices: &Prices) -> f64 {
    if blocks == 0 || block_time.is_zero() {
        return 0.0;
    }
    let paid =
        counted.write_units as f64 * prices.million_writes + counted.read_units as f64 * prices.million_reads;
    paid / 1e6 / blocks as f64 * (MONTH.as_secs_f64() / block_time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_counted_as_aws_bills_them() {
        for (size, reads, writes) in [(0, 1, 1), (1024, 1, 1), (1025, 1, 2), (4096, 1, 4), (4097, 2, 5)] {
            assert_eq!((read_units(size), write_units(size)), (reads, writes), "{size} bytes");
        }
    }

    #[test]
    fn two_writes_a_block_of_six_seconds_cost_half_a_dollar_a_month() {
        let counted = Counted { writes: 20, write_units: 20, ..Counted::default() };
        let dollars = month(&counted, 10, Duration::from_secs(6), &US_EAST_1);
        // 438,000 blocks, 876,000 writes.
        assert!((dollars - 0.5475).abs() < 1e-9, "{dollars}");
        assert!(month(&counted, 0, Duration::from_secs(6), &US_EAST_1) == 0.0);
    }
}
