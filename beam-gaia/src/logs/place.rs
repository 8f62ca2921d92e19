//! How far the raw file was read, and how long the log was then.
//!
//! Written after the log, over itself, in one write of fixed length: whoever kills the pilot between the two finds a log that
//! is longer than the place says, and the rest of it is written again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::folder::LogFolder;

/// A moment at which raw file and log agreed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The raw file's inode: another one is another file, to be read from its beginning.
    pub raw_inode: u64,
    /// Up to which byte it is in the log.
    pub raw_offset: u64,
    /// The log's inode.
    pub log_inode: u64,
    /// How long the log was.
    pub log_len: u64,
}

const FORM: &str = "beam.place/1";
/// The form, four numbers of twenty digits, blanks between, a newline.
const LEN: usize = 97;

impl Place {
    fn written(&self) -> String {
        let Self { raw_inode, raw_offset, log_inode, log_len } = self;
        format!("{FORM} {raw_inode:020} {raw_offset:020} {log_inode:020} {log_len:020}\n")
    }

    fn read(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n').filter(|_| text.len() == LEN)?.split(' ');
        if words.next()? != FORM {
            return None;
        }
        let mut number = || words.next()?.parse().ok();
        Some(Self { raw_inode: number()?, raw_offset: number()?, log_inode: number()?, log_len: number()? })
    }

    /// The place that was noted in this folder; `None` if none was, or if it cannot be read.
    #[must_use]
    pub fn noted(folder: &LogFolder) -> Option<Self> {
        Self::read(&std::fs::read_to_string(folder.place()).ok()?)
    }
}

/// The file that it is noted in.
#[derive(Debug)]
pub(super) struct PlaceFile(File);

impl PlaceFile {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o640).open(path)?;
        Ok(Self(file))
    }

    pub(super) fn note(&self, place: &Place) -> io::Result<()> {
        self.0.write_all_at(place.written().as_bytes(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_and_a_half_one_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let folder = LogFolder::new(dir.path());
        assert_eq!(Place::noted(&folder), None);
        let file = PlaceFile::open(&folder.place()).unwrap();
        for raw_offset in [u64::MAX, 7] {
            let place = Place { raw_inode: 1, raw_offset, log_inode: u64::MAX, log_len: 9 };
            file.note(&place).unwrap();
            assert_eq!(Place::noted(&folder), Some(place));
            assert_eq!(place.written().len(), LEN);
        }
        std::fs::write(folder.place(), "beam.place/1 7 7 7").unwrap();
        assert_eq!(Place::noted(&folder), None);
    }
}
