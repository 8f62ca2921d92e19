//! A machine's files without any network, the program run on them, and a node's RPC that says what a test wants.
#![allow(dead_code, reason = "each test program uses its part")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

/// A key that was made for tests and has never signed anything: seed of 32 zero bytes.
pub(crate) const KEY: &str = include_str!("../../../../beam-gaia/src/keys/fixtures/zeros.json");
/// Another one: seed of 32 bytes 1.
pub(crate) const OTHER_KEY: &str = include_str!("../../../../beam-gaia/src/keys/fixtures/ones.json");
pub(crate) const ADDRESS: &str = "139E3940E64B5491722088D9A0D741628FC826E0";

/// A node's home, a key outside it, and where Beam's home and register will be. Its user has no other files.
pub(crate) struct Host {
    dir: TempDir,
}

impl Host {
    pub(crate) fn new() -> Self {
        Self::new_in(&std::env::temp_dir())
    }

    pub(crate) fn new_in(place: &Path) -> Self {
        let host = Self { dir: TempDir::new_in(place).unwrap() };
        for folder in ["node/config", "node/data"] {
            fs::create_dir_all(host.path(folder)).unwrap();
        }
        host.write("node/config/genesis.json", r#"{"chain_id":"test-1","app_state":{}}"#);
        host.write(
            "node/config/config.toml",
            "# kept\n[rpc]\nladdr = \"tcp://127.0.0.1:1\"\n[p2p]\nladdr = \"tcp://127.0.0.1:1\"\n",
        );
        host.write("key.json", KEY);
        host
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file that only this user may read.
    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `beam` with nobody at the terminal.
    pub(crate) fn beam(&self, args: &[&str]) -> Said {
        Said::of(self.command(args))
    }

    /// The same, not yet run.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beam"));
        command.args(args).arg("--home").arg(self.path("beam"));
        command.current_dir(self.dir.path()).env("HOME", self.dir.path());
        command
    }

    /// Makes it a validator's machine, as far as `beam init` does.
    pub(crate) fn init(&self, more: &[&str]) -> Said {
        let args =
            ["init", "--node-home", "node", "--key", "key.json", "--register", "register.db", "--name", "a"];
        self.beam(&[&args[..], more].concat())
    }

    /// A validator's machine with its node.toml, and its key outside the node's home.
    pub(crate) fn validator() -> Self {
        let host = Self::new();
        assert_eq!(host.init(&[]).code(), 0);
        host
    }
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Said(Output);

impl Said {
    /// What a command says.
    pub(crate) fn of(mut command: Command) -> Self {
        Self(command.output().unwrap())
    }

    pub(crate) fn code(&self) -> i32 {
        self.0.status.code().unwrap()
    }

    pub(crate) fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub(crate) fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.0.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}{}", self.out(), self.err()))
    }
}

/// A node's RPC: each time it is asked, its newest block is one higher.
pub(crate) struct FakeNode {
    pub(crate) address: SocketAddr,
    pub(crate) height: Arc<AtomicU64>,
    pub(crate) catching_up: Arc<AtomicBool>,
    pub(crate) network: Arc<Mutex<String>>,
    /// How old its newest block is, in seconds.
    pub(crate) age_s: Arc<AtomicU64>,
}

impl FakeNode {
    /// A node of `test-1` that follows its chain, from this height on.
    pub(crate) fn at(height: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let node = Self {
            address: listener.local_addr().unwrap(),
            height: Arc::new(AtomicU64::new(height)),
            catching_up: Arc::default(),
            network: Arc::new(Mutex::new("test-1".to_owned())),
            age_s: Arc::default(),
        };
        let (height, catching_up, network, age_s) =
            (node.height.clone(), node.catching_up.clone(), node.network.clone(), node.age_s.clone());
        // Ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut asked = [0; 4096];
                let len = stream.read(&mut asked).unwrap_or_default();
                let asked = String::from_utf8_lossy(&asked[..len]).into_owned();
                let body = if asked.contains("\"status\"") {
                    let height = height.fetch_add(1, Ordering::Relaxed) + 1;
                    let age = age_s.load(Ordering::Relaxed);
                    status(height, catching_up.load(Ordering::Relaxed), &network.lock().unwrap(), age)
                } else {
                    r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error","data":"pruned"}}"#
                        .to_owned()
                };
                let head =
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                // Whoever hung up did not want the answer.
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        node
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

fn status(height: u64, catching_up: bool, network: &str, age_s: u64) -> String {
    let mut status: Value =
        serde_json::from_str(include_str!("../../../../beam-gaia/src/rpc/fixtures/status.json")).unwrap();
    let now = SystemTime::now() - std::time::Duration::from_secs(age_s);
    let result = &mut status["result"];
    result["node_info"]["network"] = network.into();
    result["sync_info"]["latest_block_height"] = height.to_string().into();
    result["sync_info"]["latest_block_time"] = Timestamp::try_from(now).unwrap().to_string().into();
    result["sync_info"]["catching_up"] = catching_up.into();
    status.to_string()
}
