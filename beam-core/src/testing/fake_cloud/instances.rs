//! Machines: they begin, run, end, and are forgotten.

use super::agenda::Change;
use super::not_found;
use super::views::Owned;
use super::volumes::Disk;
use super::world::{World, ip};
use crate::cloud_provider::{
    CloudError, FleetTag, Instance, InstanceId, InstanceState, Launch, Role, SnapshotState, VolumeOrigin,
    Zone,
};

/// How many ended machines are remembered at most, if the clock does not make them forgotten before.
const ENDED_MAX: usize = 1000;

impl World {
    pub(super) fn instance(&mut self, id: &InstanceId) -> Result<&mut Instance, CloudError> {
        self.things.instances.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    pub(super) fn launch(&mut self, launch: &Launch) -> Result<InstanceId, CloudError> {
        self.write()?;
        if let Some((before, made)) = self.launches.get(&launch.token) {
            return if before == launch {
                Ok(made.clone())
            } else {
                Err(CloudError::Invalid(format!("{} was used with other arguments", launch.token)))
            };
        }
        let template =
            self.templates.get(&launch.template).ok_or_else(|| not_found(&launch.template))?.clone();
        let mut data_gib = template.data_gib;
        if let Some(snapshot) = &launch.snapshot {
            let found = self.things.snapshots.get(snapshot).ok_or_else(|| not_found(snapshot))?;
            if found.thing.state != SnapshotState::Complete {
                return Err(CloudError::NotReady(format!("{snapshot} is {:?}", found.thing.state)));
            }
            data_gib = data_gib.max(self.sizes.get(snapshot).copied().unwrap_or(0));
        }
        self.room_for_instance(&template.zone)?;
        let id = self.put_instance(&launch.fleet, template.zone.clone());
        let disk = Disk::full(data_gib).with_machine();
        let origin = launch.snapshot.clone().map(VolumeOrigin::Snapshot);
        let disk = if origin.is_some() { disk.lazy(self.clock, None) } else { disk };
        let volume = self.put_volume(&launch.fleet, &template.zone, data_gib, origin, disk);
        self.hold(&volume, &id);
        let instance = self.instance(&id)?;
        instance.token = Some(launch.token.clone());
        instance.role = Some(launch.role);
        instance.name.clone_from(&launch.name);
        instance.data_volume = Some(volume);
        self.launches.insert(launch.token.clone(), (launch.clone(), id.clone()));
        Ok(id)
    }

    fn room_for_instance(&self, zone: &Zone) -> Result<(), CloudError> {
        let living = self
            .things
            .instances
            .values()
            .filter(|owned| owned.thing.state != InstanceState::Terminated)
            .count();
        if living >= self.quotas.instances {
            return Err(CloudError::Quota("machines".to_owned()));
        }
        if self.things.volumes.len() >= self.quotas.volumes {
            return Err(CloudError::Quota("volumes".to_owned()));
        }
        if self.full.contains(zone) {
            return Err(CloudError::NoCapacity(format!("no such machine in {zone}")));
        }
        Ok(())
    }

    /// One more machine, with no tags but its fleet's.
    pub(super) fn put_instance(&mut self, fleet: &FleetTag, zone: Zone) -> InstanceId {
        self.forget_oldest();
        let number = self.next();
        let id = InstanceId::new(format!("i-{number:017x}"));
        let thing = Instance {
            id: id.clone(),
            token: None,
            role: None,
            name: String::new(),
            state: InstanceState::Pending,
            zone,
            private_address: Some(ip(10, number)),
            public_address: None,
            data_volume: None,
            launched: self.now(),
        };
        self.things.instances.insert(id.clone(), Owned { fleet: fleet.clone(), thing });
        self.later(self.delays.boot, Change::Runs(id.clone()));
        id
    }

    fn forget_oldest(&mut self) {
        let ended = |owned: &&Owned<Instance>| owned.thing.state == InstanceState::Terminated;
        if self.things.instances.values().filter(ended).count() < ENDED_MAX {
            return;
        }
        // Names grow, so the first is the oldest.
        if let Some(oldest) = self.things.instances.values().find(ended).map(|owned| owned.thing.id.clone())
            && let Some(token) = self.things.instances.remove(&oldest).and_then(|owned| owned.thing.token)
        {
            self.launches.remove(&token);
        }
    }

    pub(super) fn runs(&mut self, id: &InstanceId) {
        if let Ok(instance) = self.instance(id)
            && instance.state == InstanceState::Pending
        {
            instance.state = InstanceState::Running;
            self.pass_address(id);
        }
    }

    /// Gives a machine without an address a passing one, if its subnet does so.
    pub(super) fn pass_address(&mut self, id: &InstanceId) {
        if self.gives_addresses {
            let passing = ip(198, self.next());
            if let Ok(instance) = self.instance(id)
                && instance.state == InstanceState::Running
                && instance.public_address.is_none()
            {
                instance.public_address = Some(passing);
            }
        }
    }

    pub(super) fn terminate(&mut self, id: &InstanceId) -> Result<(), CloudError> {
        self.read()?;
        let instance = self.instance(id)?;
        if instance.role != Some(Role::Sentry) {
            return Err(CloudError::Protected(format!("{id} has the role {:?}", instance.role)));
        }
        self.write()?;
        self.end(id)
    }

    /// Whoever asks.
    pub(super) fn end(&mut self, id: &InstanceId) -> Result<(), CloudError> {
        let instance = self.instance(id)?;
        if !matches!(instance.state, InstanceState::Ending | InstanceState::Terminated) {
            instance.state = InstanceState::Ending;
            self.later(self.delays.end, Change::Ended(id.clone()));
        }
        Ok(())
    }

    /// It holds nothing any more.
    pub(super) fn ended(&mut self, id: &InstanceId) {
        if let Ok(instance) = self.instance(id) {
            instance.state = InstanceState::Terminated;
            instance.public_address = None;
            instance.data_volume = None;
        }
        self.addresses_come_off(id);
        self.disks_come_off(id);
        self.later(self.delays.remembered, Change::Forgotten(id.clone()));
    }
}
