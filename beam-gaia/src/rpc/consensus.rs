//! Whether the node's consensus thread answers, and where its peers are.
//!
//! Both questions want a lock that the thread holds while it works: a node that waits for its signer answers neither, for minutes,
//! while `status` answers in milliseconds. Each question that hangs holds one of the node's connections until then. So
//! [`ConsensusThread`] has one question open at most, and asks no other before that is answered.

use std::collections::BTreeMap;
use std::time::Duration;

use beam_core::health::Consensus;
use beam_core::signing::Height;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{NodeRpc, RpcError};

/// How long the consensus thread may take to answer. It takes milliseconds when it is well.
pub const CONSENSUS_WITHIN: Duration = Duration::from_secs(1);

/// How long a question is left open. A node waits up to 155 s for its signer before it gives a signature up.
const OPEN_FOR: Duration = Duration::from_secs(200);

type Question = JoinHandle<Result<(), RpcError>>;

/// Asks a node's consensus thread for a sign of life.
#[derive(Debug)]
pub struct ConsensusThread {
    rpc: NodeRpc,
    open: Mutex<Option<Question>>,
}

impl ConsensusThread {
    /// Asks this node's. Nothing is asked yet.
    #[must_use]
    pub fn new(rpc: NodeRpc) -> Self {
        Self { rpc, open: Mutex::new(None) }
    }

    /// Whether it answers within [`CONSENSUS_WITHIN`].
    ///
    /// # Errors
    /// [`RpcError`] if the node answers nothing at all, or something else.
    pub async fn ask(&self) -> Result<Consensus, RpcError> {
        let mut open = self.open.lock().await;
        let question = open.get_or_insert_with(|| {
            let rpc = self.rpc;
            tokio::spawn(async move {
                let answer = timeout(OPEN_FOR, rpc.ask_patiently::<IgnoredAny>("consensus_state")).await;
                answer.unwrap_or(Ok(IgnoredAny)).map(drop)
            })
        });
        match timeout(CONSENSUS_WITHIN, &mut *question).await {
            Err(_) => Ok(Consensus::Hangs),
            Ok(answer) => {
                *open = None;
                let answer = answer.map_err(|gone| RpcError::Unreachable(gone.into()))?;
                answer.map(|()| Consensus::Answers)
            }
        }
    }
}

impl Drop for ConsensusThread {
    fn drop(&mut self) {
        if let Some(question) = self.open.get_mut() {
            question.abort();
        }
    }
}

#[derive(Deserialize)]
struct Dump {
    #[serde(default)]
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    #[serde(default)]
    node_address: String,
    #[serde(default)]
    peer_state: Value,
}

impl Peer {
    /// The height that this peer has committed: the one below that it works on. The answer's form is not stable, so whatever is not
    /// there is not known.
    fn committed(&self) -> Option<Height> {
        let works_on: u64 = self.peer_state.get("round_state")?.get("height")?.as_str()?.parse().ok()?;
        works_on.checked_sub(1).filter(|height| *height > 0).map(Height)
    }

    fn id(&self) -> &str {
        self.node_address.split_once('@').map_or(self.node_address.as_str(), |(id, _)| id)
    }
}

impl NodeRpc {
    /// The heights that the node's peers have committed, by their ids, as far as they have told it. Hangs when the consensus thread
    /// does.
    ///
    /// # Errors
    /// [`RpcError`] if it did not answer.
    pub async fn peers_heights(&self) -> Result<BTreeMap<String, Height>, RpcError> {
        let Dump { peers } = self.ask_raw("dump_consensus_state", json!({})).await?;
        Ok(peers.iter().filter_map(|peer| Some((peer.id().to_owned(), peer.committed()?))).collect())
    }
}
