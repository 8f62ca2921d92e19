//! The contract of [`FloorStore`], as a suite for any backend.

use std::sync::Arc;

use super::Breach;
use crate::floor_store::{FloorError, FloorStore};
use crate::id::Lineage;
use crate::signing::{Floor, Mark, Step};

/// Opens the same floor again, as the next process on this machine would.
pub type Reopen<'a> = dyn Fn() -> Result<Arc<dyn FloorStore>, FloorError> + Send + Sync + 'a;

/// Checks every statement, in this order, on one floor that was never kept.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(reopen: &Reopen<'_>) -> Result<(), Breach> {
    state_all!(reopen;
        a_floor_never_kept_is_none,
        what_was_kept_is_there_after_a_restart,
        a_lower_floor_succeeds_and_changes_nothing,
        another_lineage_is_refused_and_changes_nothing,
        a_floor_can_always_be_raised,
    )
}

/// An empty disk is one more standby, and no error.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn a_floor_never_kept_is_none(reopen: &Reopen<'_>) -> Result<(), Breach> {
    loads(&*reopen()?, None).await
}

/// What was kept is loaded, now and by the next process.
///
/// # Errors
/// The [`Breach`].
pub async fn what_was_kept_is_there_after_a_restart(reopen: &Reopen<'_>) -> Result<(), Breach> {
    let store = reopen()?;
    for kept in [floor(10, &[1, 0, 0xff]), floor(11, &[]), floor(12, &[7; 1024])] {
        store.keep(kept.clone()).await?;
        loads(&*store, Some(kept)).await?;
    }
    drop(store);
    loads(&*reopen()?, Some(floor(12, &[7; 1024]))).await
}

/// A late call with a lower mark, or the same, succeeds; the floor stays.
///
/// # Errors
/// The [`Breach`].
pub async fn a_lower_floor_succeeds_and_changes_nothing(reopen: &Reopen<'_>) -> Result<(), Breach> {
    let store = reopen()?;
    store.keep(floor(20, &[20])).await?;
    store.keep(floor(19, &[19])).await?;
    store.keep(floor(20, &[20])).await?;
    loads(&*store, Some(floor(20, &[20]))).await?;
    drop(store);
    let store = reopen()?;
    store.keep(floor(1, &[1])).await?;
    loads(&*store, Some(floor(20, &[20]))).await
}

/// Only a person changes lineage.
///
/// # Errors
/// The [`Breach`].
pub async fn another_lineage_is_refused_and_changes_nothing(reopen: &Reopen<'_>) -> Result<(), Breach> {
    let store = reopen()?;
    store.keep(floor(30, &[30])).await?;
    let other = Floor { lineage: Lineage::from_random(2), ..floor(31, &[31]) };
    ensure_matches!(store.keep(other).await, Err(FloorError::OtherLineage));
    loads(&*store, Some(floor(30, &[30]))).await
}

/// Many times over, also with a restart between.
///
/// # Errors
/// The [`Breach`].
pub async fn a_floor_can_always_be_raised(reopen: &Reopen<'_>) -> Result<(), Breach> {
    for height in 40..60 {
        reopen()?.keep(floor(height, &height.to_be_bytes())).await?;
        loads(&*reopen()?, Some(floor(height, &height.to_be_bytes()))).await?;
    }
    Ok(())
}

fn floor(height: u64, bytes: &[u8]) -> Floor {
    Floor {
        lineage: Lineage::from_random(1),
        mark: Mark::new(height, 0, Step::Precommit),
        bytes: bytes.to_vec(),
    }
}

async fn loads(store: &dyn FloorStore, wanted: Option<Floor>) -> Result<(), Breach> {
    let found = store.load().await?;
    ensure!(found == wanted, "loaded {found:?}, not {wanted:?}");
    Ok(())
}
