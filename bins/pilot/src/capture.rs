//! The node's output, captured while the pilot runs.

use anyhow::{Context, Result};
use beam_core::logs::Limits;
use beam_core::logs::address::Address;
use beam_gaia::logs::{CaptureConfig, CaptureState, CaptureThread, LogFolder};
use tokio::sync::watch;

use crate::config::Config;

/// Begins to capture; before the node is started, so that its first words have their time. `own` is the validator's address, on a
/// validator.
pub(crate) fn start(config: &Config, own: Option<Address>) -> Result<CaptureThread> {
    let limits = limits(config);
    let folder = LogFolder::new(config.own("logs"));
    let at = folder.path().display().to_string();
    CaptureThread::start(CaptureConfig { folder, limits, own })
        .with_context(|| format!("the node's output cannot be captured in {at}"))
}

/// When files are closed and removed.
pub(crate) fn limits(config: &Config) -> Limits {
    const MIB: u64 = 1024 * 1024;
    let logs = &config.logs;
    Limits {
        rotate_bytes: logs.rotate_mib.saturating_mul(MIB),
        rotate_after: logs.rotate_after,
        total_bytes: logs.total_mib.saturating_mul(MIB),
    }
}

/// Says when the log cannot be written, and when it can again. Ends with the capture.
pub(crate) async fn tell(mut state: watch::Receiver<CaptureState>) {
    let mut told = None;
    while state.changed().await.is_ok() {
        let CaptureState { dropped, trouble, .. } = state.borrow_and_update().clone();
        match &trouble {
            _ if trouble == told => continue,
            Some(trouble) => tracing::error!(trouble, dropped, "the node's output waits"),
            None => tracing::info!(dropped, "the node's output is written down again"),
        }
        told = trouble;
    }
}
