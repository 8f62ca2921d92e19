//! The contract of [`NodeProcess`], as a suite for any backend. The node must be one that starts and keeps running.

use std::time::Duration;

use super::Breach;
use crate::node_process::{NodeError, NodeProcess};

/// How long a node may take to end when asked.
const GRACE: Duration = Duration::from_secs(5);

/// Checks every statement, in this order, on a node that does not run yet.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(node: &dyn NodeProcess) -> Result<(), Breach> {
    state_all!(node;
        without_a_run_stop_and_exited_answer_at_once,
        a_second_start_changes_nothing,
        a_node_that_was_stopped_starts_anew,
        waiting_for_the_end_may_be_dropped_and_begun_again,
    )
}

/// Nothing to stop is no error, and nothing to wait for is no wait.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn without_a_run_stop_and_exited_answer_at_once(node: &dyn NodeProcess) -> Result<(), Breach> {
    node.stop(GRACE).await?;
    node.exited().await?;
    Ok(())
}

/// `start` while one is running is refused with its pid, and it goes on.
///
/// # Errors
/// The [`Breach`].
pub async fn a_second_start_changes_nothing(node: &dyn NodeProcess) -> Result<(), Breach> {
    let run = node.start().await?;
    ensure_matches!(node.start().await, Err(NodeError::AlreadyRunning(pid)) if pid == run.pid);
    still_runs(node).await?;
    node.stop(GRACE).await?;
    Ok(())
}

/// A node that was stopped can be started again, and is then nobody's that was left behind.
///
/// # Errors
/// The [`Breach`].
pub async fn a_node_that_was_stopped_starts_anew(node: &dyn NodeProcess) -> Result<(), Breach> {
    node.start().await?;
    node.stop(GRACE).await?;
    let second = node.start().await?;
    node.stop(GRACE).await?;
    ensure!(!second.adopted, "a run was adopted where none was left");
    Ok(())
}

/// `exited` may be dropped midway; the next call gets the same end as `stop`.
///
/// # Errors
/// The [`Breach`].
pub async fn waiting_for_the_end_may_be_dropped_and_begun_again(
    node: &dyn NodeProcess,
) -> Result<(), Breach> {
    node.start().await?;
    still_runs(node).await?;
    still_runs(node).await?;
    let (exited, stopped) = tokio::join!(node.exited(), node.stop(GRACE));
    let (exited, stopped) = (exited?, stopped?);
    ensure!(exited == stopped, "it ended with {exited:?} for one and {stopped:?} for the other");
    Ok(())
}

async fn still_runs(node: &dyn NodeProcess) -> Result<(), Breach> {
    let exited = tokio::time::timeout(Duration::from_millis(50), node.exited()).await;
    ensure!(exited.is_err(), "the node should run, but ended: {exited:?}");
    Ok(())
}
