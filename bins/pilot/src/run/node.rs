//! Keeping the node running: started again when it ends, and when we end, stopped or left.
//!
//! Each run is a session of its own. The signer learns of it before the node starts, since the node may ask at once: what
//! the last run had seen must not be believed of this one.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use beam_core::id::SessionId;
use beam_core::node_process::{Exit, NodeError, NodeProcess};
use beam_core::signing_key::PublicKey;
use beam_gaia::process::{GaiaProcess, RestartPolicy};
use tokio::sync::watch;
use tokio::time::sleep;

use super::node_settings::{self, Snapshot};
use crate::assemble::random;
use crate::config::Config;

/// What shall become of the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Until {
    /// It runs on.
    #[default]
    Told,
    /// It ends with us.
    Stopped,
    /// It runs on without us, for the next pilot to adopt.
    Left,
}

/// The node's run, as of now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct NodeRun {
    /// Its process id, while it runs.
    pub(crate) pid: Option<u32>,
    /// How often this pilot has started it; one that was adopted does not count.
    pub(crate) starts: u64,
    /// Why it could not be started, if that is how it stands.
    pub(crate) trouble: Option<String>,
    /// The keys of its `config.toml` that have changed since it started: it takes them in with its next start.
    pub(crate) pending_restart: Vec<String>,
}

/// What looks after the node.
pub(crate) struct NodeKeeper {
    pub(crate) node: Arc<GaiaProcess>,
    /// The configuration in force.
    pub(crate) config: watch::Receiver<Arc<Config>>,
    /// The validator's key, which the node must not have.
    pub(crate) validator: Option<PublicKey>,
    pub(crate) session: watch::Sender<SessionId>,
    pub(crate) run: watch::Sender<NodeRun>,
}

impl NodeKeeper {
    /// Keeps the node running until told what else.
    pub(crate) async fn keep(self, mut until: watch::Receiver<Until>) {
        let mut policy = RestartPolicy::default();
        let until = loop {
            let began = Instant::now();
            // Never dropped midway: a node of which no pid file tells would be found by nobody.
            let started = self.begin_run().await;
            if started {
                tokio::select! {
                    () = self.end_of_run() => {}
                    told = other_than_told(&mut until) => break told,
                }
            }
            let wait = policy.next_start_after(began.elapsed());
            tracing::warn!(?wait, "the node is started again");
            tokio::select! {
                () = sleep(wait) => {}
                told = other_than_told(&mut until) => break told,
            }
        };
        if until == Until::Stopped {
            let grace = self.config.borrow().node.stop_grace;
            match self.node.stop(grace).await {
                Ok(exit) => tracing::info!(?exit, "the node has ended"),
                Err(error) => tracing::error!(%error, "the node could not be ended"),
            }
        }
    }

    /// Starts or adopts the node; `false` if that failed.
    async fn begin_run(&self) -> bool {
        match self.start().await {
            Ok(pid) => {
                self.run.send_modify(|run| (run.pid, run.trouble) = (Some(pid), None));
                true
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(error, "the node could not be started");
                self.run.send_modify(|run| run.trouble = Some(error));
                false
            }
        }
    }

    async fn end_of_run(&self) {
        let exit = self.node.exited().await;
        self.run.send_modify(|run| run.pid = None);
        tell_of_end(&self.node, exit).await;
    }

    async fn start(&self) -> Result<u32> {
        let config = Arc::clone(&self.config.borrow());
        node_settings::make_right(&config, self.validator.as_ref())?;
        let snapshot = Snapshot::take(&config).context("the node's configuration cannot be read")?;
        self.session.send_replace(SessionId::from_random(random()?));
        let run = self.node.start().await?;
        if !run.adopted {
            self.run.send_modify(|run| run.starts = run.starts.saturating_add(1));
            if let Err(error) = snapshot.keep(&config) {
                tracing::warn!(%error, "not noted what the node was started with");
            }
        }
        let starts = self.run.borrow().starts;
        tracing::info!(pid = run.pid, adopted = run.adopted, starts, "the node is running");
        tell_pending(&self.run, &config);
        Ok(run.pid)
    }
}

/// Finds out what the running node has not taken in yet, and tells if that is new.
pub(crate) fn tell_pending(run: &watch::Sender<NodeRun>, config: &Config) {
    let keys: Vec<String> = match node_settings::pending(config) {
        Ok(changes) => changes.into_iter().map(|change| change.key).collect(),
        Err(error) => {
            tracing::warn!(error = format!("{error:#}"), "not known what the node was started with");
            return;
        }
    };
    let told = run.send_if_modified(|run| {
        let changed = run.pending_restart != keys;
        run.pending_restart.clone_from(&keys);
        changed
    });
    if told && !keys.is_empty() {
        tracing::warn!(
            keys = keys.join(", "),
            "pending restart: the node takes these in with its next start, which is left to you"
        );
    }
}

/// Waits for the word that the node shall not just run on.
async fn other_than_told(until: &mut watch::Receiver<Until>) -> Until {
    // An error means that whoever could tell us is gone: then it is time to stop.
    until.wait_for(|until| *until != Until::Told).await.map_or(Until::Stopped, |until| *until)
}

async fn tell_of_end(node: &GaiaProcess, exit: Result<Exit, NodeError>) {
    let last_words = node.last_words().await.unwrap_or_default();
    match exit {
        Ok(exit) => tracing::error!(?exit, last_words, "the node has ended by itself"),
        Err(error) => tracing::error!(error = &error as &dyn Error, "the node could not be watched"),
    }
}
