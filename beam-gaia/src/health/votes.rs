//! What the chain shows of our votes, fetched for the ledger that counts them.

use beam_core::health::missed::{Commit, Missed, MissedBlocks};
use beam_core::signing::Height;

use crate::rpc::{NodeRpc, RpcError, ValidatorAddress, Vote};

/// What the canonical commit of this height counts for us. Asks for the validator set only if our vote is not there, to tell an absent
/// vote from no seat. `None` if the node has no canonical commit of that height yet.
///
/// # Errors
/// [`RpcError`] if the node did not answer; [`RpcError::Rpc`] if it does not have that height, yet or any more.
pub async fn commit_counts(
    rpc: &NodeRpc,
    height: Height,
    validator: &ValidatorAddress,
) -> Result<Option<Commit>, RpcError> {
    let commit = rpc.commit(height).await?;
    let set = match commit.vote(validator) {
        Vote::Absent if commit.canonical => Some(rpc.validators(height).await?),
        Vote::Absent | Vote::Nil | Vote::Block => None,
    };
    Ok(commit.counts(validator, set.as_ref()))
}

/// Fetches what the ledger wants when the node is at `tip`, the oldest first, and gives the votes that it now knows to be missing.
/// Stops at the first height that the node does not answer for; the rest is wanted again next time. A height that it says it does not
/// have, it will not have later either, since all are below its tip; one whose answer cannot be read is no better then.
pub async fn fetch_missing(
    rpc: &NodeRpc,
    tip: Height,
    validator: &ValidatorAddress,
    ledger: &mut MissedBlocks,
) -> Vec<Missed> {
    let mut missed = Vec::new();
    for height in ledger.wanted(tip) {
        match commit_counts(rpc, height, validator).await {
            Ok(Some(commit)) => missed.extend(ledger.note(commit)),
            Err(RpcError::Rpc { .. } | RpcError::Unreadable(_)) => missed.extend(ledger.unavailable(height)),
            Ok(None) | Err(_) => break,
        }
    }
    missed
}
