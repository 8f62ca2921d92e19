//! What the pilot does with each block that its node has committed: it notes itself in the roster, and looks whether the
//! chain shows a signature of our key that the register does not know.

use std::net::SocketAddr;
use std::time::Duration;

use beam_core::id::{ChainId, SignerId};
use beam_core::roster::Member;
use beam_core::runtime::{RosterCell, SignerHandle};
use beam_gaia::privval::Link;
use beam_gaia::rpc::{NodeRpc, ValidatorAddress};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// What watching needs.
pub(crate) struct ChainWatch {
    pub(crate) rpc: NodeRpc,
    pub(crate) signer: SignerHandle,
    pub(crate) roster: RosterCell,
    pub(crate) name: String,
    pub(crate) agent: Option<SocketAddr>,
    pub(crate) me: SignerId,
    pub(crate) chain: ChainId,
    pub(crate) validator: ValidatorAddress,
}

/// The least time between two looks: a node that catches up commits many blocks a second.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long one look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

impl ChainWatch {
    /// Watches until `link` ends: it changes with every block that the node has committed, since it then asks for our key.
    pub(crate) async fn run(self, mut link: watch::Receiver<Link>) {
        while link.changed().await.is_ok() {
            if timeout(LOOK_WITHIN, self.look()).await.is_err() {
                tracing::warn!(within = ?LOOK_WITHIN, "looking at the chain took too long");
            }
            sleep(LOOK_EVERY).await;
        }
    }

    async fn look(&self) {
        let status = match self.rpc.status().await {
            Ok(status) => status,
            Err(error) => {
                tracing::debug!(%error, "the node's RPC does not answer");
                return;
            }
        };
        if status.network != self.chain {
            tracing::warn!(network = %status.network, "another chain's node answers at node.rpc; it is not believed");
            return;
        }
        let seen_ms = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let member = Member { signer: self.me, height: status.height, seen_ms, agent: self.agent };
        if let Err(error) = self.roster.note(&self.name, &member).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "not noted in the roster");
        }
        // The tip's commit as this node saw it. It may still lack votes, but one that it has was signed by somebody.
        match self.rpc.latest_commit().await {
            Ok(commit) => {
                if let Some(sighting) = commit.sighting(&self.validator) {
                    self.signer.seen(sighting).await;
                }
            }
            Err(error) => tracing::debug!(%error, "the commit could not be read"),
        }
    }
}
