//! One caller at a time, nothing goes wrong.

use super::{RegisterHarness, address, cell, chain, conflict, fresh, holds};
use crate::register::{Cell, RegisterKey, SwapError, Version};
use crate::testing::Breach;

/// A cell that was never written reads as `None`.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn a_cell_never_written_reads_none(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    fresh(harness, "absent").await.map(drop)
}

/// `None` as the expected version fits a cell that was never written, and no other.
///
/// # Errors
/// The [`Breach`].
pub async fn only_the_first_write_may_expect_nothing(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "first").await?;
    ensure_matches!(
        register.swap(&key, Some(Version::FIRST), vec![1]).await,
        Err(SwapError::Conflict { current: None })
    );
    ensure_matches!(register.swap(&key, None, vec![2]).await, Ok(Version::FIRST));
    let current = conflict(register.swap(&key, None, vec![3]).await)?;
    ensure!(current == cell(1, &[2]), "a second first write was told {current:?}");
    holds(&*register, &key, cell(1, &[2])).await
}

/// Each write makes the version one higher.
///
/// # Errors
/// The [`Breach`].
pub async fn versions_begin_with_one_and_grow_by_one(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "versions").await?;
    let mut expected = None;
    for count in 1..=20_u8 {
        let version = register.swap(&key, expected, vec![count]).await?;
        ensure!(version == Version(count.into()), "write {count} made version {version}");
        holds(&*register, &key, cell(count.into(), &[count])).await?;
        expected = Some(version);
    }
    Ok(())
}

/// A swap that expects an older, a future or an impossible version changes nothing and learns what is there.
///
/// # Errors
/// The [`Breach`].
pub async fn a_wrong_version_is_told_the_cell_and_writes_nothing(
    harness: &dyn RegisterHarness,
) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "stale").await?;
    let first = register.swap(&key, None, vec![1]).await?;
    register.swap(&key, Some(first), vec![2]).await?;
    for wrong in [0, 1, 3, u64::from(u32::MAX), i64::MAX as u64, u64::MAX] {
        let current = conflict(register.swap(&key, Some(Version(wrong)), vec![9]).await)?;
        ensure!(current == cell(2, &[2]), "expecting version {wrong} was told {current:?}");
    }
    holds(&*register, &key, cell(2, &[2])).await
}

/// A read that begins after a swap has returned sees it, through whichever handle.
///
/// # Errors
/// The [`Breach`].
pub async fn another_handle_sees_a_swap_at_once(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "handles").await?;
    let handles = [register, harness.open().await?, harness.open().await?];
    let mut expected = None;
    for (count, writer) in (1..=30_u8).zip(handles.iter().cycle()) {
        expected = Some(writer.swap(&key, expected, vec![count]).await?);
        for reader in &handles {
            holds(&**reader, &key, cell(count.into(), &[count])).await?;
        }
    }
    Ok(())
}

/// Cells of other validators, chains and purposes are other cells.
///
/// # Errors
/// The [`Breach`].
pub async fn keys_are_independent(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "independent").await?;
    let (chain, validator) = (chain(harness)?, address("independent"));
    let others = [
        RegisterKey::roster(&chain, &validator)?,
        RegisterKey::signing(&chain, &address("independent, too"))?,
        RegisterKey::signing(&format!("{chain}0").parse()?, &validator)?,
    ];
    register.swap(&key, None, vec![1]).await?;
    for (count, other) in (2..).zip(&others) {
        ensure!(register.read(other).await?.is_none(), "writing {key} wrote {other}");
        register.swap(other, None, vec![count]).await?;
    }
    for (count, other) in (2..).zip(&others) {
        holds(&*register, other, cell(1, &[count])).await?;
    }
    holds(&*register, &key, cell(1, &[1])).await
}

/// A value is bytes: none, all there are, as many as allowed.
///
/// # Errors
/// The [`Breach`].
pub async fn values_come_back_byte_for_byte(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "bytes").await?;
    let values = [
        Vec::new(),
        vec![0],
        (0..=u8::MAX).collect(),
        b"text, 'quoted'; -- \0 \xff\xfe not UTF-8\r\n".to_vec(),
        vec![0xA5; Cell::LEN_MAX],
        Vec::new(),
    ];
    let mut expected = None;
    for (count, value) in (1..).zip(values) {
        expected = Some(register.swap(&key, expected, value.clone()).await?);
        let found = register.read(&key).await?.map(|found| (found.version.0, found.value == value));
        ensure!(found == Some((count, true)), "a value of {} bytes came back as {found:?}", value.len());
    }
    Ok(())
}

/// More than [`Cell::LEN_MAX`] bytes are refused, and nothing is written.
///
/// # Errors
/// The [`Breach`].
pub async fn a_value_too_large_is_refused(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "large").await?;
    let too_large = || vec![1; Cell::LEN_MAX.saturating_add(1)];
    ensure_matches!(register.swap(&key, None, too_large()).await, Err(SwapError::Failed(_)));
    ensure!(register.read(&key).await?.is_none(), "it was written");
    let version = register.swap(&key, None, vec![1]).await?;
    ensure_matches!(register.swap(&key, Some(version), too_large()).await, Err(SwapError::Failed(_)));
    holds(&*register, &key, cell(1, &[1])).await
}
