//! Whom the node is connected to, and how it is connected to more.

use beam_core::health::Peers;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::{NodeRpc, RpcError};

#[derive(Deserialize)]
struct NetInfo {
    #[serde(default)]
    peers: Vec<Peer>,
}

#[derive(Deserialize)]
struct Peer {
    is_outbound: bool,
}

/// How the node shall treat peers that it is told to dial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dialing {
    /// Dial again whenever the connection is lost. This **replaces** the node's list of persistent peers, in memory only: always give the
    /// whole list.
    pub persistent: bool,
    /// Accept them however many peers there are.
    pub unconditional: bool,
    /// Tell nobody about them.
    pub private: bool,
}

impl NodeRpc {
    /// How many peers the node has, by who connected to whom.
    ///
    /// # Errors
    /// [`RpcError`] if it did not answer.
    pub async fn connections(&self) -> Result<Peers, RpcError> {
        let NetInfo { peers } = self.ask_raw("net_info", json!({})).await?;
        let count = |outbound| {
            let some = peers.iter().filter(|peer| peer.is_outbound == outbound).count();
            u64::try_from(some).unwrap_or(u64::MAX)
        };
        Ok(Peers { inbound: count(false), outbound: count(true) })
    }

    /// Has the node connect to these peers (`id@host:port` each) without a restart. It answers at once and dials afterwards; nothing is
    /// written to its configuration, and no call takes a peer away again.
    ///
    /// # Errors
    /// [`RpcError::Rpc`] if `rpc.unsafe` is not set in the node's configuration, or an entry is malformed.
    pub async fn dial_peers(&self, peers: &[String], dialing: Dialing) -> Result<(), RpcError> {
        let Dialing { persistent, unconditional, private } = dialing;
        let params = json!({
            "peers": peers, "persistent": persistent, "unconditional": unconditional, "private": private
        });
        self.ask_raw::<IgnoredAny>("dial_peers", params).await.map(drop)
    }
}
