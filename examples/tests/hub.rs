//! The Hub-like chain on trial: what it does by itself to who misses and who signs twice, and what its operators can do.
//! Beam takes no part; the plain nodes show what Beam's own tests may believe of this chain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::time::{Duration, Instant};

use beam_examples::hub::{Modules, SigningInfo, Standing};
use beam_examples::install::{hubd, to_stderr};
use beam_examples::judge::{Case, Outcome, Verdict};
use beam_examples::network::{App, HubPlan, Network, NetworkPlan, Validator};
use beam_examples::wait;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// Two networks at once would make each other slow on a small machine, and slow is a miss here.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

const WITHIN: Duration = Duration::from_secs(60);

/// A network whose plain validators run, alone on the machine.
struct Trial {
    network: Network,
    modules: Modules,
    began: Instant,
    _dir: TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Trial {
    async fn start(rules: HubPlan) -> Self {
        Self::start_with(NetworkPlan { app: App::Hub(rules), ..NetworkPlan::default() }).await
    }

    async fn start_with(plan: NetworkPlan) -> Self {
        let alone = ONE_AT_A_TIME.lock().await;
        hubd(to_stderr).await.unwrap();
        let began = Instant::now();
        let dir = tempfile::tempdir().unwrap();
        let mut network = Network::create(dir.path(), plan).await.unwrap();
        println!("created in {:?}", began.elapsed());
        network.start_validators().await.unwrap();
        println!("all answer after {:?}", began.elapsed());
        // The modules answer from the first block on, which is done once there is a second.
        network.chain().unwrap().wait_height(2, WITHIN).await.unwrap();
        let modules = network.modules().unwrap();
        Self { network, modules, began, _dir: dir, _alone: alone }
    }

    async fn height(&self) -> u64 {
        self.network.chain().unwrap().height().await.unwrap()
    }

    async fn reaches(&self, height: u64) {
        self.network.chain().unwrap().wait_height(height, WITHIN).await.unwrap();
    }

    async fn signing_info(&self, validator: &Validator) -> SigningInfo {
        self.modules.signing_info(validator).await.unwrap()
    }

    /// Waits until x/staking says of a validator what `wanted` accepts.
    async fn stands(
        &self,
        what: &str,
        validator: &Validator,
        wanted: impl Fn(&Standing) -> bool,
    ) -> Standing {
        wait::until(what, WITHIN, || async {
            Ok(self.modules.standing(validator).await.ok().filter(&wanted))
        })
        .await
        .unwrap()
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.network.node(name).unwrap().log()).unwrap()
    }

    async fn logs(&self, name: &str, text: &str) {
        let said = || std::future::ready(Ok(self.log(name).contains(text).then_some(())));
        wait::until(&format!("{name} to log {text:?}"), WITHIN, said).await.unwrap();
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        println!("took {:?}", self.began.elapsed());
    }
}

async fn verdict(trial: &Trial, watcher: &beam_examples::chain::Watcher) -> Verdict {
    let (network, chain) = (&trial.network, trial.network.chain().unwrap());
    let case = Case::gather(network.chain_id(), &[], watcher, &chain).await.unwrap();
    case.with_modules(&trial.modules, network.validator()).await.unwrap().verdict().unwrap()
}

/// Sentries stand in between here, so that this also shows that votes get through them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_honest_validators_make_signed_blocks_through_a_sentry() {
    let mut trial = Trial::start_with(NetworkPlan { sentries: 1, ..NetworkPlan::hub() }).await;
    trial.network.start_node("s1").await.unwrap();
    trial.network.start_unfenced("a").await.unwrap();
    let watcher = trial.network.watch().await.unwrap();
    let chain = trial.network.chain().unwrap();

    // The chain may have begun without validator 0; from its first signature on it must be there.
    let first = watcher.wait_for_signature_after(0, WITHIN).await.unwrap().height + 1;
    chain.wait_height(first + 6, WITHIN).await.unwrap();
    let missed = chain.missed(first..=first + 4).await.unwrap();
    assert_eq!(missed.signed.len(), 5, "{missed:?}");

    let verdict = verdict(&trial, &watcher).await;
    println!("{verdict}");
    verdict.must_be_clean().unwrap();
    let standing = trial.modules.standing(trial.network.validator()).await.unwrap();
    assert!(standing.bonded && standing.tokens == 1_000_000_000, "{standing:?}");
    let peers = trial.network.node("a").unwrap().rpc().call("net_info", serde_json::json!({})).await.unwrap();
    assert_eq!(peers["n_peers"], "1", "a machine behind a sentry knows no plain validator");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_down_is_jailed_and_let_out_by_its_operator() {
    let rules = HubPlan { window_blocks: 10, downtime_jail: Duration::from_secs(3), ..HubPlan::default() };
    let mut trial = Trial::start(rules).await;
    let params = trial.modules.slashing_params().await.unwrap();
    assert_eq!((params.window_blocks, params.min_signed, params.downtime_jail_secs), (10, 0.5, 3));
    // All three plain validators are needed while validator 0 is down, so it is that one.
    let ours = trial.network.validator().clone();
    trial.network.start_unfenced("a").await.unwrap();
    let watcher = trial.network.watch().await.unwrap();
    let signed = watcher.wait_for_signature_after(0, WITHIN).await.unwrap().height;
    trial.reaches(signed + 2).await;
    let before = trial.signing_info(&ours).await;
    assert_eq!((before.jailed_until, before.tombstoned), (0, false), "{before:?}");

    trial.network.kill_node("a").unwrap();
    wait::until("x/slashing to count misses", WITHIN, || async {
        let info = trial.modules.signing_info(&ours).await.ok();
        Ok(info.filter(|info| info.missed_blocks > before.missed_blocks))
    })
    .await
    .unwrap();
    let jailed = trial.stands("jail", &ours, |standing| standing.jailed).await;
    println!("jailed after {:?}: {jailed:?}", trial.began.elapsed());
    assert!(!jailed.bonded && jailed.tokens < 1_000_000_000, "{jailed:?}");
    let info = trial.signing_info(&ours).await;
    assert!(info.jailed_until > 0 && !info.tombstoned && info.missed_blocks == 0, "{info:?}");
    assert_eq!(verdict(&trial, &watcher).await.outcome(), Outcome::Jailed);

    trial.network.start_node("a").await.unwrap();
    let operators = trial.network.operators().unwrap();
    wait::until("the time in jail to pass", WITHIN, || async { Ok(operators.unjail("v0").await.ok()) })
        .await
        .unwrap();
    let height = trial.height().await;
    trial.stands("the way back", &ours, |standing| standing.bonded && !standing.jailed).await;
    watcher.wait_for_signature_after(height, WITHIN).await.unwrap();
    verdict(&trial, &watcher).await.must_be_clean().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_unfenced_nodes_end_tombstoned_with_evidence() {
    let mut trial = Trial::start(HubPlan::default()).await;
    let ours = trial.network.validator().clone();
    let watcher = trial.network.watch().await.unwrap();
    trial.network.start_unfenced("a").await.unwrap();
    trial.network.start_unfenced("b").await.unwrap();
    trial.stands("jail", &ours, |standing| standing.jailed).await;
    println!("caught after {:?}", trial.began.elapsed());
    assert!(trial.signing_info(&ours).await.tombstoned);
    let found = verdict(&trial, &watcher).await;
    println!("{found}");
    assert_eq!(found.outcome(), Outcome::Guilty, "{found}");
    // The chain's word alone would do.
    let punishment = found.punishment.clone().unwrap();
    assert!(punishment.tombstoned && !punishment.evidence.is_empty(), "{found}");
    let refused = trial.network.operators().unwrap().unjail("v0").await.unwrap_err();
    assert!(format!("{refused:#}").contains("validator still jailed"), "{refused:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upgrade_stops_the_old_program_and_the_new_one_goes_on() {
    let hub = hubd(to_stderr).await.unwrap();
    let Some(ours) = hub.ours_or_skip("the governance upgrade") else { return };
    let mut trial =
        Trial::start(HubPlan { voting_period: Duration::from_secs(8), ..HubPlan::default() }).await;
    // Without validator 0 every fourth block waits for its proposal.
    trial.network.start_unfenced("a").await.unwrap();
    let nodes = [trial.network.validators(), vec!["a".to_owned()]].concat();
    let at = trial.height().await + 20;
    let operators = trial.network.operators().unwrap();
    let plan = operators.pass_upgrade(ours.upgrade, at, "{}").await.unwrap();
    println!("decided after {:?}: {plan:?}", trial.began.elapsed());
    assert_eq!((plan.name.as_str(), plan.height), ("v2", i64::try_from(at).unwrap()));

    for name in nodes.clone() {
        trial.logs(&name, "CONSENSUS FAILURE!!!").await;
        assert!(trial.network.is_running(&name), "the process of {name} must stay up");
    }
    println!("stopped after {:?}", trial.began.elapsed());
    assert_eq!(trial.height().await, at);
    let info = trial.network.node("v1").unwrap().home.join("data/upgrade-info.json");
    assert!(std::fs::read_to_string(info).unwrap().contains(&format!("\"height\":{at}")));

    for name in nodes {
        assert!(trial.network.stop_node(&name).await.unwrap().success(), "{name} ends when asked");
        trial.network.use_program(&name, &ours.upgraded).unwrap();
    }
    trial.network.start_validators().await.unwrap();
    trial.network.start_node("a").await.unwrap();
    trial.reaches(at + 3).await;
    assert_eq!(trial.modules.upgraded_at("v2").await.unwrap(), Some(i64::try_from(at).unwrap()));
    assert_eq!(trial.modules.upgrade_plan().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_halt_height_stops_a_node_that_lives_on() {
    let mut trial = Trial::start(HubPlan::default()).await;
    let at = u32::try_from(trial.height().await).unwrap() + 5;
    trial.network.node("a").unwrap().halt_at(at).unwrap();
    trial.network.start_unfenced("a").await.unwrap();
    trial.logs("a", &format!("halt per configuration height {at}")).await;
    assert!(trial.network.is_running("a"));
    assert!(trial.network.stop_node("a").await.unwrap().success());
    trial.network.node("a").unwrap().halt_at(0).unwrap();
    trial.network.start_node("a").await.unwrap();
    let rpc = trial.network.node("a").unwrap().rpc();
    wait::until("the node to go on", WITHIN, || async {
        Ok(rpc.height().await.ok().filter(|height| *height > u64::from(at) + 2))
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provoked_consensus_failure_is_healed_by_a_restart() {
    let hub = hubd(to_stderr).await.unwrap();
    if hub.ours_or_skip("the provoked failure").is_none() {
        return;
    }
    let mut trial = Trial::start(HubPlan::default()).await;
    let at = u32::try_from(trial.height().await).unwrap() + 6;
    trial.network.node("a").unwrap().fail_at(at).unwrap();
    trial.network.start_unfenced("a").await.unwrap();
    trial.logs("a", "CONSENSUS FAILURE!!!").await;
    assert!(trial.network.is_running("a"), "the process must stay up");
    let rpc = trial.network.node("a").unwrap().rpc();
    let stuck = rpc.height().await.unwrap();
    assert_eq!(stuck, u64::from(at), "a deaf node still answers");
    trial.reaches(stuck + 3).await;
    assert_eq!(rpc.height().await.unwrap(), stuck, "and stands still");

    trial.network.stop_node("a").await.unwrap();
    trial.network.start_node("a").await.unwrap();
    wait::until("the node to go on", WITHIN, || async {
        Ok(rpc.height().await.ok().filter(|height| *height > stuck + 3))
    })
    .await
    .unwrap();
}
