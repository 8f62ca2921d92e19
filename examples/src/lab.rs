//! Everything together: the network, both machines and the sentries under Beam, the watcher and the judge.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::chain::{Chain, Watcher};
use crate::judge::{Case, Verdict};
use crate::machine::{Machine, MachinePlan, OldHome};
use crate::network::{MACHINES, Network, NetworkPlan};
use crate::trial::Need;

/// From the start of both pilots to the answers of both nodes.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A running lab. Dropping it kills everything; the files stay.
#[derive(Debug)]
pub struct Lab {
    /// Machines `a` and `b`. They stand first because they must be dropped first: a pilot whose
    /// network dies before it would log a flood of errors.
    pub machines: Vec<Machine>,
    /// The sentries `s1`... between them and the plain validators; none unless the plan of the network has some.
    pub sentries: Vec<Machine>,
    /// What the plain validators see.
    pub watcher: Watcher,
    /// Block queries.
    pub chain: Chain,
    /// The plain validators.
    pub network: Network,
    /// The program that all machines run.
    pub beam: PathBuf,
    /// Audit files of machines and homes that are no more. The judge reads them too.
    pub kept_audits: Vec<PathBuf>,
    /// Homes put aside, by the machine whose they were.
    pub old_homes: BTreeMap<String, OldHome>,
}

impl Lab {
    /// Makes the network under `dir`, starts the plain validators, and sets the machines and sentries up with
    /// a copy of the program `beam`: a build meanwhile must not change what a machine runs when it
    /// starts again. None of them runs yet.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn prepare(dir: &Path, beam: &Path, chain: NetworkPlan, plan: MachinePlan) -> Result<Self> {
        let mut network = Network::create(dir, chain).await?;
        network.start_validators().await?;
        let watcher = network.watch().await?;
        let copy = network.dir().join("beam");
        fs::copy(beam, &copy).with_context(|| format!("cannot copy {}", beam.display()))?;
        let mut machines = Vec::new();
        for name in MACHINES {
            let machine = Machine::new(&mut network, name, &copy, plan.clone())?;
            machine.init().await?;
            if machines.is_empty() || plan.unfenced {
                machine.init_watermark().await?;
            }
            machines.push(machine);
        }
        let mut sentries = Vec::new();
        for name in network.sentries() {
            let sentry = Machine::new(&mut network, &name, &copy, plan.clone())?;
            sentry.init().await?;
            sentries.push(sentry);
        }
        let chain = network.chain()?;
        Ok(Self { machines, sentries, beam: copy, ..Self::of(network, watcher, chain) })
    }

    /// As [`prepare`](Self::prepare), then starts the machines and sentries and waits until all their nodes answer.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start(dir: &Path, beam: &Path, chain: NetworkPlan, plan: MachinePlan) -> Result<Self> {
        let mut lab = Self::prepare(dir, beam, chain, plan).await?;
        let Self { machines, sentries, .. } = &mut lab;
        for machine in sentries.iter_mut().chain(machines.iter_mut()) {
            machine.start()?;
        }
        for machine in sentries.iter_mut().chain(machines.iter_mut()) {
            machine.wait_ready(READY_WITHIN).await?;
        }
        Ok(lab)
    }

    /// A lab of a network alone.
    pub fn of(network: Network, watcher: Watcher, chain: Chain) -> Self {
        Self {
            machines: Vec::new(),
            sentries: Vec::new(),
            watcher,
            chain,
            network,
            beam: PathBuf::new(),
            kept_audits: Vec::new(),
            old_homes: BTreeMap::new(),
        }
    }

    /// What a fault needs, if this lab has it.
    pub fn offers(&self, need: Need) -> bool {
        match need {
            Need::Sentries => !self.sentries.is_empty(),
            Need::Wires => self.network.is_wired(),
            Need::Disks => self.machines.iter().all(|machine| machine.disk().is_ok()),
            Need::RegisterFile => self.machines.iter().all(|machine| machine.register_file().is_ok()),
            Need::RegisterWires => self.machines.iter().all(|machine| machine.register_wire().is_ok()),
            Need::AllWires => self.offers(Need::Wires) && self.offers(Need::RegisterWires),
            Need::Clocks => self.machines.iter().all(Machine::has_clock),
        }
    }

    /// The names of the two machines.
    pub fn names(&self) -> Vec<String> {
        self.machines.iter().map(|machine| machine.name().to_owned()).collect()
    }

    /// A copy of a machine, under another name. It does not run yet.
    ///
    /// # Errors
    /// When there is no such machine, or it cannot be copied.
    pub fn copy_machine(&mut self, machine: &str, name: &str) -> Result<Machine> {
        let found = self.machines.iter_mut().find(|one| one.name() == machine);
        found.with_context(|| format!("the lab has no machine {machine}"))?.copy(&self.network, name)
    }

    /// Every audit file there is.
    pub fn audits(&self) -> Vec<PathBuf> {
        let now = self.machines.iter().map(Machine::audit);
        // A machine that never led may have nothing to write. Were a file lost, the votes it should
        // have listed would show up as unaudited.
        now.chain(self.kept_audits.iter().cloned()).filter(|file| file.is_file()).collect()
    }

    /// A machine or a sentry by its name.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn machine(&mut self, name: &str) -> Result<&mut Machine> {
        let mut all = self.machines.iter_mut().chain(&mut self.sentries);
        let found = all.find(|machine| machine.name() == name);
        found.with_context(|| format!("the lab has no machine {name}"))
    }

    /// Judges everything that happened so far.
    ///
    /// # Errors
    /// When a source cannot be read, or no machine has written an audit file.
    pub async fn verdict(&self) -> Result<Verdict> {
        let audits = self.audits();
        ensure!(!audits.is_empty(), "no machine wrote an audit file");
        let case = Case::gather(self.network.chain_id(), &audits, &self.watcher, &self.chain).await?;
        match self.network.modules() {
            Some(modules) => case.with_modules(&modules, self.network.validator()).await?.verdict(),
            None => case.verdict(),
        }
    }
}
