//! A trial: a lab with both machines, and what every test asks of it.
#![allow(dead_code, reason = "each test program uses its part")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use beam_examples::chain::Watcher;
use beam_examples::install::{cometbft, hubd, to_stderr};
use beam_examples::lab::Lab;
use beam_examples::machine::{Machine, MachinePlan};
use beam_examples::network::{App, Network, NetworkPlan};
use beam_examples::trial::is_well;
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::{Mutex, MutexGuard};

/// Two networks at once would make each other slow on a small machine, and slow is a miss here.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

/// How long anything may take that happens within a few blocks.
pub(crate) const WITHIN: Duration = Duration::from_secs(60);
/// How long what is patient by design may take: a signer that is lost is waited for for a minute.
pub(crate) const LONG_WITHIN: Duration = Duration::from_secs(150);
/// A shared machine's disk stands still for half a second now and then. At blocks of 1 s that is a missed block, which these
/// tests are not about; `cargo measure` is.
pub(crate) const BLOCK_TIME: Duration = Duration::from_secs(2);
/// How often a condition is looked at.
pub(crate) const POLL: Duration = Duration::from_millis(50);

/// The `beam` that these tests were built with.
pub(crate) fn beam() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_beam"))
}

/// Waits until no other test of this program has a network.
pub(crate) async fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().await
}

/// A lab under trial. Everything it started ends with it.
pub(crate) struct Trial {
    pub(crate) lab: Lab,
    /// From this height on every block is counted.
    pub(crate) from: u64,
    pub(crate) dir: TempDir,
    _alone: MutexGuard<'static, ()>,
}

/// See [`Trial::bare`].
pub(crate) struct Bare {
    pub(crate) network: Network,
    pub(crate) watcher: Watcher,
    pub(crate) dir: TempDir,
    alone: MutexGuard<'static, ()>,
}

impl Bare {
    /// A trial of machines that the test has set up.
    pub(crate) fn with(self, machines: Vec<Machine>) -> Trial {
        let chain = self.network.chain().unwrap();
        let lab = Lab { machines, beam: beam(), ..Lab::of(self.network, self.watcher, chain) };
        Trial::of(lab, self.dir, self.alone)
    }
}

impl Trial {
    /// A trial of a lab that the test has put together while it was [`alone`].
    pub(crate) fn of(lab: Lab, dir: TempDir, alone: MutexGuard<'static, ()>) -> Self {
        Self { lab, from: 1, dir, _alone: alone }
    }

    /// Sets both machines up; neither runs.
    pub(crate) async fn prepare(unfenced: bool) -> Self {
        let plan = MachinePlan { unfenced, ..MachinePlan::default() };
        Self::prepare_on(NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() }, plan).await
    }

    /// As [`prepare`](Self::prepare), on any network.
    pub(crate) async fn prepare_on(network: NetworkPlan, plan: MachinePlan) -> Self {
        let alone = alone().await;
        match network.app {
            App::Kvstore => _ = cometbft(to_stderr).await.unwrap(),
            App::Hub(_) => _ = hubd(to_stderr).await.unwrap(),
        }
        let dir = tempfile::tempdir().unwrap();
        let lab = Lab::prepare(dir.path(), &beam(), network, plan).await.unwrap();
        Self { lab, from: 1, dir, _alone: alone }
    }

    /// Sets keys in a machine's node.toml that `beam init` left at their defaults.
    pub(crate) fn configure(&mut self, machine: &str, settings: &[(&str, &str)]) {
        let file = self.lab.machine(machine).unwrap().home().join("node.toml");
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (key, value) in settings {
            let line =
                text.lines().find(|line| line.starts_with(&format!("# {key} = "))).expect(key).to_owned();
            text = text.replace(&line, &format!("{key} = {value}"));
        }
        std::fs::write(file, text).unwrap();
    }

    /// What a machine's pilot reports, by way of `beam status`; null if it does not answer.
    pub(crate) async fn report(&mut self, machine: &str) -> Value {
        let status = self.lab.machine(machine).unwrap().status().await.unwrap_or_default();
        let machines = status["machines"].as_array().cloned().unwrap_or_default();
        let found = machines.into_iter().find(|one| one["name"] == machine).unwrap_or_default();
        found["report"].clone()
    }

    /// Waits until a machine's report is as wanted, and gives it.
    pub(crate) async fn reports(
        &mut self,
        machine: &str,
        what: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + LONG_WITHIN;
        loop {
            let report = self.report(machine).await;
            if wanted(&report) {
                return report;
            }
            assert!(Instant::now() < deadline, "waited for {what}, in vain: {report:#}\n{}", self.logs());
            tokio::time::sleep(POLL * 4).await;
        }
    }

    /// A network whose validators run, and whose machines are still plain nodes: for tests that set Beam up themselves.
    pub(crate) async fn bare() -> Bare {
        Self::bare_on(NetworkPlan { block_time: BLOCK_TIME, ..NetworkPlan::default() }).await
    }

    /// As [`bare`](Self::bare), on any network of CometBFT alone.
    pub(crate) async fn bare_on(plan: NetworkPlan) -> Bare {
        let alone = alone().await;
        cometbft(to_stderr).await.unwrap();
        let dir = tempfile::tempdir().unwrap();
        let mut network = Network::create(dir.path(), plan).await.unwrap();
        network.start_validators().await.unwrap();
        let watcher = network.watch().await.unwrap();
        Bare { network, watcher, dir, alone }
    }

    /// Starts both machines **at once** and waits until both are in step.
    pub(crate) async fn start() -> Self {
        let mut trial = Self::prepare(false).await;
        trial.starts().await;
        trial
    }

    /// Starts what was prepared, as [`start`](Self::start) does.
    pub(crate) async fn starts(&mut self) {
        for machine in &mut self.lab.machines {
            machine.start().unwrap();
        }
        self.both_in_step().await;
        // The chain may have begun without this validator; from here on it must be there.
        self.from = self.lab.chain.height().await.unwrap() + 1;
    }

    async fn status(&self) -> Option<Value> {
        self.lab.machines.first()?.status().await.ok()
    }

    /// Waits until `beam status` calls both machines in step, and both nodes follow the chain.
    pub(crate) async fn both_in_step(&mut self) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let status = self.status().await;
            if status.as_ref().and_then(is_well) == Some(true) && self.nodes_follow().await {
                return;
            }
            assert!(Instant::now() < deadline, "not in step: {status:?}\n{}", self.logs());
            tokio::time::sleep(POLL).await;
        }
    }

    async fn nodes_follow(&self) -> bool {
        let Ok(tip) = self.lab.chain.height().await else {
            return false;
        };
        for machine in &self.lab.machines {
            if !machine.rpc().height().await.is_ok_and(|height| height + 1 >= tip) {
                return false;
            }
        }
        true
    }

    /// The owner's name, by the register.
    pub(crate) async fn owner(&self) -> String {
        let status = self.status().await.unwrap();
        let machines = status["machines"].as_array().unwrap();
        let owner = machines.iter().find(|machine| machine["role"] == "owner").expect("an owner");
        owner["name"].as_str().unwrap().to_owned()
    }

    /// Waits for a vote of the validator above `height`, as another validator sees it.
    pub(crate) async fn signs_beyond(&self, height: u64) {
        if let Err(error) = self.lab.watcher.wait_for_signature_after(height, WITHIN).await {
            panic!("{error}\n{}", self.logs());
        }
    }

    pub(crate) async fn wait_for(&mut self, what: &str, mut condition: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + WITHIN;
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited for {what}, in vain\n{}", self.logs());
            tokio::time::sleep(POLL).await;
        }
    }

    /// At most `missed_max` blocks of the whole trial were missed, and nobody contradicted himself.
    pub(crate) async fn ends_well(self, missed_max: usize) {
        // A few more, so that what came late is counted too. The last block's commit is in the next one.
        let last = self.lab.chain.height().await.unwrap() + 2;
        self.lab.chain.wait_height(last + 2, WITHIN).await.unwrap();
        let missed = self.lab.chain.missed(self.from..=last).await.unwrap();
        println!("blocks {}..={last}: {missed:?}", self.from);
        let verdict = self.lab.verdict().await.unwrap();
        println!("{verdict}");
        verdict.must_be_clean().unwrap();
        assert!(missed.absent.len() <= missed_max, "{missed:?}\n{}", self.logs());
        assert!(!missed.signed.is_empty());
    }

    /// Nobody contradicted himself and nobody was punished, whatever was missed.
    pub(crate) async fn ends_judged(self) {
        let verdict = self.lab.verdict().await.unwrap();
        println!("{verdict}");
        assert!(verdict.conflicts.is_empty() && verdict.evidence.is_empty(), "{verdict}\n{}", self.logs());
        let punished = verdict.punishment.as_ref().is_some_and(|punishment| punishment.tombstoned);
        assert!(!punished, "{verdict}");
    }

    /// What both pilots said, for a failure's message.
    pub(crate) fn logs(&self) -> String {
        let log = |machine: &beam_examples::machine::Machine| {
            let text = std::fs::read_to_string(machine.log()).unwrap_or_default();
            let lines: Vec<&str> = text.lines().collect();
            let tail = lines.len().saturating_sub(30);
            format!("--- {}\n{}", machine.name(), lines[tail..].join("\n"))
        };
        self.lab.machines.iter().map(log).collect::<Vec<_>>().join("\n")
    }
}
