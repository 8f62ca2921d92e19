//! CosmosPool, Cosmos Hub, mid-2019, height 848,186: 5 % of everything delegated to it, and the key is gone for ever.
//!
//! Its primary failed. A backup with the same key came up. Then the primary came back, and both proposed.
//! (Staked, "Slashing Risks and Validator Diligence", 2019-07-09.)
//!
//! *The tool of the day* was the node's own file signer. Each machine had a state file of its own, so each was sure of itself:
//! a state file knows what *this machine* signed, not what the key signed.
//!
//! *In Beam* both machines write into one register before they sign. The primary that comes back is the standby: its node asks
//! for the same votes and gets the signatures that the backup made, or a refusal where it asks for something else. There is
//! nothing to remember to switch off, and no machine that must not come back.
//!
//! *What Beam does not stop:* a backup that has the key outside Beam, or Beam with another register. That is [`super::validatus`].

use super::scene::{acquitted, blocks, convicted, start_alone, under_beam, without_beam};
use crate::common::WITHIN;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cosmos_pool_2019_a_primary_that_comes_back_beside_its_backup() {
    let mut trial = under_beam().await;
    let primary = trial.owner().await;
    let failed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&primary).unwrap().kill_machine();
    trial.signs_beyond(failed_at + 2).await;
    let backup = trial.owner().await;
    assert_ne!(backup, primary);
    trial.lab.machine(&primary).unwrap().start().unwrap();
    trial.both_in_step().await;
    // Each has the validator propose a block of its own at least once meanwhile.
    blocks(&trial, 6).await;
    assert_eq!(trial.owner().await, backup, "who comes back takes nothing back");
    let report = trial.report(&primary).await;
    let count = |what: &str| report["signer"][what].as_u64().unwrap();
    let (released, refused) = (count("released"), count("refused"));
    println!("the primary since it is back: {released} signatures, {refused} refusals");
    assert!(released > 0 && refused > 0, "it never asked for anything, so nothing was tried");
    acquitted(&trial).await;

    // The same, as it was: the backup's state file is empty, and the primary's knows nothing of the backup.
    without_beam(&mut trial);
    let network = &mut trial.lab.network;
    start_alone(network, &primary).await;
    let height = trial.lab.chain.height().await.unwrap();
    trial.lab.watcher.wait_for_signature_after(height + 1, WITHIN).await.unwrap();
    let network = &mut trial.lab.network;
    network.kill_node(&primary).unwrap();
    start_alone(network, &backup).await;
    start_alone(network, &primary).await;
    convicted(&trial).await;
}
