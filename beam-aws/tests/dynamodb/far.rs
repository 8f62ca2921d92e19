//! The contract of `Register`, nearer and farther than every service keeps it.

use std::time::Duration;

use beam_core::testing::Breach;

use crate::contract::kept_at;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_5_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(5)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_80_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(80)).await
}
