//! Keeping the node running: started again when it ends, stopped when we are.
//!
//! Each run is a session of its own. The signer learns of it before the node starts, since the node may ask at once: what
//! the last run had seen must not be believed of this one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use beam_core::id::SessionId;
use beam_core::node_process::{Exit, NodeError, NodeProcess};
use beam_gaia::process::{GaiaProcess, RestartPolicy};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::assemble::random;

/// Runs the node until told to stop.
pub(crate) async fn run_node(
    node: Arc<GaiaProcess>,
    session: watch::Sender<SessionId>,
    stop_grace: Duration,
    mut stop: watch::Receiver<bool>,
) {
    let mut policy = RestartPolicy::default();
    while !*stop.borrow() {
        let began = Instant::now();
        tokio::select! {
            () = run_once(&node, &session) => {}
            // An error means that whoever could tell us to stop is gone: then it is time to.
            _ = stop.wait_for(|stop| *stop) => break,
        }
        let wait = policy.next_start_after(began.elapsed());
        tracing::warn!(?wait, "the node is started again");
        tokio::select! {
            () = sleep(wait) => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    match node.stop(stop_grace).await {
        Ok(exit) => tracing::info!(?exit, "the node has ended"),
        Err(error) => tracing::error!(%error, "the node could not be ended"),
    }
}

/// One run of the node, from its start to its end.
async fn run_once(node: &GaiaProcess, session: &watch::Sender<SessionId>) {
    match random() {
        Ok(bits) => session.send_replace(SessionId::from_random(bits)),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the node is not started");
            return;
        }
    };
    let run = match node.start().await {
        Ok(run) => run,
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "the node could not be started");
            return;
        }
    };
    tracing::info!(pid = run.pid, adopted = run.adopted, "the node is running");
    let exit = node.exited().await;
    tell_of_end(node, exit).await;
}

async fn tell_of_end(node: &GaiaProcess, exit: Result<Exit, NodeError>) {
    let last_words = node.last_words().await.unwrap_or_default();
    match exit {
        Ok(exit) => tracing::error!(?exit, last_words, "the node has ended by itself"),
        Err(error) => tracing::error!(%error, "the node could not be watched"),
    }
}
