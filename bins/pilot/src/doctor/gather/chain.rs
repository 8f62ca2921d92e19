//! What the node, and those that node.toml names as references, say of the chain.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use beam_gaia::rpc::NodeRpc;

use super::super::facts::{ChainFacts, Fact, ReferenceFacts};
use super::in_full;
use crate::config::Config;

pub(super) async fn look(config: &Config, node_runs: bool) -> ChainFacts {
    let wanted = config.chain.id.to_string();
    let (references, mut newest) = references(config).await;
    let not_running = || if node_runs { "the node's RPC does not answer" } else { "no node runs" }.to_owned();
    let Ok(address) = config.rpc() else {
        let why = || "node.rpc is wrong".to_owned();
        let clock_behind = behind(&newest);
        return ChainFacts { network: Err(why()), wanted, peers: Err(why()), references, clock_behind };
    };
    let rpc = NodeRpc::new(address);
    let status = rpc.status().await;
    newest.extend(status.as_ref().ok().map(|status| status.latest_block_time));
    let peers = rpc.peers().await.map_err(|error| in_full(&error));
    ChainFacts {
        network: status.map(|status| status.network.to_string()).map_err(|_| not_running()),
        wanted,
        peers: peers.map_err(|_| not_running()),
        references,
        clock_behind: behind(&newest),
    }
}

/// The newest block's time of each reference that answers and is of our chain.
async fn references(config: &Config) -> (ReferenceFacts, Vec<SystemTime>) {
    /// More would take too long when none answers.
    const ASKED_MAX: usize = 5;
    let (mut asked, mut newest) = (0, Vec::new());
    for reference in config.health.references.iter().take(ASKED_MAX) {
        asked += 1;
        let authority = reference.strip_prefix("http://").unwrap_or(reference).trim_end_matches('/');
        let Ok(address) = authority.parse::<SocketAddr>() else { continue };
        if let Ok(status) = NodeRpc::new(address).status().await
            && status.network == config.chain.id
        {
            newest.push(status.latest_block_time);
        }
    }
    (ReferenceFacts { asked, answered: newest.len() }, newest)
}

/// How far this clock is behind the newest block. That it is ahead cannot be told so: the chain may stand still.
fn behind(newest: &[SystemTime]) -> Fact<Duration> {
    let newest = newest.iter().max().ok_or("no node answered")?;
    Ok(newest.duration_since(SystemTime::now()).unwrap_or_default())
}
