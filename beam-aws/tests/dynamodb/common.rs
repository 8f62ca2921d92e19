//! Tables to try things on. One emulator serves the whole program: it is gone when the program is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use beam_aws::dynamodb::{Access, Credentials, DynamoDbRegister, Place};
use beam_core::register::{Register, RegisterError, RegisterKey};
use beam_core::testing::RegisterHarness;
use beam_examples::dynamodb_local::DynamoDbLocal;

/// Where the emulator's tables are.
pub(crate) const REGION: &str = "local-1";

static TABLES: AtomicU64 = AtomicU64::new(0);

/// The emulator, which the first test that asks starts.
pub(crate) async fn emulator() -> &'static DynamoDbLocal {
    DynamoDbLocal::of_program().await.unwrap()
}

/// What the emulator takes, and the patience that an emulator needs on a busy machine.
pub(crate) fn patient() -> Access {
    let within = Duration::from_secs(20);
    Access { credentials: Credentials::key("beam", "beam"), call_within: within, connect_within: within }
}

/// As a signer asks.
pub(crate) fn brisk() -> Access {
    Access { credentials: patient().credentials, ..Access::default() }
}

/// A place that no other test has.
pub(crate) async fn new_place() -> Place {
    let endpoint = Some(emulator().await.endpoint());
    let table = format!("table-{}", TABLES.fetch_add(1, Ordering::Relaxed));
    Place { table, region: REGION.to_owned(), endpoint }
}

/// A new table.
pub(crate) async fn new_table() -> Place {
    let place = new_place().await;
    DynamoDbRegister::create(place.clone(), &patient()).await.unwrap();
    place
}

pub(crate) use new_table as new_store;

/// What is tried.
pub(crate) type AwsRegister = DynamoDbRegister;

pub(crate) async fn open(place: &Place) -> Result<AwsRegister, RegisterError> {
    open_with(place, &patient()).await
}

pub(crate) async fn open_with(place: &Place, access: &Access) -> Result<AwsRegister, RegisterError> {
    DynamoDbRegister::open(place.clone(), None, access).await
}

/// A validator's cell.
pub(crate) fn key() -> RegisterKey {
    RegisterKey::signing(&"test-1".parse().unwrap(), &"A".repeat(40)).unwrap()
}

/// An error with its causes, as the pilot prints it.
pub(crate) fn line(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// Every handle is a client of its own.
pub(crate) struct Store(pub(crate) Place);

#[async_trait]
impl RegisterHarness for Store {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(open(&self.0).await?))
    }
}
