//! Persistence, core-1, block 8,647,535, 2022-11-06: Hashquark, Fox 99, Smart Stake and others tombstoned at once.
//!
//! The chain had halted over an application hash that the nodes did not agree on. It was restarted from snapshots, below what had
//! been signed, and who restored one without keeping `priv_validator_state.json` signed the same heights again, for other blocks.
//! (forum.persistence.one, thread 122.)
//!
//! *The tool of the day* was the node's file signer. What it must never forget lies in the folder that every guide tells people to
//! delete.
//!
//! *In Beam* what was signed stands in the register and in the pilot's own home. A node that begins again, however low, is refused
//! until the chain has passed what was signed, and goes on by itself from there. If the register is lost as well, there is no
//! record, and none is made silently.
//!
//! *What Beam does not stop:* somebody who puts the register *and* every machine's floor back with the node.

use std::fs;

use beam_examples::machine::MachinePlan;
use beam_examples::network::Node;
use serde_json::Value;

use super::scene::{acquitted, blocks, convicted, network, sign_alone, start_alone};
use crate::common::{Trial, WITHIN};

/// As a snapshot without the signer's memory leaves it: here the snapshot is of the chain's beginning.
fn restore(node: &Node) {
    let data = node.home.join("data");
    fs::remove_dir_all(&data).unwrap();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("priv_validator_state.json"), r#"{"height":"0","round":0,"step":0}"#).unwrap();
}

/// The chain halts, and every node is restored. None runs afterwards.
async fn chain_is_restored(trial: &mut Trial) {
    trial.lab.machine("a").unwrap().stop(WITHIN).await;
    let network = &mut trial.lab.network;
    network.stop().await;
    for name in network.validators().iter().map(String::as_str).chain(["a"]) {
        restore(network.node(name).unwrap());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn persistence_2022_a_chain_restarted_from_snapshots_without_the_signers_memory() {
    let mut trial = Trial::prepare_on(network(), MachinePlan::default()).await;
    trial.lab.machine("a").unwrap().start().unwrap();
    let begun = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(begun + 2).await;

    chain_is_restored(&mut trial).await;
    let shown = trial.lab.machine("a").unwrap().beam(&["watermark", "show"], &["--output", "json"]).await;
    let shown: Value = serde_json::from_str(&shown.unwrap()).unwrap();
    let signed_up_to = shown["mark"]["height"].as_u64().unwrap();
    trial.lab.network.start_validators().await.unwrap();
    trial.lab.machine("a").unwrap().start().unwrap();
    trial.signs_beyond(signed_up_to).await;
    let log = trial.lab.machine("a").unwrap().home().join("logs/node.log");
    let asked_again = fs::read_to_string(log).unwrap().contains("is behind the register");
    assert!(
        asked_again,
        "the node never asked for what was signed already, so nothing was tried\n{}",
        trial.logs()
    );
    acquitted(&trial).await;

    chain_is_restored(&mut trial).await;
    sign_alone(trial.lab.network.node("a").unwrap());
    trial.lab.network.start_validators().await.unwrap();
    start_alone(&mut trial.lab.network, "a").await;
    blocks(&trial, 1).await;
    convicted(&trial).await;
}
