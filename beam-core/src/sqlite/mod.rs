//! The register in a SQLite file: for machines that share a host, and for tests.
//!
//! Any number of processes may have one file open. Each [`SqliteRegister`] owns one thread, which does all its SQLite
//! work, so that a waiting disk never blocks the async runtime. A swap is one transaction and one flush of the disk.
//!
//! # Why it keeps the contract of [`Register`]
//! * **One winner, linearizable.** A swap runs under SQLite's write lock (`BEGIN IMMEDIATE`): what it compares cannot
//!   change before it commits. A read begins a snapshot of its own, so it sees every commit that was acknowledged.
//! * **Durable.** Nothing is given out before it is on the disk: each commit is flushed before its success is told, and
//!   what a read or a lost swap found is flushed before it is told, whoever wrote it. The flush is ours (`log.rs`) and comes
//!   after SQLite's lock is gone, where `synchronous=FULL` flushes while it holds it.
//! * **Honest about doubt.** An error before `COMMIT` has written nothing that a reader or a recovery would accept. An
//!   error *in* `COMMIT` may leave a whole commit frame in the log: nobody sees it now, the next commit overwrites it,
//!   but if every process dies first, recovery takes it in. So it is [`SwapError::OutcomeUnknown`], a full disk too.
//! * **The same file for all.** Locks and index live beside the database. If one of its three files is replaced or
//!   deleted while it is open, two processes may hold "the" lock at once; so each call looks whether the names still
//!   lead to the files that were opened, and refuses for good if not.
//!
//! # What it refuses by name
//! A network file system ([`FileSystem`]), another program's database, a newer format, a file with several hard links
//! or mounted by itself (each name would get a log of its own), a damaged file.
//!
//! # What it cannot see
//! A backup copied *into* the open file, or put back while nothing runs: that is what the signer's floor is for. And a
//! process that is stopped (`SIGSTOP`) in the microseconds of a commit holds the lock until it goes on or dies: the others
//! refuse.

mod create;
mod error;
mod file_system;
mod files;
mod log;
mod store;
mod worker;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

pub use file_system::FileSystem;

use crate::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};
use error::Trouble;
use worker::{Envelope, Request};

/// How long a call waits for its answer, all in all. A disk that hangs holds a call no longer than this.
pub const ANSWER_MAX: Duration = Duration::from_secs(2);

/// How many calls may wait for the register's thread; one more is refused at once.
const WAITING_MAX: usize = 64;

/// The version of SQLite that is built in, such as `3.50.2`.
#[must_use]
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// A register in a SQLite file. See the [module](self).
///
/// Its calls need a tokio runtime with time enabled. Dropping it ends its thread, after the call that is under way.
#[derive(Debug)]
pub struct SqliteRegister {
    path: PathBuf,
    requests: mpsc::Sender<Envelope>,
}

impl SqliteRegister {
    /// Opens a register that is there.
    ///
    /// # Errors
    /// [`RegisterError`]: `Unfit` if there is none, or it must not be used (the text says why and what to do), `Damaged`
    /// if the file is no database or its content is broken, `Unavailable` if it cannot be read now.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, RegisterError> {
        Self::start(path.as_ref(), false).await
    }

    /// Makes an empty register, readable by its owner only, and opens it. One that is there is opened as it is.
    ///
    /// The file appears whole or not at all, and it and its folder are synced before this returns.
    ///
    /// # Errors
    /// As for [`SqliteRegister::open`].
    pub async fn create(path: impl AsRef<Path>) -> Result<Self, RegisterError> {
        Self::start(path.as_ref(), true).await
    }

    /// The file, with symbolic links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    async fn start(path: &Path, create: bool) -> Result<Self, RegisterError> {
        let (requests, inbox) = mpsc::channel(WAITING_MAX);
        let (opened, opening) = oneshot::channel();
        let path = path.to_owned();
        std::thread::Builder::new()
            .name("beam-register".to_owned())
            .spawn(move || worker::run(&path, create, opened, inbox))
            .map_err(|error| RegisterError::Unavailable(error.into()))?;
        let path = opening.await.map_err(|_| RegisterError::Unavailable(Trouble::ThreadGone.into()))??;
        Ok(Self { path, requests })
    }

    fn send(&self, request: Request) -> Result<(), Trouble> {
        self.requests.try_send(Envelope::new(request)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Trouble::Overloaded,
            mpsc::error::TrySendError::Closed(_) => Trouble::ThreadGone,
        })
    }
}

#[async_trait]
impl Register for SqliteRegister {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        let unavailable = |trouble: Trouble| RegisterError::Unavailable(trouble.into());
        let (answer, answered) = oneshot::channel();
        self.send(Request::Read { key: key.clone(), answer }).map_err(unavailable)?;
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(unavailable(Trouble::ThreadGone)),
            Err(_) => Err(unavailable(Trouble::NoAnswer(ANSWER_MAX))),
        }
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        if value.len() > Cell::LEN_MAX {
            return Err(SwapError::Failed(Trouble::TooLarge(value.len()).into()));
        }
        let (answer, answered) = oneshot::channel();
        self.send(Request::Swap { key: key.clone(), expected, value, answer })
            .map_err(|trouble| SwapError::Failed(trouble.into()))?;
        // From here on the thread has it: without its answer nobody knows.
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(SwapError::OutcomeUnknown(Trouble::ThreadGone.into())),
            Err(_) => Err(SwapError::OutcomeUnknown(Trouble::NoAnswer(ANSWER_MAX).into())),
        }
    }
}
