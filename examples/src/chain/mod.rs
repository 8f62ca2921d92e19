//! The chain as the plain validators see it: block queries, and a watcher of votes and blocks.

mod event;
mod rpc;
mod watch;

use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::network::Validator;
use crate::wait;

pub(crate) use event::short;
pub use event::{Block, BlockId, Event, Flag, Vote, VoteKind};
pub use rpc::{Rpc, Session};
pub use watch::{Record, Watcher};

/// What our validator did in a range of heights.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missed {
    /// Heights whose commit carries its signature for the block.
    pub signed: Vec<u64>,
    /// Heights without its vote: what x/slashing counts.
    pub absent: Vec<u64>,
    /// Heights where it voted nil: not counted by x/slashing, but shown by CometBFT's metrics.
    pub nil: Vec<u64>,
}

/// Queries about blocks, answered by one node.
#[derive(Debug, Clone)]
pub struct Chain {
    rpc: Rpc,
    validator: Validator,
}

impl Chain {
    /// Queries to `rpc`, with flags read for `validator`.
    pub fn new(rpc: Rpc, validator: Validator) -> Self {
        Self { rpc, validator }
    }

    /// The height of the last committed block; 0 before the first.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn height(&self) -> Result<u64> {
        self.rpc.height().await
    }

    /// Waits until the chain has reached `height`. A node that does not answer is asked again.
    ///
    /// # Errors
    /// When it has not in time.
    pub async fn wait_height(&self, height: u64, within: Duration) -> Result<u64> {
        wait::until(&format!("height {height}"), within, || async {
            Ok(self.rpc.height().await.ok().filter(|reached| *reached >= height))
        })
        .await
    }

    /// The blocks of a range of heights.
    ///
    /// # Errors
    /// When the node does not have one of them.
    pub async fn blocks(&self, heights: RangeInclusive<u64>) -> Result<Vec<Block>> {
        let mut session = self.rpc.open().await?;
        let mut blocks = Vec::new();
        for height in heights {
            let answer = session.call("block", json!({ "height": height.to_string() })).await?;
            let block = answer.get("block").context("an answer without a block")?;
            blocks.push(Block::parse(block, &self.validator.address)?);
        }
        Ok(blocks)
    }

    /// What our validator did at each height of a range, read from the commits in the blocks that
    /// follow; the chain must have reached the height after the last.
    ///
    /// # Errors
    /// When the node does not answer, or has not come that far.
    pub async fn missed(&self, heights: RangeInclusive<u64>) -> Result<Missed> {
        let (from, to) = heights.into_inner();
        ensure!(from >= 1, "there is no height 0");
        let mut missed = Missed::default();
        for block in self.blocks(from.saturating_add(1)..=to.saturating_add(1)).await? {
            let height = block.height.saturating_sub(1);
            match block.last_commit {
                Some(Flag::Commit) => missed.signed.push(height),
                Some(Flag::Nil) => missed.nil.push(height),
                Some(Flag::Absent) | None => missed.absent.push(height),
            }
        }
        Ok(missed)
    }
}
