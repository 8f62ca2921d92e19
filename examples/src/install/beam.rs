//! The `beam` of this checkout.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::process::Command;

use super::workspace_root;

/// A cold build of the pilot, with others building on the same cores.
const BUILD_WITHIN: Duration = Duration::from_secs(30 * 60);

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
