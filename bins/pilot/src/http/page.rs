//! What the agent answers with: made once a report, however many ask.

use std::time::{Duration, Instant};

use hyper::body::Bytes;

use crate::metrics;
use crate::report::Report;

/// The last report, and both of its renderings.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) report: Report,
    /// When it came. By a clock that nobody can set.
    heard: Instant,
    pub(super) status: Bytes,
    pub(super) metrics: Bytes,
}

impl Page {
    /// The page of a report that came at `heard`.
    pub(super) fn new(report: Report, heard: Instant) -> Self {
        // A report has no keys but strings and no numbers but finite ones: there is nothing that could fail.
        let status = serde_json::to_vec_pretty(&report).unwrap_or_default();
        let metrics = metrics::render(&report);
        Self { report, heard, status: status.into(), metrics: metrics.into() }
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.heard)
    }
}
