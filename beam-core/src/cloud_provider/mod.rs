//! What a fleet needs of the cloud it runs in: machines, fixed addresses, disks, snapshots.

mod address;
mod error;
mod instance;
mod name;
mod snapshot;
mod volume;

use async_trait::async_trait;

pub use address::Address;
pub use error::CloudError;
pub use instance::{Instance, InstanceState, Launch, Role};
pub use name::{AddressId, FleetTag, InstanceId, SnapshotId, TemplateId, Token, VolumeId, Zone};
pub use snapshot::{Snapshot, SnapshotRequest, SnapshotState};
pub use volume::{Volume, VolumeOrigin, VolumeRequest, VolumeSource, VolumeState};

/// One account in one region of a cloud.
///
/// # Contract
/// * **Only the fleet's own.** Lists hold what carries the fleet's tag and nothing else. A list may be empty, and a thing
///   just made may be missing from it for a while: nobody may conclude from a list alone that something is gone.
/// * **Asked once, made once.** Whatever is made carries the caller's [`Token`], in its tags, and a second call with
///   the same token gives the same thing. For machines and volumes the cloud itself sees to that; for addresses and
///   snapshots the implementation looks for the token first, so two such calls must not run at once. The same token with
///   other arguments makes nothing: it gives the first thing, or [`CloudError::Invalid`]. Once the thing is gone its
///   token is used up: it may give the gone one's name, or make another.
/// * **Honest about doubt.** If a call may or may not have happened (no answer, a connection cut after sending), the
///   error is [`CloudError::OutcomeUnknown`] and no other. Calling again with the same arguments is then always safe.
/// * **Done already is done.** Ending what is ended, or moving an address to where it is, succeeds and changes nothing.
///   What was never there, or is forgotten, is [`CloudError::NotFound`].
/// * **Accepted is not finished.** A call returns when the cloud has taken it; the lists say when it is so. Until then
///   what builds on it is [`CloudError::NotReady`].
/// * **A validator is never terminated**, whoever asks: [`CloudError::Protected`].
/// * **Dropped midway**: as if the answer was lost. **Bounded**: every call ends within some seconds.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CloudProvider: Send + Sync + 'static {
    /// The fleet's machines, also those that begin or end, and those that ended a short while ago.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn instances(&self, fleet: &FleetTag) -> Result<Vec<Instance>, CloudError>;

    /// Starts one machine from a template.
    ///
    /// # Errors
    /// [`CloudError`]; `Quota` or `NoCapacity` if there is no room, `NotFound` if template or snapshot is not there,
    /// `NotReady` if the snapshot is not complete.
    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError>;

    /// Ends one machine, and gives the disks it was launched with back. Its address stays allocated, and a disk that
    /// was attached later stays too: detach or delete them as you need.
    ///
    /// # Errors
    /// [`CloudError`]; `Protected` for a validator.
    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError>;

    /// The fleet's fixed public addresses.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError>;

    /// How many more addresses the account may take now; `None` if the cloud does not tell. Addresses of others in the
    /// account count too (a NAT gateway has one), and they may take the last: only the answer to
    /// [`allocate_address`](Self::allocate_address) is certain.
    ///
    /// # Errors
    /// [`CloudError`].
    async fn addresses_left(&self) -> Result<Option<u32>, CloudError>;

    /// Takes one more address, attached to nothing.
    ///
    /// # Errors
    /// [`CloudError`]; `Quota` if there may be no more.
    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError>;

    /// Attaches an address to a machine, in place of the machine's former one, which stays allocated. Reads before it
    /// writes, since clouds charge for a move that changes nothing. Traffic follows later than the answer: probe it.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if the address is attached to another machine: detach it there first. `NotReady` if the
    /// machine neither runs nor is stopped.
    async fn move_address(&self, address: &AddressId, to: &InstanceId) -> Result<(), CloudError>;

    /// Detaches an address, and keeps it allocated: an attacked address is not given to somebody else.
    ///
    /// # Errors
    /// [`CloudError`].
    async fn detach_address(&self, address: &AddressId) -> Result<(), CloudError>;

    /// Gives an address back for good.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if it is attached.
    async fn release_address(&self, address: &AddressId) -> Result<(), CloudError>;

    /// The fleet's volumes, also those that begin or go: what [`create_volume`](Self::create_volume) made and the data
    /// disks that its machines were launched with. Their system disks may be among them.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn volumes(&self, fleet: &FleetTag) -> Result<Vec<Volume>, CloudError>;

    /// Makes a volume from a snapshot, or as a direct copy of another volume. It is attached to nothing.
    ///
    /// # Errors
    /// [`CloudError`]; `NotFound` if what it is made from is not there, `NotReady` if that is not complete, `Quota` or
    /// `NoCapacity` if there is no room, `Invalid` for a rate or a zone that the cloud does not have.
    async fn create_volume(&self, request: &VolumeRequest) -> Result<VolumeId, CloudError>;

    /// Attaches a volume to a machine in the same zone, as its data disk.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if another machine has the volume, or the machine has another data disk; `NotReady` if
    /// the volume is not available, or the machine neither runs nor is stopped; `Invalid` across zones.
    async fn attach_volume(&self, volume: &VolumeId, to: &InstanceId) -> Result<(), CloudError>;

    /// Takes a volume from its machine, and keeps it. Unmount it there first: a mounted one comes off late or never.
    ///
    /// # Errors
    /// [`CloudError`].
    async fn detach_volume(&self, volume: &VolumeId) -> Result<(), CloudError>;

    /// Deletes a volume for good.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if it is attached.
    async fn delete_volume(&self, volume: &VolumeId) -> Result<(), CloudError>;

    /// The fleet's snapshots, also those that are not complete.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError>;

    /// Begins a snapshot of a volume. The node must not be writing: what is on the disk now is what is kept.
    ///
    /// # Errors
    /// [`CloudError`]; `NotFound` if the volume is not there, `NotReady` if it still begins or goes.
    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError>;

    /// Deletes a snapshot for good. Disks made from it stay, filled or not.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if something of the cloud's own is registered on it, such as a machine image.
    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError>;
}
