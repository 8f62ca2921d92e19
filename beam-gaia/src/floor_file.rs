//! The floor in a file.
//!
//! One file of a fixed length with two copies, written in turn and synced, one write and one flush for each signature. The
//! file is made in full, filled and synced before it gets its name, so a disk that is full later, or a crash while it
//! is made, does no harm: there is a whole file or none.

mod slot;
mod slots;

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use beam_core::floor_store::{FloorError, FloorStore};
use beam_core::signing::Floor;
use tokio::task::spawn_blocking;

use slot::Slot;
use slots::Slots;

/// A [`FloorStore`] in a file on this machine's disk.
///
/// While it is open nobody else can open it. It must be on a disk of this machine, not on a network's.
pub struct FloorFile {
    slots: Arc<Mutex<Slots<File>>>,
    /// Beside the file and not the file itself, which another process might be about to make.
    _lock: File,
}

/// A floor file that cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloorFileError {
    /// Another process has it.
    #[error("{path} is in use by another process; two signers on one home are not possible")]
    InUse {
        /// The floor file.
        path: PathBuf,
    },
    /// It could not be opened or made.
    #[error("{path} cannot be opened or made")]
    Io {
        /// The floor file, or one beside it.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl FloorFile {
    /// The longest sign bytes that can be kept. A vote has some 200.
    pub const BYTES_LEN_MAX: usize = slot::BYTES_LEN_MAX;

    /// Opens the file, or makes one that holds no floor yet. The folder must be there.
    ///
    /// Waits for the disk: not for an async task.
    ///
    /// # Errors
    /// [`FloorFileError`]. What is in the file is not looked at here, but by [`FloorStore::load`].
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FloorFileError> {
        let path = path.into();
        let lock = lock(&path)?;
        let failed = |source| FloorFileError::Io { path: path.clone(), source };
        if !path.try_exists().map_err(failed)? {
            make(&path).map_err(failed)?;
        }
        // Also if it was there: whoever made it may have died before its name was certain.
        sync_folder(&path).map_err(failed)?;
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(failed)?;
        let slots = Slots::new(file, path.display().to_string());
        Ok(Self { slots: Arc::new(Mutex::new(slots)), _lock: lock })
    }

    /// What is kept in the file, for people to see: taken without holding it, so a signer may be at work. `None` if there
    /// is no file, or no floor in it.
    ///
    /// # Errors
    /// [`FloorError`] if there is one that cannot be read.
    pub fn peek(path: &Path) -> Result<Option<Floor>, FloorError> {
        match File::open(path) {
            Ok(file) => Slots::new(file, path.display().to_string()).peek(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(FloorError::Io(Box::new(error))),
        }
    }

    /// Puts a floor in the place of whatever was kept, also a higher one or one of another lineage. This is for a person
    /// who adopts a register, and for nobody else.
    ///
    /// # Errors
    /// [`FloorError`] if it is not certain to be there after a crash.
    pub async fn replace(&self, floor: Floor) -> Result<(), FloorError> {
        self.blocking(move |slots| slots.replace(floor)).await
    }

    /// Runs on a thread that may wait for the disk. One at a time; and to its end, also if nobody waits any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Slots<File>) -> Result<T, FloorError> + Send + 'static,
    ) -> Result<T, FloorError> {
        let slots = self.slots.clone();
        let done = spawn_blocking(move || work(&mut slots.lock().unwrap_or_else(PoisonError::into_inner)));
        done.await.unwrap_or_else(|error| Err(FloorError::Io(Box::new(error))))
    }
}

#[async_trait]
impl FloorStore for FloorFile {
    async fn load(&self) -> Result<Option<Floor>, FloorError> {
        self.blocking(Slots::load).await
    }

    async fn keep(&self, floor: Floor) -> Result<(), FloorError> {
        self.blocking(move |slots| slots.keep(floor)).await
    }
}

/// Locks until the file that is returned is closed, also by the end of the process.
fn lock(path: &Path) -> Result<File, FloorFileError> {
    let lock_path = beside(path, ".lock");
    let failed = |source| FloorFileError::Io { path: lock_path.clone(), source };
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&lock_path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(FloorFileError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Makes the file whole under another name, and only then gives it its own.
fn make(path: &Path) -> io::Result<()> {
    let unused = Slot { sequence: 0, floor: None }.encode().ok_or(io::ErrorKind::InvalidData)?;
    let making = beside(path, ".new");
    // One left behind by a crash is made again.
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&making)?;
    // Written and not only sized: the disk must have room for it from now on.
    file.write_all(&[&unused[..], &unused[..]].concat())?;
    file.sync_all()?;
    fs::rename(&making, path)
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests;
