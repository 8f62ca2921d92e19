//! What was asked of DynamoDB, counted: it is billed by the request.

use std::sync::atomic::{AtomicU64, Ordering};

use super::cost::{read_units, write_units};

/// Counts, as it goes.
#[derive(Debug, Default)]
pub struct Calls {
    reads: AtomicU64,
    read_units: AtomicU64,
    writes: AtomicU64,
    write_units: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Strongly consistent reads.
    pub reads: u64,
    /// What they are billed as: one unit for each 4 KB begun.
    pub read_units: u64,
    /// Conditional writes, won or lost.
    pub writes: u64,
    /// What they are billed as: one unit for each 1 KB begun, a lost one too.
    pub write_units: u64,
}

impl Calls {
    /// A read of an item of so many bytes.
    pub(super) fn read(&self, size: usize) {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.read_units.fetch_add(read_units(size), Ordering::Relaxed);
    }

    /// A write of one.
    pub(super) fn write(&self, size: usize) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.write_units.fetch_add(write_units(size), Ordering::Relaxed);
    }

    pub(super) fn counted(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted {
            reads: of(&self.reads),
            read_units: of(&self.read_units),
            writes: of(&self.writes),
            write_units: of(&self.write_units),
        }
    }
}
