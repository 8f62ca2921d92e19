//! A real pilot on a machine of its own, whose node only exists: what it does by itself can be looked at without a chain.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use beam_benches::node::CHAIN;
use beam_examples::network::ports::{Reservation, reserve};
use beam_examples::process::Process;
use beam_examples::wait;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use crate::offline::{Host, KEY};

/// How long anything may take that a pilot does at its start.
pub(crate) const WITHIN: Duration = Duration::from_secs(30);
/// How long an answer of the agent is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// A pilot and its machine. Dropping it kills the pilot and its node.
pub(crate) struct LonePilot {
    pub(crate) agent: SocketAddr,
    /// Keeps others from the agent's port until the pilot starts.
    pub(crate) port: Option<Reservation>,
    process: Option<Process>,
    host: Host,
}

/// What the agent answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl LonePilot {
    /// Sets a validator's machine up in memory, if the system has a place there: these tests are not about its disk.
    pub(crate) fn prepare() -> Self {
        Self::prepare_with(KEY)
    }

    /// The same with this key.
    pub(crate) fn prepare_with(key: &str) -> Self {
        let lone = Self::init("a", key, Path::new("register.db"));
        let begun = lone.host.beam(&["watermark", "init", "--height", "0"]);
        assert_eq!(begun.code(), 0, "{begun:?}");
        lone
    }

    /// Another machine of the same validator, which it shares the register with.
    pub(crate) fn beside(&self) -> Self {
        Self::init("b", KEY, &self.path("register.db"))
    }

    fn init(name: &str, key: &str, register: &Path) -> Self {
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let port = reserve().unwrap();
        let agent = SocketAddr::from((Ipv4Addr::LOCALHOST, port.port));
        let lone = Self { agent, port: Some(port), process: None, host: Host::new_in(&place) };
        lone.host.write("key.json", key);
        // A program that does nothing, and that whoever cleans up can tell from a stranger's by its command line.
        let node = format!("tail -f {}", lone.path("node/config/config.toml").display());
        let answers = [
            ["--name", name],
            ["--node-home", "node"],
            ["--key", "key.json"],
            ["--register", register.to_str().unwrap()],
            ["--chain-id", CHAIN],
            ["--node-command", &node],
        ];
        let made = lone.host.beam(&[&["init"], answers.as_flattened()].concat());
        assert_eq!(made.code(), 0, "{made:?}");
        lone.configure("metrics_every", "1s".into());
        lone.configure("listen", lone.agent.to_string().into());
        lone
    }

    /// Sets a key of `[agent]` in node.toml.
    pub(crate) fn configure(&self, key: &str, value: toml_edit::Value) {
        let file = self.path("beam/node.toml");
        let mut config: toml_edit::DocumentMut = fs::read_to_string(&file).unwrap().parse().unwrap();
        config["agent"].or_insert(toml_edit::table())[key] = value.into();
        fs::write(&file, config.to_string()).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.host.path(name)
    }

    /// The socket at which the node awaits its signer.
    pub(crate) fn socket(&self) -> PathBuf {
        self.path("beam/run/privval.sock")
    }

    pub(crate) fn beam(&self, args: &[&str]) -> Command {
        self.host.command(args)
    }

    /// Starts the pilot, and waits for its node to exist.
    pub(crate) async fn start(&mut self) {
        self.start_with(&[]).await;
    }

    /// The same in this environment.
    pub(crate) async fn start_with(&mut self, environment: &[(&str, &str)]) {
        self.port = None;
        let home = self.path("beam");
        let mut command = self.beam(&["start"]);
        command.envs(environment.iter().copied());
        let process = Process::spawn(command, &self.path("log"), &[&home]).unwrap();
        self.process = Some(process);
        let pid = self.path("beam/node.pid");
        let there = || std::future::ready(Ok(pid.exists().then_some(())));
        wait::until("the node", WITHIN, there)
            .await
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    pub(crate) fn process(&mut self) -> &mut Process {
        self.process.as_mut().unwrap()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// Asks the agent, from `source`. None if it turned the connection away.
    pub(crate) async fn ask_from(&self, source: IpAddr, target: &str) -> Option<Reply> {
        timeout(ANSWERED_WITHIN, ask(source, self.agent, target)).await.ok()?
    }

    /// Asks the agent until it answers.
    pub(crate) async fn get(&self, target: &str) -> Reply {
        let what = format!("an answer to {target}");
        let reply = wait::until(&what, WITHIN, || async {
            Ok(self.ask_from(Ipv4Addr::LOCALHOST.into(), target).await)
        });
        reply.await.unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }
}

/// One request on a connection of its own.
async fn ask(source: IpAddr, agent: SocketAddr, target: &str) -> Option<Reply> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.bind((source, 0).into()).ok()?;
    let mut stream = socket.connect(agent).await.ok()?;
    stream.write_all(format!("GET {target} HTTP/1.1\r\nhost: agent\r\n\r\n").as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, head: head.to_lowercase(), body: body.to_owned() })
}
