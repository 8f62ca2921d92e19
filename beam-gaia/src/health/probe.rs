//! One look at a node: everything at once, and never longer than [`LOOK_WITHIN`].

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use beam_core::health::{Answer, Consensus, Readings, Source, Status, Upgrade};
use beam_core::id::ChainId;
use beam_core::signing::Height;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::timeout;

use super::{DiskSpace, disk_space, upgrade_info};
use crate::rpc::{ANSWER_WITHIN, AppInfo, CONSENSUS_WITHIN, ConsensusThread, NodeRpc, NodeStatus, RpcError};

/// No look takes longer. The questions are asked side by side; only the peers' heights wait for the consensus thread.
pub const LOOK_WITHIN: Duration =
    CONSENSUS_WITHIN.saturating_add(ANSWER_WITHIN).saturating_add(ANSWER_WITHIN);

/// Looks at one node, again and again.
#[derive(Debug)]
pub struct Probe {
    node: NodeRpc,
    chain: ChainId,
    home: PathBuf,
    references: BTreeMap<String, NodeRpc>,
    consensus: ConsensusThread,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Look {
    /// For the decision. What a probe cannot know is not in it: whether the process runs, the signer's connection, our votes, the
    /// register's and the twins' heights.
    pub readings: Readings,
    /// The node's status, if it gave one.
    pub status: Option<NodeStatus>,
    /// Its application, if that answered.
    pub app: Option<AppInfo>,
    /// The room on the disk that holds its home.
    pub disk: Option<DiskSpace>,
}

impl Probe {
    /// Looks at `node`, which runs at `home`, and compares it with `references`: other nodes of the chain, by any name.
    #[must_use]
    pub fn new(node: NodeRpc, chain: ChainId, home: PathBuf, references: BTreeMap<String, NodeRpc>) -> Self {
        Self { node, chain, home, references, consensus: ConsensusThread::new(node) }
    }

    /// Compares it with these from the next look on.
    pub fn compare_with(&mut self, references: BTreeMap<String, NodeRpc>) {
        self.references = references;
    }

    /// Looks once. What did not answer in time is not known.
    pub async fn look(&self) -> Look {
        let (status, app, peers, halt_height, thread, references, (upgrade, disk)) = tokio::join!(
            self.node.status(),
            self.node.app(),
            self.node.connections(),
            self.node.halt_height(),
            self.thread(),
            self.references(),
            self.home(),
        );
        let (consensus, peers_heights) = thread;
        let peers_heights = peers_heights.into_iter().map(|(id, height)| (Source::Peer(id), height));
        let readings = Readings {
            node: answer(&status),
            app_height: app.as_ref().ok().map(|app| app.height),
            consensus,
            peers: peers.ok(),
            halt_height: halt_height.ok().flatten(),
            upgrade,
            others: references.into_iter().chain(peers_heights).collect(),
            ..Readings::default()
        };
        Look { readings, status: status.ok(), app: app.ok(), disk }
    }

    /// Whether the consensus thread answers, and what it lets us see.
    async fn thread(&self) -> (Option<Consensus>, BTreeMap<String, Height>) {
        let consensus = self.consensus.ask().await.ok();
        // The second question would only hang as the first does, and hold another of the node's connections.
        let peers = match consensus {
            Some(Consensus::Answers) => self.node.peers_heights().await.unwrap_or_default(),
            Some(Consensus::Hangs) | None => BTreeMap::new(),
        };
        (consensus, peers)
    }

    /// The heights of those references that answer and are of our chain.
    async fn references(&self) -> BTreeMap<Source, Height> {
        let mut asked = JoinSet::new();
        for (name, rpc) in self.references.clone() {
            asked.spawn(async move { (name, rpc.status().await) });
        }
        let mut heights = BTreeMap::new();
        while let Some(answer) = asked.join_next().await {
            if let Ok((name, Ok(status))) = answer
                && status.network == self.chain
            {
                heights.insert(Source::Reference(name), status.height);
            }
        }
        heights
    }

    /// What lies in the node's home. A disk that hangs must not hang us.
    async fn home(&self) -> (Option<Upgrade>, Option<DiskSpace>) {
        let home = self.home.clone();
        let read = spawn_blocking(move || (upgrade_info(&home), disk_space(&home)));
        match timeout(ANSWER_WITHIN, read).await {
            Ok(Ok((upgrade, disk))) => (upgrade.ok().flatten(), disk.ok()),
            Ok(Err(_)) | Err(_) => (None, None),
        }
    }
}

fn answer(status: &Result<NodeStatus, RpcError>) -> Answer {
    match status {
        Ok(status) => Answer::Status(Status {
            network: status.network.clone(),
            height: status.height,
            catching_up: status.catching_up,
        }),
        Err(RpcError::Unreachable(_)) => Answer::Silent,
        Err(error) => Answer::Odd(error.to_string()),
    }
}
