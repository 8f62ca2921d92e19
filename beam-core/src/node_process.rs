//! The node that a pilot runs beside itself: gaiad, or any other daemon.

use std::time::Duration;

use async_trait::async_trait;

use crate::register::Cause;

/// One node on this machine, as a process.
///
/// # Contract
/// * At most one run at a time. `start` while one is running is [`NodeError::AlreadyRunning`] and changes nothing.
/// * A run that was found running from before is "adopted". Whoever calls `start` draws the run's
///   [`SessionId`](crate::id::SessionId) before: a node may ask for signatures before `start` returns.
/// * `exited` waits for the run that is there to end and says how. It may be called by one task at a time, is safe to drop
///   midway and call again, and answers at once if nothing runs.
/// * `stop` asks first and kills after `grace`; it returns when the process is gone (and reaped, if it was ours), and
///   is a success if nothing runs.
/// * Dropping the value does not stop the node: a node that goes on waiting for its signer is worth more than one that
///   must be started again.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait NodeProcess: Send + Sync + 'static {
    /// Starts the node, or adopts the one that a former pilot of the same home left running.
    ///
    /// # Errors
    /// [`NodeError`] if it did not start; what it left behind is cleaned up.
    async fn start(&self) -> Result<Run, NodeError>;

    /// Waits until the node that runs is gone.
    ///
    /// # Errors
    /// [`NodeError`] if that cannot be known.
    async fn exited(&self) -> Result<Exit, NodeError>;

    /// Ends the node.
    ///
    /// # Errors
    /// [`NodeError`] if it is still there afterwards.
    async fn stop(&self, grace: Duration) -> Result<Exit, NodeError>;
}

/// One run of the node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its process id.
    pub pid: u32,
    /// Whether it was running before we came.
    pub adopted: bool,
}

/// How a node ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// By itself or when asked, without complaint (code 0).
    Clean,
    /// Configuration, handshake, lock or port (gaiad's code 1): trying again soon seldom helps.
    Refused,
    /// A Go panic (code 2): a full disk, a wrong binary, a bug.
    Panicked,
    /// Another code.
    Failed(i32),
    /// By a signal: 9 is somebody's kill, or the kernel out of memory.
    Killed(i32),
    /// It is gone, but it was not our child, so nobody knows how.
    Unknown,
}

/// A node that could not be started, watched or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// One is running already.
    #[error("the node is already running (pid {0})")]
    AlreadyRunning(u32),
    /// The program could not be run at all.
    #[error("the node could not be started: {program}")]
    Start {
        /// What was to be run.
        program: String,
        /// Why it was not.
        #[source]
        source: Cause,
    },
    /// It did not end, not even when killed.
    #[error("the node (pid {0}) does not end")]
    Stuck(u32),
    /// The operating system did not answer.
    #[error("the node's process could not be watched")]
    Io(#[source] Cause),
}
