//! The state of the cloud, and how time passes in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use super::agenda::{Agenda, Change};
use super::bucket::Bucket;
use super::fault::Faults;
use super::settings::{Delays, ListLag, Quotas, RateLimit};
use super::views::{Things, Views};
use super::volumes::Disk;
use crate::cloud_provider::{
    AddressId, CloudError, InstanceId, InstanceState, Launch, SnapshotId, SnapshotState, TemplateId, Token,
    VolumeId, VolumeRequest, VolumeState, Zone,
};

/// How many calls an implementation makes of the cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloudCalls {
    /// Calls that change nothing, also those before a write.
    pub reads: u64,
    /// Calls that may change something.
    pub writes: u64,
    /// Addresses attached: what AWS may bill, also when it changes nothing.
    pub moves_billed: u64,
    /// Calls that were throttled, of both kinds.
    pub throttled: u64,
}

/// What a template says.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) zone: Zone,
    pub(super) data_gib: u32,
}

/// Everything.
#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) clock: Duration,
    pub(super) delays: Delays,
    pub(super) quotas: Quotas,
    pub(super) gives_addresses: bool,
    pub(super) full: BTreeSet<Zone>,
    pub(super) faults: Faults,
    pub(super) calls: CloudCalls,
    pub(super) things: Things,
    pub(super) views: Views,
    pub(super) agenda: Agenda,
    pub(super) templates: BTreeMap<TemplateId, Template>,
    /// What a volume has beyond what is listed.
    pub(super) disks: BTreeMap<VolumeId, Disk>,
    /// How large what a snapshot was taken of is, in GiB.
    pub(super) sizes: BTreeMap<SnapshotId, u32>,
    /// Where traffic to an address arrives.
    pub(super) paths: BTreeMap<AddressId, InstanceId>,
    /// What tokens of machines and volumes were used for, as long as the thing is known.
    pub(super) launches: BTreeMap<Token, (Launch, InstanceId)>,
    pub(super) requests: BTreeMap<Token, (VolumeRequest, VolumeId)>,
    made: u32,
    reads: Bucket,
    writes: Bucket,
}

pub(super) fn template_id(number: u32) -> TemplateId {
    TemplateId::new(format!("lt-{number:017x}:1"))
}

impl World {
    /// A number for something new.
    pub(super) fn next(&mut self) -> u32 {
        self.made = self.made.saturating_add(1);
        self.made
    }

    pub(super) fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH.checked_add(self.clock).unwrap_or(SystemTime::UNIX_EPOCH)
    }

    pub(super) fn add_template(&mut self, zone: &Zone, data_gib: u32) -> TemplateId {
        let number = u32::try_from(self.templates.len()).unwrap_or(u32::MAX).saturating_add(1);
        let id = template_id(number);
        self.templates.insert(id.clone(), Template { zone: zone.clone(), data_gib });
        id
    }

    pub(super) fn set_list_lag(&mut self, lag: ListLag) {
        self.views.set_lag(lag, self.clock, &self.things);
    }

    pub(super) fn set_rate_limits(&mut self, reads: Option<RateLimit>, writes: Option<RateLimit>) {
        self.reads.set(reads, self.clock);
        self.writes.set(writes, self.clock);
    }

    /// One call that changes nothing.
    pub(super) fn read(&mut self) -> Result<(), CloudError> {
        self.calls.reads = self.calls.reads.saturating_add(1);
        let taken = self.reads.take(self.clock);
        self.throttled_unless(taken)
    }

    /// One call that may change something.
    pub(super) fn write(&mut self) -> Result<(), CloudError> {
        self.calls.writes = self.calls.writes.saturating_add(1);
        let taken = self.writes.take(self.clock);
        self.throttled_unless(taken)
    }

    fn throttled_unless(&mut self, taken: bool) -> Result<(), CloudError> {
        if taken {
            return Ok(());
        }
        self.calls.throttled = self.calls.throttled.saturating_add(1);
        Err(CloudError::Throttled)
    }

    /// What a list shows now.
    pub(super) fn shown(&mut self) -> &Things {
        self.views.shown(self.clock, &self.things)
    }

    /// Puts something down for later.
    pub(super) fn later(&mut self, after: Duration, change: Change) {
        self.agenda.put(self.clock.saturating_add(after), change);
    }

    /// Does what is due by now. Before each call: what takes no time is finished when it is looked at.
    pub(super) fn catch_up(&mut self) {
        self.run_to(self.clock);
    }

    /// Lets the clock go on to `to`, if it is not there yet.
    pub(super) fn run_to(&mut self, to: Duration) {
        while let Some((at, change)) = self.agenda.due(to) {
            self.clock = self.clock.max(at);
            self.apply(change);
            self.keep_view();
        }
        self.clock = self.clock.max(to);
    }

    /// Remembers what is now, for late lists.
    pub(super) fn keep_view(&mut self) {
        self.views.keep(self.clock, &self.things);
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Runs(id) => self.runs(&id),
            Change::Ended(id) => self.ended(&id),
            Change::Forgotten(id) => {
                let gone = self.things.instances.remove(&id);
                if let Some(token) = gone.and_then(|owned| owned.thing.token) {
                    self.launches.remove(&token);
                }
            }
            Change::Made(id) => {
                if let Ok(volume) = self.volume(&id)
                    && volume.state == VolumeState::Creating
                {
                    volume.state = VolumeState::Available;
                }
            }
            Change::CameOff(id, from) => self.came_off(&id, &from),
            Change::Gone(id) => self.volume_gone(&id),
            Change::Complete(id) => {
                if let Some(owned) = self.things.snapshots.get_mut(&id)
                    && matches!(owned.thing.state, SnapshotState::Pending { .. })
                {
                    owned.thing.state = SnapshotState::Complete;
                }
            }
            Change::Follows(id) => self.follows(&id),
        }
    }

    /// The machine, if an address or a volume can be attached to it.
    pub(super) fn takes_things(
        &mut self,
        id: &InstanceId,
    ) -> Result<&mut crate::cloud_provider::Instance, CloudError> {
        let instance = self.instance(id)?;
        match instance.state {
            InstanceState::Running | InstanceState::Stopped => Ok(instance),
            state @ (InstanceState::Pending | InstanceState::Ending | InstanceState::Terminated) => {
                Err(CloudError::NotReady(format!("{id} is {state:?}")))
            }
        }
    }
}

/// An IP address of its own for each number.
pub(super) fn ip(first: u8, number: u32) -> IpAddr {
    let [_, second, third, fourth] = number.to_be_bytes();
    Ipv4Addr::new(first, second, third, fourth).into()
}
