//! What can become of a switch that was not made, or did not go well.

use std::time::Duration;

use super::SharedError;
use crate::id::ParseError;
use crate::register::{RegisterError, SwapError};
use crate::signing::{Epoch, Height, Mark};

/// A switch that was not made, or did not go well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The register could not be asked. Nothing was changed.
    #[error("the register could not be read; nothing was changed")]
    Read(#[from] RegisterError),
    /// The roster could not be read. Nothing was changed.
    #[error("the roster could not be read; nothing was changed")]
    Roster(#[from] SharedError),
    /// There is no record.
    #[error("the register has no record; make one with `beam watermark init`")]
    NoRecord,
    /// The record is damaged.
    #[error("the register's record is damaged; nothing was changed")]
    Damaged(#[from] ParseError),
    /// No machine of that name was ever there.
    #[error("no machine named {name:?} is in the roster; there are: {known}")]
    UnknownMachine {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// There is not exactly one other machine, so the target must be named.
    #[error("which machine? say `--to` with one of: {0}")]
    Ambiguous(String),
    /// The target owns already.
    #[error("{0} is the owner already; nothing was changed")]
    AlreadyOwner(String),
    /// The target does not follow the chain, so a switch would miss blocks. Nothing was changed.
    #[error(
        "{name} is not ready: it was last seen at height {seen}, the register is at {register}; nothing was changed"
    )]
    NotReady {
        /// The target.
        name: String,
        /// The last height it noted.
        seen: u64,
        /// Where the register is.
        register: Mark,
    },
    /// The height at which the switch was to be made is over. Nothing was changed.
    #[error("height {height} is over: the register is at {register}; nothing was changed")]
    Over {
        /// The height asked for.
        height: Height,
        /// Where the register is.
        register: Mark,
    },
    /// The register was not written. Nothing was changed.
    #[error("the register could not be written; nothing was changed")]
    Write(#[source] SwapError),
    /// The register did not say whether it was written. `beam status` tells who owns.
    #[error("whether the switch was made is unknown; `beam status` tells who owns")]
    OutcomeUnknown(#[source] SwapError),
    /// The switch was made, and the new owner did not sign in time. The old one takes over again by itself.
    #[error("{to} owns epoch {epoch} but signed nothing within {waited:?}; the standby takes over by itself")]
    NotSigning {
        /// The new owner.
        to: String,
        /// The new epoch.
        epoch: Epoch,
        /// How long was waited.
        waited: Duration,
    },
    /// The switch was made, but ownership has moved on since.
    #[error("{to} was given epoch {epoch}, but another machine has taken over since (epoch {now})")]
    Overtaken {
        /// The new owner.
        to: String,
        /// The epoch it was given.
        epoch: Epoch,
        /// The epoch now.
        now: Epoch,
    },
    /// Somebody else changed the owner between the plan and the switch. Nothing was changed by this one.
    #[error("ownership moved meanwhile (epoch {planned} when planned, {now} now); nothing was changed")]
    Moved {
        /// The epoch that the plan was made in.
        planned: Epoch,
        /// The epoch now.
        now: Epoch,
    },
}

impl SwitchError {
    /// Whether the switch was made all the same, or may have been.
    #[must_use]
    pub fn made(&self) -> bool {
        matches!(self, Self::OutcomeUnknown(_) | Self::NotSigning { .. } | Self::Overtaken { .. })
    }
}
