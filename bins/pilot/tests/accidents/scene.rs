//! What the accidents have in common: a quick chain, and the same machines as they would be without Beam.

use std::time::{Duration, Instant};

use beam_examples::judge::{Case, Outcome, Verdict};
use beam_examples::lab::Lab;
use beam_examples::machine::MachinePlan;
use beam_examples::network::{Network, NetworkPlan, Node};
use toml_edit::DocumentMut;

use crate::common::{POLL, Trial, WITHIN};

/// Short blocks: an accident takes so many of them, and none of these tests counts what was missed.
const BLOCK_TIME: Duration = Duration::from_millis(500);
/// How long the others wait for a proposer that does not answer.
const TIMEOUT_PROPOSE: Duration = Duration::from_secs(1);

/// The chain of every accident.
pub(crate) fn network() -> NetworkPlan {
    NetworkPlan { block_time: BLOCK_TIME, timeout_propose: TIMEOUT_PROPOSE, ..NetworkPlan::default() }
}

/// Both machines under Beam, in step.
pub(crate) async fn under_beam() -> Trial {
    let mut trial = Trial::prepare_on(network(), MachinePlan::default()).await;
    trial.starts().await;
    trial
}

/// Waits for so many more blocks.
pub(crate) async fn blocks(trial: &Trial, more: u64) {
    let height = trial.lab.chain.height().await.unwrap();
    trial.lab.chain.wait_height(height + more, WITHIN).await.unwrap();
}

/// The judge's word on everything until now, which must be that nobody contradicted himself.
pub(crate) async fn acquitted(trial: &Trial) -> Verdict {
    let verdict = trial.lab.verdict().await.unwrap();
    println!("under Beam: {verdict}");
    verdict.must_be_clean().unwrap();
    verdict
}

/// Waits until others have proof that the validator contradicted itself: votes that they received, or evidence in a block.
pub(crate) async fn convicted(trial: &Trial) -> Verdict {
    match convicted_within(trial, WITHIN).await {
        Ok(verdict) => verdict,
        Err(verdict) => panic!("nobody contradicted himself: {verdict}"),
    }
}

/// The same for so long, and the last verdict if there was no proof.
pub(crate) async fn convicted_within(trial: &Trial, within: Duration) -> Result<Verdict, Verdict> {
    let Lab { network, watcher, chain, .. } = &trial.lab;
    let deadline = Instant::now() + within;
    loop {
        let case = Case::gather(network.chain_id(), &[], watcher, chain).await.unwrap();
        let verdict = case.verdict().unwrap();
        if verdict.outcome() == Outcome::Guilty {
            println!("without: {verdict}");
            return Ok(verdict);
        }
        if Instant::now() >= deadline {
            return Err(verdict);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Ends Beam on both machines and has their nodes sign by themselves from their next start on, as if Beam had never been.
pub(crate) fn without_beam(trial: &mut Trial) {
    for machine in &mut trial.lab.machines {
        machine.kill_machine();
        sign_alone(machine.node());
    }
}

/// Has a node look for its key in its own home again.
pub(crate) fn sign_alone(node: &Node) {
    let file = node.home.join("config/config.toml");
    let mut config: DocumentMut = std::fs::read_to_string(&file).unwrap().parse().unwrap();
    config["priv_validator_laddr"] = toml_edit::value("");
    std::fs::write(&file, config.to_string()).unwrap();
}

/// Starts a machine's node with the validator's real key in its home, without Beam.
pub(crate) async fn start_alone(network: &mut Network, name: &str) {
    network.start_unfenced(name).await.unwrap();
}
