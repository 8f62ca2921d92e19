//! What a running pilot can be told, by signals. They are listened to before anything else is done: by default each of
//! them would kill the pilot.

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Something that the pilot shall do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// End the node, then the signer. The signal's name.
    Stop(&'static str),
    /// Read the configuration again.
    Reload,
    /// Become the program that is installed now, and leave the node running.
    Replace,
}

/// Listens for signals.
#[derive(Debug)]
pub(crate) struct Orders {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    user2: Signal,
}

impl Orders {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the operating system does not let us.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            user2: signal(SignalKind::user_defined2())?,
        })
    }

    /// The next order. Safe to drop midway.
    pub(crate) async fn next(&mut self) -> Order {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Order::Stop("SIGTERM"),
            _ = self.interrupt.recv() => Order::Stop("SIGINT"),
            _ = self.user2.recv() => Order::Replace,
            _ = self.hang_up.recv() => Order::Reload,
        }
    }
}
