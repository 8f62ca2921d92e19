//! The verbs that change who signs, and those that tell of it, on a running validator.
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

use common::{POLL, Trial, WITHIN, beam};
use serde_json::Value;

impl Trial {
    async fn beam(&mut self, machine: &str, words: &[&str]) -> anyhow::Result<String> {
        let (verb, rest) = words.split_at(1);
        self.lab.machine(machine).unwrap().beam(verb, rest).await
    }

    async fn json(&mut self, machine: &str, words: &[&str]) -> Value {
        let home = self.lab.machine(machine).unwrap().home().to_owned();
        let mut command = tokio::process::Command::new(beam());
        command.args(words).args(["--output", "json", "--home"]).arg(home).kill_on_drop(true);
        // Whatever its exit code: that tells of the validator, not of the command.
        let said = tokio::time::timeout(WITHIN, command.output()).await.unwrap().unwrap();
        serde_json::from_slice(&said.stdout).unwrap_or_else(|_| panic!("{words:?}: {said:?}"))
    }

    /// The history's newest entry, once it tells what the change cost.
    async fn newest_entry(&mut self, machine: &str) -> Value {
        let deadline = Instant::now() + WITHIN;
        loop {
            let history = self.json(machine, &["history"]).await;
            let newest = history["entries"].as_array().unwrap().last().cloned().unwrap_or_default();
            if !newest["cost"].is_null() {
                return newest;
            }
            assert!(Instant::now() < deadline, "nobody told the cost: {history:#}");
            tokio::time::sleep(POLL * 10).await;
        }
    }
}

fn other(machine: &str) -> &'static str {
    if machine == "a" { "b" } else { "a" }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_keeps_the_standby_waiting_shows_everywhere_and_ends() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let standby = other(&owner);
    let dry = trial.beam(standby, &["pause", "--for", "1h", "--reason", "x", "--dry-run"]).await.unwrap();
    assert!(dry.contains("would be"), "{dry}");
    assert!(trial.json(standby, &["status"]).await["pause"].is_null());

    trial.beam(standby, &["pause", "--for", "1h", "--reason", "new disk"]).await.unwrap();
    trial
        .reports(standby, "the pilot to know of the pause", |report| report["pause"]["reason"] == "new disk")
        .await;
    let status = trial.lab.machine(standby).unwrap().status().await.unwrap();
    assert_eq!((&status["state"], &status["pause"]["reason"]), (&"degraded".into(), &"new disk".into()));
    let explained = trial.json(standby, &["explain"]).await;
    assert_eq!(explained["verdict"], "would_not_take_over", "{explained:#}");

    let paused_at = trial.lab.chain.height().await.unwrap();
    trial.lab.machine(&owner).unwrap().kill_machine();
    trial.lab.chain.wait_height(paused_at + 4, WITHIN).await.unwrap();
    assert_eq!(trial.owner().await, owner, "nobody took over");
    let log = trial.lab.machine(standby).unwrap().home().join("logs/node.log");
    let refused =
        |_: &mut Trial| std::fs::read_to_string(&log).unwrap_or_default().contains("takeovers are paused");
    trial.wait_for("the node to be told why", refused).await;

    trial.beam(standby, &["resume"]).await.unwrap();
    let resumed_at = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(resumed_at).await;
    assert_eq!(trial.owner().await, standby);
    // What the pause cost is no surprise, and nobody contradicted himself.
    trial.ends_judged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_takeover_and_a_forced_switch_are_told_with_cause_cost_and_who_did_it() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let standby = other(&owner);
    trial.lab.machine(&owner).unwrap().kill_machine();
    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    let taken = trial.newest_entry(standby).await;
    assert_eq!(
        (&taken["how"], &taken["from"], &taken["to"]),
        (&"takeover".into(), &owner.as_str().into(), &standby.into())
    );
    assert!(taken["waited_ms"].as_u64().unwrap() >= 300 && taken["signed_ms"].is_u64(), "{taken:#}");
    assert!(taken["cost"]["missed"].as_u64().unwrap() <= 1 && taken["by"] == "beam", "{taken:#}");

    trial.lab.machine(&owner).unwrap().start().unwrap();
    trial.both_in_step().await;
    let dry = trial.json(standby, &["failover", "--to", &owner, "--dry-run"]).await;
    assert_eq!((&dry["done"], &dry["how"]), (&false.into(), &"failover".into()), "{dry:#}");
    assert_eq!(trial.owner().await, standby);
    let forced = trial.json(standby, &["failover", "--to", &owner, "--reason", "drill"]).await;
    assert_eq!((&forced["done"], &forced["trouble"]), (&true.into(), &Value::Null), "{forced:#}");
    assert_eq!(forced["cost"]["missed"], 0, "{forced:#}");
    assert_eq!(trial.owner().await, owner);
    let entry = trial.newest_entry(&owner).await;
    assert_eq!((&entry["how"], &entry["reason"]), (&"failover".into(), &"drill".into()), "{entry:#}");
    assert!(entry["by"].as_str().unwrap().contains('@'), "{entry:#}");
    let story = trial.beam(&owner, &["history", "--explain", &taken["epoch"].to_string()]).await.unwrap();
    assert!(story.contains("evidence") && story.contains("had come to"), "{story}");
    trial.ends_well(1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_for_a_height_happens_there_and_costs_nothing() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let height = trial.lab.chain.height().await.unwrap() + 6;
    let over = trial.beam(&owner, &["switchover", "--at-height", "1"]).await.unwrap_err().to_string();
    assert!(over.contains("height 1 is over"), "{over}");
    let report = trial.json(&owner, &["switchover", "--at-height", &height.to_string()]).await;
    assert_eq!(report["since"]["height"], height - 1, "{report:#}");
    assert_eq!(report["first_signed"]["height"], height, "{report:#}");
    assert_eq!(trial.owner().await, other(&owner));
    trial.ends_well(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn status_and_explain_tell_of_both_machines_what_their_pilots_tell() {
    let mut trial = Trial::start().await;
    let (owner, from) = (trial.owner().await, trial.from);
    for machine in ["a", "b"] {
        let counted = |report: &Value| report["votes"]["to_height"].as_u64();
        let before =
            trial.reports(machine, "votes to be counted", |report| counted(report) >= Some(from)).await;
        let wanted = counted(&before).map(|height| height + 3);
        let report = trial.reports(machine, "more of them", |report| counted(report) >= wanted).await;
        let (votes, node) = (&report["votes"], &report["node"]);
        // What was missed before the machines ran does not count.
        assert_eq!(votes["missed"], before["votes"]["missed"], "{report:#}");
        assert!(node["lag_blocks"].as_u64().unwrap() <= 1, "{report:#}");
        assert!(
            report["signer"]["register"]["p99_ms"].is_f64() && node["peers_outbound"].is_u64(),
            "{report:#}"
        );
        let explained = trial.json(machine, &["explain"]).await;
        let expected = if machine == owner { "signs" } else { "stands_by" };
        assert_eq!(explained["verdict"], expected, "{explained:#}");
    }
    let text = trial.beam("a", &["status"]).await.unwrap();
    assert!(text.contains("NODE") && text.contains("owner") && text.contains("standby"), "{text}");

    trial.lab.machine(other(&owner)).unwrap().kill_machine();
    let deadline = Instant::now() + WITHIN + Duration::from_secs(60);
    loop {
        let status = trial.lab.machine(&owner).unwrap().status().await.unwrap();
        if status["state"] == "degraded" && status["reasons"].to_string().contains("no standby is in step") {
            break;
        }
        assert!(Instant::now() < deadline, "{status:#}");
        tokio::time::sleep(POLL * 10).await;
    }
    trial.ends_well(0).await;
}
