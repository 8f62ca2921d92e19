//! Snapshots of data disks.

use std::time::SystemTime;

use super::name::{FleetTag, SnapshotId, Token, VolumeId};
use crate::id::ChainId;
use crate::signing::Height;

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// The cloud copies the disk as it was when it was asked; the disk itself may be written again.
    Pending {
        /// How much is copied, in percent, if the cloud says so; else 0. For people: it may stand still for minutes.
        percent: u8,
    },
    /// Machines and disks can be made from it.
    Complete,
    /// The copy failed, for good.
    Failed,
}

/// A snapshot of a data disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The cloud's name for it.
    pub id: SnapshotId,
    /// The intention it was taken for, if a program did it.
    pub token: Option<Token>,
    /// The chain whose data it holds.
    pub chain: ChainId,
    /// The height at which the node had stopped.
    pub height: Height,
    /// When it was begun, by the cloud's clock.
    pub taken: SystemTime,
    /// How far it is.
    pub state: SnapshotState,
}

/// A snapshot that should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotRequest {
    /// Names the intention.
    pub token: Token,
    /// Whose it is.
    pub fleet: FleetTag,
    /// The disk.
    pub volume: VolumeId,
    /// The chain whose data it holds.
    pub chain: ChainId,
    /// The height at which the node has stopped.
    pub height: Height,
}
