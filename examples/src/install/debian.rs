//! A package of the system's package lists, unpacked into the target folder: nothing is installed.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::tool;

/// Some 20 MB from the nearest mirror at most.
const UNPACKED_WITHIN: Duration = Duration::from_secs(5 * 60);

/// The folder that holds the files of package `name`.
///
/// # Errors
/// When it cannot be had.
pub(crate) async fn package(name: &str, progress: &impl Fn(&str)) -> Result<PathBuf> {
    tool(name, name, progress, async |dir| unpack(name, dir).await).await
}

async fn unpack(name: &str, dir: &Path) -> Result<()> {
    let download = || async { run(Command::new("apt-get").args(["download", name]).current_dir(dir)).await };
    if download().await.is_err() {
        // A new machine has no package lists yet, and one that is not root cannot fetch them.
        let _ = run(Command::new("apt-get").args(["update", "-qq"])).await;
        download().await?;
    }
    let files = fs::read_dir(dir)?.flatten().map(|entry| entry.path());
    let found = files.filter(|path| path.extension() == Some(OsStr::new("deb"))).last();
    let found = found.with_context(|| format!("`apt-get download {name}` gave no package"))?;
    run(Command::new("dpkg-deb").arg("-x").arg(&found).arg(dir)).await?;
    Ok(fs::remove_file(found)?)
}

async fn run(command: &mut Command) -> Result<()> {
    let what = format!("{:?}", command.as_std());
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(UNPACKED_WITHIN, running).await;
    let output = output.with_context(|| format!("{what} did not end within {UNPACKED_WITHIN:?}"))??;
    if !output.status.success() {
        bail!("{what} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
