//! Answers are lost, callers give up, the store starts again.

use std::time::Duration;

use super::{RegisterHarness, cell, conflict, fresh, holds};
use crate::register::{Cell, Register as _, SwapError, Version};
use crate::testing::{Breach, Fault, FaultyRegister};

/// A swap whose answer was lost, made again, is not taken for somebody else's: it succeeds, or its conflict holds
/// exactly what it meant to write.
///
/// # Errors
/// The [`Breach`].
pub async fn a_lost_answer_is_recognised_by_its_content(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "lost answer").await?;
    let faulty = FaultyRegister::new(register);
    let mut expected = None;
    for count in 1..=5_u8 {
        faulty.script_swaps([Some(Fault::LostAnswer)]);
        ensure_matches!(faulty.swap(&key, expected, vec![count]).await, Err(SwapError::OutcomeUnknown(_)));
        match faulty.swap(&key, expected, vec![count]).await {
            Ok(_) => {}
            Err(error) => {
                let current = conflict(Err(error))?;
                ensure!(current == cell(count.into(), &[count]), "the retry was told {current:?}");
            }
        }
        holds(&faulty, &key, cell(count.into(), &[count])).await?;
        expected = Some(Version(count.into()));
    }
    Ok(())
}

/// A swap whose request was lost has written nothing, and made again it succeeds.
///
/// # Errors
/// The [`Breach`].
pub async fn a_lost_request_may_be_made_again(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "lost request").await?;
    let faulty = FaultyRegister::new(register);
    faulty.script_swaps([Some(Fault::LostRequest), Some(Fault::Refused)]);
    ensure_matches!(faulty.swap(&key, None, vec![1]).await, Err(SwapError::OutcomeUnknown(_)));
    ensure_matches!(faulty.swap(&key, None, vec![1]).await, Err(SwapError::Failed(_)));
    ensure_matches!(faulty.swap(&key, None, vec![1]).await, Ok(Version::FIRST));
    holds(&faulty, &key, cell(1, &[1])).await
}

/// A swap that was given up and arrives when another has been made in its place changes nothing.
///
/// # Errors
/// The [`Breach`].
pub async fn a_late_swap_never_beats_a_newer_one(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "late").await?;
    let faulty = FaultyRegister::new(register);
    let version = faulty.swap(&key, None, vec![1]).await?;
    faulty.script_swaps([Some(Fault::Late(Duration::from_millis(5)))]);
    ensure_matches!(faulty.swap(&key, Some(version), vec![2]).await, Err(SwapError::OutcomeUnknown(_)));
    // Which of the two comes first is open; that one of them does not happen is not.
    let wanted = match faulty.swap(&key, Some(version), vec![3]).await {
        Ok(_) => cell(2, &[3]),
        Err(error) => conflict(Err(error))?,
    };
    faulty.settle().await;
    holds(&faulty, &key, wanted).await
}

/// A swap whose future is dropped writes its value once or not at all, and breaks nothing.
///
/// # Errors
/// The [`Breach`].
pub async fn a_dropped_swap_happens_once_or_not_at_all(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "dropped").await?;
    let mut expected = None;
    for count in 1..=20_u8 {
        let (dropped, kept) = (vec![count, 0], vec![count, 1]);
        let patience = Duration::from_micros(u64::from(count) * 100);
        let _ = tokio::time::timeout(patience, register.swap(&key, expected, dropped.clone())).await;
        let next = expected.map_or(Version::FIRST, |version: Version| Version(version.0.saturating_add(1)));
        let version = match register.swap(&key, expected, kept.clone()).await {
            Ok(version) => version,
            Err(error) => {
                let current = conflict(Err(error))?;
                let dropped = Some(Cell { version: next, value: dropped });
                ensure!(current == dropped, "after a dropped swap the cell was {current:?}, not {dropped:?}");
                register.swap(&key, Some(next), kept.clone()).await?
            }
        };
        holds(&*register, &key, Some(Cell { version, value: kept })).await?;
        expected = Some(version);
    }
    Ok(())
}

/// What a swap has acknowledged is there when the store comes back. Says nothing if the store cannot be restarted.
///
/// # Errors
/// The [`Breach`].
pub async fn what_was_acknowledged_survives_a_restart(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "restart").await?;
    let mut expected = None;
    for count in 1..=5_u8 {
        expected = Some(register.swap(&key, expected, vec![count]).await?);
    }
    drop(register);
    if harness.restart().await {
        let register = harness.open().await?;
        holds(&*register, &key, cell(5, &[5])).await?;
        ensure_matches!(register.swap(&key, expected, vec![6]).await, Ok(Version(6)));
    }
    Ok(())
}
