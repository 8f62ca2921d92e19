//! Counts what is asked of DynamoDB, or of KMS, on its way to the emulator. Both bill by the request, and a policy allows by its name.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// What stands before a service's name, a dot, and an action's name in a request.
const TARGET: &[u8] = b"x-amz-target: ";
/// A request's header line is shorter.
const LINE_MAX: usize = 128;

type Calls = Arc<Mutex<BTreeMap<String, u64>>>;

/// A port that leads to another, and listens along. Dropping it closes what goes through it.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    calls: Calls,
    task: JoinHandle<()>,
}

impl Tap {
    /// Listens on a port of its own.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a tap")?;
        let (address, calls) = (listener.local_addr()?, Calls::default());
        let task = tokio::spawn(accept(listener, upstream, calls.clone()));
        Ok(Self { address, calls, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often each action was asked for so far.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, calls: Calls) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let calls = calls.clone();
        connections.spawn(async move {
            let Ok(upstream) = TcpStream::connect(upstream).await else { return };
            let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
            let ((from_client, to_client), (from_upstream, to_upstream)) =
                (client.into_split(), upstream.into_split());
            tokio::select! {
                () = carry(from_client, to_upstream, Some(Listener::new(calls))) => {}
                () = carry(from_upstream, to_client, None) => {}
            }
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut listener: Option<Listener>) {
    let mut buffer = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut buffer).await {
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else { return };
        if let Some(listener) = &mut listener {
            listener.hear(bytes);
        }
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}

/// Finds actions in a stream, wherever it is cut.
struct Listener {
    calls: Calls,
    tail: Vec<u8>,
}

impl Listener {
    fn new(calls: Calls) -> Self {
        Self { calls, tail: Vec::new() }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.tail.extend(bytes.iter().map(u8::to_ascii_lowercase));
        while let Some(at) = self.tail.windows(TARGET.len()).position(|window| window == TARGET) {
            let rest = self.tail.split_off(at);
            let Some(end) = rest.iter().position(|byte| *byte == b'\r') else {
                self.tail = rest;
                return;
            };
            let name = rest.get(TARGET.len()..end).unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            let name = name.rsplit('.').next().unwrap_or_default().to_owned();
            *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
            self.tail = rest.get(end..).unwrap_or_default().to_vec();
        }
        let kept = self.tail.len().saturating_sub(LINE_MAX);
        self.tail.drain(..kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_heard_wherever_the_stream_is_cut() {
        let stream =
            b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nhost: a\r\n\r\n{\"long\": 1}\
                       POST / HTTP/1.1\r\nhost: a\r\nx-amz-target: DynamoDB_20120810.UpdateItem\r\n\r\n{}";
        for piece in 1..stream.len() {
            let calls = Calls::default();
            let mut listener = Listener::new(calls.clone());
            stream.chunks(piece).for_each(|piece| listener.hear(piece));
            let heard = calls.lock().unwrap().clone();
            assert_eq!(heard, [("getitem".to_owned(), 1), ("updateitem".to_owned(), 1)].into(), "{piece}");
        }
    }
}
