//! Stands before an emulator as AWS does: it counts what is asked, since AWS bills by the request and a policy allows by its name, and
//! refuses a part of it when told to, as a table with more calls than it has capacity for. The emulators never do.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError};

use anyhow::{Context, Result, ensure};
use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, copy, copy_buf, sink,
};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};

/// What stands before a service's name, a dot, and an action's name, in a header.
const TARGET: &str = "x-amz-target: ";
/// What stands before an action's name in the address of a request to S3, and what may stand behind it.
const ACTION: &str = "x-id=";
const ENDS: [char; 2] = [' ', '&'];
const LENGTH: &str = "content-length: ";
const CHUNKED: &str = "transfer-encoding: chunked";
/// A request's headers are shorter.
const HEAD_MAX: u64 = 16 * 1024;
/// What a table says that has no capacity left.
const THROTTLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded."}"#;

/// What all connections share.
#[derive(Debug, Default)]
struct Shared {
    calls: std::sync::Mutex<BTreeMap<String, u64>>,
    /// Of a hundred calls, how many are refused.
    refused_percent: AtomicU32,
    refused: AtomicU32,
}

impl Shared {
    /// Counts a call, and says whether it is refused: evenly, and of a hundred just so many.
    fn hear(&self, action: &str) -> bool {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(action.to_owned()).or_default() += 1;
        let percent = u64::from(self.refused_percent.load(Ordering::Relaxed));
        let all: u64 = calls.values().sum();
        let refuses = all.wrapping_mul(percent) / 100 != all.wrapping_sub(1).wrapping_mul(percent) / 100;
        self.refused.fetch_add(u32::from(refuses), Ordering::Relaxed);
        refuses
    }
}

/// A port that leads to another, and listens along. Dropping it closes what goes through it.
#[derive(Debug)]
pub struct Tap {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Tap {
    /// Listens on a port of its own.
    ///
    /// # Errors
    /// When there is none.
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a tap")?;
        let (address, shared) = (listener.local_addr()?, Arc::<Shared>::default());
        let task = tokio::spawn(accept(listener, upstream, Arc::clone(&shared)));
        Ok(Self { address, shared, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often each action was asked for so far, also in vain.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.shared.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Refuses so many of a hundred calls from now on.
    pub fn refuse(&self, percent: u32) {
        self.shared.refused_percent.store(percent.min(100), Ordering::Relaxed);
    }

    /// How many calls were refused so far.
    pub fn refused(&self) -> u32 {
        self.shared.refused.load(Ordering::Relaxed)
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, upstream: SocketAddr, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            // Whoever is at the other end sees the connection end.
            let _ = carry(client, upstream, &shared).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Carries what the emulator says as it is, and looks at each request: a client of AWS waits for the answer before it asks again.
async fn carry(client: TcpStream, upstream: SocketAddr, shared: &Shared) -> Result<()> {
    let upstream = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    upstream.set_nodelay(true)?;
    let ((from_client, to_client), (mut from_upstream, to_upstream)) =
        (client.into_split(), upstream.into_split());
    let to_client = Mutex::new(to_client);
    let answers = async {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let read = from_upstream.read(&mut buffer).await?;
            let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
                return anyhow::Ok(());
            };
            to_client.lock().await.write_all(bytes).await?;
        }
    };
    tokio::select! {
        ended = answers => ended,
        ended = requests(BufReader::new(from_client), to_upstream, &to_client, shared) => ended,
    }
}

async fn requests(
    mut client: BufReader<OwnedReadHalf>,
    mut upstream: OwnedWriteHalf,
    answers: &Mutex<OwnedWriteHalf>,
    shared: &Shared,
) -> Result<()> {
    while let Some(head) = Head::read(&mut client).await? {
        if head.action.is_some_and(|action| shared.hear(&action)) {
            copy(&mut (&mut client).take(head.length), &mut sink()).await?;
            refuse(&mut *answers.lock().await).await?;
            continue;
        }
        upstream.write_all(&head.bytes).await?;
        if head.chunked {
            // Where its body ends is not looked for, nor what is asked after it.
            copy_buf(&mut client, &mut upstream).await?;
            return Ok(());
        }
        copy(&mut (&mut client).take(head.length), &mut upstream).await?;
    }
    Ok(())
}

/// A request up to its body.
#[derive(Default)]
struct Head {
    bytes: Vec<u8>,
    action: Option<String>,
    length: u64,
    chunked: bool,
}

impl Head {
    /// `None` at the end.
    async fn read(from: &mut BufReader<OwnedReadHalf>) -> Result<Option<Self>> {
        let mut head = Self::default();
        loop {
            let began = head.bytes.len();
            let read = (&mut *from).take(HEAD_MAX).read_until(b'\n', &mut head.bytes).await?;
            if read == 0 {
                ensure!(began == 0, "it ended within a request");
                return Ok(None);
            }
            ensure!(head.bytes.len() as u64 <= HEAD_MAX, "a head of more than {HEAD_MAX} bytes");
            let line =
                String::from_utf8_lossy(head.bytes.get(began..).unwrap_or_default()).to_ascii_lowercase();
            let line = line.trim_end();
            if line.is_empty() {
                return Ok(Some(head));
            }
            if began == 0 {
                head.action = line.split_once(ACTION).map(|(_, rest)| first(rest).to_owned());
            } else if let Some(target) = line.strip_prefix(TARGET) {
                head.action = target.rsplit('.').next().map(str::to_owned);
            } else if let Some(told) = line.strip_prefix(LENGTH) {
                head.length = told.parse().context("a length that is none")?;
            }
            head.chunked |= line == CHUNKED;
        }
    }
}

fn first(text: &str) -> &str {
    text.split(ENDS).next().unwrap_or_default()
}

async fn refuse(client: &mut OwnedWriteHalf) -> Result<()> {
    let head = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {}\r\n\r\n",
        THROTTLED.len()
    );
    client.write_all(format!("{head}{THROTTLED}").as_bytes()).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_of_a_hundred_are_refused_and_spread() {
        for percent in [0, 1, 30, 50, 99, 100] {
            let shared = Shared { refused_percent: percent.into(), ..Shared::default() };
            let refused: Vec<bool> = (0..200).map(|_| shared.hear("getitem")).collect();
            assert_eq!(refused.iter().filter(|refused| **refused).count(), 2 * percent as usize);
        }
    }

    #[tokio::test]
    async fn a_request_is_counted_wherever_the_stream_is_cut_and_refused_when_told_to() {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Tap::start(upstream.local_addr().unwrap()).await.unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = upstream.accept().await.unwrap();
            let mut reader = [0; 1024];
            while stream.read(&mut reader).await.unwrap() > 0 {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
            }
        });
        let mut client = TcpStream::connect(tap.address()).await.unwrap();
        client.set_nodelay(true).unwrap();
        let request =
            b"POST / HTTP/1.1\r\nX-Amz-Target: DynamoDB_20120810.GetItem\r\nContent-Length: 3\r\n\r\nabc";
        let mut said = vec![0; 1024];
        for piece in [1, 7, request.len()] {
            for part in request.chunks(piece) {
                client.write_all(part).await.unwrap();
                client.flush().await.unwrap();
            }
            let read = client.read(&mut said).await.unwrap();
            assert!(said[..read].starts_with(b"HTTP/1.1 200"));
        }
        client.write_all(b"PUT /bucket/key?x-id=PutObject&a=b HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        assert!(client.read(&mut said).await.unwrap() > 0);
        tap.refuse(100);
        client.write_all(request).await.unwrap();
        let read = client.read(&mut said).await.unwrap();
        assert!(String::from_utf8_lossy(&said[..read]).contains("ProvisionedThroughputExceededException"));
        assert_eq!(
            (tap.calls(), tap.refused()),
            ([("getitem".to_owned(), 4), ("putobject".to_owned(), 1)].into(), 1)
        );
    }
}
