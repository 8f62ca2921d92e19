//! The trait, on the world.

use async_trait::async_trait;

use super::fault::CloudFault;
use super::views::listed;
use super::world::World;
use super::{FakeCloud, lock};
use crate::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, Launch, Snapshot,
    SnapshotId, SnapshotRequest, Token, Volume, VolumeId, VolumeRequest,
};

/// What a call does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It changes nothing, so without an answer it was as if it had not been made.
    Reads,
    Writes,
    /// It writes, and needs a machine.
    Launches,
}

impl FakeCloud {
    /// Does one call, unless its fault is in the way.
    async fn call<T>(
        &self,
        kind: Kind,
        act: impl FnOnce(&mut World) -> Result<T, CloudError> + Send,
    ) -> Result<T, CloudError> {
        let fault = lock(&self.world).faults.next();
        let unanswered = |why: &str| match kind {
            Kind::Reads => CloudError::Unavailable(why.into()),
            Kind::Writes | Kind::Launches => CloudError::OutcomeUnknown(why.into()),
        };
        match fault {
            None => self.act(kind, act),
            Some(CloudFault::LostAnswer) => {
                let _ = self.act(kind, act);
                Err(unanswered("told to lose the answer"))
            }
            Some(CloudFault::Hanging) => {
                let _ = self.act(kind, act);
                tokio::time::sleep(Self::CALL_MAX).await;
                Err(unanswered("told to hang"))
            }
            Some(CloudFault::LostRequest) => Err(unanswered("told to lose the request")),
            Some(CloudFault::Throttled) => Err(CloudError::Throttled),
            Some(CloudFault::Unavailable) => Err(CloudError::Unavailable("told to fail".into())),
            Some(CloudFault::NoCapacity) if kind == Kind::Launches => {
                Err(CloudError::NoCapacity("told to have none".to_owned()))
            }
            Some(CloudFault::NoCapacity) => self.act(kind, act),
        }
    }

    fn act<T>(
        &self,
        kind: Kind,
        act: impl FnOnce(&mut World) -> Result<T, CloudError>,
    ) -> Result<T, CloudError> {
        let mut world = lock(&self.world);
        world.catch_up();
        let done = act(&mut world);
        if kind != Kind::Reads {
            world.keep_view();
        }
        done
    }
}

#[async_trait]
impl CloudProvider for FakeCloud {
    async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError> {
        self.call(Kind::Reads, |world| {
            world.read()?;
            Ok(listed(&world.shown().instances, fleet))
        })
        .await
    }

    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError> {
        self.call(Kind::Launches, |world| world.launch(launch)).await
    }

    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.terminate(instance)).await
    }

    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError> {
        self.call(Kind::Reads, |world| {
            world.read()?;
            Ok(listed(&world.shown().addresses, fleet))
        })
        .await
    }

    async fn addresses_left(&self) -> Result<Option<u32>, CloudError> {
        self.call(Kind::Reads, |world| world.addresses_left().map(Some)).await
    }

    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError> {
        self.call(Kind::Writes, |world| world.allocate_address(fleet, token)).await
    }

    async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.move_address(address, to)).await
    }

    async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.detach_address(address)).await
    }

    async fn release_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.release_address(address)).await
    }

    async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError> {
        self.call(Kind::Reads, |world| {
            world.read()?;
            Ok(listed(&world.shown().volumes, fleet))
        })
        .await
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        self.call(Kind::Writes, |world| world.create_volume(request)).await
    }

    async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.attach_volume(volume, to)).await
    }

    async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.detach_volume(volume)).await
    }

    async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.delete_volume(volume)).await
    }

    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError> {
        self.call(Kind::Reads, |world| {
            world.read()?;
            Ok(listed(&world.shown().snapshots, fleet))
        })
        .await
    }

    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        self.call(Kind::Writes, |world| world.take_snapshot(request)).await
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError> {
        self.call(Kind::Writes, |world| world.delete_snapshot(snapshot)).await
    }
}
