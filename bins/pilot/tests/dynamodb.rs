//! Two machines that share a DynamoDB table, on a real chain: what a dead owner costs, what a month costs, and what is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use std::time::Duration;

use beam_aws::dynamodb::cost::{PER_BLOCK, US_EAST_1, month};
use beam_examples::dynamodb_local::{DynamoDbLocal, Tap};
use beam_examples::install::to_stderr;
use beam_examples::machine::{MachinePlan, RegisterPlan};
use beam_examples::network::NetworkPlan;
use beam_examples::proxy::{Proxy, Weather};
use common::{BLOCK_TIME, Trial, WITHIN};
use tempfile::TempDir;

/// From one zone to another is 1 ms; this is from one region to the next.
const DELAY: Duration = Duration::from_millis(20);

/// Two machines and, far away, a table that they share.
struct Far {
    trial: Trial,
    /// Counts what is asked.
    tap: Tap,
    _wire: Proxy,
    _local: DynamoDbLocal,
    _dir: TempDir,
}

impl Far {
    async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
        let tap = Tap::start(local.address()).await.unwrap();
        let wire = Proxy::start(tap.address()).unwrap();
        wire.set(Weather { delay: DELAY, ..Weather::FINE });
        let endpoint = format!("http://{}", wire.address());
        let register = RegisterPlan::DynamoDb { table: "beam".to_owned(), endpoint };
        let network = NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() };
        let mut trial = Trial::prepare_on(network, MachinePlan { register, ..MachinePlan::default() }).await;
        trial.starts().await;
        Self { trial, tap, _wire: wire, _local: local, _dir: dir }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_nothing_with_20_ms_on_the_wire() {
    let Far { mut trial, tap: _tap, _wire, _local, _dir } = Far::start().await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    assert_ne!(trial.owner().await, owner);
    trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_block_takes_as_many_calls_as_the_price_is_worked_out_from() {
    const BLOCKS: u64 = 10;
    let Far { trial, tap, _wire, _local, _dir } = Far::start().await;
    let from = trial.lab.chain.height().await.unwrap();
    trial.lab.chain.wait_height(from + 1, WITHIN).await.unwrap();
    let before = tap.calls();
    let to = trial.lab.chain.wait_height(from + 1 + BLOCKS, WITHIN).await.unwrap();
    let after = tap.calls();
    let per_block = |action: &str| {
        let made = after[action] - before.get(action).copied().unwrap_or_default();
        made as f64 / (to - from - 1) as f64
    };
    let (reads, writes) = (per_block("getitem"), per_block("updateitem"));
    let dollars = month(&PER_BLOCK, 1, Duration::from_secs(6), &US_EAST_1);
    println!(
        "{reads:.1} reads and {writes:.1} writes a block; {dollars:.2} dollars a month of blocks of 6 s"
    );
    // A standby on a busy machine looks more often until the owner's vote is there.
    assert!(near(reads, PER_BLOCK.read_units as f64, 2.5), "{reads} reads a block");
    assert!(near(writes, PER_BLOCK.write_units as f64, 1.5), "{writes} writes a block");
    trial.ends_well(0).await;
}

/// Whether two numbers differ by no more than that factor.
fn near(is: f64, told: f64, factor: f64) -> bool {
    (told / factor..=told * factor).contains(&is)
}
