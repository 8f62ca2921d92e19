//! What was asked of S3, counted: it is billed by the request.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts, as it goes.
#[derive(Debug, Default)]
pub struct Calls {
    reads: AtomicU64,
    writes: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// GET, also of what is not there.
    pub reads: u64,
    /// PUT, won or lost.
    pub writes: u64,
}

impl Calls {
    pub(super) fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn counted(&self) -> Counted {
        Counted { reads: self.reads.load(Ordering::Relaxed), writes: self.writes.load(Ordering::Relaxed) }
    }
}
