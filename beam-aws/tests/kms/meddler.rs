//! Somebody who stands between: lets questions through and answers back, changes signatures on the way, or answers in KMS's place.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It passes.
    Through,
    /// One bit of it is changed.
    Flipped,
    /// The one before it is given again: right, and of this key, but over other bytes.
    Earlier,
    /// Cut to that many bytes.
    Short(usize),
    /// KMS is not asked; that is the answer. For so many times; then they pass.
    Instead(u16, String, u32),
}

#[derive(Default)]
struct Seen {
    way: Option<Way>,
    earlier: Option<String>,
    calls: BTreeMap<String, u64>,
}

/// Listens until the test's runtime ends.
#[derive(Clone)]
pub(crate) struct Meddler {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

impl Meddler {
    pub(crate) async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let meddler = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let seen = meddler.seen.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, upstream, seen.clone()));
            }
        });
        meddler
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, way: Way) {
        self.seen.lock().unwrap().way = Some(way);
    }

    /// The next so many signatures are refused, as KMS refuses.
    pub(crate) fn refuses(&self, status: u16, code: &str, said: &str, times: u32) {
        let body = json!({ "__type": code, "message": said }).to_string();
        self.set(Way::Instead(status, body, times));
    }

    /// How often each action was asked for so far.
    pub(crate) fn calls(&self, action: &str) -> u64 {
        self.seen.lock().unwrap().calls.get(action).copied().unwrap_or_default()
    }

    /// Every action that was asked for.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.seen.lock().unwrap().calls.keys().cloned().collect()
    }
}

impl Seen {
    /// What is answered in KMS's place, if anything.
    fn instead(&mut self, action: &str) -> Option<(u16, String)> {
        *self.calls.entry(action.to_owned()).or_default() += 1;
        match &mut self.way {
            Some(Way::Instead(status, body, left)) if action == "Sign" && *left > 0 => {
                *left -= 1;
                Some((*status, body.clone()))
            }
            _ => None,
        }
    }

    /// The answer as it goes on.
    fn meddle(&mut self, body: String) -> String {
        let mut answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let Some(signature) = answer["Signature"].as_str().map(str::to_owned) else { return body };
        let given = match &self.way {
            Some(Way::Flipped) => {
                let other = if signature.starts_with('A') { "B" } else { "A" };
                format!("{other}{}", &signature[1..])
            }
            Some(Way::Earlier) => self.earlier.clone().expect("there is an earlier one"),
            Some(Way::Short(len)) => signature[..*len].to_owned(),
            _ => signature.clone(),
        };
        if self.way != Some(Way::Earlier) {
            self.earlier = Some(signature);
        }
        answer["Signature"] = given.into();
        answer.to_string()
    }
}

async fn serve(client: TcpStream, upstream: SocketAddr, seen: Arc<Mutex<Seen>>) {
    let mut client = BufReader::new(client);
    loop {
        let (mut head, mut len, mut action) = (String::new(), 0, String::new());
        loop {
            let mut line = String::new();
            if client.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.trim().split_once(": ").unwrap_or_default();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => len = value.parse().unwrap(),
                "x-amz-target" => action = value.rsplit('.').next().unwrap().to_owned(),
                _ => {}
            }
            head.push_str(&line);
        }
        let mut body = vec![0; len];
        client.read_exact(&mut body).await.unwrap();
        let instead = seen.lock().unwrap().instead(&action);
        let (status, answer) = match instead {
            Some(instead) => instead,
            None => {
                let (status, answer) = ask(upstream, &head, &body).await;
                (status, if status == 200 { seen.lock().unwrap().meddle(answer) } else { answer })
            }
        };
        let head = format!(
            "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
            answer.len()
        );
        if client.write_all(format!("{head}{answer}").as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn ask(upstream: SocketAddr, head: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(upstream).await.unwrap();
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}
