//! Where a signer keeps its [`Floor`].

use async_trait::async_trait;

use crate::register::Cause;
use crate::signing::Floor;

/// One floor, on this machine's own disk.
///
/// # Contract
/// * What `keep` has acknowledged survives kill -9 and loss of power: file and folder are synced.
/// * A write torn by a crash leaves the old floor or the new one, never neither and never a lower one.
/// * `keep` never lowers the floor within a lineage: a late call with a lower mark is a success that writes nothing.
/// * A floor of another lineage is refused with [`FloorError::OtherLineage`]: only a person changes lineage.
/// * A missing file is `None`: an empty disk is one more standby. A file that is there and cannot be read is an error.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait FloorStore: Send + Sync + 'static {
    /// The floor kept last, or `None` if none ever was.
    ///
    /// # Errors
    /// [`FloorError`] if there is one and it cannot be read.
    async fn load(&self) -> Result<Option<Floor>, FloorError>;

    /// Keeps a floor, synced.
    ///
    /// # Errors
    /// [`FloorError`] if it is not certain to be there after a crash.
    async fn keep(&self, floor: Floor) -> Result<(), FloorError>;
}

/// A floor that is not there, or not certain to be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FloorError {
    /// The disk did not take it, or did not give it.
    #[error("the floor file could not be read or written")]
    Io(#[source] Cause),
    /// The file is there, but both of its copies are damaged, or one was written by a version that this one does not understand.
    #[error("the floor file is damaged: {0}")]
    Damaged(String),
    /// It belongs to another record.
    #[error("the floor file belongs to another register record (another lineage)")]
    OtherLineage,
}
