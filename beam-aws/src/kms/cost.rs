//! What a key in KMS costs, from what was counted.

use std::time::Duration;

/// What KMS asks for in one region, in US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A key, a month.
    pub key_month: f64,
    /// Ten thousand requests to a key of an elliptic curve, answered or not.
    pub ten_thousand: f64,
}

/// As KMS's price page has it for us-east-1: $1 a key and month, $0.15 for 10,000 asymmetric requests (all but RSA 2048). The free
/// 20,000 requests a month are not for asymmetric keys.
pub const US_EAST_1: Prices = Prices { key_month: 1.0, ten_thousand: 0.15 };

/// How many signatures two machines ask for in one block: each signs a prevote, a precommit and the precommit's vote extension, since
/// the standby repeats what the owner signed. CometBFT 0.38 wants the extension signed even where the chain has none, and then throws
/// that signature away. Proposals are few. The pilot's test `a_block_takes_as_many_signatures_as_the_price_is_worked_out_from`
/// counts them on a chain, and fails if they grow.
pub const PER_BLOCK: f64 = 6.0;

/// A month as AWS's price lists have it: 730 hours.
pub const MONTH: Duration = Duration::from_secs(730 * 60 * 60);

/// How many signatures a month of blocks of that time takes, at so many a block. No block time, none.
#[must_use]
pub fn signatures(per_block: f64, block_time: Duration) -> f64 {
    if block_time.is_zero() { 0.0 } else { per_block * MONTH.as_secs_f64() / block_time.as_secs_f64() }
}

/// What a key and so many signatures come to in a month, in US dollars.
#[must_use]
pub fn month(signatures: f64, prices: &Prices) -> f64 {
    prices.key_month + signatures / 10_000.0 * prices.ten_thousand
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_signatures_a_block_of_six_seconds_cost_40_dollars_a_month() {
        let count = signatures(PER_BLOCK, Duration::from_secs(6));
        assert!((count - 2_628_000.0).abs() < 1e-6, "{count}");
        assert!((month(count, &US_EAST_1) - 40.42).abs() < 1e-9);
        assert!(signatures(PER_BLOCK, Duration::ZERO) == 0.0);
    }
}
