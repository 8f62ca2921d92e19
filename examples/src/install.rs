//! The two programs the lab runs: a pinned CometBFT, and the `beam` of this checkout.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use crate::wait;

/// The CometBFT release every lab runs: the one the Cosmos Hub's current gaiad is built on.
pub const COMETBFT_VERSION: &str = "v0.38.23";

/// A cold `go install` downloads and compiles some 150 packages; on a busy machine that is minutes.
const INSTALL_WITHIN: Duration = Duration::from_secs(20 * 60);
/// A cold build of the pilot, with others building on the same cores.
const BUILD_WITHIN: Duration = Duration::from_secs(30 * 60);

/// The pinned CometBFT, installed first if it is missing.
///
/// Callers in other processes wait for the one that installs. `progress` is told in a line what
/// takes long; nothing is said when the program is already there.
///
/// # Errors
/// When `go` is absent or fails; the message says what to do.
pub async fn cometbft(progress: impl Fn(&str)) -> Result<PathBuf> {
    let tools = target_dir().join("tools");
    let home = tools.join(format!("cometbft-{COMETBFT_VERSION}"));
    let program = home.join("cometbft");
    if program.is_file() {
        return Ok(program);
    }
    fs::create_dir_all(&tools).with_context(|| format!("cannot create {}", tools.display()))?;
    let _lock = lock(&tools.join("install.lock"), "CometBFT", &progress).await?;
    if program.is_file() {
        return Ok(program);
    }
    progress(&format!("installing CometBFT {COMETBFT_VERSION} with go (once, some minutes when cold)"));
    let temporary = tools.join(format!(".install-{}", std::process::id()));
    let outcome = go_install(&temporary).await.and_then(|built| {
        fs::create_dir_all(&home)?;
        // The rename is what makes the program appear whole or not at all.
        fs::rename(&built, &program).context("cannot move the new cometbft into place")
    });
    let _ = fs::remove_dir_all(&temporary);
    outcome?;
    progress(&format!("CometBFT {COMETBFT_VERSION} is installed"));
    Ok(program)
}

/// Tells progress on stderr, for callers without a display of their own.
pub fn to_stderr(line: &str) {
    eprintln!("lab: {line}");
}

/// The `beam` program: `BEAM_BIN` if it is set, else what cargo builds now from this checkout, in
/// release if the lab itself was.
///
/// # Errors
/// When `BEAM_BIN` names no file, or the build fails.
pub async fn beam_binary() -> Result<PathBuf> {
    if let Some(given) = env::var_os("BEAM_BIN") {
        let given = PathBuf::from(given);
        if !given.is_file() {
            bail!("BEAM_BIN names {}, which is not a file", given.display());
        }
        return Ok(given);
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "-p", "beam-pilot", "--bin", "beam"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace_root())
        .stderr(Stdio::inherit())
        .kill_on_drop(true);
    if !cfg!(debug_assertions) {
        build.arg("--release");
    }
    let output = tokio::time::timeout(BUILD_WITHIN, build.output())
        .await
        .with_context(|| format!("cargo did not build beam within {BUILD_WITHIN:?}"))?
        .context("cannot run cargo to build beam")?;
    if !output.status.success() {
        bail!("cargo could not build beam; its errors are above");
    }
    executable(&String::from_utf8_lossy(&output.stdout)).context("cargo built beam but named no executable")
}

/// Cargo's messages, one JSON value a line; the last executable named is the program.
fn executable(messages: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|message| message.get("executable")?.as_str().map(PathBuf::from))
        .next_back()
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

/// Installs into `dir` and returns the path of the program.
async fn go_install(dir: &Path) -> Result<PathBuf> {
    fs::create_dir_all(dir)?;
    let dir = dir.canonicalize()?;
    let module = format!("github.com/cometbft/cometbft/cmd/cometbft@{COMETBFT_VERSION}");
    let mut install = Command::new("go");
    install
        .args(["install", &module])
        .env("GOBIN", &dir)
        // No C compiler needed, and the same program on every machine.
        .env("CGO_ENABLED", "0")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = match tokio::time::timeout(INSTALL_WITHIN, install.output()).await {
        Err(_) => bail!("go did not install CometBFT within {INSTALL_WITHIN:?}"),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "the lab needs CometBFT {COMETBFT_VERSION} and there is no `go` to install it with: install Go 1.22 or \
             newer from your system's packages, or put the program at {}",
            target_dir().join("tools").join(format!("cometbft-{COMETBFT_VERSION}/cometbft")).display()
        ),
        Ok(output) => output.context("cannot run go")?,
    };
    if !output.status.success() {
        bail!("`go install {module}` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(dir.join("cometbft"))
}

/// Holds the lock file of `what` until dropped. The kernel releases it when the holder dies.
pub(crate) async fn lock(path: &Path, what: &str, progress: &impl Fn(&str)) -> Result<File> {
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let mut told = false;
    wait::until(&format!("another process to finish installing {what}"), INSTALL_WITHIN, || {
        let attempt = match file.try_lock() {
            Ok(()) => Ok(Some(())),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error.into()),
        };
        if matches!(attempt, Ok(None)) && !told {
            progress(&format!("another process is installing {what}; waiting for it"));
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

    #[test]
    fn the_last_executable_cargo_names_is_the_program() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                        {\"reason\":\"compiler-artifact\",\"executable\":\"/t/debug/beam\"}\n\
                        {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some(PathBuf::from("/t/debug/beam")));
        assert_eq!(executable("not json\n"), None);
    }
}
