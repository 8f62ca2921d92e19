//! Messages over a stream as it is: a unix socket.

use std::io;

use async_trait::async_trait;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::frame::{Frame, Frames};
use super::messages::Message;
use super::transport::{Garbled, Incoming, Transport};

/// A stream that is private by itself.
pub(super) struct Plain<Io> {
    io: Io,
    frames: Frames,
    chunk: Box<[u8]>,
}

impl<Io> Plain<Io> {
    pub(super) fn new(io: Io) -> Self {
        const CHUNK_LEN: usize = 16 * 1024;
        Self { io, frames: Frames::default(), chunk: vec![0; CHUNK_LEN].into() }
    }
}

#[async_trait]
impl<Io: AsyncRead + AsyncWrite + Send + Unpin> Transport for Plain<Io> {
    async fn receive(&mut self) -> io::Result<Incoming> {
        loop {
            if let Some(frame) = self.frames.take() {
                return Ok(incoming(&frame));
            }
            let len = self.io.read(&mut self.chunk).await?;
            match self.chunk.get(..len) {
                None | Some([]) => return Ok(Incoming::Closed),
                Some(bytes) => self.frames.push(bytes),
            }
        }
    }

    async fn send(&mut self, message: &Message) -> io::Result<()> {
        self.io.write_all(&message.to_frame()).await?;
        self.io.flush().await
    }
}

fn incoming(frame: &Frame) -> Incoming {
    match frame {
        Frame::Message(bytes) => match Message::decode(&bytes[..]) {
            Ok(message) => Incoming::Message(Box::new(message)),
            Err(error) => Incoming::Garbled(error.into()),
        },
        Frame::TooLong(len) => Incoming::Garbled(Garbled::TooLong(*len)),
        Frame::BadLength => Incoming::Garbled(Garbled::BadLength),
    }
}
