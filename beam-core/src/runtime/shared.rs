//! Reading and changing what the machines of one validator share besides the record.

use std::marker::PhantomData;
use std::sync::Arc;

use crate::history::History;
use crate::pause::Paused;
use crate::register::{Register, RegisterError, RegisterKey, SwapError};
use crate::roster::{Member, Roster};
use crate::shared::Document;

/// A shared document that could not be read or written. Nothing that guards a signature depends on it: tell, and go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SharedError {
    /// The register did not give it.
    #[error("the {what} could not be read")]
    Read {
        /// Which document.
        what: &'static str,
        /// Why.
        #[source]
        source: RegisterError,
    },
    /// Somebody wrote something else there. It is not replaced silently: a newer Beam may have written it.
    #[error(
        "the {what} in the register is damaged; no signature needs it: delete the cell {key} and it begins anew"
    )]
    Damaged {
        /// Which document.
        what: &'static str,
        /// Where it is.
        key: RegisterKey,
        /// What is wrong with it.
        #[source]
        source: crate::id::ParseError,
    },
    /// The register did not take it, or did not say whether it did.
    #[error("the {what} could not be written")]
    Write {
        /// Which document.
        what: &'static str,
        /// Why.
        #[source]
        source: SwapError,
    },
}

/// One document in its cell.
pub struct SharedCell<D> {
    register: Arc<dyn Register>,
    key: RegisterKey,
    document: PhantomData<fn() -> D>,
}

impl<D> Clone for SharedCell<D> {
    fn clone(&self) -> Self {
        Self { register: self.register.clone(), key: self.key.clone(), document: PhantomData }
    }
}

/// The machines that are there.
pub type RosterCell = SharedCell<Roster>;
/// Whether takeovers are paused.
pub type PauseCell = SharedCell<Paused>;
/// The changes of owner.
pub type HistoryCell = SharedCell<History>;

impl<D: Document> SharedCell<D> {
    /// How often a write is tried when other machines write at the same time.
    pub const TRIES_MAX: u32 = 5;

    /// The document in that cell, such as [`RegisterKey::roster`] for a [`Roster`].
    #[must_use]
    pub fn new(register: Arc<dyn Register>, key: RegisterKey) -> Self {
        Self { register, key, document: PhantomData }
    }

    /// The document as it is now; the default if it was never written.
    ///
    /// # Errors
    /// [`SharedError`] if there is one that cannot be read.
    pub async fn read(&self) -> Result<D, SharedError> {
        let source = |source| SharedError::Read { what: D::WHAT, source };
        let cell = self.register.read(&self.key).await.map_err(source)?;
        cell.map_or_else(|| Ok(D::default()), |cell| self.decode(&cell.value))
    }

    /// Changes the document, and gives it back as it is then. `change` is asked again whenever somebody else was faster; if it changes
    /// nothing, nothing is written.
    ///
    /// # Errors
    /// [`SharedError`] if it is not changed, or perhaps not.
    pub async fn change(&self, mut change: impl FnMut(&mut D) + Send) -> Result<D, SharedError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let source = |source| SharedError::Read { what: D::WHAT, source };
            let cell = self.register.read(&self.key).await.map_err(source)?;
            let (version, mut document) = match cell {
                None => (None, D::default()),
                Some(cell) => (Some(cell.version), self.decode(&cell.value)?),
            };
            let before = document.encode();
            change(&mut document);
            let value = document.encode();
            if version.is_some() && value == before {
                return Ok(document);
            }
            match self.register.swap(&self.key, version, value).await {
                Ok(_) => return Ok(document),
                Err(SwapError::Conflict { .. }) if tries < Self::TRIES_MAX => {}
                Err(source) => return Err(SharedError::Write { what: D::WHAT, source }),
            }
        }
    }

    fn decode(&self, value: &[u8]) -> Result<D, SharedError> {
        D::decode(value).map_err(|source| SharedError::Damaged {
            what: D::WHAT,
            key: self.key.clone(),
            source,
        })
    }
}

impl RosterCell {
    /// Notes that the machine `name` (see [`Roster::is_name`]) is there. If the roster is full, the machine that was seen longest ago
    /// makes room. Gives the roster as it is then.
    ///
    /// # Errors
    /// [`SharedError`] if it is not noted, or perhaps not.
    pub async fn note(&self, name: &str, member: &Member) -> Result<Roster, SharedError> {
        self.change(|roster| roster.note(name, member.clone())).await
    }
}
