//! The register's thread: takes one call after the other, answers, then tidies up.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::create::create;
use super::error::{Trouble, not_written};
use super::store::Store;
use crate::register::{Cell, RegisterError, RegisterKey, SwapError, Version};

/// How long a call may have waited for its turn and still be done. Whoever asked has little time, and a swap done late
/// only makes the next one fail.
const TURN_WAIT_MAX: Duration = Duration::from_millis(900);

/// One call on its way to the thread.
#[derive(Debug)]
pub(super) struct Envelope {
    asked: Instant,
    request: Request,
}

impl Envelope {
    pub(super) fn new(request: Request) -> Self {
        Self { asked: Instant::now(), request }
    }
}

/// What the thread can do.
#[derive(Debug)]
pub(super) enum Request {
    Read {
        key: RegisterKey,
        answer: oneshot::Sender<Result<Option<Cell>, RegisterError>>,
    },
    Swap {
        key: RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
        answer: oneshot::Sender<Result<Version, SwapError>>,
    },
}

/// Opens the file, says whether that worked, and serves until the last sender is gone.
pub(super) fn run(
    path: &Path,
    make: bool,
    opened: oneshot::Sender<Result<PathBuf, RegisterError>>,
    mut inbox: mpsc::Receiver<Envelope>,
) {
    let made = if make { create(path) } else { Ok(()) };
    let mut store = match made.and_then(|()| Store::open(path)) {
        Ok(store) => store,
        Err(error) => {
            // Whoever asked may have given up; then nobody wants to know.
            let _ = opened.send(Err(error));
            return;
        }
    };
    if opened.send(Ok(store.path().to_owned())).is_err() {
        return;
    }
    while let Some(Envelope { asked, request }) = inbox.blocking_recv() {
        serve(&mut store, asked.elapsed() > TURN_WAIT_MAX, request);
        store.tidy();
    }
}

/// Does one call, unless its time is over or nobody waits for it any more.
fn serve(store: &mut Store, late: bool, request: Request) {
    // An answer that cannot be sent was given up meanwhile: its asker knows that it does not know.
    match request {
        Request::Read { answer, .. } if answer.is_closed() => {}
        Request::Swap { answer, .. } if answer.is_closed() => {}
        Request::Read { answer, .. } if late => {
            let _ = answer.send(Err(Trouble::NotInTime.into()));
        }
        Request::Swap { answer, .. } if late => {
            let _ = answer.send(Err(not_written(Trouble::NotInTime)));
        }
        Request::Read { key, answer } => {
            let _ = answer.send(store.read(&key));
        }
        Request::Swap { key, expected, value, answer } => {
            let _ = answer.send(store.swap(&key, expected, &value));
        }
    }
}
