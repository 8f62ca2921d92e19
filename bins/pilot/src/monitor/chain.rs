//! What the pilot does with each block that its node has committed: it looks whether the chain shows a signature of our key that the
//! register does not know, and counts what the chain shows of our votes. Nothing here waits for the register, which may hang.

use std::error::Error;
use std::time::Duration;

use beam_core::health::Upgrade;
use beam_core::health::missed::{Cause, Missed, MissedBlocks, Tally as Counts};
use beam_core::pause::Pause;
use beam_core::roster::Roster;
use beam_core::runtime::SignerHandle;
use beam_core::signing::Height;
use beam_core::signing_key::PublicKey;
use beam_gaia::health::fetch_missing;
use beam_gaia::privval::Link;
use beam_gaia::rpc::{Committed, NodeRpc, NodeStatus, RpcError, ValidatorAddress, Vote};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::Tally;
use crate::run::Live;

/// The least time between two looks: a node that catches up commits many blocks a second.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Without a new block the chain is still looked at so often.
pub(super) const LOOK_AT_LEAST_EVERY: Duration = Duration::from_secs(10);
/// How long one look may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// How long the back-filling of one look may take; what is left is for the next.
const FETCH_WITHIN: Duration = Duration::from_secs(5);
/// How often the chain's own account is asked for. In between it is carried on from block to block.
const ACCOUNT_EVERY: Duration = Duration::from_secs(60);
/// And how soon again if it was not to be had.
const ACCOUNT_AGAIN_AFTER: Duration = Duration::from_secs(10);

/// What was seen of the chain.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    /// What was counted so far; nothing before the first block.
    pub(super) counts: Option<Counts>,
    /// Out until its operator unjails it, by the chain's own word.
    pub(super) jailed: Option<bool>,
    pub(super) upgrade: Option<Upgrade>,
    /// Told by [`super::notes`], as is the pause.
    pub(super) roster: Roster,
    pub(super) pause: Option<Pause>,
}

/// What looking needs.
pub(super) struct ChainTask {
    pub(super) rpc: NodeRpc,
    pub(super) key: PublicKey,
    pub(super) validator: ValidatorAddress,
    pub(super) live: Live,
    pub(super) signer: SignerHandle,
    pub(super) tally: Tally,
    /// The node's height, after each look.
    pub(super) height: watch::Sender<Option<Height>>,
    pub(super) seen: watch::Sender<Seen>,
}

impl ChainTask {
    /// Looks until the connection to the node ends for good. `link` changes with every block that the node has committed,
    /// since it then asks for our key.
    pub(super) async fn run(self, mut link: watch::Receiver<Link>) {
        let pulse = self.live.pulses.of(
            "chain",
            (LOOK_AT_LEAST_EVERY + LOOK_WITHIN + LOOK_WITHIN + FETCH_WITHIN + LOOK_EVERY).saturating_mul(2),
        );
        let (mut ledger, mut account_due) = (MissedBlocks::default(), Instant::now());
        loop {
            pulse.beat();
            match timeout(LOOK_WITHIN, self.look(&mut ledger)).await {
                Err(_) => tracing::warn!(within = ?LOOK_WITHIN, "looking at the chain took too long"),
                Ok(None) => {}
                Ok(Some(status)) => {
                    self.count(&status, &mut ledger).await;
                    if Instant::now() >= account_due {
                        let told = timeout(LOOK_WITHIN, self.account(&status, &mut ledger)).await;
                        let wait = if told.unwrap_or(false) { ACCOUNT_EVERY } else { ACCOUNT_AGAIN_AFTER };
                        account_due = Instant::now() + wait;
                    }
                }
            }
            sleep(LOOK_EVERY).await;
            // No change for long is no end.
            if matches!(timeout(LOOK_AT_LEAST_EVERY, link.changed()).await, Ok(Err(_))) {
                return;
            }
        }
    }

    /// The node's status, if it is our chain's.
    async fn look(&self, ledger: &mut MissedBlocks) -> Option<NodeStatus> {
        let config = self.live.config.borrow().clone();
        let status = match self.rpc.status().await {
            Ok(status) => status,
            Err(error) => {
                tracing::debug!(error = &error as &dyn Error, "the node's RPC does not answer");
                return None;
            }
        };
        if status.network != config.chain.id {
            tracing::warn!(network = %status.network, "another chain's node answers at node.rpc; it is not believed");
            return None;
        }
        self.height.send_replace(Some(status.height));
        // The tip's commit as this node saw it. It may still lack votes, but one that it has was signed by somebody.
        match self.rpc.latest_commit().await {
            Ok(commit) => self.look_at_tip(&commit, ledger).await,
            Err(error) => tracing::debug!(error = &error as &dyn Error, "the commit could not be read"),
        }
        Some(status)
    }

    async fn look_at_tip(&self, commit: &Committed, ledger: &mut MissedBlocks) {
        if let Some(sighting) = commit.sighting(&self.validator) {
            self.signer.seen(sighting).await;
        }
        if commit.vote(&self.validator) != Vote::Absent {
            ledger.seen(commit.height, commit.round);
        }
    }

    /// Counts what the chain shows by now.
    async fn count(&self, status: &NodeStatus, ledger: &mut MissedBlocks) {
        let figures = self.tally.figures();
        for height in ledger.wanted(status.height) {
            if let Some(part) = figures.part(height) {
                ledger.part(height, part);
            }
        }
        let fetching = fetch_missing(&self.rpc, status.height, &self.validator, ledger);
        let missed = timeout(FETCH_WITHIN, fetching).await.unwrap_or_default();
        for Missed { height, cause } in missed {
            let cause = match cause {
                Cause::Own => "our own fault, or unknown",
                Cause::Late => "released in time to be made, and too late to arrive",
                Cause::Network => "the network's: many others are absent too",
                Cause::NotIncluded => "it was seen, and the next proposer left it out",
            };
            tracing::warn!(%height, cause, "a block without our vote");
        }
        let counts = ledger.tally();
        self.seen.send_modify(|seen| seen.counts = Some(counts));
    }

    /// The chain's own account of us, and its plans; says whether it was to be had. A chain that keeps none answers nothing, which is no
    /// fault.
    async fn account(&self, status: &NodeStatus, ledger: &mut MissedBlocks) -> bool {
        let told = match self.slashing(status, ledger).await {
            Ok(told) => told,
            Err(error) => {
                tracing::debug!(error = &error as &dyn Error, "the chain's account could not be read");
                false
            }
        };
        if let Ok(upgrade) = self.rpc.planned_upgrade().await {
            self.seen.send_modify(|seen| seen.upgrade = upgrade);
        }
        // The list of all validators is long, so it is only asked for when ours is not in the set.
        let seated = ledger.tally().seated;
        let jailed = if seated {
            Some(false)
        } else {
            self.rpc.standing(&self.key).await.ok().flatten().map(|standing| standing.jailed)
        };
        self.seen.send_modify(|seen| seen.jailed = jailed);
        told
    }

    async fn slashing(&self, status: &NodeStatus, ledger: &mut MissedBlocks) -> Result<bool, RpcError> {
        let (Some(params), Some(prefix)) =
            (self.rpc.slashing_params().await?, self.rpc.bech32_prefix().await?)
        else {
            return Ok(false);
        };
        let info = self.rpc.signing_info(&self.validator, &prefix, status.latest_block_time).await?;
        let told = info.is_some();
        if let Some(info) = info {
            ledger.chain(params, info);
        }
        Ok(told)
    }
}
