//! The contract of `Register`, near and far. Every service runs it on its own emulator, which its `common` knows.

use std::time::Duration;

use beam_core::testing::{Breach, register_contract};
use beam_examples::proxy::{Proxy, Weather};

use crate::common::{Store, emulator, new_store};

/// On a store that is so far away, each way.
pub(crate) async fn kept_at(delay: Duration) -> Result<(), Breach> {
    let mut place = new_store().await;
    let wire = Proxy::start(emulator().await.address()).unwrap();
    wire.set(Weather { delay, ..Weather::FINE });
    place.endpoint = Some(format!("http://{}", wire.address()));
    register_contract::run_all(&Store(place)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() -> Result<(), Breach> {
    register_contract::run_all(&Store(new_store().await)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_at_20_ms_each_way() -> Result<(), Breach> {
    kept_at(Duration::from_millis(20)).await
}
