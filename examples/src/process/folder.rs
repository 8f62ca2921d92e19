//! A folder that is gone when the program is, however that ends.
//!
//! A folder that only its owner's drop removes stays behind if the owner is a static, or the program is killed. So this one has a watchdog as
//! [`Process`](super::Process) has: `sh` reading a pipe whose other end only this program holds.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// What its watchdog does at the end. Who writes in it is killed at that moment, and may have just made a file.
const AT_THE_END: &str = "read -r _; for try in 1 2 3 4 5; do rm -rf -- \"$0\" && exit; done";

/// A new folder among the temporary ones.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    watchdog: Child,
}

impl Folder {
    /// Makes one.
    ///
    /// # Errors
    /// When it cannot be made, or its watchdog cannot be started.
    pub fn new() -> Result<Self> {
        use std::os::unix::process::CommandExt;
        let dir = tempfile::Builder::new().prefix("beam-").tempdir().context("no temporary folder")?;
        let watchdog = Command::new("/bin/sh")
            .args(["-c", AT_THE_END])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start a watchdog")?;
        Ok(Self { path: dir.keep(), watchdog })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It closes the pipe first.
        let _ = self.watchdog.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_gone_with_all_that_is_in_it_when_it_is_dropped() {
        let folder = Folder::new().unwrap();
        let path = folder.path().to_owned();
        std::fs::create_dir(path.join("a")).unwrap();
        std::fs::write(path.join("a/b"), "c").unwrap();
        drop(folder);
        assert!(!path.exists());
    }
}
