//! Messages over TCP, in `CometBFT`'s `SecretConnection`.
//!
//! It keeps a listener on the wire from reading and changing anything, and tells neither side who the other is.
//!
//! A request of more than 1 MiB (a vote extension larger than any chain is known to have) cannot be skipped here as it is
//! on a plain stream: it is answered, and the connection ends.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use cometbft_p2p::{
    AsyncReadMsg, AsyncSecretConnection, AsyncWriteMsg, Error, IdentitySecret, rand_core::OsRng,
};
use rustix::net::sockopt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::limits::{CONNECT_WITHIN, HANDSHAKE_WITHIN};
use super::messages::Message;
use super::transport::{Garbled, Incoming, Transport};

/// An encrypted stream.
pub(super) struct Secret<Io>(AsyncSecretConnection<Io>);

impl Secret<TcpStream> {
    /// Connects and shakes hands.
    pub(super) async fn connect(authority: &str) -> io::Result<Self> {
        let stream = timeout(CONNECT_WITHIN, TcpStream::connect(authority))
            .await
            .map_err(|_| late("no answer to the attempt to connect"))??;
        // Requests and answers are small, and a vote does not wait for company.
        stream.set_nodelay(true)?;
        notice_dead_hosts(&stream)?;
        timeout(HANDSHAKE_WITHIN, Self::handshake(stream))
            .await
            .map_err(|_| late("the node did not shake hands; it may have another signer"))?
    }
}

impl<Io: AsyncReadExt + AsyncWriteExt + Send + Sync + Unpin> Secret<Io> {
    /// Shakes hands, under a name drawn for this connection: the node checks none and keeps none.
    pub(super) async fn handshake(io: Io) -> io::Result<Self> {
        let identity = IdentitySecret::generate(&mut OsRng);
        AsyncSecretConnection::new(io, &identity).await.map(Self).map_err(into_io)
    }
}

/// A host that vanished sends no end of stream. Asking its kernel (not the node, which may be busy) finds that out within
/// 25 s, without dropping a node that is merely slow.
fn notice_dead_hosts(stream: &TcpStream) -> io::Result<()> {
    const IDLE: Duration = Duration::from_secs(10);
    const EVERY: Duration = Duration::from_secs(5);
    const TRIES: u32 = 3;
    sockopt::set_socket_keepalive(stream, true)?;
    sockopt::set_tcp_keepidle(stream, IDLE)?;
    sockopt::set_tcp_keepintvl(stream, EVERY)?;
    sockopt::set_tcp_keepcnt(stream, TRIES)?;
    Ok(())
}

fn late(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

fn into_io(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other),
    }
}

#[async_trait]
impl<Io: AsyncReadExt + AsyncWriteExt + Send + Sync + Unpin> Transport for Secret<Io> {
    async fn receive(&mut self) -> io::Result<Incoming> {
        match self.0.read_msg().await {
            Ok(message) => Ok(Incoming::Message(Box::new(message))),
            // The whole message has been read.
            Err(Error::Decode(error)) => Ok(Incoming::Garbled(error.into())),
            // Only its first part has been read, and the rest cannot be skipped from here.
            Err(Error::MessageSize { size }) => Ok(Incoming::OutOfStep(Garbled::TooLong(size as u64))),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Incoming::Closed),
            Err(error) => Err(into_io(error)),
        }
    }

    async fn send(&mut self, message: &Message) -> io::Result<()> {
        self.0.write_msg(message.clone()).await.map_err(into_io)
    }
}
