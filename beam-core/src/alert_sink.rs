//! Where alerts go.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::register::Cause;

/// One way to reach people: a chat, a pager, a mailbox, a log.
///
/// # Contract
/// * `deliver` returns when the other side has taken the alert, not when it was queued.
/// * Delivering the same alert twice is allowed, and happens after a lost answer: `key` is there for the other side to
///   recognise it by.
/// * It is bounded: a few seconds, then an error. Trying again is the caller's business.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait AlertSink: Send + Sync + 'static {
    /// The sink's name in configuration and logs.
    fn name(&self) -> &str;

    /// Delivers one alert.
    ///
    /// # Errors
    /// [`AlertError`]: whether it is worth trying again, and when.
    async fn deliver(&self, alert: &Alert) -> Result<(), AlertError>;
}

/// Something people should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// The same thing has the same key: a second alert with it is the first one again, or its end.
    pub key: String,
    /// How bad it is.
    pub severity: Severity,
    /// One line.
    pub title: String,
    /// What happened, what Beam did, what to do.
    pub body: String,
    /// Whether this says that it is over.
    pub resolved: bool,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Good to know.
    Info,
    /// Look at it today.
    Warning,
    /// Wake somebody.
    Critical,
}

/// An alert that was not delivered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AlertError {
    /// It may work later.
    #[error("the alert could not be delivered now")]
    Unavailable(#[source] Cause),
    /// It will never work like this: wrong address, wrong credentials.
    #[error("the alert was refused: {0}")]
    Refused(String),
}
