//! CometBFT itself, for chains whose application does not matter.

use std::path::{Path, PathBuf};

use anyhow::Result;
use tokio::process::Command;

use super::{go, tool};

/// The CometBFT release every lab runs: the one the Cosmos Hub's current gaiad is built on.
pub const COMETBFT_VERSION: &str = "v0.38.23";

/// The pinned CometBFT, installed first if it is missing. `progress` is told in a line what takes long.
///
/// # Errors
/// When `go` is absent or fails; the message says what to do.
pub async fn cometbft(progress: impl Fn(&str)) -> Result<PathBuf> {
    let what = format!("CometBFT {COMETBFT_VERSION}");
    let name = format!("cometbft-{COMETBFT_VERSION}");
    let module = format!("github.com/cometbft/cometbft/cmd/cometbft@{COMETBFT_VERSION}");
    let install =
        async |dir: &Path| go(Command::new("go").args(["install", &module]).env("GOBIN", dir), &what).await;
    Ok(tool(&name, &what, &progress, install).await?.join("cometbft"))
}
