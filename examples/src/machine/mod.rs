//! One Beam machine: a pilot, the node it runs, and everything that can happen to both.
//!
//! The pilot starts its node in its own process group, so a group is a machine, with one exception:
//! a pilot that starts while an older pilot's node still runs adopts that node, which stays in the
//! older group. That is why a machine keeps every group it ever started until nothing of it lives.
//!
//! Signals go to groups this machine started, and to the process that `node.pid` names if its
//! command line carries this machine's own paths: a number read from a file may be stale.

mod agent;
mod clock;
mod command;
mod copies;
mod disk;
mod key;
mod register;

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::chain::Rpc;
use crate::network::{Network, Node, Role};
use crate::process::{Process, procfs};
use crate::proxy::Proxy;
use crate::wait;
use register::Register;

pub use copies::OldHome;
pub use disk::Disk;

/// How long the kernel may take to remove processes after SIGKILL.
const DIES_WITHIN: Duration = Duration::from_secs(5);

pub use key::KmsPlan;
pub use register::RegisterPlan;

/// How a machine is set up.
#[derive(Debug, Clone)]
pub struct MachinePlan {
    /// `beam init --takeover-after`: how long the leader is silent before the other takes over.
    pub takeover_after: Duration,
    /// Further arguments of `beam init` on a machine that signs.
    pub init_args: Vec<String>,
    /// Further arguments of `beam init` on a sentry.
    pub sentry_init_args: Vec<String>,
    /// Further arguments of `beam start`.
    pub start_args: Vec<String>,
    /// Environment of `beam start`, on top of the lab's own.
    pub environment: Vec<(String, String)>,
    /// Which register the machines share.
    pub register: RegisterPlan,
    /// A key in an emulator's KMS, in place of the network's file.
    pub kms: Option<KmsPlan>,
    /// Gives each machine a register of its own, and so takes the fence away: for controls that must go wrong.
    pub unfenced: bool,
    /// Gives each machine a disk of its own, with the node's home and Beam's on it. Needs root ([`Disk::why_not`]).
    pub own_disk: bool,
    /// The library that lets the clock of each machine's pilot be set ([`install::faketime`](crate::install::faketime)).
    pub clock: Option<PathBuf>,
}

impl Default for MachinePlan {
    /// Takeover after 300 ms.
    fn default() -> Self {
        Self {
            takeover_after: Duration::from_millis(300),
            init_args: Vec::new(),
            sentry_init_args: Vec::new(),
            start_args: Vec::new(),
            environment: Vec::new(),
            register: RegisterPlan::Sqlite,
            kms: None,
            unfenced: false,
            own_disk: false,
            clock: None,
        }
    }
}

/// A machine. Dropping it kills pilot and node.
#[derive(Debug)]
pub struct Machine {
    beam: PathBuf,
    home: PathBuf,
    node: Node,
    chain_id: String,
    key: PathBuf,
    register: Register,
    plan: MachinePlan,
    /// Between it and the register, unless that is a file. A copy of the machine shares it.
    register_wire: Option<Arc<Proxy>>,
    /// Every pilot started here of whose group something may live, the newest last.
    pilots: Vec<Process>,
    /// Its own disk, if it has one. Last, so that it is unmounted when nothing runs on it any more.
    disk: Option<Disk>,
}

impl Machine {
    /// The machine `name` of a network (`a`, `b` or a sentry), to be run by the program `beam`. What it is follows from
    /// the role of its node. Nothing runs yet; its node's ports are free from here on.
    ///
    /// # Errors
    /// When the network has no node of that name, or it is a plain validator's.
    pub fn new(network: &mut Network, name: &str, beam: &Path, plan: MachinePlan) -> Result<Self> {
        let node = network.node(name)?.clone();
        ensure!(node.role != Role::Plain, "{name} is a plain validator, which the lab runs itself");
        network.release_ports(name);
        let register = Register::of(&plan.register, network.dir(), plan.unfenced.then_some(name));
        let (register, wire) = register.over_a_wire()?;
        let disk = plan.own_disk.then(|| Disk::over(&node.home)).transpose()?;
        // On a disk of its own a machine has everything in one folder.
        let home = match &disk {
            Some(_) => node.home.join("beam"),
            None => network.dir().join(format!("beam-{name}")),
        };
        Ok(Self {
            beam: beam.to_path_buf(),
            home,
            node,
            chain_id: network.chain_id().to_owned(),
            key: network.validator_key(),
            register,
            register_wire: wire.map(Arc::new),
            plan,
            pilots: Vec::new(),
            disk,
        })
    }

    /// `a` or `b`, or a sentry's `s1`...
    pub fn name(&self) -> &str {
        &self.node.name
    }

    /// Whether it is a sentry: it holds no key and signs nothing.
    pub fn is_sentry(&self) -> bool {
        self.node.role == Role::Sentry
    }

    /// Beam's home.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The node the pilot runs.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The RPC of its node.
    pub fn rpc(&self) -> Rpc {
        self.node.rpc()
    }

    /// Where the pilot's HTTP agent answers.
    pub fn agent(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.node.agent_port).into()
    }

    /// Its own disk.
    ///
    /// # Errors
    /// When the plan gives it none.
    pub fn disk(&self) -> Result<&Disk> {
        self.disk.as_ref().with_context(|| format!("{} has no disk of its own", self.name()))
    }

    /// Where this machine keeps its floor.
    pub fn floor(&self) -> PathBuf {
        self.home.join("floor")
    }

    /// The file of the shared register, if it is one that is there.
    ///
    /// # Errors
    /// When it is not.
    pub fn register_file(&self) -> Result<&Path> {
        let file = self.register.file().filter(|file| file.is_file());
        file.with_context(|| format!("the register of {} is not in a file", self.name()))
    }

    /// The wire between its pilot and the shared register, if that is reached over one.
    ///
    /// # Errors
    /// When it is not.
    pub fn register_wire(&self) -> Result<&Proxy> {
        self.register_wire
            .as_deref()
            .with_context(|| format!("the register of {} is not reached over a wire", self.name()))
    }

    /// Where Beam writes down each signature it lets out.
    pub fn audit(&self) -> PathBuf {
        self.home.join("audit.jsonl")
    }

    /// The end of that, for error messages.
    pub fn log_tail(&self) -> String {
        self.pilots.last().map(Process::log_tail).unwrap_or_default()
    }

    /// What pilot and node print.
    pub fn log(&self) -> PathBuf {
        self.home.join("beam.log")
    }

    /// Starts the pilot, which starts or adopts the node.
    ///
    /// # Errors
    /// When a pilot runs already, or the program cannot be started; call [`init`](Self::init) first.
    pub fn start(&mut self) -> Result<()> {
        ensure!(!self.is_running(), "the pilot of {} already runs", self.name());
        self.forget_the_dead();
        let mut command = Command::new(&self.beam);
        command.arg("start").arg("--home").arg(&self.home).args(&self.plan.start_args);
        command.envs(self.register.environment()).envs(self.plan.kms.iter().flat_map(KmsPlan::environment));
        command.envs(self.plan.environment.iter().map(|(key, value)| (key, value)));
        if let Some(library) = &self.plan.clock {
            clock::give(&mut command, library, &self.home)?;
        }
        let pilot = Process::spawn(command, &self.log(), &[&self.home, &self.node.home])
            .with_context(|| format!("cannot start the pilot of {}", self.node.name))?;
        self.pilots.push(pilot);
        Ok(())
    }

    /// Waits until the node answers its RPC.
    ///
    /// # Errors
    /// When the pilot ends before, or time runs out; the message carries the end of the log.
    pub async fn wait_ready(&mut self, within: Duration) -> Result<()> {
        let (name, rpc) = (self.name().to_owned(), self.rpc());
        let pilot = self.pilots.last_mut().with_context(|| format!("the pilot of {name} was not started"))?;
        let ready = wait::until(&format!("the node of {name} to answer"), within, || {
            let (ended, rpc) = (pilot.ended(), rpc.clone());
            async move {
                ensure!(ended.is_none(), "the pilot ended");
                Ok(rpc.height().await.ok())
            }
        })
        .await;
        ready
            .map(|_| ())
            .with_context(|| format!("{name} did not start; its log ends:\n{}", pilot.log_tail()))
    }

    /// Whether the pilot runs.
    pub fn is_running(&mut self) -> bool {
        self.pilots.last_mut().is_some_and(|pilot| pilot.ended().is_none())
    }

    /// How the newest pilot ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.pilots.last_mut()?.ended()
    }

    /// The pilot's process id, while it runs.
    pub fn pilot_pid(&mut self) -> Option<u32> {
        self.is_running().then(|| self.pilots.last().map(Process::pid)).flatten()
    }

    /// The node's process id, while it runs.
    pub fn node_pid(&self) -> Option<i32> {
        let file = fs::read_to_string(self.home.join("node.pid")).ok()?;
        let pid = file.split_whitespace().next()?.parse().ok()?;
        procfs::mentions(pid, &self.node.home).then_some(pid)
    }

    /// Kills pilot and node at once, as when the machine loses power, and returns when that was.
    /// Afterwards the node's ports are free again.
    pub fn kill_machine(&mut self) -> Instant {
        let at = Instant::now();
        self.signal_all(Signal::KILL);
        for pilot in &mut self.pilots {
            pilot.kill_group();
        }
        while self.anything_lives() && at.elapsed() < DIES_WITHIN {
            thread::sleep(Duration::from_millis(1));
        }
        at
    }

    /// Stops pilot and node where they stand: a machine that hangs and does not know it.
    pub fn freeze(&mut self) -> Instant {
        self.signal_all(Signal::STOP);
        Instant::now()
    }

    /// Lets a frozen machine go on, as if no time had passed.
    pub fn thaw(&mut self) -> Instant {
        self.signal_all(Signal::CONT);
        Instant::now()
    }

    /// Kills the node alone.
    ///
    /// # Errors
    /// When no node runs.
    pub fn kill_node(&self) -> Result<Instant> {
        let pid = self.node_pid().with_context(|| format!("{} runs no node", self.name()))?;
        ensure!(signal(pid, Signal::KILL), "cannot kill the node of {}", self.name());
        Ok(Instant::now())
    }

    /// Kills the pilot alone; its node runs on without a signer.
    ///
    /// # Errors
    /// When no pilot runs.
    pub fn kill_pilot(&mut self) -> Result<Instant> {
        ensure!(self.is_running(), "the pilot of {} does not run", self.node.name);
        let pilot = self.pilots.last_mut().context("no pilot")?;
        let at = Instant::now();
        pilot.kill_leader();
        Ok(at)
    }

    /// Asks the pilot to end and waits for it; kills whatever is left after `within`. True if the
    /// pilot ended by itself.
    pub async fn stop(&mut self, within: Duration) -> bool {
        let graceful = match self.pilots.last_mut() {
            Some(pilot) => pilot.terminate(within).await,
            None => true,
        };
        self.kill_machine();
        graceful
    }

    /// The node goes last: a pilot that sees it die first would start to act.
    fn signal_all(&mut self, what: Signal) {
        for pilot in self.pilots.iter_mut().rev() {
            pilot.signal_group(what);
        }
        if let Some(node) = self.node_pid() {
            signal(node, what);
        }
    }

    /// Whether pilot or node stands still.
    pub fn is_frozen(&mut self) -> bool {
        let pilot = self.pilot_pid().and_then(|pid| i32::try_from(pid).ok());
        let stands = |pid: Option<i32>| pid.is_none_or(procfs::is_stopped);
        stands(pilot) && stands(self.node_pid()) && pilot.is_some()
    }

    /// Whether pilot or node lives.
    pub fn anything_lives(&mut self) -> bool {
        self.pilots.iter_mut().any(Process::group_lives) || self.node_pid().is_some()
    }

    fn forget_the_dead(&mut self) {
        self.pilots.retain_mut(Process::group_lives);
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.kill_machine();
    }
}

fn signal(pid: i32, what: Signal) -> bool {
    Pid::from_raw(pid).is_some_and(|pid| kill_process(pid, what).is_ok())
}

#[cfg(test)]
mod tests;
