//! Which files the register has open, and whether their names still lead to them.
//!
//! Never opens the database itself: closing any descriptor of a file drops the locks that SQLite holds on it in
//! this process. It only asks for names.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::error::Trouble;
use super::file_system::refuse_network;
use crate::register::RegisterError;

/// The database, its log and the log's index: the three that must be the same for every process.
#[derive(Debug)]
pub(super) struct Files([(PathBuf, Identity); 3]);

/// A file, whatever its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        std::fs::symlink_metadata(path).map(|found| Self::from(&found))
    }
}

impl From<&Metadata> for Identity {
    fn from(found: &Metadata) -> Self {
        Self { device: found.dev(), inode: found.ino() }
    }
}

impl Files {
    /// Remembers the files of a database that is open, and has been read from: log and index exist only then.
    pub(super) fn of(database: &Path) -> io::Result<Self> {
        let remember = |path: PathBuf| Identity::of(&path).map(|identity| (path, identity));
        Ok(Self([
            remember(database.to_owned())?,
            remember(beside(database, "-wal"))?,
            remember(beside(database, "-shm"))?,
        ]))
    }

    /// Which file the log is.
    pub(super) fn log(&self) -> (&Path, Identity) {
        let [_, (path, identity), _] = &self.0;
        (path, *identity)
    }

    /// Whether each name still leads to the file that was opened.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        match self.0.iter().find(|(path, identity)| Identity::of(path).ok() != Some(*identity)) {
            None => Ok(()),
            Some((path, _)) => Err(Trouble::Replaced(path.display().to_string())),
        }
    }
}

/// The name of a file that SQLite keeps beside the database.
pub(super) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The folder of a path.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Finds the file behind a path, and refuses it where a register cannot live.
pub(super) fn locate(path: &Path) -> Result<(PathBuf, Identity), RegisterError> {
    let database = path.canonicalize().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RegisterError::Unfit(format!(
            "there is no register at {}: is the path right, and the disk there? `beam watermark init` makes it, once for a validator",
            path.display()
        )),
        _ => RegisterError::Unavailable(error.into()),
    })?;
    let found = database.symlink_metadata().map_err(|error| RegisterError::Unavailable(error.into()))?;
    if !found.is_file() {
        return Err(RegisterError::Unfit(format!("{} is not a file", database.display())));
    }
    if found.nlink() != 1 {
        return Err(RegisterError::Unfit(format!(
            "{} has {} names (hard links), and each would get a log of its own; keep one",
            database.display(),
            found.nlink()
        )));
    }
    let folder = folder_of(&database);
    // Both, since one file of a folder can be mounted from elsewhere.
    refuse_network(folder)?;
    refuse_network(&database)?;
    refuse_mounted_alone(&database, folder)?;
    Ok((database, Identity::from(&found)))
}

/// A container that is given the database without its folder has a log and locks of its own.
#[cfg(target_os = "linux")]
fn refuse_mounted_alone(database: &Path, folder: &Path) -> Result<(), RegisterError> {
    use rustix::fs::{AtFlags, CWD, StatxFlags, statx};
    let mount = |path: &Path| {
        // A kernel before 5.8 does not say: then there is nothing to compare.
        let found = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        StatxFlags::from_bits_retain(found.stx_mask).contains(StatxFlags::MNT_ID).then_some(found.stx_mnt_id)
    };
    if mount(database) == mount(folder) {
        return Ok(());
    }
    Err(RegisterError::Unfit(format!(
        "{} is mounted by itself, apart from its folder, so that its log is not shared; mount the folder",
        database.display()
    )))
}

#[cfg(not(target_os = "linux"))]
fn refuse_mounted_alone(_database: &Path, _folder: &Path) -> Result<(), RegisterError> {
    Ok(())
}
