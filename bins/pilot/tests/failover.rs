//! Two machines, one validator, on a real chain of four: what breaks, and what it costs.
//!
//! After each test a judge looks at every signature that either machine released, every vote that other validators saw, and
//! every block: one value for each height, round and step, and no evidence. The last test takes the fence away and
//! shows that the judge would have cried out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use std::time::{Duration, Instant};

use beam_examples::judge::Outcome;
use beam_examples::wait;
use common::{POLL, Trial, WITHIN};

/// A double signer proposes every fourth block, and contradicts itself at nearly each of those.
const CAUGHT_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_machine_killed_costs_at_most_one_block_and_comes_back_as_the_standby() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let killed_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.signs_beyond(killed_at + 3).await;
    let successor = trial.owner().await;
    assert_ne!(successor, owner);

    trial.lab.machine(&owner).unwrap().start().unwrap();
    trial.both_in_step().await;
    assert_eq!(trial.owner().await, successor, "no fail-back");
    trial.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_node_killed_costs_at_most_one_block_and_is_started_again() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let before = trial.lab.machine(&owner).unwrap().node_pid();
    trial.lab.machine(&owner).unwrap().kill_node().unwrap();
    let started_again = |trial: &mut Trial| {
        let now = trial.lab.machine(&owner).unwrap().node_pid();
        now.is_some() && now != before
    };
    trial.wait_for("the pilot to start its node again", started_again).await;
    trial.both_in_step().await;
    trial.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owners_pilot_killed_costs_at_most_one_block_and_the_next_one_adopts_the_node() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let node = trial.lab.machine(&owner).unwrap().node_pid();
    trial.lab.machine(&owner).unwrap().kill_pilot().unwrap();
    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    trial.lab.machine(&owner).unwrap().start().unwrap();
    trial.both_in_step().await;
    assert_eq!(trial.lab.machine(&owner).unwrap().node_pid(), node, "the node went on running");
    trial.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_owner_costs_at_most_one_block_and_is_refused_when_it_thaws() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let height = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().freeze();
    trial.signs_beyond(height + 6).await;
    let successor = trial.owner().await;
    assert_ne!(successor, owner);
    trial.lab.machine(&owner).unwrap().thaw();
    trial.both_in_step().await;
    assert_eq!(trial.owner().await, successor);
    trial.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_planned_switch_both_ways_costs_nothing() {
    let mut trial = Trial::start().await;
    for _ in 0..2 {
        let owner = trial.owner().await;
        let said = trial.lab.machine(&owner).unwrap().switchover(None).await.unwrap();
        assert!(said.contains(&format!("switched from {owner} to")), "{said}");
        assert_ne!(trial.owner().await, owner);
    }
    trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_to_a_machine_that_is_not_there_is_refused_and_changes_nothing() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let other = if owner == "a" { "b" } else { "a" };
    trial.lab.machine(other).unwrap().kill_machine();
    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    let refused = trial.lab.machine(&owner).unwrap().switchover(None).await.unwrap_err().to_string();
    assert!(refused.contains("not ready") && refused.contains("nothing was changed"), "{refused}");
    assert_eq!(trial.owner().await, owner);
    trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn started_with_an_empty_register_a_pilot_refuses() {
    let mut trial = Trial::prepare(false).await;
    let register = trial.dir.path().join("register.db");
    std::fs::remove_file(&register).unwrap();
    let machine = trial.lab.machine("a").unwrap();
    machine.start().unwrap();
    let deadline = Instant::now() + WITHIN;
    let status = loop {
        if let Some(status) = machine.ended() {
            break status;
        }
        assert!(Instant::now() < deadline, "the pilot goes on");
        tokio::time::sleep(POLL).await;
    };
    assert_eq!(status.code(), Some(2));
    let log = std::fs::read_to_string(machine.log()).unwrap();
    assert!(log.contains("beam watermark init"), "{log}");
    assert!(!register.exists(), "a pilot makes no register");
}

/// Without one register for both, both sign: by the judge's word and by the chain's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_fence_the_judge_and_the_chain_cry_out() {
    let mut trial = Trial::prepare(true).await;
    for name in ["a", "b"] {
        trial.lab.machine(name).unwrap().start().unwrap();
    }
    let chain = &trial.lab.chain;
    wait::until("evidence in a block", CAUGHT_WITHIN, || async {
        let height = chain.height().await?;
        let blocks = chain.blocks(1..=height).await?;
        Ok(blocks.iter().any(|block| !block.evidence.is_empty()).then_some(()))
    })
    .await
    .unwrap();
    let verdict = trial.lab.verdict().await.unwrap();
    assert_eq!(verdict.outcome(), Outcome::Guilty, "{verdict}");
    assert!(!verdict.conflicts.is_empty() && !verdict.evidence.is_empty(), "{verdict}");
}
