//! What the cloud does by itself, later.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::cloud_provider::{AddressId, InstanceId, SnapshotId, VolumeId};

/// Something that happens by itself, if nothing came between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Runs(InstanceId),
    Ended(InstanceId),
    Forgotten(InstanceId),
    Made(VolumeId),
    CameOff(VolumeId, InstanceId),
    Gone(VolumeId),
    Complete(SnapshotId),
    /// Traffic to an address arrives where the address is by now.
    Follows(AddressId),
}

/// By time; what is due at one moment happens in the order it was put down.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    put_down: u64,
    changes: BTreeMap<(Duration, u64), Change>,
}

impl Agenda {
    pub(super) fn put(&mut self, at: Duration, change: Change) {
        self.put_down = self.put_down.saturating_add(1);
        self.changes.insert((at, self.put_down), change);
    }

    /// The next change due by `now`, and when it is.
    pub(super) fn due(&mut self, now: Duration) -> Option<(Duration, Change)> {
        let first = self.changes.first_entry()?;
        (first.key().0 <= now).then(|| (first.key().0, first.remove()))
    }

    /// When the next change is.
    pub(super) fn next(&self) -> Option<Duration> {
        self.changes.keys().next().map(|(at, _)| *at)
    }

    /// When the last change is that is more than forgetting.
    pub(super) fn settled(&self) -> Option<Duration> {
        let mut works =
            self.changes.iter().rev().filter(|(_, change)| !matches!(change, Change::Forgotten(_)));
        works.next().map(|((at, _), _)| *at)
    }
}
