//! A wire that can be damaged: a TCP proxy between two endpoints, whose weather is set while it runs.
//!
//! It stands in for what a kernel's traffic shaping would do, on a machine that has none, and needs no privileges. What it does is what
//! a program at the end of a TCP connection sees of a bad network, not what a packet sees:
//!
//! * a **delay** is added to each way, and what was sent first arrives first;
//! * a **lost** packet is a pause of a retransmission timeout for all that comes behind it, and now and then the connection is reset;
//! * a **black hole** takes nothing in and lets nothing out, and the connection stays;
//! * a **cut** resets what is connected, and whoever connects anew is reset too;
//! * **lost answers**: what the dialer asks arrives, what it is answered is thrown away and the connection reset. The dialer cannot
//!   tell this from a question that never arrived, which is the point.
//!
//! Setting the weather counts at once for connections that stand, too. Dropping the proxy resets them.

mod chance;
mod flow;
mod link;
#[cfg(test)]
mod tests;
mod weather;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use link::{Link, reset};

pub use weather::Weather;

/// After a failed `accept`, such as for want of file descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// A proxy. It accepts as long as it lives.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    figures: Arc<Figures>,
    task: JoinHandle<()>,
}

/// What happened on a proxy so far.
#[derive(Debug, Default)]
pub struct Figures {
    accepted: AtomicU64,
    reset: AtomicU64,
    paused: AtomicU64,
    answers_lost: AtomicU64,
    bytes: AtomicU64,
}

impl Figures {
    /// Connections accepted, those that were reset at once included.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections reset, by whatever weather.
    pub fn reset(&self) -> u64 {
        self.reset.load(Ordering::Relaxed)
    }

    /// Retransmission timeouts played.
    pub fn paused(&self) -> u64 {
        self.paused.load(Ordering::Relaxed)
    }

    /// Answers thrown away.
    pub fn answers_lost(&self) -> u64 {
        self.answers_lost.load(Ordering::Relaxed)
    }

    /// Bytes delivered, both ways together.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn count(counter: &AtomicU64, more: u64) {
        counter.fetch_add(more, Ordering::Relaxed);
    }
}

impl Proxy {
    /// Listens on a port of the loopback interface and connects whoever comes to `upstream`, which need not be there yet. Needs a tokio
    /// runtime around it.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port for a proxy")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (weather, _) = watch::channel(Weather::FINE);
        let figures = Arc::new(Figures::default());
        let link = Link { upstream, weather: weather.subscribe(), figures: Arc::clone(&figures) };
        let task = tokio::spawn(accept(listener, link));
        Ok(Self { address, weather, figures, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the weather, for connections that stand and those to come.
    pub fn set(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// The weather now.
    pub fn weather(&self) -> Weather {
        *self.weather.borrow()
    }

    /// What happened so far.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Owns the connections: they end with it.
async fn accept(listener: tokio::net::TcpListener, link: Link) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => take(client, &link, &mut connections),
                Err(_) => tokio::time::sleep(ACCEPT_AGAIN_AFTER).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

fn take(client: TcpStream, link: &Link, connections: &mut JoinSet<()>) {
    Figures::count(&link.figures.accepted, 1);
    if link.weather.borrow().cut {
        Figures::count(&link.figures.reset, 1);
        reset(client);
    } else {
        connections.spawn(link.clone().carry(client));
    }
}
