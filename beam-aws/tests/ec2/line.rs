//! A line to the emulator on which things go wrong when they are told to, call by call: it reads what passes.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use beam_aws::ec2::timeouts::ATTEMPTS_MAX;
use beam_core::testing::Outside;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::http::{self, Request};

/// What goes wrong, and with which calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    /// It arrives and is done; the connection ends in place of the answer.
    LosesAnswer,
    /// It does not arrive, and the connection ends.
    LosesRequest,
    /// It does not arrive, and nothing comes.
    Hangs,
    /// It is refused with this code.
    Refuses(u16, &'static str),
}

/// What is to go wrong: whether only with what changes something, for how many calls, and what.
#[derive(Clone, Copy, Debug)]
struct Coming {
    action: Option<&'static str>,
    changes: bool,
    calls: u32,
    mishap: Mishap,
}

#[derive(Debug, Default)]
struct State {
    coming: Option<Coming>,
    associations: u64,
    actions: BTreeSet<String>,
}

/// A running line; new connections are taken as long as the runtime lasts.
#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Line {
    pub(crate) async fn to(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, state) = (listener.local_addr().unwrap(), Arc::<Mutex<State>>::default());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, upstream, shared.clone()));
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How often an address was attached.
    pub(crate) fn associations(&self) -> u64 {
        self.state.lock().unwrap().associations
    }

    /// Which calls were made.
    pub(crate) fn actions(&self) -> BTreeSet<String> {
        self.state.lock().unwrap().actions.clone()
    }

    /// Makes what the contract's suite asks for come about, if it is something that happens on a line.
    pub(crate) fn prepare(&self, what: Outside<'_>) -> bool {
        let (action, changes, calls, mishap) = match what {
            Outside::LoseAnswer => (None, true, 1, Mishap::LosesAnswer),
            Outside::LoseRequest => (None, true, 1, Mishap::LosesRequest),
            Outside::Hang => (None, true, 1, Mishap::Hangs),
            // A question is repeated by the SDK, so the line is bad for all its tries.
            Outside::Throttle => (None, false, ATTEMPTS_MAX, Mishap::Refuses(503, "RequestLimitExceeded")),
            Outside::BreakLine => (None, false, ATTEMPTS_MAX, Mishap::Refuses(503, "Unavailable")),
            Outside::LoseList => (None, false, ATTEMPTS_MAX, Mishap::LosesAnswer),
            Outside::Deny => (None, false, 1, Mishap::Refuses(403, "UnauthorizedOperation")),
            Outside::UseUpQuota => (Some("RunInstances"), true, 1, Mishap::Refuses(400, "VcpuLimitExceeded")),
            Outside::FillZone => {
                (Some("RunInstances"), true, 1, Mishap::Refuses(500, "InsufficientInstanceCapacity"))
            }
            _ => return false,
        };
        self.state.lock().unwrap().coming = Some(Coming { action, changes, calls, mishap });
        true
    }
}

impl State {
    /// What goes wrong with this call, which is the next.
    fn strikes(&mut self, action: &str) -> Option<Mishap> {
        self.actions.insert(action.to_owned());
        let changes = !action.starts_with("Describe");
        let coming = self.coming.as_mut()?;
        if (coming.changes && !changes) || coming.action.is_some_and(|only| only != action) {
            return None;
        }
        let mishap = coming.mishap;
        coming.calls -= 1;
        if coming.calls == 0 {
            self.coming = None;
        }
        Some(mishap)
    }
}

async fn carry(client: TcpStream, upstream: SocketAddr, state: Arc<Mutex<State>>) {
    let mut client = BufReader::new(client);
    let Some(Request { bytes, fields }) = http::request(&mut client).await else { return };
    let action = fields.get("Action").cloned().unwrap_or_default();
    let mishap = state.lock().unwrap().strikes(&action);
    match mishap {
        Some(Mishap::LosesRequest) => return,
        Some(Mishap::Hangs) => return std::future::pending().await,
        Some(Mishap::Refuses(status, code)) => {
            let _ = client.write_all(&http::closing(http::answer(status, &http::refusal(code)))).await;
            return;
        }
        Some(Mishap::LosesAnswer) | None => {}
    }
    // moto has no such call and dies of it, with a page of its own; this is how EC2 refuses a call that it does not have.
    if action == "CopyVolumes" {
        let _ = client.write_all(&http::closing(http::answer(400, &http::refusal("InvalidAction")))).await;
        return;
    }
    let mut server = TcpStream::connect(upstream).await.unwrap();
    server.write_all(&bytes).await.unwrap();
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await.unwrap();
    if action == "AssociateAddress" && answer.starts_with(b"HTTP/1.1 200 ") {
        state.lock().unwrap().associations += 1;
    }
    if mishap.is_none() {
        let _ = client.write_all(&http::closing(answer)).await;
    }
}
