//! The contract of `Register`, near and far.

use std::time::Duration;

use beam_core::testing::{Breach, register_contract};
use beam_examples::proxy::{Proxy, Weather};

use crate::common::{Table, emulator, new_table};

/// On a table that is so far away, each way.
async fn kept_at(delay: Duration) -> Result<(), Breach> {
    let mut place = new_table().await;
    let wire = Proxy::start(emulator().await.address()).unwrap();
    wire.set(Weather { delay, ..Weather::FINE });
    place.endpoint = Some(format!("http://{}", wire.address()));
    register_contract::run_all(&Table(place)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() -> Result<(), Breach> {
    register_contract::run_all(&Table(new_table().await)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_5_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(5)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_20_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(20)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_80_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(80)).await
}
