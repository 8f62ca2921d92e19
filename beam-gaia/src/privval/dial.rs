//! Being there before the node is, and again as soon as it is back.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::connection::{Ended, serve};
use super::limits::{ANSWER_WITHIN, CONNECT_WITHIN, DIAL_EVERY, SEND_WITHIN};
use super::plain::Plain;
use super::transport::Transport;
use super::{Address, Link, LinkState, Service};

/// Dials one node and serves it, one connection at a time, for as long as it runs.
pub struct Dialer {
    address: Address,
    service: Arc<Service>,
    link: watch::Sender<Link>,
}

impl Dialer {
    /// A dialer that does nothing yet.
    #[must_use]
    pub fn new(address: Address, service: Service) -> Self {
        Self { address, service: Arc::new(service), link: watch::Sender::default() }
    }

    /// The connection to the node, as it changes.
    #[must_use]
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// Dials and serves until `until` is done; then answers the request that is there, if one is, and returns.
    ///
    /// Stop the node first: it freezes without its signer, and may take minutes to stop then. Dropped midway, the
    /// connection is closed at once.
    pub async fn run(self, until: impl Future<Output = ()>) {
        let mut until = pin!(until);
        let (stop, stopping) = watch::channel(false);
        // Of its own, so that a panic in one connection is the end of that connection only. Never more than one.
        let mut serving = JoinSet::new();
        loop {
            let next_try = Instant::now() + DIAL_EVERY;
            let connected = tokio::select! {
                biased;
                () = &mut until => return,
                connected = self.connect() => connected,
            };
            match connected {
                Ok(transport) => {
                    self.connected();
                    let (service, link, stopping) =
                        (self.service.clone(), self.link.clone(), stopping.clone());
                    serving.spawn(async move { serve(transport, &service, &link, stopping).await });
                    tokio::select! {
                        biased;
                        () = &mut until => {
                            stop.send_replace(true);
                            let ended = timeout(ANSWER_WITHIN + SEND_WITHIN, serving.join_next()).await;
                            return self.ended(ended.ok().flatten());
                        }
                        ended = serving.join_next() => self.ended(ended),
                    }
                }
                Err(error) => self.failed(&error),
            }
            tokio::select! {
                biased;
                () = &mut until => return,
                () = sleep_until(next_try) => {}
            }
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Transport>> {
        match &self.address {
            Address::Unix(path) => {
                let stream = timeout(CONNECT_WITHIN, UnixStream::connect(path)).await??;
                Ok(Box::new(Plain::new(stream)))
            }
            #[cfg(feature = "tcp")]
            Address::Tcp(authority) => Ok(Box::new(super::secret::Secret::connect(authority).await?)),
        }
    }

    fn connected(&self) {
        self.link.send_modify(|link| {
            link.enter(LinkState::Connected);
            link.connections = link.connections.saturating_add(1);
        });
    }

    fn failed(&self, error: &io::Error) {
        // Nobody listens yet: the most ordinary thing between two runs of a node.
        let quiet = matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
        let trouble = (!quiet).then(|| format!("{} cannot be dialed: {error}", self.address));
        self.link.send_if_modified(|link| link.enter(LinkState::Dialing { trouble }));
    }

    fn ended(&self, ended: Option<Result<Ended, tokio::task::JoinError>>) {
        let why = match ended {
            Some(Ok(ended)) => ended.to_string(),
            Some(Err(error)) => format!("its task failed: {error}"),
            None => "it did not end in time".to_owned(),
        };
        self.link.send_modify(|link| {
            link.enter(LinkState::default());
            link.last_end = Some(why);
        });
    }
}
