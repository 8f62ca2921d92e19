//! Reading logs back: plain or gzip, a file or a stream, or a whole folder in the order in which it was written.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use beam_core::logs::{Captured, LINE_LEN_MAX, Part, Splitter, Stamp};
use flate2::bufread::MultiGzDecoder;

use super::folder::LogFolder;
use super::place::Place;

/// What is read at once.
const BLOCK_LEN: usize = 256 * 1024;

/// Something that lines can be read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// Standard input.
    Stdin,
    /// A file, plain or gzip, whatever it is called.
    File(PathBuf),
    /// A closed log, which may be compressed or removed between being listed and being read; one that is gone is empty.
    Closed(PathBuf),
    /// The bytes of a plain file from here to there.
    Part {
        /// Which file.
        path: PathBuf,
        /// From which byte.
        from: u64,
        /// How many at most.
        len: u64,
    },
}

impl LogSource {
    /// Everything that was captured in this folder, the oldest first, and after it what the node has said since.
    ///
    /// Also right while a capture runs: the log is read as far as the noted place, and the raw file from there.
    ///
    /// # Errors
    /// [`io::Error`] if the folder cannot be read.
    pub fn captured(folder: &LogFolder) -> io::Result<Vec<Self>> {
        let mut sources: Vec<Self> =
            folder.closed()?.into_iter().map(|file| Self::Closed(file.path)).collect();
        let Some(place) = Place::noted(folder) else {
            let open = folder.open_log();
            sources.extend(open.exists().then_some(Self::File(open)));
            return Ok(sources);
        };
        sources.push(Self::Part { path: folder.open_log(), from: 0, len: place.log_len });
        sources.push(Self::Part { path: folder.raw(), from: place.raw_offset, len: u64::MAX });
        Ok(sources)
    }

    /// How many bytes there are to be read from the disk; `None` if that cannot be known.
    #[must_use]
    pub fn len(&self) -> Option<u64> {
        let size = |path: &Path| path.metadata().map(|metadata| metadata.len()).ok();
        match self {
            Self::Stdin => None,
            Self::File(path) | Self::Closed(path) => size(path),
            Self::Part { path, from, len } => Some(size(path)?.saturating_sub(*from).min(*len)),
        }
    }

    /// Whether nothing is there to be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }

    /// When its first line was captured; `None` if it does not begin with one.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be read.
    pub fn began(&self) -> io::Result<Option<Stamp>> {
        let mut first = Vec::new();
        self.open(Arc::default())?.take(64).read_to_end(&mut first)?;
        Ok(Captured::read(&first).map(|captured| captured.at))
    }

    /// Gives out its lines, until one is answered with `false`. `read` counts the bytes that were read from the disk.
    ///
    /// # Errors
    /// [`io::Error`] if it cannot be read, or is gzip that was cut or damaged; what came before was given out.
    pub fn lines(&self, read: Arc<AtomicU64>, mut line: impl FnMut(Part<'_>) -> bool) -> io::Result<()> {
        let (mut stream, mut block) = (self.open(read)?, vec![0; BLOCK_LEN]);
        let mut splitter = Splitter::new(LINE_LEN_MAX);
        let mut go_on = true;
        while go_on {
            let len = match stream.read(&mut block) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            splitter.push(block.get(..len).unwrap_or_default(), |part| go_on = go_on && line(part));
        }
        splitter.flush(|part| _ = go_on && line(part));
        Ok(())
    }

    fn open(&self, read: Arc<AtomicU64>) -> io::Result<Box<dyn Read>> {
        let (stream, limit): (Box<dyn Read>, u64) = match self {
            Self::Stdin => (Box::new(io::stdin()), u64::MAX),
            Self::File(path) => (Box::new(File::open(path)?), u64::MAX),
            Self::Closed(path) => match if_there(path)? {
                Some(file) => (Box::new(file), u64::MAX),
                None => match if_there(&path.with_extension("log.gz"))? {
                    Some(file) => (Box::new(file), u64::MAX),
                    None => (Box::new(io::empty()), 0),
                },
            },
            Self::Part { path, from, len } => match if_there(path)? {
                Some(mut file) => {
                    file.seek(SeekFrom::Start(*from))?;
                    (Box::new(file), *len)
                }
                // The node has never run, or nothing was captured.
                None => (Box::new(io::empty()), 0),
            },
        };
        let mut stream = BufReader::with_capacity(BLOCK_LEN, Counted { stream: stream.take(limit), read });
        // A file is what its first bytes say it is.
        if stream.fill_buf()?.starts_with(&[0x1f, 0x8b]) {
            Ok(Box::new(MultiGzDecoder::new(stream)))
        } else {
            Ok(Box::new(stream))
        }
    }
}

fn if_there(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

struct Counted<R> {
    stream: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let len = self.stream.read(block)?;
        self.read.fetch_add(u64::try_from(len).unwrap_or(u64::MAX), Ordering::Relaxed);
        Ok(len)
    }
}
