//! The raw file that the node appends to, read from behind and given back from the front.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, fallocate};
use rustix::io::Errno;

/// How much of what was read stays, so that a node's last words can be read from the raw file.
pub const KEPT_LEN: u64 = 512 * 1024;
/// How much is given back at once.
const STEP_LEN: u64 = 1024 * 1024;
/// What the file system's blocks divide.
const BLOCK_LEN: u64 = 4096;
/// Where no holes can be made: how long the raw file may grow before it is emptied.
pub const SPOOL_LEN_MAX: u64 = 64 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct Spool {
    path: PathBuf,
    file: File,
    inode: u64,
    /// Up to where it was given back.
    given_back: u64,
    /// Whether the file system can make holes, as far as it is known.
    pub(super) makes_holes: bool,
}

impl Spool {
    /// Opens it, if it is there.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let inode = file.metadata()?.ino();
        Ok(Some(Self { path: path.to_owned(), file, inode, given_back: 0, makes_holes: true }))
    }

    pub(super) fn inode(&self) -> u64 {
        self.inode
    }

    fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    /// What it takes on the disk.
    pub(super) fn on_disk(&self) -> u64 {
        const SECTOR: u64 = 512;
        self.metadata().map_or(0, |metadata| metadata.blocks().saturating_mul(SECTOR))
    }

    /// Whether another file has come to stand in its place.
    pub(super) fn is_replaced(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|metadata| metadata.ino() != self.inode)
    }

    /// Reads what stands there, into `block` from its beginning.
    pub(super) fn read(&self, offset: u64, block: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read_at(block, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }

    /// The first byte that was not given back.
    pub(super) fn first_data(&self) -> u64 {
        rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(0)).unwrap_or(0)
    }

    /// Gives the disk back what was read and is not needed for last words. Nobody else is told to wait: the node appends at
    /// the end, and its offsets stay as they are.
    pub(super) fn give_back(&mut self, read_to: u64) -> io::Result<()> {
        let until = read_to.saturating_sub(KEPT_LEN) / BLOCK_LEN * BLOCK_LEN;
        if !self.makes_holes || until < self.given_back.saturating_add(STEP_LEN) {
            return Ok(());
        }
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        match fallocate(&self.file, flags, self.given_back, until - self.given_back) {
            Ok(()) => self.given_back = until,
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.makes_holes = false,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Where no holes can be made: empties the file if it is long and read to its end. A line that comes between the look at
    /// its length and the cut is lost.
    pub(super) fn empty_if_long(&mut self, read_to: u64) -> io::Result<bool> {
        if self.makes_holes || read_to < SPOOL_LEN_MAX || self.len()? != read_to {
            return Ok(false);
        }
        self.file.set_len(0)?;
        self.given_back = 0;
        Ok(true)
    }
}
