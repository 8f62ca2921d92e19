//! A connection to a node, whatever carries it.

use std::io;

use async_trait::async_trait;

use super::messages::Message;

/// Carries messages in both directions.
#[async_trait]
pub(super) trait Transport: Send {
    /// What the node says next. Not safe to drop midway and call again.
    async fn receive(&mut self) -> io::Result<Incoming>;

    /// Says something to the node.
    async fn send(&mut self, message: &Message) -> io::Result<()>;
}

/// What came from a node.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A message, of which a member may be unknown.
    Message(Box<Message>),
    /// Something else; what comes after it will be understood again.
    Garbled(Garbled),
    /// Something else, and what comes after it will not be understood.
    #[cfg_attr(not(feature = "tcp"), expect(dead_code, reason = "a plain stream gets back in step"))]
    OutOfStep(Garbled),
    /// Nothing any more.
    Closed,
}

/// Why what came is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum Garbled {
    #[error("beam: a request of {0} bytes is too long")]
    TooLong(u64),
    #[error("beam: a request that does not begin with a length")]
    BadLength,
    #[error("beam: a request that cannot be decoded ({0})")]
    Undecodable(#[from] prost::DecodeError),
}
