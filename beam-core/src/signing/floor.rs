//! The floor: the highest mark that one signer has seen, kept on its own disk.
//!
//! The register is the truth, but a register can be put back: a table restored from a backup, a file copied over.
//! A signer that remembers more than the register holds knows that this happened, and stops.

use crate::id::Lineage;
use crate::signing::{Mark, Record};

/// The highest mark seen, with its bytes, in one lineage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Floor {
    /// The lineage that this signer is pinned to.
    pub lineage: Lineage,
    /// The highest mark it has seen there.
    pub mark: Mark,
    /// The sign bytes at that mark: a register with other bytes at the same mark was put back and went another way.
    pub bytes: Vec<u8>,
}

/// How a record compares with the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Above {
    /// It is further than the floor, which must be raised before anything is signed.
    Higher,
    /// It is exactly what the floor remembers.
    Same,
    /// It is behind the floor, or differs from it at the same mark: it was put back.
    PutBack,
    /// It is another record altogether.
    OtherLineage,
}

impl Floor {
    /// The floor that a record amounts to.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self { lineage: record.lineage, mark: record.mark, bytes: record.bytes.clone() }
    }

    /// Compares a record with this floor.
    #[must_use]
    pub fn compare(&self, record: &Record) -> Above {
        if record.lineage != self.lineage {
            Above::OtherLineage
        } else if record.mark > self.mark {
            Above::Higher
        } else if record.mark == self.mark && record.bytes == self.bytes {
            Above::Same
        } else {
            Above::PutBack
        }
    }
}
