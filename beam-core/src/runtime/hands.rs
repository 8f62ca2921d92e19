//! The signer's hands: each action of the signing machine, carried out.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::{broadcast, oneshot, watch};
use tokio::time::timeout;
use tokio::try_join;

use super::limits::REGISTER_WITHIN;
use super::signer::{SignerParts, SignerState};
use super::{Events, Hands};
use crate::register::{Cell, RegisterError, SwapError, Version};
use crate::signing::{
    Action, Event, Notice, ReadOutcome, Record, Refusal, Release, RequestId, Signatures, Signer, SwapOutcome,
    View,
};

/// Where each waiting request's answer goes.
pub(super) type Answers = Arc<Mutex<BTreeMap<RequestId, oneshot::Sender<Result<Release, Refusal>>>>>;

pub(super) struct SignerHands {
    pub(super) parts: SignerParts,
    pub(super) answers: Answers,
    pub(super) notices: broadcast::Sender<Notice>,
    pub(super) state: watch::Sender<SignerState>,
    /// How often the loop has turned.
    pub(super) turns: watch::Sender<u64>,
}

impl Hands<Signer> for SignerHands {
    fn carry_out(&mut self, action: Action, events: &Events<Event>) -> Option<Event> {
        let parts = self.parts.clone();
        match action {
            Action::Read { attempt } => {
                begin(events, async move { Event::Read { attempt, outcome: read(&parts).await } })
            }
            Action::Swap { attempt, expected, record } => begin(events, async move {
                Event::Swapped { attempt, outcome: swap(&parts, expected, &record).await }
            }),
            Action::KeepFloor { attempt, floor } => begin(events, async move {
                let kept = parts.floor.keep(floor).await;
                if let Err(error) = &kept {
                    tracing::error!(error = error as &dyn Error, "the floor could not be kept");
                }
                Event::FloorKept { attempt, kept: kept.is_ok() }
            }),
            Action::Sign { attempt, bytes, extension } => begin(events, async move {
                let signatures = sign(&parts, &bytes, extension.as_deref()).await;
                Event::Signed { attempt, signatures }
            }),
            Action::Answer { request, answer } => {
                self.answer(request, answer);
                None
            }
            Action::Tell(notice) => {
                // Nobody listening is not a mistake.
                let _ = self.notices.send(notice);
                None
            }
        }
    }

    fn stepped(&mut self, machine: &Signer) {
        self.turns.send_modify(|turns| *turns = turns.wrapping_add(1));
        self.state.send_if_modified(|state| {
            let now = SignerState::of(machine);
            let changed = *state != now;
            *state = now;
            changed
        });
    }
}

impl SignerHands {
    fn answer(&mut self, request: RequestId, answer: Result<Release, Refusal>) {
        let waiting = self.answers.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
        if let Ok(release) = &answer
            && let Err(cause) = self.parts.audit.released(release)
        {
            tracing::error!(error = %cause, mark = %release.mark, "the audit log could not be written");
        }
        // The asker may have gone; a signature that nobody takes is harmless.
        if let Some(waiting) = waiting {
            let _ = waiting.send(answer);
        }
    }
}

/// Does what can be done at once, such as signing with a key in memory, here and now; the rest goes on as a task.
fn begin(events: &Events<Event>, work: impl Future<Output = Event> + Send + 'static) -> Option<Event> {
    let mut work = Box::pin(work);
    // Nobody needs to be woken yet: the task asks again, and is.
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(event) => Some(event),
        Poll::Pending => {
            let events = events.clone();
            tokio::spawn(async move { events.send(work.await).await });
            None
        }
    }
}

async fn read(parts: &SignerParts) -> ReadOutcome {
    match timeout(REGISTER_WITHIN, parts.register.read(&parts.key)).await {
        Ok(Ok(cell)) => found(cell),
        Ok(Err(error)) => {
            tracing::warn!(error = &error as &dyn Error, "the register could not be read");
            if matches!(error, RegisterError::Damaged(_)) {
                ReadOutcome::Damaged
            } else {
                ReadOutcome::Failed
            }
        }
        Err(_) => {
            tracing::warn!(within = ?REGISTER_WITHIN, "the register did not answer a read");
            ReadOutcome::Failed
        }
    }
}

fn found(cell: Option<Cell>) -> ReadOutcome {
    let Some(cell) = cell else {
        return ReadOutcome::Missing;
    };
    match Record::decode(&cell.value) {
        Ok(record) => ReadOutcome::Found(View { version: cell.version, record }),
        Err(error) => {
            tracing::error!(error = &error as &dyn Error, version = %cell.version, "the register's record is damaged");
            ReadOutcome::Damaged
        }
    }
}

async fn swap(parts: &SignerParts, expected: Version, record: &Record) -> SwapOutcome {
    let swap = parts.register.swap(&parts.key, Some(expected), record.encode());
    match timeout(REGISTER_WITHIN, swap).await {
        Ok(Ok(version)) => SwapOutcome::Won(version),
        Ok(Err(SwapError::Conflict { current })) => SwapOutcome::Lost(found(current)),
        Ok(Err(error @ SwapError::Failed(_))) => {
            tracing::warn!(error = &error as &dyn Error, mark = %record.mark, "the register was not written");
            SwapOutcome::Failed
        }
        Ok(Err(error @ SwapError::OutcomeUnknown(_))) => {
            tracing::warn!(error = &error as &dyn Error, mark = %record.mark, "reading back what became of a write");
            SwapOutcome::Unknown
        }
        Err(_) => {
            tracing::warn!(within = ?REGISTER_WITHIN, mark = %record.mark, "the register did not answer a write");
            SwapOutcome::Unknown
        }
    }
}

async fn sign(parts: &SignerParts, bytes: &[u8], extension: Option<&[u8]>) -> Option<Signatures> {
    let extension = async {
        match extension {
            None => Ok(None),
            Some(extension) => parts.signing_key.sign(extension).await.map(Some),
        }
    };
    // Both at once: a key that is far away takes one round trip and not two.
    let made = try_join!(parts.signing_key.sign(bytes), extension);
    let made = made.map(|(statement, extension)| Signatures { statement, extension });
    made.inspect_err(|error| tracing::error!(error = error as &dyn Error, "the key did not sign")).ok()
}
