//! A disk of a machine's own, small enough to be filled: an ext4 in a file, mounted over the home of its node.
//!
//! What the kernel does on it is what it does on any: a full one takes no new block and lets what has its blocks be written; one
//! that hangs takes nothing until it goes on. It needs root. A small shell holds the mount and undoes it when the disk is dropped, and
//! also when the lab is killed.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::fs::{FallocateFlags, fallocate, statvfs};
use rustix::io::Errno;

/// Far more than a node of a lab writes in a thousand blocks. The file behind it is sparse.
const SIZE: &str = "512M";
/// What is filled with, at first and at last.
const PIECES: [u64; 3] = [16 * 1024 * 1024, 256 * 1024, 4096];
/// What fills the disk.
const BALLAST: &str = "ballast";

/// Waits for the end of its input, and undoes the mount ($0) and its file ($1). What Beam wrote, its logs above all, is left in a folder
/// ($2): whoever asks why something failed wants it.
const KEEPER: &str =
    "read -r _; fsfreeze -u \"$0\" 2>/dev/null; cp -r \"$0/beam\" \"$2\"; umount -l \"$0\"; rm -f \"$1\"";

/// A disk that is mounted. Whoever has files open on it must be gone before it is dropped.
#[derive(Debug)]
pub struct Disk {
    at: PathBuf,
    keeper: Child,
}

impl Disk {
    /// Why this host can give a machine no disk of its own; `None` if it can.
    pub fn why_not() -> Option<&'static str> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root can mount a disk");
        }
        let there = |name: &str| {
            ["/usr/sbin", "/sbin", "/usr/bin", "/bin"].iter().any(|dir| Path::new(dir).join(name).exists())
        };
        let wanted = ["mkfs.ext4", "mount", "fsfreeze", "chattr"];
        (!wanted.into_iter().all(there)).then_some("mkfs.ext4, mount, fsfreeze or chattr is missing")
    }

    /// Mounts a disk over the folder `at`, with what is in the folder on it.
    ///
    /// # Errors
    /// When this host cannot, or a program fails.
    pub(super) fn over(at: &Path) -> Result<Self> {
        if let Some(why) = Self::why_not() {
            bail!("no disk for {}: {why}", at.display());
        }
        let image = at.with_extension("disk");
        let folder = at.to_string_lossy();
        let file = image.to_string_lossy();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", "-d", &folder, &file, SIZE])?;
        run("mount", &["-o", "loop", &file, &folder])?;
        let keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER])
            .args([at, &image, &at.with_extension("beam")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match keeper {
            Ok(keeper) => Ok(Self { at: at.to_path_buf(), keeper }),
            Err(error) => {
                run("umount", &["-l", &folder])?;
                Err(error).context("nobody to keep the mount")
            }
        }
    }

    /// Takes every block that is free.
    ///
    /// # Errors
    /// When it is not full afterwards.
    pub fn fill(&self) -> Result<()> {
        let ballast = File::create(self.at.join(BALLAST))?;
        let mut end = 0;
        for piece in PIECES {
            loop {
                match fallocate(&ballast, FallocateFlags::empty(), end, piece) {
                    Ok(()) => end = end.saturating_add(piece),
                    Err(Errno::NOSPC) => break,
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error).context("the disk cannot be filled"),
                }
            }
        }
        ensure!(self.is_full()?, "the disk is not full: {} blocks are free", statvfs(&self.at)?.f_bavail);
        Ok(())
    }

    /// Whether no block is free.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn is_full(&self) -> Result<bool> {
        Ok(statvfs(&self.at)?.f_bavail == 0)
    }

    /// Gives the blocks back.
    ///
    /// # Errors
    /// When they are not ours any more.
    pub fn free(&self) -> Result<()> {
        fs::remove_file(self.at.join(BALLAST)).context("the disk cannot be freed")
    }

    /// Takes no write until [`go_on`](Self::go_on): who writes waits.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn hang(&self) -> Result<()> {
        run("fsfreeze", &["-f", &self.at.to_string_lossy()])
    }

    /// Ends that.
    ///
    /// # Errors
    /// When it did not hang.
    pub fn go_on(&self) -> Result<()> {
        run("fsfreeze", &["-u", &self.at.to_string_lossy()])
    }

    /// Has the kernel refuse every write to a file on it, by whoever has it open, too.
    ///
    /// # Errors
    /// When it cannot.
    pub fn refuse(&self, file: &Path) -> Result<()> {
        run("chattr", &["+i", &file.to_string_lossy()])
    }

    /// Ends that.
    ///
    /// # Errors
    /// When it cannot.
    pub fn allow(&self, file: &Path) -> Result<()> {
        run("chattr", &["-i", &file.to_string_lossy()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}

fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{program} {}` failed: {}", arguments.join(" "), said.trim());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_full_disk_takes_no_new_block_and_lets_what_has_its_blocks_be_written() {
        if let Some(why) = Disk::why_not() {
            return eprintln!("not tried here: {why}");
        }
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path().join("home");
        fs::create_dir(&at).unwrap();
        fs::create_dir(at.join("beam")).unwrap();
        fs::write(at.join("beam/log"), "said").unwrap();
        fs::write(at.join("floor"), [1; 8192]).unwrap();
        let disk = Disk::over(&at).unwrap();
        assert_eq!(fs::read(at.join("floor")).unwrap(), [1; 8192], "what was there is there");
        disk.fill().unwrap();
        let full = fs::write(at.join("new"), [2; 8192]).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        let mut floor = File::options().write(true).open(at.join("floor")).unwrap();
        floor.write_all(&[3; 4096]).and_then(|()| floor.sync_all()).unwrap();
        disk.free().unwrap();
        fs::write(at.join("new"), [2; 8192]).unwrap();
        disk.refuse(&at.join("floor")).unwrap();
        assert!(floor.write_all(&[4; 4096]).is_err(), "also by who has it open");
        disk.allow(&at.join("floor")).unwrap();
        floor.write_all(&[4; 4096]).unwrap();
        disk.hang().unwrap();
        disk.go_on().unwrap();
        drop(floor);
        drop(disk);
        assert_eq!(fs::read_dir(&at).unwrap().count(), 2, "what lay beneath is there again");
        assert!(!dir.path().join("home.disk").exists());
        assert_eq!(fs::read(dir.path().join("home.beam/log")).unwrap(), b"said", "what Beam said is kept");
    }
}
