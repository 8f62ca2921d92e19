//! Tells the history of this machine's epochs: when it comes to own, when it has signed, and what the change cost.

use std::error::Error;
use std::time::{Duration, Instant};

use beam_core::runtime::{HistoryCell, RosterCell};
use beam_core::signing::{Height, Notice};
use beam_gaia::rpc::{NodeRpc, ValidatorAddress, Vote};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};

use super::Tally;
use super::story::{Owned, Story};
use crate::clock::now_ms;

/// How often an entry that is not complete is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one look at the chain may take.
const LOOK_WITHIN: Duration = Duration::from_secs(5);

/// What telling needs.
pub(super) struct HistoryTask {
    pub(super) name: String,
    pub(super) rpc: NodeRpc,
    pub(super) validator: ValidatorAddress,
    pub(super) tally: Tally,
    pub(super) roster: RosterCell,
    pub(super) history: HistoryCell,
}

impl HistoryTask {
    /// Tells for as long as the signer runs.
    pub(super) async fn run(self, mut notices: Receiver<Notice>) {
        let mut story: Option<Story> = None;
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(Notice::Owning { epoch, since, how, takeover }) => {
                        let (at, at_ms) = (Instant::now(), now_ms());
                        let owned = Owned { epoch, since, how, takeover };
                        let roster = self.roster.read().await.unwrap_or_default();
                        let begun = Story::begin(&self.name, &owned, &roster, at_ms, at);
                        self.note(&begun).await;
                        story = Some(begun);
                    }
                    // Whoever owns now tells the rest.
                    Ok(Notice::Standby { .. }) => story = None,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = sleep(LOOK_EVERY), if story.is_some() => {
                    if let Some(told) = &mut story && self.complete(told).await {
                        self.note(told).await;
                    }
                    story = story.filter(|told| told.wants_cost().is_some());
                }
            }
        }
    }

    /// Adds what has become known; says whether anything has.
    async fn complete(&self, story: &mut Story) -> bool {
        let signed = self.tally.figures().first_since(story.since(), story.owned_at());
        let mut news = signed.is_some_and(|(mark, at)| story.signed(mark, at));
        if let Some(heights) = story.wants_cost()
            && let Ok(Some((missed, nil))) = timeout(LOOK_WITHIN, self.cost(heights)).await
        {
            story.cost(heights, missed, nil);
            news = true;
        }
        news
    }

    /// How many of our votes are absent, and nil, once the chain shows all of these heights.
    async fn cost(&self, (from, to): (Height, Height)) -> Option<(u64, u64)> {
        // The last one first: before it is there, the others need not be asked for.
        let mut cost = (0_u64, 0_u64);
        for height in (from.0..=to.0).rev() {
            let commit = self.rpc.commit(Height(height)).await.ok().filter(|commit| commit.canonical)?;
            match commit.vote(&self.validator) {
                Vote::Absent => cost.0 = cost.0.saturating_add(1),
                Vote::Nil => cost.1 = cost.1.saturating_add(1),
                Vote::Block => {}
            }
        }
        Some(cost)
    }

    async fn note(&self, story: &Story) {
        let entry = story.entry().clone();
        if let Err(error) = self.history.change(|history| history.tell(entry.clone())).await {
            tracing::warn!(error = &error as &dyn Error, "not noted in the history");
        }
    }
}
