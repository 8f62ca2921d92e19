//! The files of a captured log, and their names.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use beam_core::logs::Stamp;

use super::closed::ClosedFile;

/// The folder that a node's log lies in. It may hold other files too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFolder(PathBuf);

impl LogFolder {
    /// This folder, which need not be there yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the node appends to.
    #[must_use]
    pub fn raw(&self) -> PathBuf {
        self.0.join("node.raw")
    }

    /// The log that is being written.
    #[must_use]
    pub fn open_log(&self) -> PathBuf {
        self.0.join("node.log")
    }

    /// How far the raw file was read.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        self.0.join("node.place")
    }

    /// Where the open log goes when it is closed.
    pub(super) fn closed_log(&self, number: u64, began: Stamp) -> PathBuf {
        let began: String = began.to_string().chars().filter(|c| !matches!(c, '-' | ':' | '.')).collect();
        self.0.join(format!("node-{number:06}-{began}.log"))
    }

    /// The closed logs, the oldest first. One that is there both plain and compressed counts once, compressed.
    ///
    /// # Errors
    /// [`io::Error`] if the folder cannot be read; one that is not there is empty.
    pub fn closed(&self) -> io::Result<Vec<ClosedFile>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files: Vec<ClosedFile> =
            entries.flatten().filter_map(|entry| ClosedFile::of(entry.path())).collect();
        files.sort_by_key(|file| (file.number, !file.compressed));
        files.dedup_by_key(|file| file.number);
        Ok(files)
    }

    /// What a crash has left behind: halves of compressed files, and plain ones whose compressed one is complete.
    pub(super) fn leftovers(&self) -> io::Result<Vec<PathBuf>> {
        let files: Vec<PathBuf> = fs::read_dir(&self.0)?.flatten().map(|entry| entry.path()).collect();
        let is_left = |path: &&PathBuf| match ClosedFile::of((*path).clone()) {
            Some(file) => !file.compressed && files.contains(&file.compressed_path()),
            None => ClosedFile::is_half(path),
        };
        Ok(files.iter().filter(is_left).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_logs_are_in_order_and_strangers_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = LogFolder::new(dir.path());
        let first = folder.closed_log(9, Stamp::at_ms(0));
        assert!(first.ends_with("node-000009-19700101T000000000Z.log"));
        for name in [
            "node-000010-x.log.gz",
            "node-000002-x.log",
            "node-000002-x.log.gz",
            "node-000011-x.log.gz.part",
            "node.log",
            "node-x.log",
            "else.log.gz",
        ] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::write(first, "").unwrap();
        let closed = folder.closed().unwrap();
        let found: Vec<_> = closed.iter().map(|file| (file.number, file.compressed)).collect();
        assert_eq!(found, [(2, true), (9, false), (10, true)]);
        let mut left = folder.leftovers().unwrap();
        left.sort();
        assert_eq!(
            left,
            ["node-000002-x.log", "node-000011-x.log.gz.part"].map(|name| dir.path().join(name))
        );
        assert_eq!(LogFolder::new("/nowhere").closed().unwrap(), []);
    }
}
