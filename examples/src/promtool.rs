//! Prometheus' own checker, from Debian's package `prometheus`: what it accepts, a Prometheus accepts.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::install::tool;

/// Some 20 MB from the nearest mirror.
const INSTALL_WITHIN: Duration = Duration::from_secs(5 * 60);
/// A check takes a second.
const CHECK_WITHIN: Duration = Duration::from_secs(60);

const WHAT_TO_DO: &str = "put `promtool` on the PATH (it comes with Prometheus, 2.40 or newer), or run this where `apt-get download \
                          prometheus` works (as root once: apt-get update)";

/// The program.
#[derive(Debug, Clone)]
pub struct Promtool(PathBuf);

/// The `promtool` on the PATH, or else that of the system's package lists, unpacked into the target folder.
///
/// # Errors
/// When neither can be had; the message says what to do.
pub async fn install(progress: impl Fn(&str)) -> Result<Promtool> {
    if let Some(found) = on_path() {
        return Ok(Promtool(found));
    }
    let home = tool("prometheus", "promtool", &progress, async |dir| {
        unpack(dir).await.with_context(|| format!("there is no promtool; {WHAT_TO_DO}"))
    });
    let program = home.await?.join("usr/bin/promtool");
    ensure!(program.is_file(), "the package `prometheus` has no promtool; {WHAT_TO_DO}");
    Ok(Promtool(program))
}

fn on_path() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join("promtool")).find(|file| file.is_file())
}

/// Fills `dir` with the package's files.
async fn unpack(dir: &Path) -> Result<()> {
    download(dir).await?;
    let package = fs::read_dir(dir)?.flatten().map(|entry| entry.path());
    let package = package.filter(|path| path.extension() == Some(OsStr::new("deb"))).last();
    let package = package.context("`apt-get download prometheus` gave no package")?;
    run(Command::new("dpkg-deb").arg("-x").arg(&package).arg(dir), INSTALL_WITHIN).await?;
    Ok(fs::remove_file(package)?)
}

/// A new machine has no package lists yet, and one that is not root cannot fetch them.
async fn download(into: &Path) -> Result<()> {
    let download = || async {
        run(Command::new("apt-get").args(["download", "prometheus"]).current_dir(into), INSTALL_WITHIN).await
    };
    if download().await.is_err() {
        let _ = run(Command::new("apt-get").args(["update", "-qq"]), INSTALL_WITHIN).await;
        download().await?;
    }
    Ok(())
}

impl Promtool {
    /// `promtool check metrics`: what a `/metrics` answers.
    ///
    /// # Errors
    /// When it finds a fault, however small.
    pub async fn check_metrics(&self, text: &str) -> Result<()> {
        self.run(["check", "metrics"].map(OsStr::new), text).await
    }

    /// `promtool check rules`: alert rules.
    ///
    /// # Errors
    /// When it finds a fault.
    pub async fn check_rules(&self, file: &Path) -> Result<()> {
        self.run([OsStr::new("check"), OsStr::new("rules"), OsStr::new("--lint-fatal"), file.as_os_str()], "")
            .await
    }

    /// `promtool test rules`: unit tests of alert rules.
    ///
    /// # Errors
    /// When one fails.
    pub async fn test_rules(&self, file: &Path) -> Result<()> {
        self.run([OsStr::new("test"), OsStr::new("rules"), file.as_os_str()], "").await
    }

    async fn run<const N: usize>(&self, arguments: [&OsStr; N], input: &str) -> Result<()> {
        let mut command = Command::new(&self.0);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.kill_on_drop(true).spawn().context("cannot run promtool")?;
        let mut stdin = child.stdin.take().context("promtool has no input")?;
        let checking = async {
            stdin.write_all(input.as_bytes()).await?;
            drop(stdin);
            anyhow::Ok(child.wait_with_output().await?)
        };
        let output =
            tokio::time::timeout(CHECK_WITHIN, checking).await.context("promtool does not end")??;
        good(&format!("promtool {}", arguments.join(OsStr::new(" ")).display()), &output)
    }
}

async fn run(command: &mut Command, within: Duration) -> Result<()> {
    let what = format!("{:?}", command.as_std());
    let running = command.stdin(Stdio::null()).kill_on_drop(true).output();
    match tokio::time::timeout(within, running).await {
        Err(_) => bail!("{what} did not end within {within:?}"),
        Ok(output) => good(&what, &output.with_context(|| format!("cannot run {what}"))?),
    }
}

/// `check metrics` tells small faults by its exit code as well.
fn good(what: &str, output: &Output) -> Result<()> {
    if !output.status.success() {
        let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned());
        bail!("{what} failed:\n{}", said.concat().trim());
    }
    Ok(())
}
