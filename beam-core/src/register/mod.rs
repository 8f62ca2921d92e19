//! The register: a few cells that all machines of a validator share, and the only thing they must agree on.
//!
//! Everything Beam promises about double signing stands on one property of a [`Register`]: it is
//! **linearizable**. A store that is not (a database replicated with eventual consistency, a file on a network
//! file system) must not implement this trait, or must refuse such a set-up by name when it is opened.
//!
//! Whoever wants another store implements the two methods and runs the contract suite
//! (`beam_core::testing::register_contract`, feature `testing`).

mod memory;

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

pub use memory::MemoryRegister;

use crate::id::{ChainId, ParseError};

/// A store of cells with compare-and-swap.
///
/// # Contract
/// * **Linearizable.** A read that begins after a swap has returned sees that swap's value or a later one.
/// * **One winner.** Of any number of swaps that expect the same version of a cell, at most one succeeds; every
///   other gets [`SwapError::Conflict`] with the cell as it is.
/// * **Durable.** What a successful swap wrote survives kill -9 of every process and loss of power.
/// * **Versions only grow**, by one with every write of that cell, beginning with 1.
/// * **Honest about doubt.** If a swap may or may not have happened (no answer, a connection cut after sending), the
///   error is [`SwapError::OutcomeUnknown`] and never `Failed`. A swap whose answer was lost may still take effect
///   *later*; callers compare contents, so this is allowed.
/// * **A retry is not somebody else.** If an implementation retries by itself, the retry may find its own first
///   attempt in place. It then answers `Conflict` with that cell (the caller recognises its own content), or `Ok`.
/// * **Dropped midway** (the future is cancelled): the swap may or may not have happened.
/// * **Bounded.** Every call ends, well or not, within a few seconds. The driver adds a bound of its own.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait Register: Send + Sync + 'static {
    /// The cell as it is now, or `None` if it was never written.
    ///
    /// # Errors
    /// [`RegisterError`] if the store could not be asked or its answer not be understood.
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError>;

    /// Writes `value` if the cell's version is still `expected` (`None`: if it was never written), and returns the
    /// new version.
    ///
    /// # Errors
    /// [`SwapError`]; see the contract for which.
    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError>;
}

/// How often a cell has been written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version(pub u64);

impl Version {
    /// The version of a cell written for the first time.
    pub const FIRST: Self = Self(1);

    /// The version after this one; `None` if numbers have run out, which no cell lives to see.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        self.0.checked_add(1).map(Self)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A cell's content and its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Grows by one with every write.
    pub version: Version,
    /// What was written, byte for byte. At most [`Cell::LEN_MAX`] bytes.
    pub value: Vec<u8>,
}

impl Cell {
    /// The most that a value may hold, in bytes: small enough for one item of any store we know.
    pub const LEN_MAX: usize = 64 * 1024;
}

/// Which cell: one name space for each chain and validator key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterKey(String);

impl RegisterKey {
    /// The cell that holds the signing record of one validator key on one chain.
    ///
    /// `validator` is the consensus address: 20 bytes, as `CometBFT` prints it (40 hexadecimal digits).
    ///
    /// # Errors
    /// [`ParseError`] if `validator` is not such an address.
    pub fn signing(chain: &ChainId, validator: &str) -> Result<Self, ParseError> {
        Self::new(chain, validator, "signing")
    }

    /// The cell in which the machines of one validator say that they are there.
    ///
    /// # Errors
    /// As for [`RegisterKey::signing`].
    pub fn roster(chain: &ChainId, validator: &str) -> Result<Self, ParseError> {
        Self::new(chain, validator, "roster")
    }

    /// The cell that says whether takeovers of this validator are paused.
    ///
    /// # Errors
    /// As for [`RegisterKey::signing`].
    pub fn pause(chain: &ChainId, validator: &str) -> Result<Self, ParseError> {
        Self::new(chain, validator, "pause")
    }

    /// The cell that holds this validator's changes of owner.
    ///
    /// # Errors
    /// As for [`RegisterKey::signing`].
    pub fn history(chain: &ChainId, validator: &str) -> Result<Self, ParseError> {
        Self::new(chain, validator, "history")
    }

    fn new(chain: &ChainId, validator: &str, what: &str) -> Result<Self, ParseError> {
        if validator.len() != 40 || !validator.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(ParseError::new("validator address", validator, "expected 40 hexadecimal digits"));
        }
        Ok(Self(format!("{chain}/{}/{what}", validator.to_ascii_uppercase())))
    }

    /// The key as text, `chain/ADDRESS/what`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RegisterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a foreign error happened; kept as a source, never decided upon.
pub type Cause = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A read, or an opening, that did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// The store did not answer, or could not. Trying again may help.
    #[error("the register is out of reach")]
    Unavailable(#[source] Cause),
    /// The store answered with something that this version cannot read. Trying again will not help.
    #[error("the register's content is damaged")]
    Damaged(#[source] Cause),
    /// The store cannot keep the contract where it stands, and will not be used.
    #[error("the register cannot be used: {0}")]
    Unfit(String),
}

/// A swap that did not succeed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwapError {
    /// The cell's version was not the expected one. Nothing was written by this attempt, unless the cell holds
    /// exactly what we meant to write: then an earlier attempt whose answer was lost has won.
    #[error("the register holds another version")]
    Conflict {
        /// The cell as it is; `None` if there is none.
        current: Option<Cell>,
    },
    /// It may have happened, may yet happen, or may not: only reading tells.
    #[error("whether the register was written is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// It certainly did not happen and will not.
    #[error("the register was not written")]
    Failed(#[source] Cause),
}
