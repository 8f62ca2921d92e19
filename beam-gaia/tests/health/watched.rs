//! Machine `a` of the lab as validator 0's only node, with a signer that signs what it is asked, and the loop that watches both.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use beam_core::health::missed::{Missed, MissedBlocks};
use beam_core::health::{Action, Event, HealthConfig, NodeHealth, SignerLink};
use beam_core::id::SessionId;
use beam_core::machine::Machine as _;
use beam_core::signing::{Epoch, Height, Refusal, Release, Signatures, Statement};
use beam_core::signing_key::SigningKey as _;
use beam_core::time;
use beam_examples::network::{Network, Node};
use beam_examples::process::Process;
use beam_gaia::health::{Look, Probe, fetch_missing};
use beam_gaia::keys::KeyFile;
use beam_gaia::privval::{Dialer, Link, LinkState, Service, Sign};
use beam_gaia::rpc::{NodeRpc, ValidatorAddress, Vote};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Signs what it is asked. There is one node and no other machine with this key.
struct Obedient(KeyFile);

#[async_trait]
impl Sign for Obedient {
    async fn sign(
        &self,
        _: SessionId,
        asked: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        let bytes = asked.bytes().to_vec();
        let statement = self.0.sign(&bytes).await.unwrap();
        let extension = match extension {
            Some(bytes) => Some(self.0.sign(&bytes).await.unwrap()),
            None => None,
        };
        let signatures = Signatures { statement, extension };
        Ok(Release { mark: asked.mark(), bytes, signatures, epoch: Epoch(1), repeated: false })
    }
}

struct Signer {
    link: watch::Receiver<Link>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

pub(crate) struct Watched {
    node: Node,
    chain: String,
    socket: String,
    key: Arc<Obedient>,
    us: ValidatorAddress,
    signer: Option<Signer>,
    pub(crate) process: Process,
    probe: Probe,
    rpc: NodeRpc,
    began: Instant,
    pub(crate) health: NodeHealth,
    pub(crate) ledger: MissedBlocks,
    pub(crate) missed: Vec<Missed>,
    pub(crate) look: Option<Look>,
    pub(crate) restarts: u32,
}

impl Watched {
    pub(crate) async fn start(network: &Network) -> Self {
        let mut node = network.node("a").unwrap().clone();
        let socket = format!("unix://{}", network.dir().join("a.sock").display());
        configure(&mut node, &socket);
        let key = KeyFile::load(network.validator_key()).unwrap();
        let us = ValidatorAddress::of(&key.public_key());
        let key = Arc::new(Obedient(key));
        let signer = dial(&socket, network.chain_id(), &key);
        let process = run(&node);
        let rpc = NodeRpc::new(([127, 0, 0, 1], node.rpc_port).into());
        let v1 = NodeRpc::new(([127, 0, 0, 1], network.node("v1").unwrap().rpc_port).into());
        let chain: beam_core::id::ChainId = network.chain_id().parse().unwrap();
        let references = BTreeMap::from([("v1".to_owned(), v1)]);
        let probe = Probe::new(rpc, chain.clone(), node.home.clone(), references);
        let mut health = NodeHealth::new(HealthConfig {
            still_after: Duration::from_secs(8),
            start_grace: Duration::from_secs(20),
            ..HealthConfig::new(chain)
        });
        health.step(time::Instant::default(), Event::Started);
        Self {
            chain: network.chain_id().to_owned(),
            node,
            socket,
            key,
            us,
            signer: Some(signer),
            process,
            probe,
            rpc,
            began: Instant::now(),
            health,
            ledger: MissedBlocks::default(),
            missed: Vec::new(),
            look: None,
            restarts: 0,
        }
    }

    /// One round of the loop that a pilot runs.
    async fn watch(&mut self) {
        let mut look = self.probe.look().await;
        if let Some(status) = &look.status {
            self.missed.extend(fetch_missing(&self.rpc, status.height, &self.us, &mut self.ledger).await);
        }
        look.readings.running = Some(self.process.ended().is_none());
        look.readings.signer = Some(self.signer.as_ref().map_or_else(
            || SignerLink { connected: false, keys_given: 0 },
            |signer| {
                let link = signer.link.borrow();
                SignerLink { connected: link.state == LinkState::Connected, keys_given: link.keys_given }
            },
        ));
        look.readings.votes = Some(self.ledger.tally().votes());
        let now = time::Instant::at(self.began.elapsed());
        let actions = self.health.step(now, Event::Looked(look.readings.clone()));
        self.look = Some(look);
        for action in actions {
            match action {
                Action::Tell(finding) => eprintln!("{now} {finding:?}"),
                Action::Restart { attempt, because } => {
                    eprintln!("{now} restarted: {because}");
                    self.restart();
                    let now = time::Instant::at(self.began.elapsed());
                    self.health.step(now, Event::Restarted { attempt, done: true });
                }
            }
        }
    }

    pub(crate) async fn watch_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.watch().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(crate) async fn until(&mut self, within: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            let tail = || self.process.log_tail();
            assert!(began.elapsed() < within, "waited for: {what}; {:?}\n{}", self.health.finding(), tail());
            self.watch().await;
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    pub(crate) fn is_well(&self) -> bool {
        self.health.finding().condition.is_none()
    }

    pub(crate) fn suffers_from(&self, name: &str) -> bool {
        self.health.finding().condition.as_ref().is_some_and(|condition| condition.name() == name)
    }

    pub(crate) async fn lose_the_signer(&mut self) {
        let signer = self.signer.take().unwrap();
        signer.stop.send(()).unwrap();
        signer.task.await.unwrap();
    }

    pub(crate) fn give_a_signer(&mut self) {
        self.signer = Some(dial(&self.socket, &self.chain, &self.key));
    }

    fn restart(&mut self) {
        self.process.kill_group();
        self.process = run(&self.node);
        self.restarts += 1;
    }

    /// The same count by v1's RPC, height by height.
    pub(crate) async fn missed_by_v1(&self, network: &Network) -> u64 {
        let v1 = NodeRpc::new(([127, 0, 0, 1], network.node("v1").unwrap().rpc_port).into());
        let tally = self.ledger.tally();
        let mut missed = 0;
        for height in tally.from.0..=tally.to.0 {
            let commit = v1.commit(Height(height)).await.unwrap();
            missed += u64::from(commit.vote(&self.us) == Vote::Absent);
        }
        missed
    }
}

/// Its signer's socket, and ports that the network does not hold for itself. The others dial the old one in vain; it dials them.
fn configure(node: &mut Node, socket: &str) {
    let path = node.home.join("config/config.toml");
    let mut text = fs::read_to_string(&path).unwrap();
    let (rpc, p2p) = (free_port(), free_port());
    for (from, to) in [
        ("priv_validator_laddr = \"\"".to_owned(), format!("priv_validator_laddr = \"{socket}\"")),
        (
            format!("laddr = \"tcp://127.0.0.1:{}\"", node.rpc_port),
            format!("laddr = \"tcp://127.0.0.1:{rpc}\""),
        ),
        (
            format!("laddr = \"tcp://127.0.0.1:{}\"", node.p2p_port),
            format!("laddr = \"tcp://127.0.0.1:{p2p}\""),
        ),
    ] {
        assert!(text.contains(&from), "{from}");
        text = text.replace(&from, &to);
    }
    fs::write(path, text).unwrap();
    (node.rpc_port, node.p2p_port) = (rpc, p2p);
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn dial(socket: &str, chain: &str, key: &Arc<Obedient>) -> Signer {
    let (_, session) = watch::channel(SessionId::from_random(1));
    let service = Service::new(chain.parse().unwrap(), key.0.public_key(), Arc::clone(key), session);
    let dialer = Dialer::new(socket.parse().unwrap(), service);
    let link = dialer.link();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(dialer.run(async {
        if stopped.await.is_err() {
            std::future::pending::<()>().await;
        }
    }));
    Signer { link, stop, task }
}

fn run(node: &Node) -> Process {
    let socket = node.home.parent().unwrap().join("a.sock");
    // A node never removes its own.
    let _ = fs::remove_file(socket);
    let mut words = node.command().into_iter();
    let mut command = Command::new(words.next().unwrap());
    command.args(words);
    Process::spawn(command, &node.home.join("node.log"), &[&node.home]).unwrap()
}
