//! Flushing SQLite's log (its `-wal` file) to the disk, after each commit and outside its lock.
//!
//! With `synchronous=FULL` SQLite flushes within the commit, while it holds the write lock. A process that is stopped there
//! (`SIGSTOP`, a debugger, a frozen container) keeps everybody else out for as long as it stands still: the standby could
//! not take over from the very owner that froze. So SQLite runs with `synchronous=NORMAL`, holds its lock only for the
//! microseconds in which it writes to memory, and **nothing leaves this module before it is flushed here**: not the success
//! of a swap, and neither what a read or a lost swap found, since whoever wrote that may not have come to its own flush.
//! A flush covers everything that any process has written to the file before.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::error::Trouble;
use super::files::{Files, Identity};
use crate::register::{RegisterError, RegisterKey, Version};

/// The log, and what of it is known to be on the disk.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    flushed: BTreeMap<RegisterKey, Version>,
    /// The system reports a failed flush once, and may forget the data: after one, nothing is believed any more.
    failed: bool,
}

impl Log {
    /// Opens the log of a database that is open. (SQLite's locks are on the database and the index, so a second descriptor
    /// of the log takes none of them away.)
    pub(super) fn open(database: &Path, files: &Files) -> Result<Self, RegisterError> {
        let (path, identity) = files.log();
        let unavailable = |error: std::io::Error| RegisterError::Unavailable(error.into());
        let file = File::options().read(true).write(true).open(path).map_err(unavailable)?;
        if Identity::from(&file.metadata().map_err(unavailable)?) != identity {
            return Err(Trouble::Replaced(database.display().to_string()).into());
        }
        Ok(Self { file, flushed: BTreeMap::new(), failed: false })
    }

    /// Returns when this version of this cell is on the disk.
    pub(super) fn flush(&mut self, key: &RegisterKey, version: Version) -> Result<(), Trouble> {
        self.check()?;
        if self.flushed.get(key).is_some_and(|flushed| *flushed >= version) {
            return Ok(());
        }
        // The data, and of the rest what is needed to find it again, such as the length.
        if let Err(error) = self.file.sync_data() {
            self.failed = true;
            return Err(Trouble::NotFlushed(error));
        }
        self.flushed.insert(key.clone(), version);
        Ok(())
    }

    /// Whether every flush so far has worked.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        if self.failed { Err(Trouble::NotFlushedBefore) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::create::create;
    use crate::sqlite::store::Store;

    fn key() -> RegisterKey {
        RegisterKey::signing(&"test-1".parse().unwrap(), &"0".repeat(40)).unwrap()
    }

    #[test]
    fn what_another_process_wrote_is_flushed_before_it_is_given_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("register.db");
        create(&path).unwrap();
        let (mut writer, mut reader) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
        let first = writer.swap(&key(), None, b"one").unwrap();
        assert_eq!(writer.log().flushed.get(&key()), Some(&first));
        reader.read(&key()).unwrap();
        assert_eq!(reader.log().flushed.get(&key()), Some(&first));
        let second = writer.swap(&key(), Some(first), b"two").unwrap();
        reader.swap(&key(), Some(first), b"three").unwrap_err();
        assert_eq!(reader.log().flushed.get(&key()), Some(&second));
    }

    #[test]
    fn after_a_flush_that_failed_nothing_is_believed_any_more() {
        // A device that cannot be flushed.
        let file = File::options().write(true).open("/dev/full").unwrap();
        let mut log = Log { file, flushed: BTreeMap::new(), failed: false };
        assert!(matches!(log.flush(&key(), Version(1)), Err(Trouble::NotFlushed(_))));
        log.file = tempfile::tempfile().unwrap();
        assert!(matches!(log.flush(&key(), Version(1)), Err(Trouble::NotFlushedBefore)));
    }
}
