//! A cloud in memory.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::lock;
use crate::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, InstanceState, Launch,
    Role, Snapshot, SnapshotId, SnapshotRequest, SnapshotState, Token, Volume, VolumeId, VolumeOrigin,
    VolumeRequest, VolumeSource, VolumeState, Zone,
};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudFault {
    /// It is done, and the answer is lost.
    LostAnswer,
    /// It is not done, and nobody knows.
    LostRequest,
    /// Too many calls; not done.
    Throttled,
    /// Out of reach; not done.
    Unavailable,
    /// No machines left; not done.
    NoCapacity,
}

/// Keeps the contract of [`CloudProvider`]. What was accepted gets further only by [`FakeCloud::settle`]: until then a
/// machine that was launched is pending, a volume is being made, and a snapshot is incomplete. Takes every template.
#[derive(Debug, Default)]
pub struct FakeCloud {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    made: u32,
    clock: Duration,
    instances: BTreeMap<InstanceId, Owned<Instance>>,
    addresses: BTreeMap<AddressId, Owned<Address>>,
    volumes: BTreeMap<VolumeId, Owned<Volume>>,
    snapshots: BTreeMap<SnapshotId, Owned<Snapshot>>,
    faults: VecDeque<Option<CloudFault>>,
    addresses_max: Option<usize>,
    instances_max: Option<usize>,
}

#[derive(Debug)]
struct Owned<T> {
    fleet: FleetTag,
    thing: T,
}

impl FakeCloud {
    /// How many addresses an account has at first, as on AWS.
    pub const ADDRESSES_MAX: usize = 5;

    /// A cloud where nothing is.
    #[must_use]
    pub fn new() -> Self {
        let cloud = Self::default();
        lock(&cloud.state).addresses_max = Some(Self::ADDRESSES_MAX);
        cloud
    }

    /// What happens to the next calls, one after the other; `None` lets one through.
    pub fn script(&self, faults: impl IntoIterator<Item = Option<CloudFault>>) {
        lock(&self.state).faults.extend(faults);
    }

    /// Sets how many machines there may be.
    pub fn set_instances_max(&self, max: usize) {
        lock(&self.state).instances_max = Some(max);
    }

    /// Lets the cloud's clock, which gives launch and snapshot times, go on. It begins in 1970.
    pub fn advance(&self, by: Duration) {
        let mut state = lock(&self.state);
        state.clock = state.clock.saturating_add(by);
    }

    /// Finishes what was accepted: what is pending runs, and snapshots are complete.
    pub fn settle(&self) {
        let mut state = lock(&self.state);
        for Owned { thing, .. } in state.instances.values_mut() {
            if thing.state == InstanceState::Pending {
                thing.state = InstanceState::Running;
            }
        }
        for Owned { thing, .. } in state.volumes.values_mut() {
            if thing.state == VolumeState::Creating {
                thing.state = VolumeState::Available;
            }
        }
        state.snapshots.values_mut().for_each(|owned| owned.thing.state = SnapshotState::Complete);
    }

    /// Sets a machine's state, as an accident in the cloud would. Nothing happens if it is not there.
    pub fn set_state(&self, instance: &InstanceId, to: InstanceState) {
        if let Some(found) = lock(&self.state).instances.get_mut(instance) {
            found.thing.state = to;
        }
    }

    /// Does one call, unless its fault is in the way.
    fn call<T>(&self, act: impl FnOnce(&mut State) -> Result<T, CloudError>) -> Result<T, CloudError> {
        let mut state = lock(&self.state);
        match state.faults.pop_front().flatten() {
            None => act(&mut state),
            Some(CloudFault::LostAnswer) => {
                let _ = act(&mut state);
                Err(CloudError::OutcomeUnknown("told to lose the answer".into()))
            }
            Some(CloudFault::LostRequest) => {
                Err(CloudError::OutcomeUnknown("told to lose the request".into()))
            }
            Some(CloudFault::Throttled) => Err(CloudError::Throttled),
            Some(CloudFault::Unavailable) => Err(CloudError::Unavailable("told to fail".into())),
            Some(CloudFault::NoCapacity) => Err(CloudError::NoCapacity("told to have none".to_owned())),
        }
    }
}

impl State {
    const ZONE: &str = "zone-a";
    const SIZE_GIB: u32 = 500;

    fn next(&mut self) -> u32 {
        self.made = self.made.saturating_add(1);
        self.made
    }

    fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH.checked_add(self.clock).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    fn instance(&mut self, id: &InstanceId) -> Result<&mut Instance, CloudError> {
        self.instances.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    fn address(&mut self, id: &AddressId) -> Result<&mut Address, CloudError> {
        self.addresses.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    fn volume(&mut self, id: &VolumeId) -> Result<&mut Volume, CloudError> {
        self.volumes.get_mut(id).map(|owned| &mut owned.thing).ok_or_else(|| not_found(id))
    }

    /// Whether an address or a volume can be attached to a machine.
    fn takes_things(&mut self, id: &InstanceId) -> Result<&mut Instance, CloudError> {
        let instance = self.instance(id)?;
        match instance.state {
            InstanceState::Running | InstanceState::Stopped => Ok(instance),
            state @ (InstanceState::Pending | InstanceState::Ending | InstanceState::Terminated) => {
                Err(CloudError::NotReady(format!("{id} is {state:?}")))
            }
        }
    }

    fn create_volume(&mut self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        let token = Some(&request.token);
        if let Some(made) = self.volumes.values().find(|owned| owned.thing.token.as_ref() == token) {
            return Ok(made.thing.id.clone());
        }
        let (zone, size_gib, origin) = match &request.source {
            VolumeSource::Volume(from) => {
                let from = self.volume(from)?;
                (from.zone.clone(), from.size_gib, VolumeOrigin::Volume(from.id.clone()))
            }
            VolumeSource::Snapshot { snapshot, zone, rate_mib_per_s } => {
                let found = self.snapshots.get(snapshot).ok_or_else(|| not_found(snapshot))?;
                if found.thing.state != SnapshotState::Complete {
                    return Err(CloudError::NotReady(format!("{snapshot} is not complete")));
                }
                if rate_mib_per_s.is_some_and(|rate| !(100..=300).contains(&rate)) {
                    return Err(CloudError::Invalid("rate".to_owned()));
                }
                (zone.clone(), Self::SIZE_GIB, VolumeOrigin::Snapshot(snapshot.clone()))
            }
        };
        let id = VolumeId::new(format!("vol-{:08x}", self.next()));
        let thing = Volume {
            id: id.clone(),
            token: Some(request.token.clone()),
            zone,
            size_gib,
            state: VolumeState::Creating,
            attached: None,
            made_from: Some(origin),
            created: self.now(),
        };
        self.volumes.insert(id.clone(), Owned { fleet: request.fleet.clone(), thing });
        Ok(id)
    }

    fn attach_volume(&mut self, id: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        let volume = self.volume(id)?.clone();
        match &volume.attached {
            Some(instance) if instance == to => return Ok(()),
            Some(instance) => return Err(CloudError::InUse(format!("{id} is attached to {instance}"))),
            None => {}
        }
        let instance = self.takes_things(to)?;
        if let Some(held) = &instance.data_volume {
            return Err(CloudError::InUse(format!("{to} has {held}")));
        }
        if instance.zone != volume.zone {
            return Err(CloudError::Invalid(format!("{to} is not in {}", volume.zone)));
        }
        if volume.state != VolumeState::Available {
            return Err(CloudError::NotReady(format!("{id} is {:?}", volume.state)));
        }
        instance.data_volume = Some(id.clone());
        let volume = self.volume(id)?;
        (volume.attached, volume.state) = (Some(to.clone()), VolumeState::InUse);
        Ok(())
    }

    fn detach_volume(&mut self, id: &VolumeId) -> Result<(), CloudError> {
        let volume = self.volume(id)?;
        if let Some(instance) = volume.attached.take() {
            volume.state = VolumeState::Available;
            self.instance(&instance)?.data_volume = None;
        }
        Ok(())
    }

    fn delete_volume(&mut self, id: &VolumeId) -> Result<(), CloudError> {
        if let Some(instance) = &self.volume(id)?.attached {
            return Err(CloudError::InUse(format!("{id} is attached to {instance}")));
        }
        self.volumes.remove(id);
        Ok(())
    }

    /// Takes an address from its machine, if it has one.
    fn detach(&mut self, id: &AddressId) -> Result<(), CloudError> {
        if let Some(instance) = self.address(id)?.attached.take()
            && let Ok(instance) = self.instance(&instance)
        {
            instance.public_address = None;
        }
        Ok(())
    }

    fn launch(&mut self, launch: &Launch) -> Result<InstanceId, CloudError> {
        let token = Some(&launch.token);
        if let Some(made) = self.instances.values().find(|owned| owned.thing.token.as_ref() == token) {
            return Ok(made.thing.id.clone());
        }
        if let Some(snapshot) = &launch.snapshot
            && !self.snapshots.contains_key(snapshot)
        {
            return Err(not_found(snapshot));
        }
        let living =
            self.instances.values().filter(|owned| owned.thing.state != InstanceState::Terminated).count();
        if self.instances_max.is_some_and(|max| living >= max) {
            return Err(CloudError::Quota("machines".to_owned()));
        }
        let number = self.next();
        let id = InstanceId::new(format!("i-{number:08x}"));
        let volume = Volume {
            id: VolumeId::new(format!("vol-{number:08x}")),
            token: None,
            zone: Zone::new(Self::ZONE),
            size_gib: Self::SIZE_GIB,
            state: VolumeState::InUse,
            attached: Some(id.clone()),
            made_from: launch.snapshot.clone().map(VolumeOrigin::Snapshot),
            created: self.now(),
        };
        let thing = Instance {
            id: id.clone(),
            token: Some(launch.token.clone()),
            role: Some(launch.role),
            name: launch.name.clone(),
            state: InstanceState::Pending,
            zone: volume.zone.clone(),
            private_address: Some(address(10, number)),
            public_address: None,
            data_volume: Some(volume.id.clone()),
            launched: self.now(),
        };
        self.volumes.insert(volume.id.clone(), Owned { fleet: launch.fleet.clone(), thing: volume });
        self.instances.insert(id.clone(), Owned { fleet: launch.fleet.clone(), thing });
        Ok(id)
    }

    fn terminate(&mut self, id: &InstanceId) -> Result<(), CloudError> {
        let instance = self.instance(id)?;
        if instance.role == Some(Role::Validator) {
            return Err(CloudError::Protected(format!("{id} is a validator")));
        }
        instance.state = InstanceState::Terminated;
        instance.public_address = None;
        for owned in self.addresses.values_mut().filter(|owned| owned.thing.attached.as_ref() == Some(id)) {
            owned.thing.attached = None;
        }
        self.volumes
            .retain(|_, owned| owned.thing.token.is_some() || owned.thing.attached.as_ref() != Some(id));
        for owned in self.volumes.values_mut().filter(|owned| owned.thing.attached.as_ref() == Some(id)) {
            (owned.thing.attached, owned.thing.state) = (None, VolumeState::Available);
        }
        Ok(())
    }

    fn allocate_address(&mut self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError> {
        if let Some(made) = self.addresses.values().find(|owned| owned.thing.token.as_ref() == Some(token)) {
            return Ok(made.thing.id.clone());
        }
        if self.addresses_max.is_some_and(|max| self.addresses.len() >= max) {
            return Err(CloudError::Quota("addresses".to_owned()));
        }
        let number = self.next();
        let id = AddressId::new(format!("eipalloc-{number:08x}"));
        let thing = Address {
            id: id.clone(),
            token: Some(token.clone()),
            address: address(203, number),
            attached: None,
        };
        self.addresses.insert(id.clone(), Owned { fleet: fleet.clone(), thing });
        Ok(id)
    }

    fn move_address(&mut self, id: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        match &self.address(id)?.attached {
            Some(instance) if instance == to => return Ok(()),
            Some(instance) => return Err(CloudError::InUse(format!("{id} is attached to {instance}"))),
            None => {}
        }
        self.takes_things(to)?;
        let former = self.addresses.values().find(|owned| owned.thing.attached.as_ref() == Some(to));
        if let Some(former) = former.map(|owned| owned.thing.id.clone()) {
            self.detach(&former)?;
        }
        let address = self.address(id)?;
        address.attached = Some(to.clone());
        let public = address.address;
        self.instance(to)?.public_address = Some(public);
        Ok(())
    }

    fn release_address(&mut self, id: &AddressId) -> Result<(), CloudError> {
        if let Some(instance) = &self.address(id)?.attached {
            return Err(CloudError::InUse(format!("{id} is attached to {instance}")));
        }
        self.addresses.remove(id);
        Ok(())
    }

    fn take_snapshot(&mut self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        let token = Some(&request.token);
        if let Some(made) = self.snapshots.values().find(|owned| owned.thing.token.as_ref() == token) {
            return Ok(made.thing.id.clone());
        }
        if self.volume(&request.volume)?.state == VolumeState::Creating {
            return Err(CloudError::NotReady(format!("{} is not made yet", request.volume)));
        }
        let id = SnapshotId::new(format!("snap-{:08x}", self.next()));
        let thing = Snapshot {
            id: id.clone(),
            token: Some(request.token.clone()),
            chain: request.chain.clone(),
            height: request.height,
            taken: self.now(),
            state: SnapshotState::Pending { percent: 0 },
        };
        self.snapshots.insert(id.clone(), Owned { fleet: request.fleet.clone(), thing });
        Ok(id)
    }
}

fn not_found(what: &impl std::fmt::Display) -> CloudError {
    CloudError::NotFound(what.to_string())
}

/// An address of its own for each number.
fn address(first: u8, number: u32) -> IpAddr {
    let [_, second, third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(first, second, third, fourth).into()
}

fn listed<K, T: Clone>(things: &BTreeMap<K, Owned<T>>, fleet: &FleetTag) -> Vec<T> {
    things.values().filter(|owned| owned.fleet == *fleet).map(|owned| owned.thing.clone()).collect()
}

#[async_trait]
impl CloudProvider for FakeCloud {
    async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError> {
        self.call(|state| Ok(listed(&state.instances, fleet)))
    }

    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError> {
        self.call(|state| state.launch(launch))
    }

    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError> {
        self.call(|state| state.terminate(instance))
    }

    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError> {
        self.call(|state| Ok(listed(&state.addresses, fleet)))
    }

    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError> {
        self.call(|state| state.allocate_address(fleet, token))
    }

    async fn addresses_left(&self) -> Result<Option<u32>, CloudError> {
        self.call(|state| {
            let left = state.addresses_max.map(|max| max.saturating_sub(state.addresses.len()));
            Ok(left.map(|left| u32::try_from(left).unwrap_or(u32::MAX)))
        })
    }

    async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError> {
        self.call(|state| state.move_address(address, to))
    }

    async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.call(|state| state.detach(address))
    }

    async fn release_address(&self, address: &AddressId) -> Result<(), CloudError> {
        self.call(|state| state.release_address(address))
    }

    async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError> {
        self.call(|state| Ok(listed(&state.volumes, fleet)))
    }

    async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError> {
        self.call(|state| state.create_volume(request))
    }

    async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError> {
        self.call(|state| state.attach_volume(volume, to))
    }

    async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.call(|state| state.detach_volume(volume))
    }

    async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError> {
        self.call(|state| state.delete_volume(volume))
    }

    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError> {
        self.call(|state| Ok(listed(&state.snapshots, fleet)))
    }

    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError> {
        self.call(|state| state.take_snapshot(request))
    }

    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError> {
        self.call(|state| state.snapshots.remove(snapshot).map(drop).ok_or_else(|| not_found(snapshot)))
    }
}
