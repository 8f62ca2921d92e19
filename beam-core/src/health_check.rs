//! Whether something does its work. Not whether its process is up.

use async_trait::async_trait;

/// One question about something's health, asked again and again.
///
/// # Contract
/// * `check` answers within a few seconds of its own accord; a check that cannot tell answers [`Health::Unknown`] and
///   never guesses.
/// * It changes nothing, may be called at any time and dropped midway.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait HealthCheck: Send + Sync + 'static {
    /// What is checked, in a word or two, such as `node height`. Used as a label.
    fn name(&self) -> &str;

    /// How it is now.
    async fn check(&self) -> Health;
}

/// How something is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// It does its work.
    Fine,
    /// It works, but somebody should look.
    Degraded(String),
    /// It does not work.
    Down(String),
    /// It could not be found out. Nothing that cannot be undone is ever done on this.
    Unknown(String),
}

impl Health {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        *self == Self::Fine
    }
}
