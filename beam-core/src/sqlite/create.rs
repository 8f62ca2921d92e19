//! Makes the file, whole or not at all.
//!
//! It is built under another name and then given its own, so that no process ever opens half a register, and so that
//! this one never opens (and closes: that would drop SQLite's locks) a file that another thread is using.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::error::Trouble;
use super::file_system::refuse_network;
use super::files::{beside, folder_of};
use super::store::{APPLICATION_ID, FORMAT};
use crate::register::RegisterError;

/// Only the owner may read or write: whoever can write here decides what is signed.
const MODE: u32 = 0o600;

/// Makes an empty register, unless something has that name already.
pub(super) fn create(path: &Path) -> Result<(), RegisterError> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let folder = folder_of(path).canonicalize().map_err(io_error)?;
    refuse_network(&folder)?;
    let (draft, file) = new_file(path)?;
    // SQLite opens it next; our own descriptor must be gone by then.
    drop(file);
    let made = build(&draft).and_then(|()| publish(&draft, path, &folder));
    if made.is_err() {
        // What is left of a failed attempt is of no use; if even this fails, it does no harm.
        let _ = std::fs::remove_file(&draft);
    }
    made
}

/// A new empty file beside `path`, under a name that nobody else uses.
fn new_file(path: &Path) -> Result<(PathBuf, File), RegisterError> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let draft = beside(path, &format!(".new-{}-{number}", std::process::id()));
    // Left behind by a process that had our id and died.
    let _ = std::fs::remove_file(&draft);
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft).map_err(io_error)?;
    Ok((draft, file))
}

fn build(draft: &Path) -> Result<(), RegisterError> {
    let fill = || -> rusqlite::Result<()> {
        let connection = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.execute_batch(&format!(
            "PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             BEGIN IMMEDIATE;
             PRAGMA application_id = {APPLICATION_ID};
             PRAGMA user_version = {FORMAT};
             CREATE TABLE cells(key TEXT PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
             COMMIT;"
        ))?;
        connection.close().map_err(|(_, error)| error)
    };
    fill().map_err(Trouble::from)?;
    // Closing has moved everything from the log into the file. If it has not, the file alone is not whole.
    if beside(draft, "-wal").exists() {
        return Err(RegisterError::Unavailable("the new file's log could not be folded into it".into()));
    }
    File::open(draft).and_then(|file| file.sync_all()).map_err(io_error)
}

fn publish(draft: &Path, path: &Path, folder: &Path) -> Result<(), RegisterError> {
    match renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        // Somebody was quicker: theirs is as good.
        Err(Errno::EXIST) => {
            std::fs::remove_file(draft).map_err(io_error)?;
        }
        Err(error) => return Err(RegisterError::Unavailable(Box::new(error))),
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io_error)
}

fn io_error(error: io::Error) -> RegisterError {
    RegisterError::Unavailable(error.into())
}
