//! The loop that runs a machine.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::machine::Machine;
use crate::time::Instant;

/// What carries out a machine's actions.
pub trait Hands<M: Machine>: Send {
    /// Begins to carry out one action, without waiting for it. What comes of it is given back if it was done at once, and
    /// else sent to `events`.
    fn carry_out(&mut self, action: M::Action, events: &Events<M::Event>) -> Option<M::Event>;

    /// Called when an event, and what came of it at once, has been dealt with.
    fn stepped(&mut self, machine: &M);
}

/// Where outcomes go. It does not keep the loop alive: when everybody who may ask is gone, the loop ends.
#[derive(Debug)]
pub struct Events<E>(mpsc::WeakSender<E>);

impl<E> Clone for Events<E> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<E> Events<E> {
    /// Sends one event; drops it if nobody listens any more.
    pub async fn send(&self, event: E) {
        if let Some(events) = self.0.upgrade() {
            // An error means that the loop has ended.
            let _ = events.send(event).await;
        }
    }
}

/// Runs `machine` until every sender of `events` is gone, and gives it back.
///
/// `events` is the receiving end of the channel that `sender` sends to; the loop keeps no strong sender of its own.
pub async fn drive<M, H>(
    mut machine: M,
    mut hands: H,
    mut events: mpsc::Receiver<M::Event>,
    sender: mpsc::WeakSender<M::Event>,
) -> M
where
    M: Machine,
    H: Hands<M>,
{
    let outcomes = Events(sender);
    let start = tokio::time::Instant::now();
    loop {
        let event = match machine.wake_at() {
            None => events.recv().await,
            Some(at) => {
                let wake = start + at.since_start();
                tokio::select! {
                    biased;
                    event = events.recv() => event,
                    () = tokio::time::sleep_until(wake) => Some(M::woken()),
                }
            }
        };
        let Some(event) = event else { return machine };
        let mut due = VecDeque::from([event]);
        while let Some(event) = due.pop_front() {
            for action in machine.step(Instant::at(start.elapsed()), event) {
                due.extend(hands.carry_out(action, &outcomes));
            }
        }
        hands.stepped(&machine);
    }
}
