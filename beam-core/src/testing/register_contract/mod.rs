//! The contract of [`Register`], as a suite for any backend.
//!
//! What it cannot show from within one process (that nothing acknowledged is lost on kill -9, or on loss of power) a
//! backend shows with processes of its own, as `tests/kill.rs` of this crate does for SQLite.

mod basics;
mod doubts;
mod races;

use std::sync::Arc;

use async_trait::async_trait;

pub use basics::*;
pub use doubts::*;
pub use races::*;

use super::Breach;
use super::dice::mix;
use crate::id::ChainId;
use crate::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};

/// What the suite needs to know of a backend.
#[async_trait]
pub trait RegisterHarness: Send + Sync {
    /// One more handle of the same store: a connection of its own, if there is such a thing.
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError>;

    /// A number that no earlier run on the same store has had: the suite makes its keys from it, and wants them fresh.
    fn run(&self) -> u64 {
        0
    }

    /// Starts the store again, if it can be, and says whether it did. All of the suite's handles are dropped before.
    async fn restart(&self) -> bool {
        false
    }
}

/// Checks every statement.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    state_all!(harness;
        a_cell_never_written_reads_none,
        only_the_first_write_may_expect_nothing,
        versions_begin_with_one_and_grow_by_one,
        a_wrong_version_is_told_the_cell_and_writes_nothing,
        another_handle_sees_a_swap_at_once,
        keys_are_independent,
        values_come_back_byte_for_byte,
        a_value_too_large_is_refused,
        of_racing_writers_one_wins_and_all_others_see_its_value,
        no_version_is_won_twice,
        a_lost_answer_is_recognised_by_its_content,
        a_lost_request_may_be_made_again,
        a_late_swap_never_beats_a_newer_one,
        a_dropped_swap_happens_once_or_not_at_all,
        what_was_acknowledged_survives_a_restart,
    )
}

/// A handle, and the key of a cell that was never written.
async fn fresh(
    harness: &dyn RegisterHarness,
    name: &str,
) -> Result<(Arc<dyn Register>, RegisterKey), Breach> {
    let (register, key) = (harness.open().await?, RegisterKey::signing(&chain(harness)?, &address(name))?);
    let found = register.read(&key).await?;
    ensure!(found.is_none(), "{key} should not be there, but holds {found:?}; is `run` a new number?");
    Ok((register, key))
}

fn chain(harness: &dyn RegisterHarness) -> Result<ChainId, Breach> {
    Ok(format!("contract-{:x}", harness.run()).parse()?)
}

/// An address of 40 digits for a name.
fn address(name: &str) -> String {
    let hash = name.bytes().fold(0, |hash, byte| mix(hash ^ u64::from(byte)));
    format!("{hash:016x}{:024x}", mix(hash))
}

fn cell(version: u64, value: &[u8]) -> Option<Cell> {
    Some(Cell { version: Version(version), value: value.to_vec() })
}

/// What a conflict found; a breach if it is none.
fn conflict(outcome: Result<Version, SwapError>) -> Result<Option<Cell>, Breach> {
    ensure_matches!(outcome, Err(SwapError::Conflict { current }) => Ok(current))
}

async fn holds(register: &dyn Register, key: &RegisterKey, wanted: Option<Cell>) -> Result<(), Breach> {
    let found = register.read(key).await?;
    ensure!(found == wanted, "the cell reads {found:?}, not {wanted:?}");
    Ok(())
}
