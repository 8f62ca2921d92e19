//! The lab on trial: a real network in which everybody signs, and one in which validator 0 signs
//! twice. The second shows that the judge of all other tests can find somebody guilty.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::time::{Duration, Instant};

use beam_examples::judge::{Case, Outcome};
use beam_examples::network::{Network, NetworkPlan};
use tokio::sync::Mutex;

/// Two networks at once would make each other slow on a small machine, and slow is a miss here.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

const BLOCKS_WITHIN: Duration = Duration::from_secs(60);
/// A double signer proposes every fourth block, and contradicts itself at nearly each of those.
const CAUGHT_WITHIN: Duration = Duration::from_secs(90);

fn plan() -> NetworkPlan {
    NetworkPlan { block_time: Duration::from_millis(500), ..NetworkPlan::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_honest_validators_make_signed_blocks() {
    let _one = ONE_AT_A_TIME.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let mut network = Network::create(dir.path(), plan()).await.unwrap();
    println!("created in {:?}", started.elapsed());
    network.start_validators().await.unwrap();
    network.start_unfenced("a").await.unwrap();
    println!("all answer after {:?}", started.elapsed());
    let watcher = network.watch().await.unwrap();
    let chain = network.chain().unwrap();

    // The chain may have begun without validator 0; from its first signature on it must be there.
    let first = watcher.wait_for_signature_after(0, BLOCKS_WITHIN).await.unwrap().height + 1;
    let height = chain.wait_height(first + 6, BLOCKS_WITHIN).await.unwrap();
    println!("height {height} after {:?}", started.elapsed());
    let missed = chain.missed(first..=first + 4).await.unwrap();
    assert_eq!(missed.signed.len(), 5, "{missed:?}");

    let verdict = Case::gather(network.chain_id(), &[], &watcher, &chain).await.unwrap().verdict().unwrap();
    println!("{verdict}");
    verdict.must_be_clean().unwrap();
    assert!(verdict.votes.len() >= 2, "two plain validators must have told of its votes");

    let stopping = Instant::now();
    network.stop().await;
    println!("stopped in {:?}", stopping.elapsed());
    chain.height().await.expect_err("a stopped node must not answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_unfenced_machines_are_found_guilty() {
    let _one = ONE_AT_A_TIME.lock().await;
    let dir = tempfile::tempdir().unwrap();
    let mut network = Network::create(dir.path(), plan()).await.unwrap();
    network.start_validators().await.unwrap();
    let watcher = network.watch().await.unwrap();
    let chain = network.chain().unwrap();
    network.start_unfenced("a").await.unwrap();
    network.start_unfenced("b").await.unwrap();

    let started = Instant::now();
    loop {
        let case = Case::gather(network.chain_id(), &[], &watcher, &chain).await.unwrap();
        let verdict = case.verdict().unwrap();
        if verdict.outcome() == Outcome::Guilty {
            println!("caught after {:?}: {verdict}", started.elapsed());
            break;
        }
        assert!(started.elapsed() < CAUGHT_WITHIN, "not caught: {verdict}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
