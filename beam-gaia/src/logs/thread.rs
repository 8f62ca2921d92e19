//! The capture on a thread of its own: it waits for disks, and nobody who signs may.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use beam_core::logs::{Clue, Limits, Stamp};
use tokio::sync::{broadcast, watch};

use super::capture::{Capture, CaptureConfig, CaptureState};

/// How often is looked. A stamp is late by at most this.
pub const POLL: Duration = Duration::from_millis(50);
/// How many clues are kept for a listener that is slow; it is told how many it missed.
pub const CLUES_MAX: usize = 256;

/// A capture that runs.
#[derive(Debug)]
pub struct CaptureThread {
    /// Closed to end it.
    limits: mpsc::Sender<Limits>,
    thread: JoinHandle<()>,
    clues: broadcast::Sender<(Stamp, Clue)>,
    state: watch::Receiver<CaptureState>,
}

impl CaptureThread {
    /// Starts it. It goes on until [`stop`](Self::stop) or until this value is dropped, whatever the disk does.
    ///
    /// # Errors
    /// [`io::Error`] if the folder cannot be used at all.
    pub fn start(config: CaptureConfig) -> io::Result<Self> {
        let mut capture = Capture::open(config)?;
        let (limits, limited) = mpsc::channel();
        let (clues, _) = broadcast::channel(CLUES_MAX);
        let (tell, state) = watch::channel(CaptureState::default());
        let heard = clues.clone();
        let work = std::thread::Builder::new().name("beam-logs".to_owned());
        let thread = work.spawn(move || run(&mut capture, &limited, &heard, &tell))?;
        Ok(Self { limits, thread, clues, state })
    }

    /// What the node's words mean, from now on.
    #[must_use]
    pub fn clues(&self) -> broadcast::Receiver<(Stamp, Clue)> {
        self.clues.subscribe()
    }

    /// How it does.
    #[must_use]
    pub fn state(&self) -> watch::Receiver<CaptureState> {
        self.state.clone()
    }

    /// When files are closed and removed, from now on.
    pub fn limit(&self, limits: Limits) {
        // One that has ended keeps nothing any more.
        let _ = self.limits.send(limits);
    }

    /// Writes down what was said and ends. To be called when the node has ended, or its last words wait for the next capture.
    pub async fn stop(self) {
        drop(self.limits);
        // It ends by itself, and cannot panic more usefully than by ending.
        let _ = tokio::task::spawn_blocking(|| self.thread.join()).await;
    }
}

fn run(
    capture: &mut Capture,
    limited: &mpsc::Receiver<Limits>,
    clues: &broadcast::Sender<(Stamp, Clue)>,
    tell: &watch::Sender<CaptureState>,
) {
    // Nobody need listen.
    let mut clue = |at, clue| _ = clues.send((at, clue));
    loop {
        let more = capture.pass(super::now(), &mut clue);
        tell_state(capture, more.as_ref().err(), tell);
        let wait = if matches!(more, Ok(true)) { Duration::ZERO } else { POLL };
        match limited.recv_timeout(wait) {
            Ok(limits) => capture.limit(limits),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let last = capture.finish(super::now(), &mut clue);
    tell_state(capture, last.as_ref().err(), tell);
}

fn tell_state(capture: &Capture, trouble: Option<&io::Error>, tell: &watch::Sender<CaptureState>) {
    let trouble = trouble
        .map(|error| format!("the node's log cannot be written, make room or mend its folder: {error}"));
    let state = CaptureState { trouble, ..capture.state().clone() };
    tell.send_if_modified(|told| {
        let changed = *told != state;
        *told = state;
        changed
    });
}
