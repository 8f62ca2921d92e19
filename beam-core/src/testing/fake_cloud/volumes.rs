//! Disks: they are made, filled, held and deleted.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::agenda::Change;
use super::views::Owned;
use super::world::World;
use super::{FakeCloud, not_found};
use crate::cloud_provider::{
    CloudError, FleetTag, InstanceId, SnapshotState, Volume, VolumeId, VolumeOrigin, VolumeRequest,
    VolumeSource, VolumeState, Zone,
};

/// The rates that can be asked for, in MiB/s, as on AWS (EBS user guide, "Initialize volumes").
const RATES_MIB_PER_S: RangeInclusive<u32> = 100..=300;

/// What a disk has beyond what is listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Disk {
    /// Whether it goes when its machine ends: it was launched with it, and never detached since.
    goes_with_machine: bool,
    size_mib: u64,
    /// Since when it is being filled, and how many MiB a second; `None` if it is full.
    filling: Option<(Duration, u32)>,
}

impl Disk {
    pub(super) const fn full(size_gib: u32) -> Self {
        // 2^32 GiB are 2^42 MiB: no overflow.
        Self { goes_with_machine: false, size_mib: size_gib as u64 * 1024, filling: None }
    }

    /// The same, and it goes with the machine that has it.
    pub(super) const fn with_machine(self) -> Self {
        Self { goes_with_machine: true, ..self }
    }

    /// The same, filled from now on.
    pub(super) const fn lazy(self, now: Duration, rate_mib_per_s: Option<u32>) -> Self {
        let rate = match rate_mib_per_s {
            Some(rate) => rate,
            None => FakeCloud::LAZY_RATE_MIB_PER_S,
        };
        Self { filling: Some((now, rate)), ..self }
    }

    fn filled_mib(&self, now: Duration) -> u64 {
        let Some((since, rate)) = self.filling else { return self.size_mib };
        now.saturating_sub(since).as_secs().saturating_mul(u64::from(rate)).min(self.size_mib)
    }
}

impl World {
    pub(super) fn volume(&mut self, id: &VolumeId) -> Result<&mut Volume, CloudError> {
        self.things.volumes.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    pub(super) fn filled_mib(&self, id: &VolumeId) -> Option<u64> {
        self.disks.get(id).map(|disk| disk.filled_mib(self.clock))
    }

    /// One more volume, that is being made.
    pub(super) fn put_volume(
        &mut self,
        fleet: &FleetTag,
        zone: &Zone,
        size_gib: u32,
        made_from: Option<VolumeOrigin>,
        disk: Disk,
    ) -> VolumeId {
        let id = VolumeId::new(format!("vol-{:017x}", self.next()));
        let thing = Volume {
            id: id.clone(),
            token: None,
            zone: zone.clone(),
            size_gib,
            state: VolumeState::Creating,
            attached: None,
            made_from,
            created: self.now(),
        };
        self.things.volumes.insert(id.clone(), Owned { fleet: fleet.clone(), thing });
        self.disks.insert(id.clone(), disk);
        self.later(self.delays.volume, Change::Made(id.clone()));
        id
    }

    pub(super) fn create_volume(&mut self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        self.write()?;
        if let Some((before, made)) = self.requests.get(&request.token) {
            return if before == request {
                Ok(made.clone())
            } else {
                Err(CloudError::Invalid(format!("{} was used with other arguments", request.token)))
            };
        }
        let (zone, size_gib, rate, origin) = self.filled_from(&request.source)?;
        if self.things.volumes.len() >= self.quotas.volumes {
            return Err(CloudError::Quota("volumes".to_owned()));
        }
        let disk = Disk::full(size_gib).lazy(self.clock, rate);
        let id = self.put_volume(&request.fleet, &zone, size_gib, Some(origin), disk);
        self.volume(&id)?.token = Some(request.token.clone());
        self.requests.insert(request.token.clone(), (request.clone(), id.clone()));
        Ok(id)
    }

    /// Zone, size, rate and origin of what shall be made.
    fn filled_from(
        &mut self,
        source: &VolumeSource,
    ) -> Result<(Zone, u32, Option<u32>, VolumeOrigin), CloudError> {
        match source {
            VolumeSource::Volume(from) => {
                let volume = self.volume(from)?;
                match volume.state {
                    VolumeState::Available | VolumeState::InUse => {}
                    state @ (VolumeState::Creating | VolumeState::Deleting | VolumeState::Failed) => {
                        return Err(CloudError::NotReady(format!("{from} is {state:?}")));
                    }
                }
                let origin = VolumeOrigin::Volume(from.clone());
                Ok((volume.zone.clone(), volume.size_gib, None, origin))
            }
            VolumeSource::Snapshot { snapshot, zone, rate_mib_per_s } => {
                let found = self.things.snapshots.get(snapshot).ok_or_else(|| not_found(snapshot))?;
                if found.thing.state != SnapshotState::Complete {
                    return Err(CloudError::NotReady(format!("{snapshot} is {:?}", found.thing.state)));
                }
                if !FakeCloud::ZONES.contains(&zone.as_str()) {
                    return Err(CloudError::Invalid(format!("no zone {zone}")));
                }
                if let Some(rate) = rate_mib_per_s
                    && !RATES_MIB_PER_S.contains(rate)
                {
                    return Err(CloudError::Invalid(format!("a rate of {rate} MiB/s")));
                }
                let size_gib = self.sizes.get(snapshot).copied().unwrap_or(1);
                Ok((zone.clone(), size_gib, *rate_mib_per_s, VolumeOrigin::Snapshot(snapshot.clone())))
            }
        }
    }

    pub(super) fn attach_volume(&mut self, id: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        self.write()?;
        let volume = self.volume(id)?.clone();
        match &volume.attached {
            Some(instance) if instance == to && volume.state == VolumeState::InUse => {
                let held = self.instance(to)?.data_volume.as_ref() == Some(id);
                return if held { Ok(()) } else { Err(CloudError::NotReady(format!("{id} comes off {to}"))) };
            }
            Some(instance) => return Err(CloudError::InUse(format!("{id} is attached to {instance}"))),
            None => {}
        }
        let instance = self.takes_things(to)?;
        if instance.zone != volume.zone {
            return Err(CloudError::Invalid(format!("{to} is not in {}", volume.zone)));
        }
        if let Some(held) = &instance.data_volume {
            return Err(CloudError::InUse(format!("{to} has {held}")));
        }
        if volume.state != VolumeState::Available {
            return Err(CloudError::NotReady(format!("{id} is {:?}", volume.state)));
        }
        instance.data_volume = Some(id.clone());
        self.hold(id, to);
        Ok(())
    }

    /// Gives a volume to a machine.
    pub(super) fn hold(&mut self, id: &VolumeId, by: &InstanceId) {
        if let Ok(volume) = self.volume(id) {
            (volume.attached, volume.state) = (Some(by.clone()), VolumeState::InUse);
        }
    }

    pub(super) fn detach_volume(&mut self, id: &VolumeId) -> Result<(), CloudError> {
        self.write()?;
        let Some(holder) = self.volume(id)?.attached.clone() else { return Ok(()) };
        let instance = self.instance(&holder)?;
        if instance.data_volume.as_ref() == Some(id) {
            instance.data_volume = None;
            self.later(self.delays.detach, Change::CameOff(id.clone(), holder));
        }
        Ok(())
    }

    /// A volume is off its machine, and no longer goes with it.
    pub(super) fn came_off(&mut self, id: &VolumeId, from: &InstanceId) {
        let Ok(volume) = self.volume(id) else { return };
        if volume.attached.as_ref() != Some(from) {
            // It came off before, with the end of the machine, and may be somewhere else by now.
            return;
        }
        (volume.attached, volume.state) = (None, VolumeState::Available);
        if let Some(disk) = self.disks.get_mut(id) {
            disk.goes_with_machine = false;
        }
    }

    /// A machine has ended: its own disks go, the others come off.
    pub(super) fn disks_come_off(&mut self, instance: &InstanceId) {
        let held =
            self.things.volumes.values().filter(|owned| owned.thing.attached.as_ref() == Some(instance));
        let held: Vec<VolumeId> = held.map(|owned| owned.thing.id.clone()).collect();
        for id in held {
            if self.disks.get(&id).is_some_and(|disk| disk.goes_with_machine) {
                self.volume_gone(&id);
            } else {
                self.came_off(&id, instance);
            }
        }
    }

    pub(super) fn delete_volume(&mut self, id: &VolumeId) -> Result<(), CloudError> {
        self.write()?;
        let volume = self.volume(id)?;
        if let Some(instance) = &volume.attached {
            return Err(CloudError::InUse(format!("{id} is attached to {instance}")));
        }
        match volume.state {
            VolumeState::Deleting => return Ok(()),
            VolumeState::Creating => return Err(CloudError::NotReady(format!("{id} is being made"))),
            VolumeState::Available | VolumeState::InUse | VolumeState::Failed => {}
        }
        volume.state = VolumeState::Deleting;
        self.later(self.delays.delete, Change::Gone(id.clone()));
        Ok(())
    }

    pub(super) fn volume_gone(&mut self, id: &VolumeId) {
        self.disks.remove(id);
        if let Some(token) = self.things.volumes.remove(id).and_then(|owned| owned.thing.token) {
            self.requests.remove(&token);
        }
    }
}
