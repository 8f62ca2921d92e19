//! Validatus, Evmos, December 2023: slashed and tombstoned; the chain's community refunded it.
//!
//! It migrated to a remote signer, and the key was left on the old server, which signed again. (Validatus, "Evmos Slashing
//! Challenge".)
//!
//! *The tool of the day* was TMKMS. A remote signer guards what is asked of it; it has no say over a key file that somebody copied.
//!
//! *In Beam* the way in is `init --from`, which moves the key: a copy, synced, read back and compared, and then the node's own
//! file is removed. The old server's node comes back as a node with a key that nobody knows, and signs nothing.
//!
//! *What Beam does not stop:* a key that was copied by hand, or lies in a backup, and signs past Beam. The second half is that. Beam
//! notices, if the stranger's vote is one that the register does not know, and signs nothing more; by then it may be too late.

use std::fs;
use std::process::Command;

use beam_examples::machine::{Machine, MachinePlan};
use serde_json::Value;

use super::scene::{acquitted, blocks, convicted, network, sign_alone, start_alone};
use crate::common::{Trial, WITHIN, beam};

/// The old server is machine a, where a node signed by itself; the new one is machine b.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn validatus_2023_the_old_server_comes_back_after_the_migration() {
    let mut bare = Trial::bare_on(network()).await;
    start_alone(&mut bare.network, "a").await;
    bare.watcher.wait_for_signature_after(1, WITHIN).await.unwrap();
    bare.network.stop_node("a").await.unwrap();

    let a = Machine::new(&mut bare.network, "a", &beam(), MachinePlan::default()).unwrap();
    let b = Machine::new(&mut bare.network, "b", &beam(), MachinePlan::default()).unwrap();
    let home = a.node().home.clone();
    let (from, register) = (home.to_str().unwrap(), bare.dir.path().join("register.db"));
    let init = ["--from", from, "--register", register.to_str().unwrap(), "--name", "a"];
    a.beam(&["init"], &[&init[..], &["--node-command", &a.node().command_line()]].concat()).await.unwrap();
    let rpc = bare.network.node("v1").unwrap().rpc_url();
    a.beam(&["watermark", "import"], &["--rpc", &rpc]).await.unwrap();
    b.init().await.unwrap();
    let mut trial = bare.with(vec![a, b]);
    trial.lab.machine("b").unwrap().start().unwrap();
    let migrated_at = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(migrated_at + 2).await;

    // The old server boots, and somebody has put its old config.toml back.
    sign_alone(trial.lab.network.node("a").unwrap());
    trial.lab.network.start_node("a").await.unwrap();
    blocks(&trial, 6).await;
    let left = fs::read_to_string(home.join("config/priv_validator_key.json")).unwrap();
    assert!(!left.contains(&trial.lab.network.validator().address), "the key was left on the old server");
    acquitted(&trial).await;

    // The same with a copy of the key that nobody moved.
    trial.lab.network.kill_node("a").unwrap();
    start_alone(&mut trial.lab.network, "a").await;
    convicted(&trial).await;
    // Where there is a Beam, its doctor names the copy.
    let home = trial.lab.machine("a").unwrap().home().to_owned();
    let doctor =
        Command::new(beam()).args(["doctor", "--output", "json", "--home"]).arg(home).output().unwrap();
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    let found = report["findings"].as_array().unwrap().iter().find(|found| found["id"] == "key-in-node-home");
    assert_eq!(found.unwrap()["severity"], "fail", "{report:#}");
}
