//! The register of the model: one cell, one winner, versions that grow by one. Whatever a mistake in a store would be is one edit here.

use std::sync::Arc;

use beam_core::register::Version;
use beam_core::signing::{Record, View};

/// Writes if the version is still the expected one, and says whether it did.
#[must_use]
pub(super) fn swap(cell: &mut Arc<View>, expected: Version, record: &Record) -> bool {
    if !fits(cell, expected, record) {
        return false;
    }
    let Some(version) = cell.version.next() else {
        return false;
    };
    *cell = Arc::new(View { version, record: record.clone() });
    true
}

/// Whether this write would win now.
#[must_use]
pub(super) fn fits(cell: &View, expected: Version, _record: &Record) -> bool {
    cell.version == expected
}

/// Whether this write can win at any time from now on, if versions only grow.
#[must_use]
pub(super) fn may_yet_fit(cell: &View, expected: Version, record: &Record) -> bool {
    fits(cell, expected, record) || cell.version < expected
}
