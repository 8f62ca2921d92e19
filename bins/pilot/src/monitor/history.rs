//! Tells the history while this machine owns: that it came to, when it had signed, and what this and earlier changes cost.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use beam_core::history::{Cost, Entry};
use beam_core::runtime::{HistoryCell, RosterCell};
use beam_core::signing::{Epoch, Height, Notice};
use beam_gaia::rpc::{NodeRpc, RpcError, ValidatorAddress, Vote};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{sleep, timeout};

use super::Tally;
use super::story::{Owned, Story, Uncosted, uncosted};
use crate::clock::now_ms;

/// How often an entry that is not complete is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often missing costs are looked for while this machine owns.
const COSTS_EVERY: Duration = Duration::from_secs(10);
/// How long that may take.
const COSTS_WITHIN: Duration = Duration::from_secs(10);

/// What telling needs.
pub(super) struct HistoryTask {
    pub(super) name: String,
    pub(super) rpc: NodeRpc,
    pub(super) validator: ValidatorAddress,
    pub(super) tally: Tally,
    pub(super) roster: RosterCell,
    pub(super) history: HistoryCell,
}

/// What this machine tells while it owns.
struct Telling {
    story: Story,
    signed: bool,
    /// Changes whose cost this machine's node cannot tell any more.
    lost: BTreeSet<Epoch>,
    costs_due: Instant,
}

impl HistoryTask {
    /// Tells for as long as the signer runs.
    pub(super) async fn run(self, mut notices: Receiver<Notice>) {
        let mut telling: Option<Telling> = None;
        loop {
            tokio::select! {
                notice = notices.recv() => match notice {
                    Ok(Notice::Owning { epoch, since, how, takeover }) => {
                        telling = Some(self.begin(Owned { epoch, since, how, takeover }).await);
                    }
                    // Whoever owns now tells the rest.
                    Ok(Notice::Standby { .. }) => telling = None,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = sleep(LOOK_EVERY), if telling.is_some() => {
                    if let Some(telling) = &mut telling {
                        self.complete(telling).await;
                    }
                }
            }
        }
    }

    async fn begin(&self, owned: Owned) -> Telling {
        let (at, at_ms) = (Instant::now(), now_ms());
        let roster = self.roster.read().await.unwrap_or_default();
        let story = Story::begin(&self.name, &owned, &roster, at_ms, at);
        self.note(story.entry()).await;
        Telling { story, signed: false, lost: BTreeSet::new(), costs_due: at }
    }

    /// Adds what has become known.
    async fn complete(&self, telling: &mut Telling) {
        if !telling.signed {
            let story = &mut telling.story;
            let first = self.tally.figures().first_since(story.since(), story.owned_at());
            telling.signed = first.is_some_and(|(mark, at)| story.signed(mark, at));
            if telling.signed {
                self.note(story.entry()).await;
            }
        }
        if Instant::now() >= telling.costs_due {
            telling.costs_due = Instant::now() + COSTS_EVERY;
            // What comes late is for the next time.
            let _ = timeout(COSTS_WITHIN, self.costs(&mut telling.lost)).await;
        }
    }

    /// Tells what changes of owner have cost, as far as the chain shows it by now.
    async fn costs(&self, lost: &mut BTreeSet<Epoch>) {
        let Ok(history) = self.history.read().await else { return };
        for wanted in uncosted(&history) {
            if lost.contains(&wanted.epoch) {
                continue;
            }
            match self.cost(&wanted).await {
                Ok(None) => {}
                Ok(Some(cost)) => {
                    let told =
                        history.entry(wanted.epoch).map(|entry| Entry { cost: Some(cost), ..entry.clone() });
                    if let Some(told) = told {
                        self.note(&told).await;
                    }
                }
                Err(error) => {
                    tracing::debug!(error = &error as &dyn Error, epoch = %wanted.epoch, "what it cost is not known");
                    lost.insert(wanted.epoch);
                }
            }
        }
    }

    /// How many of our votes are absent, and nil; `None` if the chain does not show all of these heights yet. The last one
    /// first: before it is there, the others need not be asked for.
    async fn cost(&self, wanted: &Uncosted) -> Result<Option<Cost>, RpcError> {
        if self.rpc.status().await?.height <= wanted.to {
            return Ok(None);
        }
        let mut cost = Cost { from_height: wanted.from.0, to_height: wanted.to.0, missed: 0, nil: 0 };
        for height in (wanted.from.0..=wanted.to.0).rev() {
            let commit = match self.rpc.commit(Height(height)).await {
                Ok(commit) if commit.canonical => commit,
                Ok(_) | Err(RpcError::Unreachable(_)) => return Ok(None),
                Err(error) => return Err(error),
            };
            match commit.vote(&self.validator) {
                Vote::Absent => cost.missed = cost.missed.saturating_add(1),
                Vote::Nil => cost.nil = cost.nil.saturating_add(1),
                Vote::Block => {}
            }
        }
        Ok(Some(cost))
    }

    async fn note(&self, entry: &Entry) {
        if let Err(error) = self.history.change(|history| history.tell(entry.clone())).await {
            tracing::warn!(error = &error as &dyn Error, "not noted in the history");
        }
    }
}
