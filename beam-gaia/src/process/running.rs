//! One run that is watched: waited for, asked to end, reaped.
//!
//! A process file descriptor names the process for good, so a signal never reaches a stranger that got its pid, and its
//! own children and adopted ones are waited for in one way. Nothing here needs a task or a signal handler.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Mutex, PoisonError};

use beam_core::node_process::{Exit, Run};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, pidfd_open, pidfd_send_signal, waitid,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::identity::{self, Identity};

/// A node that runs, or did.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) run: Run,
    /// Where in the log file its words begin.
    pub(super) log_from: u64,
    identity: Identity,
    descriptor: AsyncFd<OwnedFd>,
    exit: Mutex<Option<Exit>>,
}

impl Running {
    /// Watches this process; `None` if it is gone and nobody's any more. Must be called inside a tokio runtime.
    pub(super) fn watch(identity: Identity, run: Run, log_from: u64) -> io::Result<Option<Self>> {
        let pid = i32::try_from(identity.pid()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a process id"))?;
        let descriptor = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::SRCH) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Looked at again with the descriptor in hand: only now it cannot become somebody else.
        if identity::see(identity.pid())?.is_none_or(|seen| seen.identity != identity) {
            return Ok(None);
        }
        // Deprecated because a type of one's own may change its descriptor behind tokio's back; `OwnedFd` never does, and the
        // successor is an `unsafe` function, which this workspace forbids.
        #[allow(deprecated)]
        let descriptor = AsyncFd::with_interest(descriptor, Interest::READABLE)?;
        Ok(Some(Self { run, log_from, identity, descriptor, exit: Mutex::new(None) }))
    }

    /// How it ended, if it has. Reaps it if it was this process's child.
    pub(super) fn exit(&self) -> io::Result<Option<Exit>> {
        let mut exit = self.exit.lock().unwrap_or_else(PoisonError::into_inner);
        if exit.is_none() {
            let id = WaitId::PidFd(self.descriptor.get_ref().as_fd());
            *exit = match waitid(id, WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
                Ok(status) => status.as_ref().map(exit_of),
                // Not our child: its parent is told how it ended, we are not.
                Err(Errno::CHILD) => (!self.identity.is_alive()?).then_some(Exit::Unknown),
                Err(error) => return Err(error.into()),
            };
        }
        Ok(*exit)
    }

    /// Waits until it has ended. Safe to drop midway, and any number of tasks may wait.
    pub(super) async fn ended(&self) -> io::Result<Exit> {
        loop {
            if let Some(exit) = self.exit()? {
                return Ok(exit);
            }
            let mut ready = self.descriptor.readable().await?;
            if let Some(exit) = self.exit()? {
                return Ok(exit);
            }
            ready.clear_ready();
        }
    }

    /// Sends a signal to this process and to no other. One that is gone needs none.
    pub(super) fn signal(&self, signal: Signal) -> io::Result<()> {
        match pidfd_send_signal(self.descriptor.get_ref(), signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn exit_of(status: &WaitIdStatus) -> Exit {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(0), _) => Exit::Clean,
        (Some(1), _) => Exit::Refused,
        (Some(2), _) => Exit::Panicked,
        (Some(code), _) => Exit::Failed(code),
        (None, Some(signal)) => Exit::Killed(signal),
        (None, None) => Exit::Unknown,
    }
}
