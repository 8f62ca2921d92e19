//! Two machines that share a DynamoDB table, on a real chain: what a dead owner costs, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use beam_examples::dynamodb_local::DynamoDbLocal;
use beam_examples::install::to_stderr;
use beam_examples::machine::{MachinePlan, RegisterPlan};
use beam_examples::network::NetworkPlan;
use common::{BLOCK_TIME, Trial};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
    let register = RegisterPlan::DynamoDb { table: "beam".to_owned(), endpoint: local.endpoint() };
    let network = NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() };
    let mut trial = Trial::prepare_on(network, MachinePlan { register, ..MachinePlan::default() }).await;
    trial.starts().await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    assert_ne!(trial.owner().await, owner);
    trial.ends_well(0).await;
}
