//! The contract of [`ObjectStore`], as a suite for any backend.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::Breach;
use crate::object_store::{
    CONTENT_LEN_MAX, Chunks, Object, ObjectError, ObjectName, ObjectStore, ObjectVersion, OnlyIf,
};
use crate::register::Cause;

/// What the suite needs to know of a backend.
#[async_trait]
pub trait ObjectHarness: Send + Sync {
    /// One more handle of the same store.
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, ObjectError>;

    /// A number that no earlier run on the same store has had: the suite makes its names from it.
    fn run(&self) -> u64 {
        0
    }
}

/// Checks every statement.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    state_all!(harness;
        nothing_is_there_until_it_is_put,
        what_was_put_comes_back_byte_for_byte,
        a_condition_that_does_not_hold_changes_nothing,
        of_racing_puts_one_wins,
        what_was_written_over_or_deleted_can_still_be_read,
        lists_hold_what_begins_so_in_order,
        a_long_object_goes_in_and_out_in_pieces,
        a_stream_never_replaces_an_object,
        a_stream_that_breaks_leaves_nothing,
    )
}

async fn open(harness: &dyn ObjectHarness, name: &str) -> Result<(Arc<dyn ObjectStore>, ObjectName), Breach> {
    let name = format!("contract-{:x}/{name}", harness.run()).parse()?;
    Ok((harness.open().await?, name))
}

/// What was never put is not found, has no versions, is in no list, and can be deleted.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn nothing_is_there_until_it_is_put(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    let (store, name) = open(harness, "absent").await?;
    ensure_matches!(store.get(&name, None).await, Err(ObjectError::NotFound(_)));
    ensure!(store.get_stream(&name).await.is_err(), "there is a stream of nothing");
    ensure!(store.list(name.as_str()).await?.is_empty(), "it is listed");
    ensure!(store.versions(&name).await?.is_empty(), "it has versions");
    let other = ObjectVersion::new("no-version of-this-store");
    ensure_matches!(store.put(&name, OnlyIf::Is(other), vec![1]).await, Err(ObjectError::Conflict(_)));
    store.delete(&name).await?;
    ensure_matches!(store.get(&name, None).await, Err(ObjectError::NotFound(_)));
    Ok(())
}

/// Content is bytes: none, all there are, as many as allowed; more are refused.
///
/// # Errors
/// The [`Breach`].
pub async fn what_was_put_comes_back_byte_for_byte(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    let (store, name) = open(harness, "bytes").await?;
    let other = harness.open().await?;
    for content in [Vec::new(), vec![0], (0..=u8::MAX).collect(), vec![7; CONTENT_LEN_MAX]] {
        let version = store.put(&name, OnlyIf::Always, content.clone()).await?;
        let got = other.get(&name, None).await?;
        ensure!(got.content == content, "{} bytes came back as {}", content.len(), got.content.len());
        ensure!(got.version == version, "it was put as {version:?} and got as {:?}", got.version);
    }
    let more = vec![7; CONTENT_LEN_MAX.saturating_add(1)];
    ensure_matches!(store.put(&name, OnlyIf::Always, more).await, Err(ObjectError::TooLarge(_)));
    Ok(())
}

/// A put that expects nothing, or another version, is a conflict, and what is there stays.
///
/// # Errors
/// The [`Breach`].
pub async fn a_condition_that_does_not_hold_changes_nothing(
    harness: &dyn ObjectHarness,
) -> Result<(), Breach> {
    let (store, name) = open(harness, "condition").await?;
    let first = store.put(&name, OnlyIf::Absent, vec![1]).await?;
    ensure_matches!(store.put(&name, OnlyIf::Absent, vec![2]).await, Err(ObjectError::Conflict(_)));
    let second = store.put(&name, OnlyIf::Is(first.clone()), vec![3]).await?;
    ensure_matches!(store.put(&name, OnlyIf::Is(first), vec![4]).await, Err(ObjectError::Conflict(_)));
    let got = store.get(&name, None).await?;
    ensure!(got == Object { version: second.clone(), content: vec![3] }, "it is {got:?}");
    store.delete(&name).await?;
    ensure_matches!(store.put(&name, OnlyIf::Is(second), vec![5]).await, Err(ObjectError::Conflict(_)));
    store.put(&name, OnlyIf::Absent, vec![6]).await.map(drop)?;
    Ok(())
}

/// Of puts that expect the same, one succeeds, and it is what is there.
///
/// # Errors
/// The [`Breach`].
pub async fn of_racing_puts_one_wins(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    let (store, name) = open(harness, "race").await?;
    let mut expected = OnlyIf::Absent;
    // No content comes twice: see the contract.
    for round in 0..5_u8 {
        let mut racers = JoinSet::new();
        for racer in 0..8_u8 {
            let (store, name, expected) = (harness.open().await?, name.clone(), expected.clone());
            racers.spawn(async move { (racer, store.put(&name, expected, vec![round, racer]).await) });
        }
        let mut won = Vec::new();
        for (racer, outcome) in racers.join_all().await {
            match outcome {
                Ok(version) => won.push(Object { version, content: vec![round, racer] }),
                Err(error) => ensure_matches!(error, ObjectError::Conflict(_)),
            }
        }
        let got = store.get(&name, None).await?;
        ensure!(won == [got.clone()], "{won:?} won, and it is {got:?}");
        expected = OnlyIf::Is(got.version);
    }
    Ok(())
}

/// All that was written is kept, the newest first, and read by its version.
///
/// # Errors
/// The [`Breach`].
pub async fn what_was_written_over_or_deleted_can_still_be_read(
    harness: &dyn ObjectHarness,
) -> Result<(), Breach> {
    let (store, name) = open(harness, "versions").await?;
    let neighbour: ObjectName = format!("{name}.old").parse()?;
    store.put(&neighbour, OnlyIf::Always, vec![9]).await?;
    let mut written = Vec::new();
    for content in 1..=3_u8 {
        written.push(store.put(&name, OnlyIf::Always, vec![content; content.into()]).await?);
    }
    store.delete(&name).await?;
    ensure_matches!(store.get(&name, None).await, Err(ObjectError::NotFound(_)));
    let kept = store.versions(&name).await?;
    let mut wanted: Vec<_> = written.iter().cloned().map(Some).collect();
    wanted.push(None);
    wanted.reverse();
    let versions: Vec<_> = kept.iter().map(|kept| kept.version.clone()).collect();
    ensure!(versions == wanted, "{versions:?} are kept, not {wanted:?}");
    ensure!(kept.iter().map(|kept| kept.len).eq([0, 3, 2, 1]), "their lengths are wrong: {kept:?}");
    for (content, version) in (1_u8..).zip(written) {
        let got = store.get(&name, Some(version.clone())).await?;
        ensure!(
            got == Object { version, content: vec![content; content.into()] },
            "version {content} is {got:?}"
        );
    }
    Ok(())
}

/// A list holds all objects whose names begin so, however many, and no deleted one.
///
/// # Errors
/// The [`Breach`].
pub async fn lists_hold_what_begins_so_in_order(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    const COUNT: usize = 120;
    let (store, folder) = open(harness, "list").await?;
    let name = |index: usize| format!("{folder}/{index:03}").parse::<ObjectName>();
    for index in (0..COUNT).rev() {
        store.put(&name(index)?, OnlyIf::Always, vec![0; index]).await?;
    }
    store.put(&format!("{folder}s").parse()?, OnlyIf::Always, vec![]).await?;
    store.delete(&name(7)?).await?;
    let listed = store.list(&format!("{folder}/")).await?;
    let wanted = (0..COUNT).filter(|index| *index != 7);
    let names: Result<Vec<_>, _> = wanted.clone().map(name).collect();
    ensure!(listed.iter().map(|listed| &listed.name).eq(&names?), "{} are listed: {listed:?}", listed.len());
    ensure!(
        wanted.zip(&listed).all(|(index, listed)| u64::try_from(index) == Ok(listed.len)),
        "lengths are wrong: {listed:?}"
    );
    Ok(())
}

/// So many pieces of so many bytes, each telling where it is.
struct Pieces {
    left: u64,
    len: usize,
    broken: bool,
}

#[async_trait]
impl Chunks for Pieces {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        match self.left.checked_sub(1) {
            None if self.broken => Err("the disk is gone".into()),
            None => Ok(None),
            Some(left) => {
                self.left = left;
                Ok(Some(vec![u8::try_from(left % 251)?; self.len]))
            }
        }
    }
}

/// More than one piece in memory goes in, and comes out the same.
///
/// # Errors
/// The [`Breach`].
pub async fn a_long_object_goes_in_and_out_in_pieces(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    const PIECES: u64 = 211;
    const PIECE: usize = 100_001;
    let (store, name) = open(harness, "long").await?;
    let version = store.put_stream(&name, &mut Pieces { left: PIECES, len: PIECE, broken: false }).await?;
    let mut wanted = Pieces { left: PIECES, len: PIECE, broken: false };
    let (mut got, mut ahead, mut total) = (store.get_stream(&name).await?, Vec::new(), 0_usize);
    while let Some(chunk) =
        got.next().await.map_err(|error| Breach::new(format!("the stream broke: {error}")))?
    {
        total = total.saturating_add(chunk.len());
        while ahead.len() < chunk.len() {
            match wanted.next().await {
                Ok(Some(more)) => ahead.extend(more),
                _ => return Err(Breach::new("more came out than went in")),
            }
        }
        let rest = ahead.split_off(chunk.len());
        ensure!(ahead == chunk, "other bytes came out, up to {total}");
        ahead = rest;
    }
    ensure!(ahead.is_empty() && wanted.left == 0, "only {total} bytes came out");
    let kept = store.versions(&name).await?;
    ensure!(kept.first().and_then(|kept| kept.version.clone()) == Some(version), "it is kept as {kept:?}");
    // In one piece it is more than anybody should hold.
    ensure_matches!(store.get(&name, None).await, Err(ObjectError::TooLarge(_)));
    Ok(())
}

/// A stream, short or long, is for a new object.
///
/// # Errors
/// The [`Breach`].
pub async fn a_stream_never_replaces_an_object(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    let (store, name) = open(harness, "stream-over").await?;
    store.put(&name, OnlyIf::Absent, vec![1]).await?;
    for left in [0, 1, 200] {
        let mut pieces = Pieces { left, len: 100_000, broken: false };
        ensure_matches!(store.put_stream(&name, &mut pieces).await, Err(ObjectError::Conflict(_)));
    }
    let got = store.get(&name, None).await?;
    ensure!(got.content == [1], "it was replaced");
    Ok(())
}

/// A stream that fails, early or late, leaves no object.
///
/// # Errors
/// The [`Breach`].
pub async fn a_stream_that_breaks_leaves_nothing(harness: &dyn ObjectHarness) -> Result<(), Breach> {
    let (store, name) = open(harness, "broken").await?;
    for left in [0, 1, 200] {
        let mut pieces = Pieces { left, len: 100_000, broken: true };
        ensure_matches!(store.put_stream(&name, &mut pieces).await, Err(ObjectError::Source(_)));
        ensure_matches!(store.get(&name, None).await, Err(ObjectError::NotFound(_)));
        ensure!(store.versions(&name).await?.is_empty(), "something was left");
    }
    Ok(())
}
