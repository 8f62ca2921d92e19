//! One pilot a home. Two would start two nodes on one database, and the second signer would find the floor file held.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context, Result, bail};

const FILE_NAME: &str = "beam.lock";
/// Far more than a process id has.
const TEXT_LEN_MAX: u64 = 32;

/// Holds the home until it is dropped, or this process is gone, however it went: the kernel sees to that.
#[derive(Debug)]
pub(crate) struct HomeLock {
    _file: File,
}

/// Takes the home for this process.
///
/// # Errors
/// If another pilot has it, with its process id.
pub(crate) fn hold(home: &Path) -> Result<HomeLock> {
    let path = home.join(FILE_NAME);
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("{} could not be opened", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // Only for the message.
            let _ = (&file).take(TEXT_LEN_MAX).read_to_string(&mut pid);
            bail!("a pilot runs on {} already (pid {}); stop it first", home.display(), pid.trim());
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("{} could not be locked", path.display()));
        }
    }
    // For people and the message above: the lock is what counts.
    file.rewind()?;
    file.set_len(0)?;
    writeln!(file, "{}", std::process::id())?;
    Ok(HomeLock { _file: file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_has_one_pilot_and_a_new_one_when_that_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let held = hold(home.path()).unwrap();
        let refused = hold(home.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("pid {}", std::process::id())), "{refused}");
        drop(held);
        hold(home.path()).unwrap();
    }
}
