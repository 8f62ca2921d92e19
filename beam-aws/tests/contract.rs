//! The contract of `Register`, on DynamoDB Local.

mod common;

use beam_aws::dynamodb::DynamoDbRegister;
use beam_core::testing::{Breach, register_contract};
use common::{Emulator, Table, credentials};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dynamodb_register_keeps_the_contract() -> Result<(), Breach> {
    let emulator = Emulator::start().await;
    let place = emulator.place("contract");
    DynamoDbRegister::create(place.clone(), &credentials()).await?;
    register_contract::run_all(&Table { place, run: 0 }).await
}
