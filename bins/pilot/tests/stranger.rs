//! The key signs on a third machine, past Beam: Beam notices it on the chain, signs nothing more, and says so.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use common::Trial;

/// The register is kept from being written meanwhile, so that it is the stranger who signs, and not Beam the same votes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_with_our_key_stops_the_signer() {
    let mut trial = Trial::prepare(false).await;
    trial.lab.machine("a").unwrap().start().unwrap();
    trial.signs_beyond(2).await;
    let register = rusqlite::Connection::open(trial.dir.path().join("register.db")).unwrap();
    register.execute_batch("BEGIN IMMEDIATE").unwrap();
    trial.lab.network.start_unfenced("b").await.unwrap();
    let stopped = |trial: &mut Trial| {
        let log = std::fs::read_to_string(trial.lab.machine("a").unwrap().log()).unwrap_or_default();
        log.contains("the signer has stopped") && log.contains("somebody else has the key")
    };
    trial.wait_for("the signer to stop", stopped).await;
    // The register can be written again, and it goes on refusing, with the node alive and its reason in the node's log.
    register.execute_batch("ROLLBACK").unwrap();
    let log = trial.lab.machine("a").unwrap().home().join("logs/node.log");
    let told = |_: &mut Trial| {
        std::fs::read_to_string(&log).unwrap_or_default().contains("beam: the signer has stopped")
    };
    trial.wait_for("the node to be told why", told).await;
}
