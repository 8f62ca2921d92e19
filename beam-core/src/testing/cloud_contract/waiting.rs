//! Waiting for something that was accepted.

use std::time::Duration;

use super::harness::CloudHarness;
use crate::testing::Breach;

/// The first pause between two looks; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Waits for something, but not for ever.
pub(super) struct Waiting<'h> {
    harness: &'h dyn CloudHarness,
    what: &'static str,
    pause: Duration,
    waited: Duration,
}

impl<'h> Waiting<'h> {
    pub(super) fn new(harness: &'h dyn CloudHarness, what: &'static str) -> Self {
        Self { harness, what, pause: PAUSE_MIN, waited: Duration::ZERO }
    }

    /// Waits a little, or gives up, saying what there was instead.
    pub(super) async fn more(&mut self, seen: &(impl std::fmt::Debug + Sync)) -> Result<(), Breach> {
        let patience = self.harness.patience();
        ensure!(self.waited < patience, "after {patience:?} {} is not seen, but {seen:?}", self.what);
        self.harness.wait(self.pause).await;
        self.waited = self.waited.saturating_add(self.pause);
        self.pause = self.pause.saturating_mul(2).min(PAUSE_MAX);
        Ok(())
    }
}
