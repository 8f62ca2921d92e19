//! Where every released signature is written down.

use crate::register::Cause;
use crate::signing::{Mark, Refusal, Release};

/// A log of signatures that left the signer, for judges and auditors. It guards nothing.
///
/// # Contract
/// * `released` is called before the answer goes out, once for each signature, in order.
/// * It is quick (a buffered write, no sync): it stands in the way of a vote.
/// * An error does not hold the signature back; the driver reports it once it is used up.
pub trait AuditLog: Send + Sync + 'static {
    /// Writes down one release.
    ///
    /// # Errors
    /// The cause, if it could not be written.
    fn released(&self, release: &Release) -> Result<(), Cause>;

    /// Hears of a request that was refused, after its answer went out. Refusals are a standby's daily bread, so most logs care for
    /// none of them.
    fn refused(&self, _asked: Mark, _refusal: &Refusal) {}
}

/// Writes nothing down.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAuditLog;

impl AuditLog for NoAuditLog {
    fn released(&self, _release: &Release) -> Result<(), Cause> {
        Ok(())
    }
}
