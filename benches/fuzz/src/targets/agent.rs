//! The HTTP agent, over a stream in memory and on a clock that jumps ahead when everybody waits.

use std::cell::RefCell;

use arbitrary::{Arbitrary as _, Result, Unstructured};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::config::Role;
use crate::http::{Agent, CONNECTION_WITHIN, HEADER_BYTES_MAX, HEADERS_MAX, PATHS};
use crate::report::{NodeReport, Report, SignerReport, VotesReport};

/// `/metrics` of a full report is some 20 KiB.
const ANSWER_LEN_MAX: usize = 64 * 1024;

struct World {
    agent: Agent,
    runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let report = Report {
            node: NodeReport { height: Some(7), lag_blocks: Some(3), pid: Some(1), ..NodeReport::default() },
            signer: Some(SignerReport::default()),
            votes: Some(VotesReport::default()),
            ..Report::begin("a", Role::Validator, "test-1", 1)
        };
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        Self { agent: Agent::of(report), runtime: runtime.expect("a runtime") }
    }
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::new(World::new());
}

/// The first byte says in pieces of which length the rest comes, and whether its end is told.
pub fn bytes(bytes: &[u8]) {
    let Some((how, sent)) = bytes.split_first() else { return };
    let answer = heard(sent, usize::from(how >> 1), how & 1 == 1);
    assert!(answer.is_empty() || status(&answer).is_some_and(|status| (200..600).contains(&status)));
}

/// Sends `bytes` and hears the connection out.
fn heard(bytes: &[u8], piece: usize, ends: bool) -> Vec<u8> {
    WORLD.with_borrow(|world| {
        world.runtime.block_on(async {
            let began = Instant::now();
            // So little room that both sides must take turns, unless all comes at once.
            let (mut ours, theirs) = duplex(if piece == 0 { bytes.len().max(1024) } else { piece * 16 });
            let asking = async {
                let (mut reading, mut writing) = tokio::io::split(&mut ours);
                let send = async {
                    for piece in bytes.chunks(if piece == 0 { bytes.len().max(1) } else { piece * 16 }) {
                        // The other side may close before it has read all.
                        if writing.write_all(piece).await.is_err() {
                            return;
                        }
                    }
                    if ends {
                        let _ = writing.shutdown().await;
                    }
                };
                let mut answer = Vec::new();
                let hear = async {
                    let _ = reading.read_to_end(&mut answer).await;
                };
                tokio::join!(send, hear);
                answer
            };
            let ((), answer) = tokio::join!(world.agent.talk(theirs), asking);
            assert!(began.elapsed() <= CONNECTION_WITHIN, "it took {:?}", began.elapsed());
            assert!(answer.len() <= ANSWER_LEN_MAX, "{} bytes", answer.len());
            answer
        })
    })
}

fn status(answer: &[u8]) -> Option<u16> {
    let line = answer.strip_prefix(b"HTTP/1.")?.get(2..5)?;
    std::str::from_utf8(line).ok()?.parse().ok()
}

/// A request that is well formed and within the limits.
#[derive(Debug)]
struct Request {
    method: &'static str,
    path: String,
    query: Option<String>,
    version: &'static str,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    /// How often it is sent on the one connection.
    times: usize,
    piece: usize,
}

/// Bytes that make a request.
pub fn requests(bytes: &[u8]) {
    let Ok(request) = Request::any(&mut Unstructured::new(bytes)) else { return };
    let once = request.written();
    if once.len() > HEADER_BYTES_MAX / 2 {
        return;
    }
    let answer = heard(&once.repeat(request.times), request.piece, false);
    let told = status(&answer).unwrap_or_else(|| panic!("no answer to {request:?}"));
    assert!(request.expected().contains(&told), "{told} to {request:?}");
    let (head, body) = parts(&answer);
    let length: usize = field(head, "content-length").expect("a length").parse().expect("a number");
    assert_eq!(body.len(), if request.method == "HEAD" { 0 } else { length }, "one answer, and whole");
    assert_eq!(field(head, "cache-control"), Some("no-store"));
}

impl Request {
    fn any(from: &mut Unstructured<'_>) -> Result<Self> {
        let version = *from.choose(&["HTTP/1.1", "HTTP/1.0"])?;
        Ok(Self {
            method: from.choose(&["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])?,
            path: any_path(from)?,
            query: if from.arbitrary()? { Some(any_query(from)?) } else { None },
            version,
            headers: any_headers(from)?,
            body: if from.arbitrary()? { Some(Vec::arbitrary(from)?) } else { None },
            times: from.int_in_range(1..=3)?,
            piece: from.int_in_range(0..=40)?,
        })
    }

    fn written(&self) -> Vec<u8> {
        let Self { method, path, version, .. } = self;
        let query = self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let length =
            self.body.as_ref().map_or_else(String::new, |body| format!("content-length: {}\r\n", body.len()));
        let head = format!("{method} {path}{query} {version}\r\nhost: a\r\n{headers}{length}\r\n");
        [head.as_bytes(), self.body.as_deref().unwrap_or_default()].concat()
    }

    /// What the table at the head of the agent's module says.
    fn expected(&self) -> &'static [u16] {
        let lag = self.query.as_deref().unwrap_or_default();
        let lag = lag.split('&').find_map(|pair| pair.strip_prefix("lag="));
        if self.body.as_ref().is_some_and(|body| !body.is_empty()) {
            &[413]
        } else if !PATHS.contains(&self.path.as_str()) {
            &[404]
        } else if self.method != "GET" && self.method != "HEAD" {
            &[405]
        } else if self.path == "/readyz" && lag.is_some_and(|lag| lag.parse::<u64>().is_err()) {
            &[400]
        } else {
            &[200, 503]
        }
    }
}

fn any_path(from: &mut Unstructured<'_>) -> Result<String> {
    if from.ratio(3, 4)? {
        return Ok((*from.choose(&PATHS)?).to_owned());
    }
    Ok(format!("/{}", letters(from, b"abzAZ09-._~%/:@!$&'()*+,;=")?))
}

fn any_query(from: &mut Unstructured<'_>) -> Result<String> {
    let lag = if from.arbitrary()? { "lag=" } else { "" };
    Ok(format!("{lag}{}", letters(from, b"0123456789-+&=lag%/?")?))
}

/// None of those that change what a request is.
fn any_headers(from: &mut Unstructured<'_>) -> Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    for _ in 0..from.int_in_range(0..=HEADERS_MAX - 2)? {
        let name = format!("x-{}", letters(from, b"abc-_09!#$%&'*+.^`|~")?);
        headers.push((name, letters(from, b"az09 \t:;,=\"\\/()<>@[]{}?")?.trim().to_owned()));
    }
    Ok(headers)
}

fn letters(from: &mut Unstructured<'_>, alphabet: &[u8]) -> Result<String> {
    let len = from.int_in_range(0..=30)?;
    (0..len).map(|_| Ok(char::from(*from.choose(alphabet)?))).collect()
}

fn parts(answer: &[u8]) -> (&str, &[u8]) {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("the end of the headers");
    (std::str::from_utf8(&answer[..end]).expect("text"), &answer[end + 4..])
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}
