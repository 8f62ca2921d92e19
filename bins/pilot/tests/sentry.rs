//! A sentry under the pilot on a chain of plain validators: it follows, is started again, and learns of an added peer while it
//! runs.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use beam_examples::chain::Rpc;
use beam_examples::network::{Network, NetworkPlan, Node};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);

/// A sentry and its pilot, beside three validators.
struct Sentry {
    dir: TempDir,
    network: Network,
    node: Node,
    pilot: Child,
}

impl Sentry {
    /// Starts it with `v1` as its only peer. The validators know another node by its address, so none of them dials it.
    async fn start(more: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut network = Network::create(dir.path(), NetworkPlan::default()).await.unwrap();
        network.start_validators().await.unwrap();
        let node = network.node("a").unwrap().clone();
        network.release_ports("a");
        fs::remove_file(node.home.join("config/node_key.json")).unwrap();
        fs::create_dir(dir.path().join("beam")).unwrap();
        let mut sentry = Self { dir, network, node, pilot: Command::new("true").spawn().unwrap() };
        sentry.write_config(&["v1"], more);
        sentry.pilot = Command::new(env!("CARGO_BIN_EXE_beam"))
            .args(["start", "--home"])
            .arg(sentry.path("beam"))
            .stdin(Stdio::null())
            .stderr(fs::File::create(sentry.path("log")).unwrap())
            .spawn()
            .unwrap();
        sentry
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn peer(&self, name: &str) -> String {
        let peer = self.network.node(name).unwrap();
        format!("{}@127.0.0.1:{}", peer.id, peer.p2p_port)
    }

    fn write_config(&self, peers: &[&str], more: &str) {
        let peers: Vec<String> = peers.iter().map(|name| self.peer(name)).collect();
        let text = format!(
            "name = \"s\"\nrole = \"sentry\"\n[chain]\nid = {:?}\n[node]\nhome = {:?}\ncommand = {:?}\nrpc = {:?}\n\
             [p2p]\npersistent_peers = {peers:?}\nexternal_address = \"203.0.113.7:26656\"\n{more}",
            self.network.chain_id(),
            self.node.home,
            self.node.command(),
            self.node.rpc_url(),
        );
        fs::write(self.path("beam/node.toml"), text).unwrap();
    }

    fn rpc(&self) -> Rpc {
        self.node.rpc()
    }

    fn node_pid(&self) -> Option<i32> {
        let file = fs::read_to_string(self.path("beam/node.pid")).ok()?;
        let pid: i32 = file.split_whitespace().next()?.parse().ok()?;
        let line = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let home = self.node.home.to_string_lossy().into_owned();
        String::from_utf8_lossy(&line).contains(&home).then_some(pid)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.pilot), signal).unwrap();
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap()
    }

    async fn peers(&self) -> Option<usize> {
        let answer = self.rpc().call("net_info", serde_json::json!({})).await.ok()?;
        Some(answer["peers"].as_array()?.len())
    }

    async fn has_peers(&self, wanted: usize) {
        let deadline = Instant::now() + WITHIN;
        loop {
            let peers = self.peers().await;
            if peers == Some(wanted) {
                return;
            }
            assert!(Instant::now() < deadline, "{peers:?} peers and not {wanted}\n{}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }

    async fn follows_beyond(&self, height: u64) {
        let deadline = Instant::now() + WITHIN;
        while !self.rpc().height().await.is_ok_and(|now| now > height) {
            assert!(Instant::now() < deadline, "it does not follow\n{}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }

    async fn logs(&self, what: &str) {
        let deadline = Instant::now() + WITHIN;
        while !self.log().contains(what) {
            assert!(Instant::now() < deadline, "no {what:?} in\n{}", self.log());
            tokio::time::sleep(POLL).await;
        }
    }

    fn config(&self) -> String {
        fs::read_to_string(self.node.home.join("config/config.toml")).unwrap()
    }
}

impl Drop for Sentry {
    fn drop(&mut self) {
        let _ = self.pilot.kill();
        let _ = self.pilot.wait();
        if let Some(pid) = self.node_pid().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sentry_follows_and_an_added_peer_is_dialled_without_a_restart() {
    let mut sentry = Sentry::start("dial_on_reload = true\n").await;
    sentry.has_peers(1).await;
    sentry.follows_beyond(1).await;
    for setting in ["priv_validator_laddr = \"\"", "pex = true", "external_address = \"203.0.113.7:26656\""] {
        assert!(sentry.config().contains(setting), "no {setting:?}");
    }
    let node = sentry.node_pid();

    sentry.write_config(&["v1", "v2"], "dial_on_reload = true\n");
    sentry.signal(Signal::HUP);
    sentry.has_peers(2).await;
    assert_eq!(sentry.node_pid(), node, "the node was restarted");
    assert!(sentry.config().contains(&sentry.peer("v2")), "for its next start");
    sentry.logs("reloaded").await;
    assert!(!sentry.log().contains("pending restart"), "{}", sentry.log());

    // One that is taken away stays connected, so that is told; so is what dialling cannot change.
    sentry.write_config(&["v1"], "dial_on_reload = true\ninbound_peers_max = 100\n");
    sentry.signal(Signal::HUP);
    sentry.logs("p2p.persistent_peers, p2p.max_num_inbound_peers").await;
    assert_eq!(sentry.peers().await, Some(2));

    // The next start takes both in.
    kill_process(Pid::from_raw(node.unwrap()).unwrap(), Signal::KILL).unwrap();
    sentry.logs("starts=2").await;
    let started_with = fs::read_to_string(sentry.path("beam/node.config.toml")).unwrap();
    assert!(started_with.contains("max_num_inbound_peers = 100"));
    assert!(!started_with.contains(&sentry.peer("v2")));
    let height = sentry.network.chain().unwrap().height().await.unwrap();
    sentry.follows_beyond(height).await;

    sentry.signal(Signal::TERM);
    assert_eq!(sentry.pilot.wait().unwrap().code(), Some(0));
    assert_eq!(sentry.node_pid(), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_default_an_added_peer_waits_for_a_restart_and_that_is_said() {
    let sentry = Sentry::start("").await;
    sentry.has_peers(1).await;
    assert!(sentry.config().contains("unsafe = false"));
    sentry.write_config(&["v1", "v2"], "");
    sentry.signal(Signal::HUP);
    sentry.logs("pending restart").await;
    assert!(sentry.log().contains("keys=\"p2p.persistent_peers\""), "{}", sentry.log());
    sentry.logs("reloaded").await;
    assert_eq!(sentry.peers().await, Some(1));
    assert!(Path::new(&format!("/proc/{}", sentry.node_pid().unwrap())).exists());
}
