//! The programs the lab runs: a pinned CometBFT, the Hub-like chain, and the `beam` of this checkout.
//!
//! What Go builds, and the emulators of AWS, are kept in cargo's target folder under a name that says what it is of. Each is built beside and moved
//! there, under a lock, so that it appears whole or not at all and test programs that start together build it once.

mod beam;
mod cometbft;
mod debian;
mod dynamodb_local;
mod faketime;
mod hubd;
mod ministack;
mod moto;
mod python;

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
pub use ministack::{MINISTACK_VERSION, ministack};
pub use moto::{MOTO_VERSION, moto};

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

pub(crate) fn workspace_root() -> &'static Path {
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
    const NO_GO: &str = "install Go 1.25 or newer from go.dev or your system's packages";
    // No C compiler needed, and the same program on every machine.
    command.env("CGO_ENABLED", "0");
    run(command, "go", what, NO_GO).await
}

/// Runs a program that fetches or builds `what`, which is named where it fails; `otherwise` says what to do where there is no
/// such program.
async fn run(command: &mut Command, program: &str, what: &str, otherwise: &str) -> Result<()> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = match tokio::time::timeout(INSTALL_WITHIN, command.output()).await {
        Err(_) => bail!("{program} did not get {what} within {INSTALL_WITHIN:?}"),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("the lab needs {what} and there is no `{program}` to get it with: {otherwise}")
        }
        Ok(output) => output.with_context(|| format!("cannot run {program}"))?,
    };
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        bail!("{program} could not get {what}:\n{}", String::from_utf8_lossy(&said).trim_end());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_missing_program_is_told_with_what_to_install() {
        let mut missing = Command::new("no-such-mvn");
        let error =
            run(&mut missing, "mvn", "DynamoDB Local", "install a JDK").await.unwrap_err().to_string();
        assert!(error.contains("no `mvn`") && error.contains("install a JDK"), "{error}");
    }
}
