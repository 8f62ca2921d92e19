//! The chain's own commands, which end by themselves.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

/// They write files or send one transaction.
const COMMAND_WITHIN: Duration = Duration::from_secs(60);

/// Runs `program` with `arguments` and returns what it printed.
///
/// # Errors
/// When it cannot run, fails, or takes longer than a minute.
pub(crate) async fn run(program: &Path, arguments: &[&str]) -> Result<String> {
    let what = || format!("`{} {}`", program.display(), arguments.join(" "));
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(COMMAND_WITHIN, command.output())
        .await
        .with_context(|| format!("{} did not end within {COMMAND_WITHIN:?}", what()))?
        .with_context(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        // An SDK chain prints its usage first, 80 lines of it, and what went wrong last.
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
        bail!("{} failed: {last}", what());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
