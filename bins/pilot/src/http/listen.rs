//! Getting hold of the port. A port that is taken must not keep a validator from signing: it is said once, and tried again
//! until it is free.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::time::sleep;

use super::limits::{BACKLOG, RETRY_FIRST, RETRY_LONGEST};

/// Waits that grow: each twice the one before, up to the longest.
#[derive(Debug)]
pub(super) struct Waits(Duration);

impl Default for Waits {
    fn default() -> Self {
        Self(RETRY_FIRST)
    }
}

impl Waits {
    /// The next one.
    pub(super) fn another(&mut self) -> Duration {
        let wait = self.0;
        self.0 = wait.saturating_mul(2).min(RETRY_LONGEST);
        wait
    }
}

/// Listens at `address`, as soon as that can be done.
pub(super) async fn listen(address: SocketAddr) -> TcpListener {
    let mut waits = Waits::default();
    let mut told = None;
    loop {
        match bind(address) {
            Ok(listener) => {
                tracing::info!(%address, "the agent answers");
                return listener;
            }
            Err(error) if told != Some(error.kind()) => {
                told = Some(error.kind());
                tracing::error!(
                    %address,
                    error = &error as &dyn Error,
                    "the agent cannot listen, everything else goes on; free the port or give agent.listen another one \
                     (it is tried again and again)"
                );
            }
            Err(_) => {}
        }
        sleep(waits.another()).await;
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A pilot that starts again must not wait for the connections of the last one.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_longest() {
        let mut waits = Waits::default();
        let first: Vec<u64> = (0..8).map(|_| waits.another().as_secs()).collect();
        assert_eq!(first, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_port_that_is_taken_is_had_once_it_is_free() {
        let holder = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = holder.local_addr().unwrap();
        let listening = tokio::spawn(listen(address));
        sleep(RETRY_LONGEST * 2).await;
        assert!(!listening.is_finished());
        drop(holder);
        assert_eq!(listening.await.unwrap().local_addr().unwrap(), address);
    }
}
