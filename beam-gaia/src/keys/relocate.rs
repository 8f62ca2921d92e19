//! Moving a validator's key out of the node's home, so that the node alone can no longer sign.
//!
//! What must always hold, whenever the machine stops:
//! * There is a whole copy of the key: the new one is written, synced, read back and compared before the old one goes.
//! * Nothing is left that the node could use, and nothing under another name: the old file is removed, not renamed.
//! * Running it again finishes the job. A key that is another one is never written over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use beam_core::signing_key::{PublicKey, SigningKey as _};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError};

/// A key on its way from the node's home to the pilot's.
#[derive(Clone, Debug)]
pub struct Relocation {
    from: PathBuf,
    to: PathBuf,
}

/// Where the key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Only where the node has it.
    AtOld(PublicKey),
    /// At both places: the copy is made.
    AtBoth(PublicKey),
    /// Only at the new place: it is moved.
    AtNew(PublicKey),
}

/// What is left of the old file after it was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// Its blocks were written over: as gone as a file system lets it be. (A journal, a snapshot or a disk that moves its blocks
    /// about may still have it.)
    Overwritten,
    /// It has another name elsewhere, or was a link to a file elsewhere, which is left alone: it may be somebody's backup.
    Elsewhere,
}

/// A key that was not moved, or not to the end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RelocateError {
    /// There is no key at either place.
    #[error("there is no key at {} and none at {}", .from.display(), .to.display())]
    NoKey {
        /// The old place.
        from: PathBuf,
        /// The new place.
        to: PathBuf,
    },
    /// There are two keys, and no program can tell which is the validator's.
    #[error(
        "{} and {} hold different keys; a node that has none makes one of its own. Move away the one that is not the validator's",
        .from.display(), .to.display()
    )]
    TwoKeys {
        /// The old place.
        from: PathBuf,
        /// The new place.
        to: PathBuf,
    },
    /// One of them is not a key that can be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The disk did not do it.
    #[error("{} could not be moved to {}", .from.display(), .to.display())]
    Io {
        /// The old place.
        from: PathBuf,
        /// The new place.
        to: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Relocation {
    /// From the node's key file to the pilot's. Nothing is touched yet.
    #[must_use]
    pub fn new(from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
        Self { from: from.into(), to: to.into() }
    }

    /// Where the key is now.
    ///
    /// # Errors
    /// [`RelocateError`] if it is nowhere, cannot be used, or there are two.
    pub fn look(&self) -> Result<Whereabouts, RelocateError> {
        match (public(&self.from)?, public(&self.to)?) {
            (Some(old), Some(new)) if old == new => Ok(Whereabouts::AtBoth(new)),
            (Some(_), Some(_)) => {
                Err(RelocateError::TwoKeys { from: self.from.clone(), to: self.to.clone() })
            }
            (Some(old), None) => Ok(Whereabouts::AtOld(old)),
            (None, Some(new)) => Ok(Whereabouts::AtNew(new)),
            (None, None) => Err(RelocateError::NoKey { from: self.from.clone(), to: self.to.clone() }),
        }
    }

    /// Makes the copy, readable by this user only: synced, read back and compared. Does nothing if it is there.
    ///
    /// # Errors
    /// [`RelocateError`]; the old file is as it was.
    pub fn copy(&self) -> Result<(), RelocateError> {
        let Whereabouts::AtOld(key) = self.look()? else { return Ok(()) };
        self.copy_file().map_err(|source| self.io(source))?;
        match self.look()? {
            Whereabouts::AtBoth(copied) if copied == key => Ok(()),
            _ => Err(self.io(io::Error::other("the copy does not read back as the key"))),
        }
    }

    /// Removes the old file, if the copy is there and the same. Does nothing if it is gone.
    ///
    /// # Errors
    /// [`RelocateError`]; if the old file is still there, so is everything in it.
    pub fn remove_old(&self) -> Result<Remains, RelocateError> {
        match self.look()? {
            Whereabouts::AtNew(_) => Ok(Remains::Overwritten),
            Whereabouts::AtBoth(_) => self.remove().map_err(|source| self.io(source)),
            Whereabouts::AtOld(_) => Err(self.io(io::Error::other("there is no copy of it yet"))),
        }
    }

    fn copy_file(&self) -> io::Result<()> {
        let text = read(&self.from)?;
        let mut draft = self.to.clone().into_os_string();
        draft.push(".new");
        let draft = PathBuf::from(draft);
        // What a crash left over; written by us, so it is never anything else.
        remove_if_there(&draft)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&text)?;
        file.sync_all()?;
        renameat_with(CWD, &draft, CWD, &self.to, RenameFlags::NOREPLACE)?;
        sync_folder(&self.to)
    }

    /// The name goes first: from then on the node has no key, and a crash leaves nothing that it could use. What the file held is
    /// written over through the descriptor that is still open.
    fn remove(&self) -> io::Result<Remains> {
        let link = fs::symlink_metadata(&self.from)?.is_symlink();
        let mut file = OpenOptions::new().write(true).open(&self.from)?;
        let found = file.metadata()?;
        fs::remove_file(&self.from)?;
        sync_folder(&self.from)?;
        if link || found.nlink() > 1 {
            return Ok(Remains::Elsewhere);
        }
        let zeros = vec![0; usize::try_from(found.len()).unwrap_or_default()];
        file.rewind()?;
        file.write_all(&zeros)?;
        file.sync_all()?;
        Ok(Remains::Overwritten)
    }

    fn io(&self, source: io::Error) -> RelocateError {
        RelocateError::Io { from: self.from.clone(), to: self.to.clone(), source }
    }
}

/// The public key of a file; `None` if there is no file.
fn public(path: &Path) -> Result<Option<PublicKey>, KeyFileError> {
    match KeyFile::load(path) {
        Ok(key) => Ok(Some(key.public_key())),
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file's bytes, wiped when dropped: room for all of them at once, as a buffer that grows leaves copies behind.
fn read(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    /// As long as a key file may be: far more than it ever is.
    const LEN_MAX: u64 = 16 * 1024;
    let file = File::open(path)?;
    let len = usize::try_from(file.metadata()?.len().min(LEN_MAX)).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(len.saturating_add(1)));
    file.take(LEN_MAX).read_to_end(&mut text)?;
    Ok(text)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Keys of seeds of 32 zero bytes, and of 32 bytes 1: nobody's.
    const KEY: &str = include_str!("fixtures/zeros.json");
    const OTHER: &str = include_str!("fixtures/ones.json");

    struct Home {
        dir: tempfile::TempDir,
        moving: Relocation,
    }

    fn home(old: Option<&str>, new: Option<&str>) -> Home {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("priv_validator_key.json"), dir.path().join("validator_key.json"));
        for (path, text) in [(&from, old), (&to, new)] {
            if let Some(text) = text {
                fs::write(path, text).unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        Home { moving: Relocation::new(from, to), dir }
    }

    impl Home {
        fn names(&self) -> Vec<String> {
            let names = fs::read_dir(self.dir.path()).unwrap();
            let mut names: Vec<String> =
                names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    #[test]
    fn a_key_is_copied_compared_and_then_gone_from_its_old_place() {
        let home = home(Some(KEY), None);
        let Whereabouts::AtOld(key) = home.moving.look().unwrap() else { panic!() };
        home.moving.copy().unwrap();
        assert_eq!(home.moving.look().unwrap(), Whereabouts::AtBoth(key));
        assert_eq!(fs::metadata(&home.moving.to).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(home.moving.remove_old().unwrap(), Remains::Overwritten);
        assert_eq!(home.moving.look().unwrap(), Whereabouts::AtNew(key));
        assert_eq!(home.names(), ["validator_key.json"], "nothing under another name");
        // Again, it does nothing.
        home.moving.copy().unwrap();
        home.moving.remove_old().unwrap();
        assert_eq!(home.moving.look().unwrap(), Whereabouts::AtNew(key));
    }

    #[test]
    fn without_a_copy_the_old_file_is_not_removed() {
        let home = home(Some(KEY), None);
        home.moving.remove_old().unwrap_err();
        assert!(matches!(home.moving.look().unwrap(), Whereabouts::AtOld(_)));
    }

    #[test]
    fn a_copy_that_a_crash_cut_short_is_made_again() {
        let home = home(Some(KEY), None);
        fs::write(home.dir.path().join("validator_key.json.new"), &KEY[..20]).unwrap();
        home.moving.copy().unwrap();
        assert!(matches!(home.moving.look().unwrap(), Whereabouts::AtBoth(_)));
        assert_eq!(home.names().len(), 2);
    }

    #[test]
    fn another_key_is_never_written_over_nor_removed() {
        let home = home(Some(KEY), Some(OTHER));
        for refused in [home.moving.look().map(drop), home.moving.copy(), home.moving.remove_old().map(drop)]
        {
            assert!(matches!(refused, Err(RelocateError::TwoKeys { .. })), "{refused:?}");
        }
        assert_eq!(fs::read_to_string(&home.moving.from).unwrap(), KEY);
        assert_eq!(fs::read_to_string(&home.moving.to).unwrap(), OTHER);
    }

    #[test]
    fn no_key_and_a_damaged_key_are_told() {
        assert!(matches!(home(None, None).moving.look(), Err(RelocateError::NoKey { .. })));
        let damaged = home(Some("{}"), None);
        assert!(matches!(damaged.moving.copy(), Err(RelocateError::Key(KeyFileError::Damaged { .. }))));
        assert_eq!(damaged.names(), ["priv_validator_key.json"]);
    }

    #[test]
    fn somebodys_backup_is_left_alone_and_told() {
        let linked = home(Some(KEY), None);
        let backup = linked.dir.path().join("backup");
        fs::hard_link(&linked.moving.from, &backup).unwrap();
        linked.moving.copy().unwrap();
        assert_eq!(linked.moving.remove_old().unwrap(), Remains::Elsewhere);
        assert_eq!(fs::read_to_string(&backup).unwrap(), KEY);

        let pointed = home(None, None);
        let target = pointed.dir.path().join("elsewhere");
        fs::write(&target, KEY).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(&target, &pointed.moving.from).unwrap();
        pointed.moving.copy().unwrap();
        assert_eq!(pointed.moving.remove_old().unwrap(), Remains::Elsewhere);
        assert!(!pointed.moving.from.exists() && target.exists());
    }
}
