//! What is known of where the key has signed: gathered here, decided nowhere near.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use beam_core::signing::{Height, Mark};
use beam_gaia::rpc::{NodeRpc, NodeStatus, ValidatorAddress};
use beam_gaia::state_files::{self, StateFormat};
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::config::Config;
use crate::node_home::{ADOPTED_STATE, NodeHome};

/// How old the newest block may be by this machine's clock. Older, the node is behind or the chain stands still, and no program
/// can tell which.
const FRESH_WITHIN: Duration = Duration::from_secs(30);
/// How long a node is given to show so many blocks that are newer than its newest.
const MOVES_WITHIN: Duration = Duration::from_secs(90);
/// How many blocks must be seen to come. A vote for the second was made after we began to look; the third brings it, as a block's
/// commit lacks late votes until the next one is there.
const MOVES_HEIGHTS: u64 = 3;
const MADE_SINCE_HEIGHTS: u64 = 2;
const POLL_EVERY: Duration = Duration::from_millis(250);
/// In how many of the last blocks our vote is looked for, and for how long.
const LOOK_BACK_HEIGHTS: u64 = 100;
const LOOK_BACK_WITHIN: Duration = Duration::from_secs(10);

/// One signer's state file.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FromFile {
    pub(crate) path: PathBuf,
    pub(crate) format: StateFormat,
    /// None: it never signed.
    pub(crate) mark: Option<Mark>,
}

/// The chain as one node shows it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct FromChain {
    pub(crate) rpc: String,
    /// Its newest height. It was seen to rise.
    pub(crate) height: Height,
    /// Our last precommit that the chain shows, in the heights looked at.
    pub(crate) our_last_vote: Option<Mark>,
    pub(crate) looked_back_to: Height,
    /// Somebody signed while we looked: with this key, and with a signer that runs.
    pub(crate) signs_now: bool,
}

/// Reads all state files there are to read: those given, what `init --from` brought along, the node's own.
pub(crate) fn files(
    config: &Config,
    given: &[PathBuf],
    format: Option<StateFormat>,
) -> Result<Vec<FromFile>> {
    let node_home = NodeHome::read(&config.node.home)?;
    let own = [config.own(ADOPTED_STATE), node_home.state_file()];
    let given = given.iter().map(|path| (path.clone(), format));
    let own = own.into_iter().filter(|path| path.exists()).map(|path| (path, Some(StateFormat::Gaiad)));
    let mut files: Vec<FromFile> = Vec::new();
    for (path, format) in given.chain(own) {
        if files.iter().all(|file| file.path != path) {
            files.push(file(&path, format)?);
        }
    }
    Ok(files)
}

fn file(path: &Path, format: Option<StateFormat>) -> Result<FromFile> {
    let state = state_files::read(path, format)?;
    Ok(FromFile { path: path.to_owned(), format: state.format, mark: state.mark })
}

/// Asks a node for the chain's newest height and our last vote in it.
///
/// A node that does not follow the chain is an error: its newest height says nothing about what was signed.
pub(crate) async fn chain(
    config: &Config,
    rpc: Option<&str>,
    validator: &ValidatorAddress,
) -> Result<FromChain> {
    let url = rpc.unwrap_or(&config.node.rpc);
    let node = NodeRpc::new(resolve(url).await?);
    let first = follows(config, &node, url).await?;
    let deadline = Instant::now() + MOVES_WITHIN;
    let status = loop {
        let status = follows(config, &node, url).await?;
        if status.height.0 >= first.height.0.saturating_add(MOVES_HEIGHTS) {
            break status;
        }
        ensure!(
            Instant::now() < deadline,
            "{url} did not show {MOVES_HEIGHTS} new blocks within {MOVES_WITHIN:?}: it does not follow the chain, or the chain stands still"
        );
        sleep(POLL_EVERY).await;
    };
    let age = SystemTime::now().duration_since(status.latest_block_time).unwrap_or_default();
    ensure!(
        age <= FRESH_WITHIN,
        "the newest block at {url} is {} s old: that node is behind, or this machine's clock is wrong",
        age.as_secs()
    );
    let (our_last_vote, looked_back_to) = last_vote(&node, status.height, validator).await;
    let after = first.height.0.saturating_add(MADE_SINCE_HEIGHTS);
    let signs_now = our_last_vote.is_some_and(|vote| vote.height.0 >= after);
    Ok(FromChain { rpc: url.to_owned(), height: status.height, our_last_vote, looked_back_to, signs_now })
}

async fn follows(config: &Config, node: &NodeRpc, url: &str) -> Result<NodeStatus> {
    let status = node.status().await.with_context(|| format!("{url} cannot be asked"))?;
    if status.network != config.chain.id {
        bail!("{url} is a node of {}, not of {}", status.network, config.chain.id);
    }
    ensure!(
        !status.catching_up,
        "{url} is catching up (at height {}): ask a node that is not",
        status.height
    );
    Ok(status)
}

/// Our newest vote, looking back from the tip; and down to where it was looked for.
async fn last_vote(node: &NodeRpc, tip: Height, validator: &ValidatorAddress) -> (Option<Mark>, Height) {
    let deadline = Instant::now() + LOOK_BACK_WITHIN;
    let mut looked = Height(tip.0.saturating_add(1));
    while looked.0 > 1 && looked.0.saturating_add(LOOK_BACK_HEIGHTS) > tip.0 && Instant::now() < deadline {
        let height = Height(looked.0.saturating_sub(1));
        // Pruned, or gone: what was not looked at is told.
        let Ok(commit) = node.commit(height).await else { break };
        looked = height;
        if let Some(sighting) = commit.sighting(validator) {
            return (Some(sighting.mark), looked);
        }
    }
    (None, looked)
}

/// Plain HTTP, since what is asked is public. A node that lies can make the mark too high and never too low: it should be one's own.
async fn resolve(url: &str) -> Result<SocketAddr> {
    let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
    let authority =
        authority.with_context(|| format!("--rpc must be like http://10.0.0.5:26657, not {url:?}"))?;
    let mut found = tokio::net::lookup_host(authority)
        .await
        .with_context(|| format!("{url:?} has no address and port that can be found"))?;
    found.next().with_context(|| format!("{url:?} has no address"))
}
