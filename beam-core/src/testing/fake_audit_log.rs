//! An audit log in memory.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::lock;
use crate::audit_log::AuditLog;
use crate::register::Cause;
use crate::signing::Release;

/// Keeps every release, in order.
#[derive(Debug, Default)]
pub struct FakeAuditLog {
    releases: Mutex<Vec<Release>>,
    failing: AtomicBool,
}

impl FakeAuditLog {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was written down.
    #[must_use]
    pub fn releases(&self) -> Vec<Release> {
        lock(&self.releases).clone()
    }

    /// Makes it fail, as on a full disk, or work again.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }
}

impl AuditLog for FakeAuditLog {
    fn released(&self, release: &Release) -> Result<(), Cause> {
        if self.failing.load(Ordering::Relaxed) {
            return Err("told to fail".into());
        }
        lock(&self.releases).push(release.clone());
        Ok(())
    }
}
