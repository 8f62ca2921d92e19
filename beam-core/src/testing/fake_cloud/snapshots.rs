//! Snapshots of disks.

use std::time::Duration;

use super::agenda::Change;
use super::not_found;
use super::views::{Owned, listed};
use super::world::World;
use crate::cloud_provider::{
    CloudError, FleetTag, Snapshot, SnapshotId, SnapshotRequest, SnapshotState, VolumeState,
};

/// What a snapshot has beyond what is listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copied {
    /// How large the disk was, in GiB.
    size_gib: u32,
    begun: Duration,
    takes: Duration,
}

impl Copied {
    /// How much is copied. Not all, as long as it is not complete.
    fn percent(&self, now: Duration) -> u8 {
        let passed = now.saturating_sub(self.begun).as_millis().saturating_mul(100);
        let percent = passed.checked_div(self.takes.as_millis()).unwrap_or(0);
        u8::try_from(percent).unwrap_or(u8::MAX).min(99)
    }
}

impl World {
    /// How large a disk from a snapshot is, in GiB.
    pub(super) fn copied_gib(&self, id: &SnapshotId) -> u32 {
        self.copies.get(id).map_or(0, |copied| copied.size_gib)
    }

    /// What a list of snapshots shows.
    pub(super) fn snapshots(&mut self, fleet: &FleetTag) -> Vec<Snapshot> {
        let mut found = listed(&self.shown().snapshots, fleet);
        for snapshot in &mut found {
            if let (SnapshotState::Pending { percent }, Some(copied)) =
                (&mut snapshot.state, self.copies.get(&snapshot.id))
            {
                *percent = copied.percent(self.clock);
            }
        }
        found
    }

    pub(super) fn take_snapshot(&mut self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        // The cloud keeps no tokens of snapshots: whoever asks looks for the tag, in a list.
        self.read()?;
        let token = Some(&request.token);
        let made = self.shown().snapshots.values().find(|owned| owned.thing.token.as_ref() == token);
        if let Some(made) = made {
            return Ok(made.thing.id.clone());
        }
        self.write()?;
        let volume = self.volume(&request.volume)?;
        let size_gib = volume.size_gib;
        match volume.state {
            VolumeState::Available | VolumeState::InUse => {}
            state @ (VolumeState::Creating | VolumeState::Deleting | VolumeState::Failed) => {
                return Err(CloudError::NotReady(format!("{} is {state:?}", request.volume)));
            }
        }
        if self.things.snapshots.len() >= self.quotas.snapshots {
            return Err(CloudError::Quota("snapshots".to_owned()));
        }
        let id = SnapshotId::new(format!("snap-{:017x}", self.next()));
        let thing = Snapshot {
            id: id.clone(),
            token: Some(request.token.clone()),
            chain: request.chain.clone(),
            height: request.height,
            taken: self.now(),
            state: SnapshotState::Pending { percent: 0 },
        };
        self.things.snapshots.insert(id.clone(), Owned { fleet: request.fleet.clone(), thing });
        let copied = Copied { size_gib, begun: self.clock, takes: self.delays.snapshot };
        self.copies.insert(id.clone(), copied);
        self.later(self.delays.snapshot, Change::Complete(id.clone()));
        Ok(id)
    }

    pub(super) fn delete_snapshot(&mut self, id: &SnapshotId) -> Result<(), CloudError> {
        self.write()?;
        self.copies.remove(id);
        self.things.snapshots.remove(id).map(drop).ok_or_else(|| not_found(id))
    }
}
