//! What SQLite's errors mean to a caller.

use std::time::Duration;

use rusqlite::ErrorCode;

use crate::register::{RegisterError, SwapError};

/// Why a call did not work, as the cause inside a [`RegisterError`] or a [`SwapError`]. Nobody decides on it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("another process held the register's lock for too long")]
    Busy(#[source] rusqlite::Error),
    #[error("the disk, or a quota on it, is full")]
    DiskFull(#[source] rusqlite::Error),
    #[error("the register's file is damaged")]
    Damaged(#[source] rusqlite::Error),
    #[error("the register's file could not be read or written")]
    Io(#[source] rusqlite::Error),
    #[error("the register holds a version that is none: {0}")]
    BadVersion(i64),
    #[error("a value of {0} bytes is too large")]
    TooLarge(usize),
    #[error("{0} was replaced or deleted while it was open; find out by whom, then restart")]
    Replaced(String),
    #[error("the register's log could not be flushed to the disk; restart when the disk is sound again")]
    NotFlushed(#[source] std::io::Error),
    #[error("the register's log could once not be flushed to the disk; restart when the disk is sound again")]
    NotFlushedBefore,
    #[error("too many calls wait for the register")]
    Overloaded,
    #[error("the call waited too long for its turn")]
    NotInTime,
    #[error("the register's file did not answer within {0:?}")]
    NoAnswer(Duration),
    #[error("the register's thread has ended")]
    ThreadGone,
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed,
            ) => Self::Busy(error),
            Some(ErrorCode::DiskFull) => Self::DiskFull(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error),
            _ => Self::Io(error),
        }
    }
}

impl From<Trouble> for RegisterError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Damaged(_) | Trouble::BadVersion(_) => Self::Damaged(trouble.into()),
            Trouble::Replaced(_) => Self::Unfit(trouble.to_string()),
            _ => Self::Unavailable(trouble.into()),
        }
    }
}

/// A swap that stopped before its `COMMIT`: certainly not written.
pub(super) fn not_written(trouble: impl Into<Trouble>) -> SwapError {
    SwapError::Failed(trouble.into().into())
}

/// A swap whose `COMMIT` did not succeed: its frame may be in the log.
pub(super) fn in_doubt(trouble: impl Into<Trouble>) -> SwapError {
    SwapError::OutcomeUnknown(trouble.into().into())
}
