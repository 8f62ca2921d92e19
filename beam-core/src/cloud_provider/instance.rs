//! Machines.

use std::net::IpAddr;
use std::time::SystemTime;

use super::name::{FleetTag, InstanceId, SnapshotId, TemplateId, Token, VolumeId, Zone};

/// What a machine is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Asks a signer to sign. No program terminates it.
    Validator,
    /// Stands between the validators and the network.
    Sentry,
}

/// How far a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It begins.
    Pending,
    /// It runs, as far as the cloud knows. Whether it works is another question.
    Running,
    /// Somebody stopped it, or stops it now; its disks are there, and it can be started again.
    Stopped,
    /// It ends for good. It may answer a little longer, and still holds its address and its disks.
    Ending,
    /// It has ended for good, and holds nothing. The cloud forgets it after a while.
    Terminated,
}

/// A machine, as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// The cloud's name for it.
    pub id: InstanceId,
    /// The intention it was launched for; `None` if a person launched it.
    pub token: Option<Token>,
    /// Its role, from its tags; `None` if they name none that we know: it is left alone.
    pub role: Option<Role>,
    /// Its name, from its tags.
    pub name: String,
    /// How far it is.
    pub state: InstanceState,
    /// Where it is.
    pub zone: Zone,
    /// Its address within the fleet's network.
    pub private_address: Option<IpAddr>,
    /// Its address in the world. It may come late, and changes when an [`Address`](super::Address) moves.
    pub public_address: Option<IpAddr>,
    /// The disk that holds the chain's data, if it has one of its own.
    pub data_volume: Option<VolumeId>,
    /// When it was launched, by the cloud's clock.
    pub launched: SystemTime,
}

/// A machine that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// Names the intention.
    pub token: Token,
    /// Whose it is.
    pub fleet: FleetTag,
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// What it is made from. The template says in which zone, too.
    pub template: TemplateId,
    /// What its data disk is filled with; `None` leaves it as the template says.
    pub snapshot: Option<SnapshotId>,
}
