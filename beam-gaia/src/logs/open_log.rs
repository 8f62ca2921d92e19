//! The log that is being written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _};

use beam_core::logs::Stamp;

use super::folder::LogFolder;

#[derive(Debug)]
pub(super) struct OpenLog {
    file: File,
    inode: u64,
    len: u64,
    /// When its first line came.
    began: Option<Stamp>,
}

impl OpenLog {
    pub(super) fn open(folder: &LogFolder) -> io::Result<Self> {
        const OWNER_WRITES_GROUP_READS: u32 = 0o640;
        let mut options = OpenOptions::new();
        let file = options
            .read(true)
            .append(true)
            .create(true)
            .mode(OWNER_WRITES_GROUP_READS)
            .open(folder.open_log())?;
        let metadata = file.metadata()?;
        let mut first = [0; Stamp::LEN];
        let began = file.read_exact_at(&mut first, 0).ok().and_then(|()| Stamp::read(&first));
        let began = began.map(|(began, _)| began);
        let mut log = Self { file, inode: metadata.ino(), len: metadata.len(), began };
        log.end_line()?;
        Ok(log)
    }

    /// A line that was cut by a crash ends here, so that the next one is a line of its own.
    fn end_line(&mut self) -> io::Result<()> {
        let Some(last) = self.len.checked_sub(1) else { return Ok(()) };
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, last)?;
        if byte == [b'\n'] { Ok(()) } else { self.append(b"\n", Stamp::default()) }
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn began(&self) -> Option<Stamp> {
        self.began
    }

    /// Cuts off what stands beyond this length.
    pub(super) fn cut(&mut self, len: u64) -> io::Result<()> {
        if len < self.len {
            self.file.set_len(len)?;
            self.len = len;
        }
        Ok(())
    }

    /// Appends all of it or nothing.
    pub(super) fn append(&mut self, lines: &[u8], now: Stamp) -> io::Result<()> {
        // Looked at each time: people empty log files.
        let before = self.file.metadata()?.len();
        if let Err(error) = self.file.write_all(lines) {
            // What did get there would be written again.
            self.file.set_len(before)?;
            return Err(error);
        }
        if before == 0 {
            self.began = Some(now);
        }
        self.len = before.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Closes it under the next number and opens a new one.
    pub(super) fn close(&mut self, folder: &LogFolder, now: Stamp) -> io::Result<()> {
        let last = folder.closed()?.last().map_or(0, |file| file.number);
        fs::rename(folder.open_log(), folder.closed_log(last.saturating_add(1), self.began.unwrap_or(now)))?;
        *self = Self::open(folder)?;
        Ok(())
    }
}
