//! A node's RPC that says what a test wants.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::ValidatorAddress;

/// What every question is answered with.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    body: String,
    manner: Manner,
}

#[derive(Clone, Copy, PartialEq)]
enum Manner {
    /// With a proper HTTP head.
    Http,
    /// The body as it is, head and all, and the connection closed.
    Raw,
    /// One byte every 10 ms.
    Drip,
    /// Nothing, and the connection stays open.
    Silent,
}

impl Answer {
    pub(super) fn ok(body: impl Into<String>) -> Self {
        Self::with(200, body)
    }

    pub(super) fn with(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), manner: Manner::Http }
    }

    pub(super) fn raw(text: impl Into<String>) -> Self {
        Self { manner: Manner::Raw, ..Self::ok(text) }
    }

    pub(super) fn drip(body: &str) -> Self {
        Self { manner: Manner::Drip, ..Self::ok(body) }
    }

    pub(super) fn silent() -> Self {
        Self { manner: Manner::Silent, ..Self::ok("") }
    }

    async fn give(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let Self { status, body, manner } = self;
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
        match manner {
            Manner::Http => stream.write_all(format!("{head}{body}").as_bytes()).await,
            Manner::Raw => stream.write_all(body.as_bytes()).await,
            Manner::Drip => {
                for byte in format!("{head}{body}").bytes() {
                    stream.write_all(&[byte]).await?;
                    sleep(Duration::from_millis(10)).await;
                }
                Ok(())
            }
            Manner::Silent => std::future::pending().await,
        }
    }
}

/// Answers until it is dropped.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    answer: Arc<Mutex<Answer>>,
    asked: Arc<Mutex<String>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (answer, asked) = (Arc::new(Mutex::new(answer)), Arc::new(Mutex::new(String::new())));
        let (says, hears) = (Arc::clone(&answer), Arc::clone(&asked));
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let question = question(&mut stream).await;
                *hears.lock().unwrap() = question;
                let answer = says.lock().unwrap().clone();
                // A client that has enough closes early.
                let _ = answer.give(&mut stream).await;
            }
        });
        Self { address, answer, asked, task }
    }

    /// From now on the answer is this.
    pub(super) fn says(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }

    /// The body of the last question.
    pub(super) fn asked(&self) -> String {
        self.asked.lock().unwrap().clone()
    }

    /// Closes the port for good.
    pub(super) async fn stop(mut self) {
        self.task.abort();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn question(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).await.unwrap();
        text.push_str(std::str::from_utf8(&some[..read]).unwrap());
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return body.to_owned();
            }
        }
        assert!(read > 0, "the question was cut short");
    }
}

pub(super) fn address(hex: &str) -> ValidatorAddress {
    hex.parse().unwrap()
}
