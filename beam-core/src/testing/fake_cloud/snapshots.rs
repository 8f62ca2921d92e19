//! Snapshots of disks.

use super::agenda::Change;
use super::not_found;
use super::views::Owned;
use super::world::World;
use crate::cloud_provider::{CloudError, Snapshot, SnapshotId, SnapshotRequest, SnapshotState, VolumeState};

impl World {
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
        self.sizes.insert(id.clone(), size_gib);
        self.later(self.delays.snapshot, Change::Complete(id.clone()));
        Ok(id)
    }

    pub(super) fn delete_snapshot(&mut self, id: &SnapshotId) -> Result<(), CloudError> {
        self.write()?;
        self.sizes.remove(id);
        self.things.snapshots.remove(id).map(drop).ok_or_else(|| not_found(id))
    }
}
