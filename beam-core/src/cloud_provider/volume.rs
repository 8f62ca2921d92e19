//! Disks.

use std::time::SystemTime;

use super::name::{FleetTag, InstanceId, SnapshotId, Token, VolumeId, Zone};

/// How far a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeState {
    /// It begins.
    Creating,
    /// It can be attached. It may still be filling: a block not yet there is fetched when it is first read, slowly.
    Available,
    /// A machine holds it, takes it or gives it back.
    InUse,
    /// It goes for good.
    Deleting,
    /// It could not be made, for good. Delete it, and ask for another with a new token.
    Failed,
}

/// A disk, as the cloud lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// The cloud's name for it.
    pub id: VolumeId,
    /// The intention it was made for; `None` if it came with a machine, or a person made it.
    pub token: Option<Token>,
    /// Where it is. Only machines there can have it.
    pub zone: Zone,
    /// Its size in GiB.
    pub size_gib: u32,
    /// How far it is.
    pub state: VolumeState,
    /// The machine it is attached to.
    pub attached: Option<InstanceId>,
    /// What it was filled from; `None` if it began empty, or the cloud does not say.
    pub made_from: Option<VolumeOrigin>,
    /// When it was begun, by the cloud's clock.
    pub created: SystemTime,
}

/// What a disk was filled from. That may be gone by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeOrigin {
    /// A snapshot.
    Snapshot(SnapshotId),
    /// Another disk, as it was at that moment.
    Volume(VolumeId),
}

/// How to fill a disk that should be. It is as large as what it is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeSource {
    /// From a complete snapshot, in any zone.
    Snapshot {
        /// The snapshot.
        snapshot: SnapshotId,
        /// Where the disk shall be.
        zone: Zone,
        /// How fast the cloud fills the disk by itself, in MiB/s: 100 to 300 on AWS, which charges for it by the
        /// snapshot's size. `None` leaves it to chance: blocks come when they are first read, at no promised rate.
        rate_mib_per_s: Option<u32>,
    },
    /// A direct copy of a disk in the same zone, in use or not, as it is now: the quickest way to one more node there.
    /// Whatever writes to the disk must have stopped, as for a snapshot.
    Volume(VolumeId),
}

/// A disk that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeRequest {
    /// Names the intention.
    pub token: Token,
    /// Whose it is.
    pub fleet: FleetTag,
    /// What it is filled from.
    pub source: VolumeSource,
}
