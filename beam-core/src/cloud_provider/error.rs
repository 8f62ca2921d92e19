//! What a caller of the cloud can act on.

use crate::register::Cause;

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
    /// The thing is there, and its state does not allow it now: it still begins, or it ends. Look at the lists, and
    /// ask again when it has come further.
    #[error("not ready: {0}")]
    NotReady(String),
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
