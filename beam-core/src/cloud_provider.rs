//! What a fleet needs of the cloud it runs in: machines, fixed addresses, snapshots.

use std::fmt;
use std::net::IpAddr;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::id::ChainId;
use crate::register::Cause;
use crate::signing::Height;

/// One account in one region of a cloud.
///
/// # Contract
/// * **Only the fleet's own.** Lists hold what carries the fleet's tag and nothing else. A list may be empty, and a thing
///   just made may be missing from it for a while: nobody may conclude from a list alone that something is gone.
/// * **Asked once, made once.** Whatever is made carries the caller's [`Token`], in its tags, and a second call with
///   the same token gives the same thing. For machines the cloud itself sees to that; for addresses and snapshots the
///   implementation looks for the token first, so two such calls must not run at once.
/// * **Honest about doubt.** If a call may or may not have happened (no answer, a connection cut after sending), the
///   error is [`CloudError::OutcomeUnknown`] and no other. Calling again with the same arguments is then always safe.
/// * **Done already is done.** Ending what is ended, or moving an address to where it is, succeeds and changes nothing.
///   What was never there, or is forgotten, is [`CloudError::NotFound`].
/// * **Accepted is not finished.** A call returns when the cloud has taken it; the lists say when it is so.
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
    /// [`CloudError`]; `Quota` or `NoCapacity` if there is no room, `NotFound` if template or snapshot is not there.
    async fn launch(&self, launch: &Launch) -> Result<InstanceId, CloudError>;

    /// Ends one machine, and gives its disks back.
    ///
    /// # Errors
    /// [`CloudError`]; `Protected` for a validator.
    async fn terminate(&self, instance: &InstanceId) -> Result<(), CloudError>;

    /// The fleet's fixed public addresses.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn addresses(&self, fleet: &FleetTag) -> Result<Vec<Address>, CloudError>;

    /// Takes one more address, attached to nothing.
    ///
    /// # Errors
    /// [`CloudError`]; `Quota` if there may be no more.
    async fn allocate_address(&self, fleet: &FleetTag, token: &Token) -> Result<AddressId, CloudError>;

    /// Attaches an address to a machine, in place of the machine's former one, which stays allocated. Reads before it
    /// writes, since clouds charge for a move that changes nothing. Traffic follows later than the answer: probe it.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if the address is attached to another machine: detach it there first.
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

    /// The fleet's snapshots, also those that are not complete.
    ///
    /// # Errors
    /// [`CloudError`]. An error is never an empty list.
    async fn snapshots(&self, fleet: &FleetTag) -> Result<Vec<Snapshot>, CloudError>;

    /// Begins a snapshot of a volume. The node must not be writing: what is on the disk now is what is kept.
    ///
    /// # Errors
    /// [`CloudError`]; `NotFound` if the volume is not there.
    async fn take_snapshot(&self, request: &SnapshotRequest) -> Result<SnapshotId, CloudError>;

    /// Deletes a snapshot for good.
    ///
    /// # Errors
    /// [`CloudError`]; `InUse` if something is still made from it.
    async fn delete_snapshot(&self, snapshot: &SnapshotId) -> Result<(), CloudError>;
}

/// A text that names one kind of thing, as the cloud (or, for tags and tokens, its caller) gave it.
macro_rules! text_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Takes the text as it is.
            #[must_use]
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

text_id! {
    /// One machine.
    InstanceId;
    /// One fixed public address. The id stays when the address moves.
    AddressId;
    /// One disk.
    VolumeId;
    /// One snapshot of a disk.
    SnapshotId;
    /// A recipe for machines, kept in the cloud, with its version.
    TemplateId;
    /// The tag value that all things of one fleet carry.
    FleetTag;
    /// Names one intention to make something. At most 64 printable ASCII characters; a new intention has a new one.
    Token;
}

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
    /// Somebody stopped it; its disks are there, and it can be started again.
    Stopped,
    /// It ends, or has ended, for good.
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
    /// Its address within the fleet's network.
    pub private_address: Option<IpAddr>,
    /// Its address in the world. It may come late, and changes when an [`Address`] moves.
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
    /// What it is made from.
    pub template: TemplateId,
    /// What its data disk is filled with; `None` leaves it as the template says.
    pub snapshot: Option<SnapshotId>,
}

/// A fixed public address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The cloud's name for it.
    pub id: AddressId,
    /// The intention it was allocated for, if a program did it.
    pub token: Option<Token>,
    /// The address itself.
    pub address: IpAddr,
    /// The machine it is attached to.
    pub attached: Option<InstanceId>,
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
    /// Whether a machine can be made from it.
    pub complete: bool,
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

/// A call to the cloud that did not succeed. Only the first may have changed something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CloudError {
    /// It may have happened, may yet happen, or may not. Read, or call again with the same token.
    #[error("whether the cloud did it is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// Too many calls: try again later, and less often.
    #[error("the cloud asks for fewer calls")]
    Throttled,
    /// The cloud did not answer, or not now. Trying again may help.
    #[error("the cloud is out of reach")]
    Unavailable(#[source] Cause),
    /// The account may have no more of these: a person must ask for more, or something must go first.
    #[error("the account's quota is used up: {0}")]
    Quota(String),
    /// The cloud has none left, here and now. Later, or another kind of machine, may work.
    #[error("the cloud has no room: {0}")]
    NoCapacity(String),
    /// There is no such thing (any more).
    #[error("not found: {0}")]
    NotFound(String),
    /// Something else still holds it.
    #[error("in use: {0}")]
    InUse(String),
    /// It must not be done by a program.
    #[error("protected: {0}")]
    Protected(String),
    /// Wrong credentials, or too few rights. Only a person can help.
    #[error("the cloud refuses us: {0}")]
    Denied(String),
    /// The request makes no sense to the cloud, and never will.
    #[error("the cloud refuses the request: {0}")]
    Invalid(String),
}
