//! A chain of four validators or more with equal power on the loopback interface.
//!
//! Validators 1 and up (`v1`, `v2`, ...) are plain nodes which the lab runs itself, each with
//! its key in its home; together they hold more than two thirds, so the chain never needs
//! validator 0. Validator 0 belongs to Beam, as two machines `a` and `b`: each has a home
//! with its own node key and a validator key nobody knows, while the real key lies beside them in
//! `validator_key.json` for Beam to import. Sentries (`s1`, ...) have homes of the same kind. All know each other as
//! persistent peers, except that machines behind sentries know those alone.
//!
//! What the nodes run is the plan's [`App`]; nothing but the making of their files differs.

pub(crate) mod command;
mod files;
mod hub;
mod kvstore;
mod node;
mod plan;
pub mod ports;
mod running;
mod slot;
mod wires;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use futures_util::future::try_join_all;

use crate::chain::{Chain, Watcher};
use crate::hub::{Modules, Operators};
use crate::install;
use slot::Slot;

pub use node::{Node, Role, Validator};
pub use plan::{App, HubPlan, NetworkPlan};
pub use wires::Wires;

/// The names of the two machines that share validator 0.
pub const MACHINES: [&str; 2] = ["a", "b"];

/// The network. Dropping it kills every node the lab started; the files stay.
#[derive(Debug)]
pub struct Network {
    dir: PathBuf,
    plan: NetworkPlan,
    chain_id: String,
    genesis: PathBuf,
    validator: Validator,
    slots: Vec<Slot>,
    wires: Wires,
}

impl Network {
    /// Makes the files of a new chain under `dir`, which is created if needed. Nothing runs yet.
    ///
    /// Installs what the plan's nodes run first if it is missing, telling so on stderr.
    ///
    /// # Errors
    /// When `dir` already holds a network or its path holds blanks, or a file cannot be written.
    pub async fn create(dir: &Path, plan: NetworkPlan) -> Result<Self> {
        ensure!(
            plan.validators >= plan::VALIDATORS_MIN,
            "a network needs {} validators: fewer stand still without Beam's",
            plan::VALIDATORS_MIN
        );
        let program = match plan.app {
            App::Kvstore => install::cometbft(install::to_stderr).await?,
            App::Hub(_) => install::hubd(install::to_stderr).await?.program,
        };
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
        let dir = dir.canonicalize()?;
        let text = dir.to_str().context("the lab's path is not UTF-8")?;
        ensure!(!text.contains(char::is_whitespace), "the lab's path must not hold blanks: {text}");
        let genesis = dir.join("genesis.json");
        ensure!(!genesis.exists(), "{text} already holds a network");

        let chain_id = format!("beam-lab-{:06x}", ports::random() & 0xff_ffff);
        let names: Vec<_> = plan.nodes().into_iter().map(|(name, _)| name).collect();
        ensure!(
            plan.validator_key.is_none() || plan.app == App::Kvstore,
            "only the kvstore's genesis is given another key"
        );
        let mut genesis_text = match &plan.app {
            App::Kvstore => kvstore::create(&program, &dir, &plan, &chain_id, &names).await?,
            App::Hub(rules) => hub::create(&program, &dir, &plan, rules, &chain_id, &names).await?,
        };
        let mut validator = files::validator(&files::validator_key(&dir.join("node0")))?;
        if let Some(public) = &plan.validator_key {
            let elsewhere = files::validator_of(public)?;
            genesis_text = kvstore::with_key(&genesis_text, &validator, public, &elsewhere)?;
            validator = elsewhere;
        }
        fs::write(&genesis, &genesis_text)?;
        for name in &names {
            fs::write(files::genesis(&dir.join(name)), &genesis_text)?;
        }
        let key = dir.join("validator_key.json");
        files::take_key(&dir.join("node0"), &key)?;
        let slots = slots(&program, &dir, &plan).await?;
        let mut network = Self { dir, plan, chain_id, genesis, validator, slots, wires: Wires::default() };
        network.assign_ports()?;
        Ok(network)
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

    /// The names of the plain validators.
    pub fn validators(&self) -> Vec<String> {
        self.names(Role::Plain)
    }

    /// The names of the sentries.
    pub fn sentries(&self) -> Vec<String> {
        self.names(Role::Sentry)
    }

    /// Block queries, answered by the first plain validator.
    ///
    /// # Errors
    /// Never in practice: the first validator always exists.
    pub fn chain(&self) -> Result<Chain> {
        Ok(Chain::new(self.node("v1")?.rpc(), self.validator.clone()))
    }

    /// What the modules of a Hub-like chain say, answered by the first plain validator; `None` on any other chain.
    pub fn modules(&self) -> Option<Modules> {
        match self.plan.app {
            App::Kvstore => None,
            App::Hub(_) => Some(Modules::new(self.node("v1").ok()?.rpc())),
        }
    }

    /// The operators of a Hub-like chain's validators, through the first plain one.
    ///
    /// # Errors
    /// When the chain is of another kind.
    pub fn operators(&self) -> Result<Operators> {
        let App::Hub(rules) = &self.plan.app else { bail!("only a Hub-like chain has operators") };
        let node = self.node("v1")?;
        Ok(Operators {
            program: node.program.clone(),
            home: hub::operators_home(&self.dir),
            chain_id: self.chain_id.clone(),
            voting_period: rules.voting_period,
            voters: self.validators(),
            rpc: node.rpc(),
            rpc_url: format!("tcp://127.0.0.1:{}", node.rpc_port),
        })
    }

    /// Watches votes and blocks at all plain validators from now on.
    ///
    /// # Errors
    /// When one of them takes no subscription.
    pub async fn watch(&self) -> Result<Watcher> {
        let plain = self.slots.iter().map(|slot| &slot.node).filter(|node| node.role == Role::Plain);
        let nodes = plain.map(|node| (node.name.clone(), node.rpc_port)).collect();
        Watcher::start(nodes, self.validator.clone()).await
    }

    /// The wires between Beam's nodes and the others.
    ///
    /// # Errors
    /// When the plan has none.
    pub fn wires(&self) -> Result<&Wires> {
        ensure!(self.plan.wired, "this network has no wires that could be damaged: plan it `wired`");
        Ok(&self.wires)
    }

    /// Whether it has them.
    pub fn is_wired(&self) -> bool {
        self.plan.wired
    }

    /// Free ports for one more node than the plan has: RPC, p2p and agent. They are held until they are dropped.
    pub(crate) fn more_ports(&self) -> Result<[ports::Reservation; 3]> {
        Ok([ports::reserve()?, ports::reserve()?, ports::reserve()?])
    }

    /// Lets go of the ports held for `name`, so that somebody else can start that node.
    pub fn release_ports(&mut self, name: &str) {
        for slot in self.slots.iter_mut().filter(|slot| slot.node.name == name) {
            slot.reserved.clear();
        }
    }

    fn names(&self, role: Role) -> Vec<String> {
        let of_role = self.slots.iter().map(|slot| &slot.node).filter(|node| node.role == role);
        of_role.map(|node| node.name.clone()).collect()
    }

    /// Gives every node fresh ports, and tells each about its peers.
    fn assign_ports(&mut self) -> Result<()> {
        for slot in &mut self.slots {
            let (rpc, p2p, agent) = (ports::reserve()?, ports::reserve()?, ports::reserve()?);
            (slot.node.rpc_port, slot.node.p2p_port, slot.node.agent_port) = (rpc.port, p2p.port, agent.port);
            slot.reserved = vec![rpc, p2p, agent];
        }
        let mut wires = Wires::default();
        for node in self.slots.iter().map(|slot| &slot.node) {
            let others = self.slots.iter().map(|other| &other.node).filter(|other| other.id != node.id);
            let peers = others.filter(|other| self.plan.are_peers(node.role, other.role));
            let mut port = |peer: &Node| match self.plan.wired {
                true => wires.lay(node, peer),
                false => Ok(peer.p2p_port),
            };
            let peers = peers.map(|peer| Ok(format!("{}@127.0.0.1:{}", peer.id, port(peer)?)));
            let peers: Vec<_> = peers.collect::<Result<_>>()?;
            files::edit_config(node, &peers.join(","), &self.plan)?;
        }
        self.wires = wires;
        Ok(())
    }
}

/// The nodes whose homes have been made, without ports.
async fn slots(program: &Path, dir: &Path, plan: &NetworkPlan) -> Result<Vec<Slot>> {
    let (show_id, arguments): (&[&str], &'static [&'static str]) = match plan.app {
        App::Kvstore => (&["show-node-id"], &["--proxy_app=kvstore"]),
        App::Hub(_) => (&["comet", "show-node-id"], &[]),
    };
    let slot = async |(name, role): (String, Role)| {
        let home = dir.join(&name);
        let text = home.to_string_lossy();
        let id = command::run(program, &[show_id, &["--home", &text]].concat()).await?;
        let program = program.to_path_buf();
        let node = Node { name, role, home, id, rpc_port: 0, p2p_port: 0, agent_port: 0, program, arguments };
        anyhow::Ok(Slot { node, reserved: Vec::new(), process: None })
    };
    try_join_all(plan.nodes().into_iter().map(slot)).await
}
