//! A signer that runs: parts in, a handle out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::drive::drive;
use super::hands::{Answers, SignerHands};
use super::limits::{EVENTS_MAX, NOTICES_MAX};
use crate::audit_log::AuditLog;
use crate::floor_store::{FloorError, FloorStore};
use crate::id::SessionId;
use crate::machine::Machine as _;
use crate::register::{Register, RegisterKey};
use crate::signing::{
    Epoch, Event, Halt, Mark, Notice, Refusal, Release, RequestId, Sighting, Signer, SignerConfig, Statement,
};
use crate::signing_key::SigningKey;

/// What a signer works with.
#[derive(Clone)]
pub struct SignerParts {
    /// The shared register.
    pub register: Arc<dyn Register>,
    /// Which cell of it.
    pub key: RegisterKey,
    /// The validator's key.
    pub signing_key: Arc<dyn SigningKey>,
    /// This machine's memory.
    pub floor: Arc<dyn FloorStore>,
    /// Where released signatures are written down.
    pub audit: Arc<dyn AuditLog>,
}

/// Where a signer stands, for people and metrics.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignerState {
    /// Whether it believes that it is the owner.
    pub owns: bool,
    /// The epoch last seen, if any.
    pub epoch: Option<Epoch>,
    /// The mark last seen in the register, if any.
    pub mark: Option<Mark>,
    /// Why it has stopped, if it has.
    pub halted: Option<Halt>,
    /// How long it waits for the owner at the next height.
    pub waits: Duration,
    /// Whether takeovers are paused.
    pub paused: bool,
}

impl SignerState {
    pub(super) fn of(machine: &Signer) -> Self {
        let record = machine.view().map(|view| &view.record);
        Self {
            owns: machine.owns(),
            epoch: record.map(|record| record.epoch),
            mark: record.map(|record| record.mark),
            halted: machine.halted().cloned(),
            waits: machine.waits(),
            paused: machine.paused(),
        }
    }
}

/// Asks a running signer for signatures. Clones ask the same one; when the last is dropped, the signer ends.
#[derive(Clone)]
pub struct SignerHandle {
    events: mpsc::Sender<Event>,
    answers: Answers,
    next_request: Arc<AtomicU64>,
    notices: broadcast::Sender<Notice>,
    state: watch::Receiver<SignerState>,
    audit: Arc<dyn AuditLog>,
    turns: watch::Receiver<u64>,
}

impl SignerHandle {
    /// Asks for a signature and waits for the answer, which comes within [`Signer::ANSWER_WITHIN`].
    ///
    /// Dropping the future forgets the answer; the signature may still be made.
    ///
    /// # Errors
    /// [`Refusal`]: why nothing was signed.
    pub async fn sign(
        &self,
        session: SessionId,
        statement: Statement,
        extension: Option<Vec<u8>>,
    ) -> Result<Release, Refusal> {
        let (request, mark) =
            (RequestId(self.next_request.fetch_add(1, Ordering::Relaxed)), statement.mark());
        let (answer, answered) = oneshot::channel();
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).insert(request, answer);
        let asked = Event::Asked { request, session, statement, extension };
        if self.events.send(asked).await.is_err() {
            return Err(Refusal::ShuttingDown);
        }
        let answer = answered.await.unwrap_or(Err(Refusal::ShuttingDown));
        if let Err(refusal) = &answer {
            self.audit.refused(mark, refusal);
        }
        answer
    }

    /// Tells the signer of one of its key's signatures that the chain shows.
    pub async fn seen(&self, sighting: Sighting) {
        // An error means that the signer has ended, and then it signs nothing.
        let _ = self.events.send(Event::Seen(sighting)).await;
    }

    /// Pauses takeovers, or lets them be again. Before the first call they are not paused.
    pub async fn pause_takeovers(&self, paused: bool) {
        // As in `seen`.
        let _ = self.events.send(Event::Paused(paused)).await;
    }

    /// What there is to tell people, from now on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Waits until the signer's loop has turned once more, which it does at once unless it hangs; `false` if it has ended. For a
    /// watchdog: it says nothing of the register or the disk, whose slowness is no reason to start a signer anew.
    pub async fn turns(&self) -> bool {
        let mut turns = self.turns.clone();
        turns.mark_unchanged();
        // Waking it too often is harmless.
        self.events.send(Signer::woken()).await.is_ok() && turns.changed().await.is_ok()
    }

    /// Where the signer stands.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<SignerState> {
        self.state.clone()
    }
}

/// Starts a signer: reads its floor, then runs it until the last handle is dropped.
///
/// # Errors
/// [`FloorError`] if there is a floor that cannot be read: without it nothing may be signed.
pub async fn start_signer(
    config: SignerConfig,
    parts: SignerParts,
) -> Result<(SignerHandle, JoinHandle<Signer>), FloorError> {
    let machine = Signer::new(config, parts.floor.load().await?);
    let (events, incoming) = mpsc::channel(EVENTS_MAX);
    let (notices, _) = broadcast::channel(NOTICES_MAX);
    let (state_sender, state) = watch::channel(SignerState::of(&machine));
    let answers: Answers = Arc::new(Mutex::new(BTreeMap::new()));
    let audit = parts.audit.clone();
    let (turns_sender, turns) = watch::channel(0);
    let hands = SignerHands {
        parts,
        answers: answers.clone(),
        notices: notices.clone(),
        state: state_sender,
        turns: turns_sender,
    };
    let task = tokio::spawn(drive(machine, hands, incoming, events.downgrade()));
    let next_request = Arc::new(AtomicU64::new(0));
    Ok((SignerHandle { events, answers, next_request, notices, state, audit, turns }, task))
}
