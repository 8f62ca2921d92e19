//! What the machines of a validator tell each other by way of the register, beside the record: this one notes itself in the roster, and
//! looks whether somebody paused takeovers. Everything here waits for the register, so nothing else waits for this.

use std::error::Error;
use std::time::Duration;

use beam_core::id::SignerId;
use beam_core::roster::Member;
use beam_core::runtime::{PauseCell, RosterCell, SignerHandle};
use beam_core::signing::Height;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::chain::{LOOK_AT_LEAST_EVERY, LOOK_EVERY, Seen};
use crate::clock::now_ms;
use crate::run::Live;

/// How long one question to the register may take here.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// What noting needs.
pub(super) struct NotesTask {
    pub(super) live: Live,
    pub(super) signer: SignerHandle,
    pub(super) me: SignerId,
    pub(super) roster: RosterCell,
    pub(super) pause: PauseCell,
    pub(super) seen: watch::Sender<Seen>,
}

impl NotesTask {
    /// Notes and looks until whoever looks at the chain has ended. `height` changes with each of its looks; who gives none has no node
    /// to speak of, and is not noted.
    pub(super) async fn run(self, mut height: watch::Receiver<Option<Height>>) {
        let pulse = self
            .live
            .pulses
            .of("notes", (LOOK_AT_LEAST_EVERY + ASK_WITHIN + ASK_WITHIN + LOOK_EVERY).saturating_mul(2));
        let mut looked = None;
        loop {
            pulse.beat();
            self.look_at_pause().await;
            if let Some(height) = looked {
                self.note(height).await;
            }
            sleep(LOOK_EVERY).await;
            looked = match timeout(LOOK_AT_LEAST_EVERY, height.changed()).await {
                Ok(Ok(())) => *height.borrow(),
                Ok(Err(_)) => return,
                // No change for long is no end.
                Err(_) => None,
            };
        }
    }

    async fn note(&self, height: Height) {
        let config = self.live.config.borrow().clone();
        let agent = config.agent.enabled.then_some(config.agent.listen);
        let member = Member { signer: self.me, height, seen_ms: now_ms(), agent };
        match timeout(ASK_WITHIN, self.roster.note(&config.name, &member)).await {
            Err(_) => {
                tracing::warn!(within = ?ASK_WITHIN, "the register did not take this machine's note in time")
            }
            Ok(Ok(roster)) => self.seen.send_modify(|seen| seen.roster = roster),
            Ok(Err(error)) => tracing::warn!(error = &error as &dyn Error, "not noted in the roster"),
        }
    }

    async fn look_at_pause(&self) {
        match timeout(ASK_WITHIN, self.pause.read()).await {
            Ok(Ok(paused)) => {
                let pause = paused.at(now_ms()).cloned();
                self.signer.pause_takeovers(pause.is_some()).await;
                self.seen.send_modify(|seen| seen.pause = pause);
                return;
            }
            Ok(Err(error)) => tracing::debug!(error = &error as &dyn Error, "the pause could not be read"),
            Err(_) => {
                tracing::warn!(within = ?ASK_WITHIN, "the register did not say in time whether takeovers are paused");
            }
        }
        // What was known holds on, until it is over.
        let over = self.seen.borrow().pause.as_ref().is_some_and(|pause| !pause.holds(now_ms()));
        if over {
            self.signer.pause_takeovers(false).await;
            self.seen.send_modify(|seen| seen.pause = None);
        }
    }
}
