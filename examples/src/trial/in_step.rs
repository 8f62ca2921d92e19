//! Waiting until both machines sign in step.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::judge::audit::{Entry, Tail};
use crate::judge::canonical::Step;
use crate::lab::Lab;
use crate::wait;

/// From the repair to both machines in step: a node has to start, to replay and to catch up.
const IN_STEP_WITHIN: Duration = Duration::from_secs(90);
/// `beam status` is a process of its own; asking more often would only warm the machine.
const STATUS_EVERY: Duration = Duration::from_millis(300);

impl Lab {
    /// Waits until both machines have let out precommits for the same two heights above `height`, and `beam status` is
    /// finds nothing wrong. Returns the later of the two.
    ///
    /// # Errors
    /// When they have not in time; says what was missing.
    pub async fn wait_in_step(&self, height: u64) -> Result<u64> {
        let mut tails: Vec<_> = self.machines.iter().map(|machine| Tail::new(&machine.audit())).collect();
        let mut signed: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); tails.len()];
        let reached = wait::until("both machines to sign the same heights", IN_STEP_WITHIN, || {
            std::future::ready(look(&mut tails, &mut signed, height))
        })
        .await
        .with_context(|| {
            let last: Vec<_> = signed.iter().map(BTreeSet::last).collect();
            format!("above height {height}, the machines last signed {last:?}")
        })?;
        self.wait_status_well().await?;
        Ok(reached)
    }

    async fn wait_status_well(&self) -> Result<()> {
        let well = wait::until("`beam status` to find nothing wrong", IN_STEP_WITHIN, || async {
            let standing = self.standing().await?;
            if !standing.is_well {
                tokio::time::sleep(STATUS_EVERY).await;
            }
            Ok(standing.is_well.then_some(()))
        });
        well.await
    }
}

fn look(tails: &mut [Tail], signed: &mut [BTreeSet<u64>], above: u64) -> Result<Option<u64>> {
    let is_wanted = |entry: &Entry| entry.step == Step::Precommit && entry.height > above;
    for (tail, heights) in tails.iter_mut().zip(signed.iter_mut()) {
        heights.extend(tail.poll()?.iter().filter(|entry| is_wanted(entry)).map(|entry| entry.height));
    }
    let Some((first, others)) = signed.split_first() else {
        return Ok(None);
    };
    let common = first.iter().filter(|height| others.iter().all(|heights| heights.contains(height)));
    Ok(common.copied().nth(1))
}
