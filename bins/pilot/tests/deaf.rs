//! A node can run, answer every question with 200, and be deaf. Each way to be so that we know is provoked here on a chain like the Hub,
//! recognised by its name, and healed where a restart heals it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use beam_examples::install::{hubd, to_stderr};
use beam_examples::machine::MachinePlan;
use beam_examples::network::NetworkPlan;
use beam_examples::trial::is_well;
use common::{Trial, WITHIN, beam};
use serde_json::Value;

/// Patience for a test, not for a validator.
const IMPATIENT: [(&str, &str); 2] = [("still_after", "\"4s\""), ("start_grace", "\"5s\"")];

/// Machine a of a validator on a chain like the Hub, which does not run yet.
async fn prepare() -> Trial {
    let mut trial = Trial::prepare_on(NetworkPlan::hub(), MachinePlan::default()).await;
    trial.configure("a", &IMPATIENT);
    // A frozen node cannot say how far its peers are; whoever is asked for it must be named.
    let v1 = trial.lab.network.node("v1").unwrap().rpc_url();
    trial.configure("a", &[("references", &format!("[{v1:?}]"))]);
    trial
}

async fn well(trial: &mut Trial) -> Value {
    trial.reports("a", "the node to be well", |report| is_well(report) == Some(true)).await
}

async fn suffers(trial: &mut Trial, condition: &str) -> Value {
    trial.reports("a", condition, |report| report["node"]["condition"] == condition).await
}

fn heals(report: &Value) -> &Value {
    &report["node"]["heals"]
}

/// What `beam logs analyze` finds in what the pilot of machine a has captured.
fn analysis(trial: &mut Trial) -> Vec<Value> {
    let machine = trial.lab.machine("a").unwrap();
    let output = std::process::Command::new(beam())
        .args(["logs", "analyze", "--output", "json", "--home"])
        .arg(machine.home())
        .output()
        .unwrap();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"));
    assert_eq!((&report["schema"], &report["whole"]), (&"beam.logs.analysis/1".into(), &true.into()));
    let findings = report["findings"].as_array().unwrap().clone();
    for finding in &findings {
        println!("{}: {} x{}", finding["severity"], finding["code"], finding["count"]);
    }
    findings
}

/// The analysis names this cause, as something that is not over. What the node's words mean is captured within moments.
async fn names(trial: &mut Trial, code: &str) -> Value {
    let named = |findings: &[Value]| findings.iter().find(|finding| finding["code"] == code).cloned();
    trial.wait_for(code, |trial| named(&analysis(trial)).is_some()).await;
    let finding = named(&analysis(trial)).unwrap();
    assert_eq!((&finding["severity"], &finding["over"]), (&"critical".into(), &false.into()), "{finding:#}");
    finding
}

async fn soon(trial: &Trial, blocks: u64) -> u32 {
    u32::try_from(trial.lab.chain.height().await.unwrap() + blocks).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_halted_as_configured_is_named_and_left_to_a_person() {
    let mut trial = prepare().await;
    let at = soon(&trial, 15).await;
    trial.lab.network.node("a").unwrap().halt_at(at).unwrap();
    trial.lab.machine("a").unwrap().start().unwrap();
    let report = suffers(&mut trial, "halt_height").await;
    assert_eq!(report["state"], "down");
    assert!(report["node"]["condition_text"].as_str().unwrap().contains(&at.to_string()), "{report:#}");
    names(&mut trial, "halt-height").await;
    // The others go on, so a restart would be tried if this were taken for anything that it heals.
    let height = trial.lab.chain.height().await.unwrap();
    trial.lab.chain.wait_height(height + 12, WITHIN).await.unwrap();
    let report = suffers(&mut trial, "halt_height").await;
    assert_eq!((heals(&report), &report["node"]["starts"]), (&0.into(), &1.into()), "{report:#}");
    trial.ends_judged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_whose_consensus_failed_is_named_and_healed_by_one_restart() {
    if hubd(to_stderr).await.unwrap().ours_or_skip("the provoked failure").is_none() {
        return;
    }
    let mut trial = prepare().await;
    let at = soon(&trial, 20).await;
    trial.lab.network.node("a").unwrap().fail_at(at).unwrap();
    trial.lab.machine("a").unwrap().start().unwrap();
    suffers(&mut trial, "consensus_failure").await;
    names(&mut trial, "consensus-failure").await;
    let healed = |report: &Value| *heals(report) == 1 && report["node"]["starts"] == 2;
    trial.reports("a", "the restart that heals", healed).await;
    well(&mut trial).await;
    let healed = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(healed).await;
    trial.ends_judged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_waits_for_an_upgrade_is_named_with_it_and_not_restarted() {
    if hubd(to_stderr).await.unwrap().ours_or_skip("the upgrade").is_none() {
        return;
    }
    let mut trial = prepare().await;
    trial.lab.machine("a").unwrap().start().unwrap();
    well(&mut trial).await;
    let at = u64::from(soon(&trial, 25).await);
    trial.lab.network.operators().unwrap().pass_upgrade("v2", at, "").await.unwrap();
    let report = suffers(&mut trial, "upgrade_needed").await;
    let text = report["node"]["condition_text"].as_str().unwrap();
    assert!(text.contains("v2") && text.contains(&at.to_string()), "{text}");
    let named = names(&mut trial, "upgrade-needed").await;
    assert!(named.to_string().contains("v2"), "{named:#}");
    assert_eq!((heals(&report), &report["node"]["starts"]), (&0.into(), &1.into()), "{report:#}");
    trial.ends_judged().await;
}

/// The pilot dies, the socket's file is lost, and the node listens where nobody can find it any more: its consensus waits for the signer
/// for minutes, a call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_frozen_for_want_of_its_signer_is_named_and_healed() {
    let mut trial = prepare().await;
    trial.lab.machine("a").unwrap().start().unwrap();
    well(&mut trial).await;
    let machine = trial.lab.machine("a").unwrap();
    machine.kill_pilot().unwrap();
    std::fs::remove_file(machine.home().join("run/privval.sock")).unwrap();
    machine.start().unwrap();
    let report = suffers(&mut trial, "signer_gone").await;
    assert_eq!(report["state"], "down", "{report:#}");
    names(&mut trial, "signer-gone").await;
    trial.reports("a", "the restart that heals", |report| *heals(report) == 1).await;
    well(&mut trial).await;
    trial.ends_judged().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_that_stands_is_nobodys_fault_and_nothing_is_restarted() {
    let mut trial = prepare().await;
    trial.lab.machine("a").unwrap().start().unwrap();
    well(&mut trial).await;
    for plain in ["v2", "v3"] {
        trial.lab.network.stop_node(plain).await.unwrap();
    }
    let report = suffers(&mut trial, "chain_stands").await;
    assert_eq!(report["state"], "degraded", "{report:#}");
    // Longer than any patience with a node that stands.
    tokio::time::sleep(std::time::Duration::from_secs(15)).await;
    let report = suffers(&mut trial, "chain_stands").await;
    assert_eq!((heals(&report), &report["node"]["starts"]), (&0.into(), &1.into()), "{report:#}");
    // No block is no fault of this node, and that is all that it says; it never claims a signer, disk or program that is amiss.
    let critical: Vec<Value> = analysis(&mut trial)
        .into_iter()
        .filter(|finding| finding["severity"] == "critical")
        .map(|finding| finding["code"].clone())
        .collect();
    assert!(critical.iter().all(|code| code == "no-blocks"), "claimed and not so: {critical:?}");
    for plain in ["v2", "v3"] {
        trial.lab.network.start_node(plain).await.unwrap();
    }
    well(&mut trial).await;
    trial.ends_judged().await;
}
