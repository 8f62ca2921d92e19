//! Snapshots: taken once, complete later, deleted for good.

use super::Verdict;
use super::stage::Stage;
use crate::cloud_provider::{CloudError, SnapshotState, VolumeSource};
use crate::testing::Breach;

clauses! {
    a_snapshot_says_what_it_holds: "Chain, height and token are in the snapshot's tags.",
    a_snapshot_comes_to_be_complete: "A call returns when the cloud has taken it; the lists say when it is so.",
    a_snapshot_asked_for_twice_with_its_token_is_one: "A second call with the same token gives the same snapshot.",
    another_token_is_another_snapshot: "A new intention has a new token, and gives a new snapshot.",
    a_deleted_snapshot_is_gone: "Deletes a snapshot for good.",
    a_volume_outlives_its_snapshot: "Disks made from it stay, filled or not.",
}

async fn a_snapshot_says_what_it_holds(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let request = stage.snapshot_of(&volume, "snapshot")?;
    let id = stage.cloud.take_snapshot(&request).await?;
    let found = stage.snapshot(&id, "the snapshot", |_| true).await?;
    ensure!(
        found.chain == request.chain,
        "a snapshot of {} is listed as one of {}",
        request.chain,
        found.chain
    );
    ensure!(found.height == request.height, "taken at {}, it says {}", request.height, found.height);
    ensure!(found.token.as_ref() == Some(&request.token), "it carries the token {:?}", found.token);
    Ok(Verdict::Kept)
}

async fn a_snapshot_comes_to_be_complete(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let id = stage.cloud.take_snapshot(&stage.snapshot_of(&volume, "snapshot")?).await?;
    let first = stage.snapshot(&id, "the snapshot", |_| true).await?;
    if let SnapshotState::Pending { percent } = first.state {
        ensure!(percent <= 100, "{percent} % of it are copied");
    }
    stage.snapshot(&id, "a complete snapshot", |found| found.state == SnapshotState::Complete).await?;
    Ok(Verdict::Kept)
}

async fn a_snapshot_asked_for_twice_with_its_token_is_one(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let first = stage.complete(&volume, "snapshot").await?.id;
    stage.lists_settle().await;
    let again = stage.cloud.take_snapshot(&stage.snapshot_of(&volume, "snapshot")?).await?;
    ensure!(again == first, "the same token took {first} and then {again}");
    stage.lists_settle().await;
    let listed = stage.cloud.snapshots(&stage.fleet).await?;
    ensure!(listed.len() == 1, "one token took {listed:?}");
    Ok(Verdict::Kept)
}

async fn another_token_is_another_snapshot(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let one = stage.complete(&volume, "snapshot one").await?.id;
    let two = stage.complete(&volume, "snapshot two").await?.id;
    ensure!(one != two, "two tokens took one snapshot, {one}");
    Ok(Verdict::Kept)
}

async fn a_deleted_snapshot_is_gone(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let id = stage.complete(&volume, "snapshot").await?.id;
    stage.cloud.delete_snapshot(&id).await?;
    stage.lists_settle().await;
    let listed = stage.cloud.snapshots(&stage.fleet).await?;
    ensure!(listed.is_empty(), "deleted, it is still listed: {listed:?}");
    ensure_matches!(stage.strict.delete_snapshot(&id).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn a_volume_outlives_its_snapshot(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    let snapshot = stage.complete(&volume, "snapshot").await?.id;
    let source =
        VolumeSource::Snapshot { snapshot: snapshot.clone(), zone: instance.zone, rate_mib_per_s: None };
    let made = stage.free_volume(source, "volume").await?.id;
    stage.cloud.delete_snapshot(&snapshot).await?;
    stage.lists_settle().await;
    stage.volume(&made, "the volume", |_| true).await.map(|_| Verdict::Kept)
}
