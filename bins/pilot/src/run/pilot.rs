//! A running pilot: what it consists of, and in which order that begins and ends.
//!
//! * **Begin**: the node's configuration, the signer and its connection, the side tasks, the node. A node that asks before its
//!   signer is there waits; one that finds the wrong configuration would sign by itself.
//! * **End**: the node, the connection, the side tasks, the signer. A node that has lost its signer does not end for minutes.
//! * **A part that all depends on ends by itself** (a bug): the pilot ends and leaves the node running. Whoever starts it
//!   again finds the node and adopts it.

use std::sync::Arc;

use anyhow::Result;
use beam_core::id::SessionId;
use beam_gaia::logs::CaptureThread;
use beam_gaia::rpc::{Dialing, NodeRpc, ValidatorAddress};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::node::{NodeKeeper, NodeRun, Until, tell_pending};
use super::orders::{Order, Orders};
use super::pulse::Pulses;
use super::reload::{Reload, reload};
use super::replace::Successor;
use super::signing::{self, Signing};
use super::tasks::Tasks;
use super::{Live, Outcome, node_settings, notify, side_tasks};
use crate::assemble::{self, random};
use crate::capture;
use crate::cli::LogLevel;
use crate::config::Config;
use crate::http::Agent;

/// Everything that runs.
pub(crate) struct Pilot {
    config: watch::Sender<Arc<Config>>,
    log_level: LogLevel,
    signing: Option<Signing>,
    tasks: Tasks,
    agent: Agent,
    logs: CaptureThread,
    keeper: JoinHandle<()>,
    until: watch::Sender<Until>,
    run: watch::Sender<NodeRun>,
    successor: Successor,
}

impl Pilot {
    /// Begins everything.
    ///
    /// # Errors
    /// If something of it cannot begin. The node is not started then.
    pub(crate) async fn begin(config: Config, log_level: LogLevel, successor: Successor) -> Result<Self> {
        let (session, sessions) = watch::channel(SessionId::from_random(random()?));
        let signing = match config.role {
            crate::config::Role::Validator => Some(Signing::start(&config, sessions).await?),
            crate::config::Role::Sentry => None,
        };
        let validator = signing.as_ref().map(|signing| signing.signer.key.public());
        node_settings::make_right(&config, validator.as_ref())?;
        let node = Arc::new(assemble::node(&config)?);
        let config = watch::Sender::new(Arc::new(config));
        let run = watch::Sender::<NodeRun>::default();
        let live = Live { config: config.subscribe(), node: run.subscribe(), pulses: Pulses::default() };
        let mut tasks = Tasks::new();
        let own = validator.as_ref().map(|key| ValidatorAddress::of(key).0);
        // Before the node is started, so that its first words have their time.
        let logs = capture::start(&config.borrow(), own)?;
        let reports = side_tasks(&mut tasks, &live, Arc::clone(&node), &logs, signing.as_ref())?;
        let agent = Agent::start(&config.borrow(), reports);
        let keeper = NodeKeeper { node, config: config.subscribe(), validator, session, run: run.clone() };
        let until = watch::Sender::<Until>::default();
        let keeper = tokio::spawn(keeper.keep(until.subscribe()));
        Ok(Self { config, log_level, signing, tasks, agent, logs, keeper, until, run, successor })
    }

    /// Runs until told to end, or until a part ends by itself.
    pub(crate) async fn run(&mut self, orders: &mut Orders) -> Outcome {
        loop {
            let order = tokio::select! {
                order = orders.next() => order,
                part = Signing::ended_by_itself(self.signing.as_mut()) => return Outcome::Broken(part),
                _ = &mut self.keeper => return Outcome::Broken("what looks after the node"),
                () = self.tasks.tell_of_ends() => continue,
            };
            match order {
                Order::Stop(signal) => return Outcome::Stopped(signal),
                Order::Reload => self.reload().await,
                Order::Replace => match self.successor.try_out().await {
                    Ok(version) => return Outcome::Replaced(version),
                    Err(error) => tracing::error!(
                        error = format!("{error:#}"),
                        "not replaced: the new program does not run; this one goes on"
                    ),
                },
            }
        }
    }

    /// Reads `node.toml` again, tells what that means, and does what can be done now.
    async fn reload(&self) {
        notify::reloading("reading node.toml again");
        let old = Arc::clone(&self.config.borrow());
        let new = match Config::load(&old.home) {
            Ok(new) => new,
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "not reloaded: nothing has changed");
                return notify::ready("node.toml is wrong and was not read again; see the log");
            }
        };
        let Reload { differences, config } = reload(&old, &new);
        for difference in &differences {
            tracing::info!(key = difference.key, "changed: {}", difference.in_force);
        }
        self.log_level.set(&config.logs.level);
        self.logs.limit(capture::limits(&config));
        self.agent.allow_lag(config.health.lag_blocks_max);
        let validator = self.signing.as_ref().map(|signing| signing.signer.key.public());
        if let Err(error) = node_settings::make_right(&config, validator.as_ref()) {
            tracing::error!(error = format!("{error:#}"), "the node's configuration stays as it was");
        }
        self.config.send_replace(Arc::new(config.clone()));
        dial_added(&config).await;
        tell_pending(&self.run, &config);
        tracing::info!(changed = differences.len(), "reloaded");
        notify::ready("reloaded");
    }

    /// Ends everything; what becomes of the node depends on why.
    pub(crate) async fn end(self, outcome: &Outcome) {
        let grace = self.config.borrow().node.stop_grace;
        let until = match outcome {
            Outcome::Stopped(signal) => {
                tracing::info!(signal, "stopping: first the node, then the signer");
                notify::stopping(grace, "stopping: first the node, then the signer");
                Until::Stopped
            }
            Outcome::Replaced(version) => {
                tracing::info!(from = env!("CARGO_PKG_VERSION"), to = version, "replaced; the node runs on");
                notify::reloading("replaced by the installed program; the node runs on");
                Until::Left
            }
            Outcome::Broken(part) => {
                tracing::error!(part, "a part of the pilot has ended by itself; the node runs on");
                notify::stopping(grace, "a part of the pilot has ended by itself; the node runs on");
                Until::Left
            }
        };
        self.until.send_replace(until);
        if !self.keeper.is_finished() {
            let _ = self.keeper.await;
        }
        let signer = match self.signing {
            Some(signing) => Some(signing.hang_up().await),
            None => None,
        };
        // What the node said last is written down.
        self.logs.stop().await;
        self.agent.stop().await;
        self.tasks.end().await;
        if let Some(signer) = signer {
            signing::end(signer).await;
        }
    }
}

/// Has the node dial peers that were added, if that is allowed.
async fn dial_added(config: &Config) {
    let pending = match node_settings::pending(config) {
        Ok(pending) => pending,
        // Told where what is pending is told.
        Err(_) => return,
    };
    let (true, Ok(rpc)) = (node_settings::may_dial(config, &pending), config.rpc()) else {
        return;
    };
    let peers = config.p2p.persistent_peers.clone().unwrap_or_default();
    match NodeRpc::new(rpc).dial_peers(&peers, Dialing { persistent: true, ..Dialing::default() }).await {
        Ok(()) => {
            tracing::info!(peers = peers.join(","), "the node dials its persistent peers");
            if let Err(error) = node_settings::note_dialled(config) {
                tracing::warn!(error = format!("{error:#}"), "not noted that they were dialled");
            }
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "added peers were not dialled");
        }
    }
}
