//! A node's RPC that says what a test wants.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use super::ValidatorAddress;

/// What every question is answered with.
#[derive(Clone)]
pub(crate) struct Answer {
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
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::with(200, body)
    }

    pub(crate) fn with(status: u16, body: impl Into<String>) -> Self {
        Self { status, body: body.into(), manner: Manner::Http }
    }

    pub(crate) fn raw(text: impl Into<String>) -> Self {
        Self { manner: Manner::Raw, ..Self::ok(text) }
    }

    pub(crate) fn drip(body: &str) -> Self {
        Self { manner: Manner::Drip, ..Self::ok(body) }
    }

    pub(crate) fn silent() -> Self {
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

/// What is said to a question that holds a text; the first that fits. Behind them, what is said to any other.
type Answers = (Vec<(String, Answer)>, Answer);

/// Answers until it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    asked: Arc<Mutex<String>>,
    questions: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new((Vec::new(), answer)));
        let asked = Arc::new(Mutex::new(String::new()));
        let questions = Arc::new(AtomicUsize::new(0));
        let (says, hears, counts) = (Arc::clone(&answers), Arc::clone(&asked), Arc::clone(&questions));
        let task = tokio::spawn(async move {
            // Of their own, so that a question that hangs holds up no other.
            let mut open = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counts.fetch_add(1, Ordering::Relaxed);
                let (says, hears) = (Arc::clone(&says), Arc::clone(&hears));
                open.spawn(async move {
                    let question = question(&mut stream).await;
                    let answer = {
                        let (known, other) = &*says.lock().unwrap();
                        known
                            .iter()
                            .find(|(text, _)| question.contains(text))
                            .map_or(other, |(_, answer)| answer)
                            .clone()
                    };
                    *hears.lock().unwrap() = question;
                    // A client that has enough closes early.
                    let _ = answer.give(&mut stream).await;
                });
            }
        });
        Self { address, answers, asked, questions, task }
    }

    /// From now on the answer is this.
    pub(crate) fn says(&self, answer: Answer) {
        *self.answers.lock().unwrap() = (Vec::new(), answer);
    }

    /// From now on the answer to questions with this text in them is that.
    pub(crate) fn says_to(&self, text: &str, answer: Answer) {
        self.answers.lock().unwrap().0.insert(0, (text.to_owned(), answer));
    }

    /// The body of the last question.
    pub(crate) fn asked(&self) -> String {
        self.asked.lock().unwrap().clone()
    }

    /// How many questions there were.
    pub(crate) fn questions(&self) -> usize {
        self.questions.load(Ordering::Relaxed)
    }

    /// Closes the port for good, and every connection.
    pub(crate) async fn stop(mut self) {
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

pub(crate) fn address(hex: &str) -> ValidatorAddress {
    hex.parse().unwrap()
}
