//! What a node tells about consensus: votes as they arrive, and blocks.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::Value;

use super::rpc::{number, text};

/// What a validator did in the commit of a height, by CometBFT's flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flag {
    /// No vote arrived in time, or it was not in the set: this is what counts as missed.
    Absent,
    /// It voted for the block.
    Commit,
    /// It voted nil: x/slashing counts that as signed, CometBFT's metrics do not.
    Nil,
}

/// The two kinds of vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum VoteKind {
    /// The first vote of a round.
    Prevote,
    /// The second, the one that ends up in the commit.
    Precommit,
}

/// The block a vote is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockId {
    /// The header's hash, hexadecimal.
    pub hash: String,
    /// How many parts the block was sent in.
    pub parts: u64,
    /// The hash of those parts, hexadecimal.
    pub parts_hash: String,
}

/// A vote as a node received it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The node that told us.
    pub seen_by: String,
    /// The height voted on.
    pub height: u64,
    /// The round of that height.
    pub round: u64,
    /// Prevote or precommit.
    pub kind: VoteKind,
    /// The block voted for; `None` is a vote for nil.
    pub block: Option<BlockId>,
    /// Who voted, by address.
    pub validator: String,
    /// The signature, in base64 as CometBFT writes it.
    pub signature: String,
    /// When the lab heard of it.
    pub arrived: Instant,
}

/// A committed block, as far as the lab cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Its height.
    pub height: u64,
    /// Its header's time, RFC 3339.
    pub time: String,
    /// The address of its proposer.
    pub proposer: String,
    /// What our validator did at the height before; `None` in the first block, which has no commit.
    pub last_commit: Option<Flag>,
    /// Evidence of misbehaviour in it, each in a readable line.
    pub evidence: Vec<String>,
}

/// What a watcher tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A vote of any validator arrived at a watched node.
    Vote(Vote),
    /// A watched node committed a block.
    Block {
        /// The node that told us.
        seen_by: String,
        /// The block.
        block: Block,
        /// When the lab heard of it.
        arrived: Instant,
    },
}

impl Vote {
    /// Reads the value of a `Vote` event.
    pub(super) fn parse(value: &Value, seen_by: &str, arrived: Instant) -> Result<Self> {
        let vote = value.get("Vote").context("a vote event without a vote")?;
        let kind = match number(vote.get("type")) {
            Some(1) => VoteKind::Prevote,
            Some(2) => VoteKind::Precommit,
            other => anyhow::bail!("a vote of type {other:?}"),
        };
        let hash = text(vote, "/block_id/hash");
        let block = (!hash.is_empty()).then(|| BlockId {
            hash,
            parts: number(vote.pointer("/block_id/parts/total")).unwrap_or(0),
            parts_hash: text(vote, "/block_id/parts/hash"),
        });
        Ok(Self {
            seen_by: seen_by.to_owned(),
            height: number(vote.get("height")).context("a vote without a height")?,
            round: number(vote.get("round")).context("a vote without a round")?,
            kind,
            block,
            validator: text(vote, "/validator_address"),
            signature: text(vote, "/signature"),
            arrived,
        })
    }
}

impl Block {
    /// Reads a block, from a `NewBlock` event or from a query; `validator` is the address of ours.
    pub(super) fn parse(block: &Value, validator: &str) -> Result<Self> {
        let height = number(block.pointer("/header/height")).context("a block without a height")?;
        let signatures = block.pointer("/last_commit/signatures").and_then(Value::as_array);
        let last_commit = match signatures.filter(|all| !all.is_empty()) {
            None => None,
            Some(signatures) => Some(flag(signatures, validator).with_context(|| format!("block {height}"))?),
        };
        anyhow::ensure!(last_commit.is_some() || height <= 1, "block {height} has no commit");
        let evidence = block.pointer("/evidence/evidence").and_then(Value::as_array);
        Ok(Self {
            height,
            time: text(block, "/header/time"),
            proposer: text(block, "/header/proposer_address"),
            last_commit,
            evidence: evidence.into_iter().flatten().map(|proof| describe(height, proof)).collect(),
        })
    }
}

/// What a validator did in a commit. It is found by its address: its place in the set changes with everybody's power, and
/// an absent vote, which carries no address, needs none to be absent.
fn flag(signatures: &[Value], validator: &str) -> Result<Flag> {
    let ours = |signature: &&Value| text(signature, "/validator_address") == validator;
    match signatures.iter().find(ours).map(|signature| number(signature.get("block_id_flag"))) {
        None => Ok(Flag::Absent),
        Some(Some(2)) => Ok(Flag::Commit),
        Some(Some(3)) => Ok(Flag::Nil),
        Some(other) => anyhow::bail!("a signature of our validator with flag {other:?}"),
    }
}

/// One line about a piece of evidence. Unknown kinds are shown as they are: they still count.
fn describe(height: u64, proof: &Value) -> String {
    let of = |pointer: &str| text(proof, pointer);
    match number(proof.pointer("/value/vote_a/height")) {
        Some(offence) => format!(
            "block {height} proves that {} voted twice at height {offence}, round {}: for {} and for {}",
            of("/value/vote_a/validator_address"),
            number(proof.pointer("/value/vote_a/round")).unwrap_or(0),
            short(&of("/value/vote_a/block_id/hash")),
            short(&of("/value/vote_b/block_id/hash")),
        ),
        None => format!("block {height} carries evidence: {proof}"),
    }
}

/// The beginning of a hash, enough to tell it from another by eye.
pub(crate) fn short(hash: &str) -> &str {
    match hash {
        "" => "nil",
        hash => hash.get(..12).unwrap_or(hash),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "AA";

    fn block(height: u64, signatures: Value) -> Result<Block> {
        let block = json!({ "header": { "height": height.to_string() }, "last_commit": { "signatures": signatures } });
        Block::parse(&block, OURS)
    }

    #[test]
    fn our_vote_is_found_by_its_address_wherever_it_stands() {
        let absent = json!({ "block_id_flag": 1, "validator_address": "" });
        let theirs = json!({ "block_id_flag": 2, "validator_address": "BB" });
        let ours = |flag: u8| json!({ "block_id_flag": flag, "validator_address": OURS });
        let seen = |signatures| block(5, signatures).unwrap().last_commit;
        assert_eq!(seen(json!([ours(2), theirs])), Some(Flag::Commit));
        assert_eq!(seen(json!([absent, theirs, ours(3)])), Some(Flag::Nil));
        assert_eq!(seen(json!([absent, theirs])), Some(Flag::Absent));
        assert!(block(5, json!([ours(1)])).is_err(), "an absent vote has no address");
    }

    #[test]
    fn only_the_first_block_may_have_no_commit() {
        assert_eq!(block(1, json!([])).unwrap().last_commit, None);
        assert!(block(2, json!([])).is_err());
    }
}
