//! Writing to the roster, and reading it.

use std::sync::Arc;

use crate::register::{Register, RegisterError, RegisterKey, SwapError, Version};
use crate::roster::{Member, Roster};

/// A roster that could not be read or written. Nothing depends on it: tell, and try again with the next height.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RosterError {
    /// The register did not give it.
    #[error("the roster could not be read")]
    Read(#[from] RegisterError),
    /// Somebody wrote something else there.
    #[error("the roster is damaged")]
    Damaged(#[from] crate::id::ParseError),
    /// The register did not take it.
    #[error("the roster could not be written")]
    Write(#[source] SwapError),
    /// Too many machines are noted in it.
    #[error("the roster is full: it has {} machines", Roster::MEMBERS_MAX)]
    Full,
}

/// Reads the roster; an empty one if there is none.
///
/// # Errors
/// [`RosterError`] if there is one that cannot be read.
pub async fn read_roster(register: &dyn Register, key: &RegisterKey) -> Result<Roster, RosterError> {
    Ok(versioned(register, key).await?.1)
}

async fn versioned(
    register: &dyn Register,
    key: &RegisterKey,
) -> Result<(Option<Version>, Roster), RosterError> {
    match register.read(key).await? {
        None => Ok((None, Roster::default())),
        Some(cell) => Ok((Some(cell.version), Roster::decode(&cell.value)?)),
    }
}

/// Notes one machine in the roster.
#[derive(Clone)]
pub struct RosterWriter {
    register: Arc<dyn Register>,
    key: RegisterKey,
    name: String,
}

impl RosterWriter {
    /// How often a write is tried when other machines write at the same time.
    const TRIES_MAX: u32 = 5;

    /// A writer for the machine `name` (see [`Roster::is_name`]).
    #[must_use]
    pub fn new(register: Arc<dyn Register>, key: RegisterKey, name: String) -> Self {
        Self { register, key, name }
    }

    /// Notes that this machine is there.
    ///
    /// # Errors
    /// [`RosterError`] if it is not noted, or perhaps not.
    pub async fn note(&self, member: &Member) -> Result<(), RosterError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (version, mut roster) = versioned(&*self.register, &self.key).await?;
            roster.members.insert(self.name.clone(), member.clone());
            if roster.members.len() > Roster::MEMBERS_MAX {
                return Err(RosterError::Full);
            }
            match self.register.swap(&self.key, version, roster.encode()).await {
                Ok(_) => return Ok(()),
                Err(SwapError::Conflict { .. }) if tries < Self::TRIES_MAX => {}
                Err(error) => return Err(RosterError::Write(error)),
            }
        }
    }
}
