//! Many callers at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::{JoinError, JoinSet};

use super::{RegisterHarness, conflict, fresh, holds};
use crate::register::{Cell, Register, RegisterKey, SwapError, Version};
use crate::testing::Breach;

/// What somebody meant to write, and what came of it.
type Try = (Vec<u8>, Result<Version, SwapError>);

/// Of writers that expect the same version one wins, and every other one is told the winner's value.
///
/// # Errors
/// The [`Breach`].
pub async fn of_racing_writers_one_wins_and_all_others_see_its_value(
    harness: &dyn RegisterHarness,
) -> Result<(), Breach> {
    let (register, key) = fresh(harness, "race").await?;
    let handles = [register, harness.open().await?, harness.open().await?, harness.open().await?];
    let mut expected = None;
    for round in 1..=20_u64 {
        let outcomes = race(&handles, &key, expected, round).await?;
        let winners: Vec<_> = outcomes.iter().filter(|(_, outcome)| outcome.is_ok()).collect();
        ensure!(winners.len() == 1, "version {round} had {} winners: {outcomes:?}", winners.len());
        let won = winners.first().map(|(value, _)| Cell { version: Version(round), value: value.clone() });
        for (value, outcome) in outcomes {
            match outcome {
                Ok(version) => {
                    ensure!(version == Version(round), "{value:?} won version {version}, not {round}")
                }
                Err(error) => {
                    let current = conflict(Err(error))?;
                    ensure!(current == won, "a loser of version {round} was told {current:?}, not {won:?}");
                }
            }
        }
        expected = Some(Version(round));
    }
    Ok(())
}

/// Writers that go on from whatever they are told never win the same version.
///
/// # Errors
/// The [`Breach`].
pub async fn no_version_is_won_twice(harness: &dyn RegisterHarness) -> Result<(), Breach> {
    const WRITERS: u8 = 6;
    const WINS_EACH: u64 = 15;
    let (register, key) = fresh(harness, "chase").await?;
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (handle, key) = (harness.open().await?, key.clone());
        writers.spawn(async move { chase(&*handle, &key, writer, WINS_EACH).await });
    }
    let mut won = BTreeMap::new();
    while let Some(joined) = writers.join_next().await {
        for (version, value) in finished(joined)?? {
            let other = won.insert(version, value);
            ensure!(other.is_none(), "version {version} was won twice");
        }
    }
    let last = u64::from(WRITERS) * WINS_EACH;
    ensure!(won.keys().map(|version| version.0).eq(1..=last), "won were {:?}, not 1 to {last}", won.keys());
    let value = won.remove(&Version(last)).unwrap_or_default();
    holds(&*register, &key, Some(Cell { version: Version(last), value })).await
}

/// Swaps until it has won so often, and returns what it won. A writer's value is unlike any other's.
async fn chase(
    register: &dyn Register,
    key: &RegisterKey,
    writer: u8,
    wins: u64,
) -> Result<Vec<(Version, Vec<u8>)>, Breach> {
    let (mut expected, mut won) = (register.read(key).await?.map(|cell| cell.version), Vec::new());
    for win in 0..wins {
        let mut value = vec![writer];
        value.extend(win.to_be_bytes());
        loop {
            match register.swap(key, expected, value.clone()).await {
                Ok(version) => {
                    won.push((version, value));
                    expected = Some(version);
                    break;
                }
                Err(error) => {
                    let current = conflict(Err(error))?.map(|cell| cell.version);
                    ensure!(current > expected, "a conflict over {expected:?} was told {current:?}");
                    expected = current;
                }
            }
        }
    }
    Ok(won)
}

/// Two tasks on each handle swap at once; each with what it wrote and what it got.
async fn race(
    handles: &[Arc<dyn Register>],
    key: &RegisterKey,
    expected: Option<Version>,
    round: u64,
) -> Result<Vec<Try>, Breach> {
    let mut racers = JoinSet::new();
    for (racer, handle) in (0..=u8::MAX).zip(handles.iter().chain(handles)) {
        let (handle, key) = (Arc::clone(handle), key.clone());
        let mut value = round.to_be_bytes().to_vec();
        value.push(racer);
        racers.spawn(async move { (value.clone(), handle.swap(&key, expected, value).await) });
    }
    let mut outcomes = Vec::new();
    while let Some(joined) = racers.join_next().await {
        outcomes.push(finished(joined)?);
    }
    Ok(outcomes)
}

fn finished<T>(joined: Result<T, JoinError>) -> Result<T, Breach> {
    joined.map_err(|error| Breach::new(format!("a call panicked: {error}")))
}
