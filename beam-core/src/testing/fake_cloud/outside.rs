//! What people and accidents do to a cloud, past its trait.

use super::agenda::Change;
use super::{FakeCloud, lock};
use crate::cloud_provider::{
    CloudError, FleetTag, InstanceId, InstanceState, SnapshotId, SnapshotState, VolumeId, VolumeState, Zone,
};

impl FakeCloud {
    /// A person launches a machine with the fleet's tag, and gives it no role, name or token.
    pub fn launch_by_hand(&self, fleet: &FleetTag, zone: &Zone) -> InstanceId {
        let mut world = lock(&self.world);
        let id = world.put_instance(fleet, zone.clone());
        world.keep_view();
        id
    }

    /// A person, or the cloud itself, ends a machine, whatever its role.
    ///
    /// # Errors
    /// [`CloudError::NotFound`].
    pub fn end_by_hand(&self, instance: &InstanceId) -> Result<(), CloudError> {
        let mut world = lock(&self.world);
        let done = world.end(instance);
        world.keep_view();
        done
    }

    /// A person stops a machine that runs. It keeps its disks and its address.
    ///
    /// # Errors
    /// [`CloudError::NotFound`], or `NotReady` if it does not run.
    pub fn stop_by_hand(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.change_by_hand(instance, InstanceState::Running, InstanceState::Stopped)
    }

    /// A person starts a stopped machine: it is pending, and runs later.
    ///
    /// # Errors
    /// [`CloudError::NotFound`], or `NotReady` if it is not stopped.
    pub fn start_by_hand(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.change_by_hand(instance, InstanceState::Stopped, InstanceState::Pending)?;
        let mut world = lock(&self.world);
        let boot = world.delays.boot;
        world.later(boot, Change::Runs(instance.clone()));
        Ok(())
    }

    /// A volume that is being made fails. Nothing happens to any other.
    pub fn fail_volume(&self, volume: &VolumeId) {
        let mut world = lock(&self.world);
        if let Ok(found) = world.volume(volume)
            && found.state == VolumeState::Creating
        {
            found.state = VolumeState::Failed;
        }
        world.keep_view();
    }

    /// A snapshot that is not complete fails. Nothing happens to any other.
    pub fn fail_snapshot(&self, snapshot: &SnapshotId) {
        let mut world = lock(&self.world);
        if let Some(owned) = world.things.snapshots.get_mut(snapshot)
            && owned.thing.state != SnapshotState::Complete
        {
            owned.thing.state = SnapshotState::Failed;
        }
        world.keep_view();
    }

    fn change_by_hand(
        &self,
        instance: &InstanceId,
        from: InstanceState,
        to: InstanceState,
    ) -> Result<(), CloudError> {
        let mut world = lock(&self.world);
        let found = world.instance(instance)?;
        if found.state != from {
            return Err(CloudError::NotReady(format!("{instance} is {:?}", found.state)));
        }
        found.state = to;
        world.keep_view();
        Ok(())
    }
}
