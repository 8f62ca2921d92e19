//! A chain of four validators with equal power on the loopback interface.
//!
//! Validators 1 to 3 (`v1`, `v2`, `v3`) are plain CometBFT nodes which the lab runs itself, each with
//! its key in its home; together they hold more than two thirds, so the chain never needs
//! validator 0. Validator 0 belongs to Beam, as two machines `a` and `b`: each has a CometBFT home
//! with its own node key and a validator key nobody knows, while the real key lies beside them in
//! `validator_key.json` for Beam to import. All five homes know each other as persistent peers.
//!
//! The application is CometBFT's in-memory kvstore: a restarted node replays the chain from its own
//! block store, which takes about a second for a thousand blocks.

mod files;
mod node;
mod ports;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use crate::chain::{Chain, Watcher};
use crate::install;
use crate::process::Process;
use crate::wait;
use ports::Reservation;

pub use node::{Node, Validator};

/// From the start of a node to its first answer; three seconds are usual, a loaded machine takes more.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
/// How long a plain node may take to end when asked.
const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// How often a network is tried on other ports when one was taken in the meantime.
const START_ATTEMPTS: u32 = 3;

/// The names of the plain validators.
pub const VALIDATORS: [&str; 3] = ["v1", "v2", "v3"];
/// The names of the two machines that share validator 0.
pub const MACHINES: [&str; 2] = ["a", "b"];

/// How fast the chain is to run.
#[derive(Debug, Clone)]
pub struct NetworkPlan {
    /// CometBFT's `timeout_commit`: the pause after each block. A block takes this plus the votes.
    pub block_time: Duration,
    /// How long the others wait for a proposer that does not answer.
    pub timeout_propose: Duration,
    /// CometBFT's `log_level` for every node.
    pub log_level: String,
}

impl Default for NetworkPlan {
    /// A block a second, and two seconds for a proposal.
    fn default() -> Self {
        Self {
            block_time: Duration::from_secs(1),
            timeout_propose: Duration::from_secs(2),
            // The lab opens a connection a call, and the server would log each.
            log_level: "rpc-server:error,*:info".to_owned(),
        }
    }
}

/// A node, its ports while nobody uses them, and its process while the lab runs it.
#[derive(Debug)]
struct Slot {
    node: Node,
    reserved: Vec<Reservation>,
    process: Option<Process>,
}

/// The network. Dropping it kills every node the lab started; the files stay.
#[derive(Debug)]
pub struct Network {
    dir: PathBuf,
    plan: NetworkPlan,
    chain_id: String,
    genesis: PathBuf,
    validator: Validator,
    slots: Vec<Slot>,
}

impl Network {
    /// Makes the files of a new chain under `dir`, which is created if needed. Nothing runs yet.
    ///
    /// Installs CometBFT first if it is missing, telling so on stderr.
    ///
    /// # Errors
    /// When `dir` already holds a network or its path holds blanks, or a file cannot be written.
    pub async fn create(dir: &Path, plan: NetworkPlan) -> Result<Self> {
        let program = install::cometbft(install::to_stderr).await?;
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let dir = dir.canonicalize()?;
        let text = dir.to_str().context("the lab's path is not UTF-8")?;
        ensure!(!text.contains(char::is_whitespace), "the lab's path must not hold blanks: {text}");
        let genesis = dir.join("genesis.json");
        ensure!(!genesis.exists(), "{text} already holds a network");

        files::cometbft(
            &program,
            &["testnet", "--v", "4", "--n", "2", "--o", text, "--populate-persistent-peers=false"],
        )
        .await?;
        let chain_id = format!("beam-lab-{:06x}", ports::random() & 0xff_ffff);
        let node0 = dir.join("node0");
        let (genesis_text, validator) = files::edit_genesis(&node0.join("config/genesis.json"), &chain_id)?;
        fs::write(&genesis, &genesis_text)?;
        files::take_key(&node0, &dir.join("validator_key.json"))?;

        let mut slots = Vec::new();
        // node1 to node3 are validators; node4 and node5 were made without a place in the set, so
        // their validator keys are throw-away ones by construction.
        for (made, name) in (1_u8..).zip(VALIDATORS.into_iter().chain(MACHINES)) {
            let home = dir.join(name);
            fs::rename(dir.join(format!("node{made}")), &home)?;
            fs::write(home.join("config/genesis.json"), &genesis_text)?;
            let id = files::cometbft(&program, &["show-node-id", "--home", &home.to_string_lossy()]).await?;
            let (name, program) = (name.to_owned(), program.clone());
            let node = Node { name, home, id, rpc_port: 0, p2p_port: 0, program };
            slots.push(Slot { node, reserved: Vec::new(), process: None });
        }
        let mut network = Self { dir, plan, chain_id, genesis, validator, slots };
        network.assign_ports()?;
        Ok(network)
    }

    /// Starts the plain validators and waits until each answers. Call it before making machines: if
    /// a port was taken meanwhile, all nodes get new ones.
    ///
    /// # Errors
    /// When a node ends or does not answer in time; the message carries the end of its log.
    pub async fn start_validators(&mut self) -> Result<()> {
        for attempt in 1.. {
            match self.start_all(&VALIDATORS).await {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let taken = self.slots.iter().any(|slot| slot.port_was_taken());
                    self.kill();
                    if !taken || attempt >= START_ATTEMPTS {
                        return Err(error);
                    }
                    self.assign_ports()?;
                }
            }
        }
        Ok(())
    }

    /// Runs machine `name` as a plain node that signs with validator 0's real key, without Beam.
    ///
    /// With one machine this is an ordinary validator. With both it is the accident Beam exists to
    /// prevent: the control that shows the judge can find somebody guilty.
    ///
    /// # Errors
    /// When the key cannot be copied, or the node does not answer in time.
    pub async fn start_unfenced(&mut self, name: &str) -> Result<()> {
        ensure!(MACHINES.contains(&name), "{name} is not a machine of validator 0");
        fs::copy(self.validator_key(), files::validator_key(self.node(name)?))?;
        self.start_all(&[name]).await
    }

    /// Asks every node the lab runs to end, and kills those that do not in time.
    pub async fn stop(&mut self) {
        for process in self.slots.iter_mut().filter_map(|slot| slot.process.as_mut()) {
            process.signal_leader(rustix::process::Signal::TERM);
        }
        for mut process in self.slots.iter_mut().filter_map(|slot| slot.process.take()) {
            process.terminate(STOPS_WITHIN).await;
        }
    }

    /// Kills every node the lab runs, at once.
    pub fn kill(&mut self) {
        for slot in &mut self.slots {
            slot.process = None;
        }
    }

    /// The chain's id.
    pub fn chain_id(&self) -> &str {
        &self.chain_id
    }

    /// The directory that holds everything.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The genesis file all nodes share.
    pub fn genesis(&self) -> &Path {
        &self.genesis
    }

    /// The validator that Beam runs.
    pub fn validator(&self) -> &Validator {
        &self.validator
    }

    /// The real key of validator 0, in CometBFT's format, readable by its owner alone.
    pub fn validator_key(&self) -> PathBuf {
        self.dir.join("validator_key.json")
    }

    /// A node by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn node(&self, name: &str) -> Result<&Node> {
        let slot = self.slots.iter().find(|slot| slot.node.name == name);
        slot.map(|slot| &slot.node).with_context(|| format!("the network has no node {name}"))
    }

    /// Block queries, answered by the first plain validator.
    ///
    /// # Errors
    /// Never in practice: the first validator always exists.
    pub fn chain(&self) -> Result<Chain> {
        Ok(Chain::new(self.node("v1")?.rpc(), self.validator.clone()))
    }

    /// Watches votes and blocks at all three plain validators from now on.
    ///
    /// # Errors
    /// When one of them takes no subscription.
    pub async fn watch(&self) -> Result<Watcher> {
        let mut nodes = Vec::new();
        for name in VALIDATORS {
            nodes.push((name.to_owned(), self.node(name)?.rpc_port));
        }
        Watcher::start(nodes, self.validator.clone()).await
    }

    /// Lets go of the ports held for `name`, so that somebody else can start that node.
    pub fn release_ports(&mut self, name: &str) {
        for slot in self.slots.iter_mut().filter(|slot| slot.node.name == name) {
            slot.reserved.clear();
        }
    }

    async fn start_all(&mut self, names: &[&str]) -> Result<()> {
        for slot in self.slots.iter_mut().filter(|slot| names.contains(&slot.node.name.as_str())) {
            slot.spawn()?;
        }
        for slot in self.slots.iter_mut().filter(|slot| names.contains(&slot.node.name.as_str())) {
            slot.answers().await?;
        }
        Ok(())
    }

    /// Gives every node two fresh ports, and tells all of them about each other.
    fn assign_ports(&mut self) -> Result<()> {
        for slot in &mut self.slots {
            let (rpc, p2p) = (ports::reserve()?, ports::reserve()?);
            (slot.node.rpc_port, slot.node.p2p_port) = (rpc.port, p2p.port);
            slot.reserved = vec![rpc, p2p];
        }
        for slot in &self.slots {
            let others = self.slots.iter().map(|other| &other.node).filter(|other| other.id != slot.node.id);
            let peers: Vec<_> =
                others.map(|peer| format!("{}@127.0.0.1:{}", peer.id, peer.p2p_port)).collect();
            files::edit_config(&slot.node, &peers.join(","), &self.plan)?;
        }
        Ok(())
    }
}

impl Slot {
    fn spawn(&mut self) -> Result<()> {
        let name = &self.node.name;
        ensure!(self.process.is_none(), "{name} already runs");
        self.reserved.clear();
        let line = self.node.command();
        let (program, arguments) = line.split_first().context("an empty command")?;
        let mut command = Command::new(program);
        command.args(arguments);
        let log = self.node.home.join("node.log");
        self.process = Some(Process::spawn(command, &log, &[&self.node.home])?);
        Ok(())
    }

    async fn answers(&mut self) -> Result<()> {
        let Self { node, process, .. } = self;
        let process = process.as_mut().context("not started")?;
        let rpc = node.rpc();
        let what = format!("{} to answer its RPC", node.name);
        let answered = wait::until(&what, ANSWERS_WITHIN, || {
            let ended = process.ended();
            let rpc = rpc.clone();
            async move {
                if let Some(status) = ended {
                    bail!("the node ended ({status})");
                }
                Ok(rpc.height().await.ok())
            }
        });
        let answered = answered.await;
        answered
            .map(|_| ())
            .with_context(|| format!("{} did not start; its log ends:\n{}", node.name, process.log_tail()))
    }

    fn port_was_taken(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.log_tail().contains("address already in use"))
    }
}
