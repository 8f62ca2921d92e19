//! A node without a process.

use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;

use crate::node_process::{Exit, NodeError, NodeProcess, Run};

/// A node that runs when it is told to, and ends when a test says so. Pids count from 1.
#[derive(Debug, Default)]
pub struct FakeNode {
    state: watch::Sender<State>,
}

#[derive(Debug, Default)]
struct State {
    running: Option<Run>,
    /// Whether whoever started the run is gone, so that the next start adopts it.
    orphaned: bool,
    last_exit: Option<Exit>,
    starts: u32,
    broken: bool,
    stubborn: bool,
}

impl FakeNode {
    /// A node that does not run yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The run that is there.
    #[must_use]
    pub fn running(&self) -> Option<Run> {
        self.state.borrow().running
    }

    /// How often it was started (adopting is not starting).
    #[must_use]
    pub fn starts(&self) -> u32 {
        self.state.borrow().starts
    }

    /// Ends the run, in this way. Nothing happens if none is there.
    pub fn end(&self, exit: Exit) {
        self.state.send_modify(|state| state.end(exit));
    }

    /// The pilot that started the run is gone: the next start adopts it.
    pub fn orphan(&self) {
        self.state.send_modify(|state| state.orphaned = state.running.is_some());
    }

    /// Makes every start fail, or work again.
    pub fn set_broken(&self, broken: bool) {
        self.state.send_modify(|state| state.broken = broken);
    }

    /// Makes it outlive every stop, or not any more.
    pub fn set_stubborn(&self, stubborn: bool) {
        self.state.send_modify(|state| state.stubborn = stubborn);
    }
}

impl State {
    fn end(&mut self, exit: Exit) {
        if self.running.take().is_some() {
            (self.last_exit, self.orphaned) = (Some(exit), false);
        }
    }

    fn exit(&self) -> Exit {
        self.last_exit.unwrap_or(Exit::Unknown)
    }

    fn start(&mut self) -> Result<Run, NodeError> {
        if let Some(run) = &mut self.running {
            if !self.orphaned {
                return Err(NodeError::AlreadyRunning(run.pid));
            }
            (self.orphaned, run.adopted) = (false, true);
            return Ok(*run);
        }
        if self.broken {
            return Err(NodeError::Start { program: "fake".to_owned(), source: "told to fail".into() });
        }
        self.starts = self.starts.saturating_add(1);
        let run = Run { pid: self.starts, adopted: false };
        self.running = Some(run);
        Ok(run)
    }
}

#[async_trait]
impl NodeProcess for FakeNode {
    async fn start(&self) -> Result<Run, NodeError> {
        let mut started = None;
        self.state.send_modify(|state| started = Some(state.start()));
        // `send_modify` always calls its closure.
        started.unwrap_or_else(|| Err(NodeError::Io("not started".into())))
    }

    async fn exited(&self) -> Result<Exit, NodeError> {
        let mut states = self.state.subscribe();
        let ended = states.wait_for(|state| state.running.is_none()).await;
        ended.map(|state| state.exit()).map_err(|closed| NodeError::Io(closed.into()))
    }

    async fn stop(&self, _grace: Duration) -> Result<Exit, NodeError> {
        let mut stuck = None;
        self.state.send_modify(|state| match state.running {
            Some(run) if state.stubborn => stuck = Some(run.pid),
            _ => state.end(Exit::Clean),
        });
        match stuck {
            Some(pid) => Err(NodeError::Stuck(pid)),
            None => Ok(self.state.borrow().exit()),
        }
    }
}
