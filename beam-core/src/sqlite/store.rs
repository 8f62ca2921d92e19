//! One connection to the file: what is done with SQLite, and nothing else.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};

use super::error::{Trouble, in_doubt, not_written};
use super::files::{Files, Identity, locate};
use super::log::Log;
use crate::register::{Cell, RegisterError, RegisterKey, SwapError, Version};

/// Written into the file's header: "Beam". Another program's database has another, or none.
pub(super) const APPLICATION_ID: i32 = 0x4265_616D;

/// The layout of the tables. A newer one is refused.
pub(super) const FORMAT: i32 = 1;

/// How long a call waits while another process writes. One write takes a flush of the disk, a few milliseconds.
const LOCK_WAIT_MAX: Duration = Duration::from_millis(900);

/// How often it looks meanwhile. SQLite's own waiting grows to 100 ms, which would be a vote's whole slack.
const LOCK_POLL: Duration = Duration::from_millis(1);

/// After how many swaps the log (4 KiB each) is folded into the file: rarely, since that costs two flushes, but often
/// enough for recovery after a crash to be short.
const CHECKPOINT_SWAPS: u32 = 1000;

const SELECT: &str = "SELECT version, value FROM cells WHERE key = ?1";
const INSERT: &str = "INSERT INTO cells(key, version, value) VALUES(?1, ?2, ?3) ON CONFLICT DO NOTHING";
/// Past the last version of all, the sum is no integer any more, and a `STRICT` table refuses it.
const UPDATE: &str = "UPDATE cells SET version = version + 1, value = ?2 WHERE key = ?1 AND version = ?3";

/// An open register.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    path: PathBuf,
    files: Files,
    log: Log,
    swaps_unfolded: u32,
}

impl Store {
    /// Opens a register that is there, and verifies that it is one and that it will keep its promises.
    pub(super) fn open(path: &Path) -> Result<Self, RegisterError> {
        let (path, identity) = locate(path)?;
        let connection = connect(&path).map_err(Trouble::from)?;
        verify_ours(&connection, &path)?;
        verify_settings(&connection)?;
        verify_whole(&connection)?;
        let files = Files::of(&path).map_err(|error| RegisterError::Unavailable(error.into()))?;
        if Identity::of(&path).ok() != Some(identity) {
            return Err(Trouble::Replaced(path.display().to_string()).into());
        }
        let log = Log::open(&path, &files)?;
        let mut store = Self { connection, path, files, log, swaps_unfolded: CHECKPOINT_SWAPS };
        store.tidy();
        Ok(store)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn read(&mut self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        self.ready()?;
        let cell = self.select(key)?;
        self.flush(key, cell.as_ref())?;
        Ok(cell)
    }

    pub(super) fn swap(
        &mut self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: &[u8],
    ) -> Result<Version, SwapError> {
        self.ready().map_err(not_written)?;
        self.run("BEGIN IMMEDIATE").map_err(not_written)?;
        match self.write(key, expected, value) {
            Ok(Some(version)) => self.commit(key, version),
            Ok(None) => {
                let current = self.select(key);
                self.abandon();
                let current = current.map_err(not_written)?;
                self.flush(key, current.as_ref()).map_err(not_written)?;
                Err(SwapError::Conflict { current })
            }
            Err(trouble) => {
                self.abandon();
                Err(not_written(trouble))
            }
        }
    }

    /// Folds the log into the file if it is time to: called when nobody waits for an answer.
    pub(super) fn tidy(&mut self) {
        if self.swaps_unfolded < CHECKPOINT_SWAPS {
            return;
        }
        self.swaps_unfolded = 0;
        // PASSIVE waits for nobody. If it fails, or gets only half way, the log grows until the next time: no harm.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }

    /// Writes within the open transaction, if the version is the expected one; the new version if it was.
    fn write(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: &[u8],
    ) -> Result<Option<Version>, Trouble> {
        let (version, changed) = match expected {
            None => {
                let params = params![key.as_str(), 1, value];
                (Version::FIRST, self.connection.prepare_cached(INSERT)?.execute(params)?)
            }
            Some(expected) => {
                // No cell has a version that SQLite cannot count.
                let Ok(stored) = i64::try_from(expected.0) else {
                    return Ok(None);
                };
                let params = params![key.as_str(), value, stored];
                let version = Version(expected.0.saturating_add(1));
                (version, self.connection.prepare_cached(UPDATE)?.execute(params)?)
            }
        };
        Ok((changed == 1).then_some(version))
    }

    fn commit(&mut self, key: &RegisterKey, version: Version) -> Result<Version, SwapError> {
        let committed = self.run("COMMIT");
        if let Err(error) = committed {
            self.abandon();
            return Err(in_doubt(error));
        }
        self.swaps_unfolded = self.swaps_unfolded.saturating_add(1);
        // Written, and the lock is gone: only now is the disk waited for.
        self.log.flush(key, version).map_err(in_doubt)?;
        // If the names have changed meanwhile, this went into a file that others may not have.
        self.files.check().map_err(in_doubt)?;
        Ok(version)
    }

    fn select(&self, key: &RegisterKey) -> Result<Option<Cell>, Trouble> {
        let row = self
            .connection
            .prepare_cached(SELECT)?
            .query_row([key.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        row.map(|(version, value)| match u64::try_from(version) {
            Ok(count) if count > 0 => Ok(Cell { version: Version(count), value }),
            _ => Err(Trouble::BadVersion(version)),
        })
        .transpose()
    }

    /// Makes sure that what is given out is on the disk, whoever wrote it.
    fn flush(&mut self, key: &RegisterKey, cell: Option<&Cell>) -> Result<(), Trouble> {
        cell.map_or(Ok(()), |cell| self.log.flush(key, cell.version))
    }

    /// Nothing is done on replaced files, nor after a flush that failed, nor within a transaction that could not be ended.
    fn ready(&self) -> Result<(), Trouble> {
        self.files.check()?;
        self.log.check()?;
        if !self.connection.is_autocommit() {
            self.run("ROLLBACK")?;
        }
        Ok(())
    }

    /// Ends a transaction without writing. Some errors have ended it already; if ending fails, [`Store::ready`]
    /// tries again before anything else is done.
    fn abandon(&self) {
        if !self.connection.is_autocommit() {
            let _ = self.run("ROLLBACK");
        }
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Lets the file grow no further, as a full disk would.
    #[cfg(test)]
    pub(super) fn fill_up(&self) {
        let pages: i64 = self.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        self.connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get::<_, i64>(0))
            .unwrap();
    }

    /// What is flushed.
    #[cfg(test)]
    pub(super) fn log(&self) -> &Log {
        &self.log
    }

    /// The connection, for a test that spoils something.
    #[cfg(test)]
    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // The path has no symbolic links any more; NOFOLLOW keeps it so. One thread uses the connection: no mutex.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW
        | OpenFlags::SQLITE_OPEN_PRIVATE_CACHE;
    let mut connection = Connection::open_with_flags(path, flags)?;
    let mut since = Instant::now();
    connection.busy_handler(Some(move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        std::thread::sleep(LOCK_POLL);
        since.elapsed() < LOCK_WAIT_MAX
    }))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(connection)
}

/// Whether this is a register, and of a format that we know. Reads only.
fn verify_ours(connection: &Connection, path: &Path) -> Result<(), RegisterError> {
    let header =
        |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(Trouble::from);
    let unfit = |what: String| Err(RegisterError::Unfit(format!("{} {what}", path.display())));
    let application = header("application_id")?;
    if application != APPLICATION_ID {
        return unfit(format!(
            "is no register: an empty file, or another program's (application id {application:#x})"
        ));
    }
    let format = header("user_version")?;
    if format != FORMAT {
        return unfit(format!(
            "has format {format}, and this Beam knows only {FORMAT}; use the Beam that made it"
        ));
    }
    Ok(())
}

/// Makes the settings that durability hangs on, and reads them back.
///
/// With `synchronous=NORMAL` SQLite flushes the log before it folds it into the file, and the file after; each commit is
/// flushed by [`Log`], which `FULL` would do while it holds the lock.
fn verify_settings(connection: &Connection) -> Result<(), RegisterError> {
    const NORMAL: i64 = 1;
    let set = || -> rusqlite::Result<(String, i64)> {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", NORMAL)?;
        // On Apple's systems an fsync does not reach the disk without this; elsewhere it does nothing.
        connection.pragma_update(None, "fullfsync", true)?;
        // Ours comes after the answer, see `tidy`.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok((mode, connection.pragma_query_value(None, "synchronous", |row| row.get(0))?))
    };
    let (mode, synchronous) = set().map_err(Trouble::from)?;
    if mode != "wal" || synchronous != NORMAL {
        return Err(RegisterError::Unfit(format!(
            "SQLite keeps journal mode {mode} and synchronous {synchronous}, where wal and {NORMAL} are needed"
        )));
    }
    Ok(())
}

/// Whether its pages and its table are as they should be. Also the first look into the log, which is there from now on.
fn verify_whole(connection: &Connection) -> Result<(), RegisterError> {
    // A register is a few pages, so looking at all of them costs nothing.
    let verdict: String =
        connection.pragma_query_value(None, "quick_check", |row| row.get(0)).map_err(Trouble::from)?;
    if verdict != "ok" {
        return Err(RegisterError::Damaged(verdict.into()));
    }
    for sql in [SELECT, INSERT, UPDATE] {
        connection.prepare_cached(sql).map_err(|error| match Trouble::from(error) {
            // SQLite has no code of its own for a table or column that is not there.
            Trouble::Io(error) => Trouble::Damaged(error),
            other => other,
        })?;
    }
    Ok(())
}
