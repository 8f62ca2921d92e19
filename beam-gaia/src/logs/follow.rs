//! Following a captured log as it grows, across its rotations.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::Arc;

use beam_core::logs::{LINE_LEN_MAX, Splitter};

use super::folder::LogFolder;
use super::read::LogSource;

/// What is read at once.
const BLOCK_LEN: usize = 64 * 1024;

/// A reader that stays at the end of a captured log.
#[derive(Debug)]
pub struct Follow {
    folder: LogFolder,
    open: Option<Opened>,
    /// The highest number of a closed log whose lines were given out, or stood before us.
    closed: u64,
    splitter: Splitter,
}

#[derive(Debug)]
struct Opened {
    file: File,
    inode: u64,
    read_to: u64,
}

impl Follow {
    /// Begins at the end of what is there now.
    ///
    /// # Errors
    /// [`io::Error`] if the folder cannot be read.
    pub fn from_end(folder: LogFolder) -> io::Result<Self> {
        let (open, closed) = open_newest(&folder)?;
        let open = match open {
            Some(opened) => Some(Opened { read_to: opened.file.metadata()?.len(), ..opened }),
            None => None,
        };
        Ok(Self { folder, open, closed, splitter: Splitter::new(LINE_LEN_MAX) })
    }

    /// Everything that stands before, the oldest first.
    ///
    /// # Errors
    /// [`io::Error`] if the folder cannot be read.
    pub fn before(&self) -> io::Result<Vec<LogSource>> {
        let closed = self.folder.closed()?.into_iter().filter(|file| file.number <= self.closed);
        let open = self.open.as_ref().map_or(0, |open| open.read_to);
        let open = LogSource::Part { path: self.folder.open_log(), from: 0, len: open };
        Ok(closed.map(|file| LogSource::Closed(file.path)).chain([open]).collect())
    }

    /// Gives out the lines that have come since. Call it every now and then.
    ///
    /// # Errors
    /// [`io::Error`] if the log cannot be read.
    pub fn pass(&mut self, mut line: impl FnMut(&[u8])) -> io::Result<()> {
        self.read_open(&mut line)?;
        if self.open.as_ref().is_some_and(|open| open.is_still(&self.folder)) {
            return Ok(());
        }
        // It was closed between our last look and this one: first its end, then what was closed after it.
        self.read_open(&mut line)?;
        let held = u64::from(self.open.is_some());
        let (open, closed) = open_newest(&self.folder)?;
        for file in self.folder.closed()? {
            if file.number > self.closed.saturating_add(held) && file.number <= closed {
                LogSource::Closed(file.path).lines(Arc::default(), |part| {
                    line(part.text);
                    true
                })?;
            }
        }
        (self.open, self.closed) = (open, closed);
        self.read_open(&mut line)
    }

    fn read_open(&mut self, line: &mut impl FnMut(&[u8])) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        // Cut by a pilot that takes up after a killed one: what stood there is written again.
        open.read_to = open.read_to.min(open.file.metadata()?.len());
        let mut block = vec![0; BLOCK_LEN];
        loop {
            let len = open.file.read_at(&mut block, open.read_to)?;
            if len == 0 {
                return Ok(());
            }
            self.splitter.push(block.get(..len).unwrap_or_default(), |part| line(part.text));
            open.read_to = open.read_to.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        }
    }
}

impl Opened {
    fn is_still(&self, folder: &LogFolder) -> bool {
        std::fs::metadata(folder.open_log()).is_ok_and(|metadata| metadata.ino() == self.inode)
    }
}

/// The open log from its beginning, and the highest number of a closed one, as they belong together.
fn open_newest(folder: &LogFolder) -> io::Result<(Option<Opened>, u64)> {
    let last = || Ok::<_, io::Error>(folder.closed()?.last().map_or(0, |file| file.number));
    loop {
        let before = last()?;
        let open = match File::open(folder.open_log()) {
            Ok(file) => Some(Opened { inode: file.metadata()?.ino(), file, read_to: 0 }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        if last()? == before {
            return Ok((open, before));
        }
    }
}
