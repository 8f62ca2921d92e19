//! The programs the lab runs: a pinned CometBFT, the Hub-like chain, and the `beam` of this checkout.
//!
//! What Go builds, and DynamoDB Local, is kept in cargo's target folder under a name that says what it is of. It is built beside and moved
//! there, under a lock, so that it appears whole or not at all and test programs that start together build it once.

mod beam;
mod cometbft;
mod debian;
mod dynamodb_local;
mod faketime;
mod hubd;

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::wait;

pub use beam::beam_binary;
pub use cometbft::{COMETBFT_VERSION, cometbft};
pub use dynamodb_local::{DYNAMODB_LOCAL_VERSION, dynamodb_local};
pub use faketime::faketime;
pub use hubd::{Hubd, Ours, hubd};

/// A cold build downloads and compiles up to 1,200 packages; on a busy machine that is many minutes.
const INSTALL_WITHIN: Duration = Duration::from_secs(30 * 60);

/// Tells progress on stderr, for callers without a display of their own.
pub fn to_stderr(line: &str) {
    eprintln!("lab: {line}");
}

/// Cargo's target directory: where the tools are kept, so that `cargo clean` removes them too.
pub fn target_dir() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace_root().join(dir),
        None => workspace_root().join("target"),
    }
}

fn workspace_root() -> &'static Path {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().unwrap_or(package)
}

/// A folder of the target folder's `tools`, as it is once `build` has filled it. Nothing is said when it is there;
/// callers in other processes wait for the one that builds or fetches.
pub(crate) async fn tool<F>(name: &str, what: &str, progress: &impl Fn(&str), build: F) -> Result<PathBuf>
where
    F: AsyncFnOnce(&Path) -> Result<()>,
{
    let tools = target_dir().join("tools");
    let home = tools.join(name);
    if home.is_dir() {
        return Ok(home);
    }
    fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
    let _lock = lock(&tools.join("install.lock"), progress).await?;
    if home.is_dir() {
        return Ok(home);
    }
    progress(&format!("getting {what} (once, some minutes when cold)"));
    let temporary = tools.join(format!(".install-{}", std::process::id()));
    let outcome = fill(&temporary, build).await.and_then(|()| {
        // The rename is what makes the tool appear whole or not at all.
        fs::rename(&temporary, &home).with_context(|| format!("cannot move {what} into place"))
    });
    let _ = fs::remove_dir_all(&temporary);
    outcome?;
    progress(&format!("{what} is there"));
    Ok(home)
}

async fn fill<F>(dir: &Path, build: F) -> Result<()>
where
    F: AsyncFnOnce(&Path) -> Result<()>,
{
    fs::create_dir_all(dir)?;
    build(&dir.canonicalize()?).await
}

/// Runs `go` for `what`, which is named where it fails.
async fn go(command: &mut Command, what: &str) -> Result<()> {
    command
        // No C compiler needed, and the same program on every machine.
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(INSTALL_WITHIN, command.output()).await {
        Err(_) => bail!("go did not build {what} within {INSTALL_WITHIN:?}"),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "the lab needs {what} and there is no `go` to build it with: install Go 1.25 or newer from go.dev or \
             your system's packages"
        ),
        Ok(output) => output.context("cannot run go")?,
    };
    if !output.status.success() {
        bail!("go could not build {what}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(())
}

/// Holds the lock file until dropped. The kernel releases it when the holder dies.
async fn lock(path: &Path, progress: &impl Fn(&str)) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut told = false;
    wait::until("another process to get what the lab needs", INSTALL_WITHIN, || {
        let attempt = match file.try_lock() {
            Ok(()) => Ok(Some(())),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        };
        if matches!(attempt, Ok(None)) && !told {
            progress("another process is getting what the lab needs; waiting for it");
            told = true;
        }
        std::future::ready(attempt)
    })
    .await?;
    Ok(file)
}
