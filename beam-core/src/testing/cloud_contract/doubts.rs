//! Lost answers, lost requests, throttling, silence: what a caller is told, and what asking again does.

use std::future::Future;
use std::time::Duration;

use super::Verdict;
use super::harness::Outside;
use super::patient::bounded;
use super::stage::Stage;
use crate::cloud_provider::{CloudError, VolumeSource, VolumeState};
use crate::testing::Breach;

clauses! {
    a_lost_answer_to_a_launch_is_doubt_and_asked_again_is_one: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_an_allocation_is_doubt_and_asked_again_is_one: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_a_volume_is_doubt_and_asked_again_is_one: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_a_snapshot_is_doubt_and_asked_again_is_one: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_a_move_is_doubt_and_asked_again_is_done: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_a_detachment_is_doubt_and_asked_again_is_done: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_an_end_is_doubt_and_asked_again_is_done: "OutcomeUnknown; calling again is always safe.",
    a_lost_answer_to_an_attachment_is_doubt_and_asked_again_is_done: "OutcomeUnknown; calling again is always safe.",
    a_lost_request_is_doubt_and_asked_again_is_done: "OutcomeUnknown, also if it did not happen.",
    a_throttled_call_says_so_and_changes_nothing: "Throttled: only OutcomeUnknown may have changed something.",
    a_cloud_out_of_reach_says_so_and_changes_nothing: "Unavailable: only OutcomeUnknown may have changed something.",
    a_list_out_of_reach_is_no_empty_list: "An error is never an empty list; a list knows no doubt.",
    a_silent_cloud_is_doubt_within_some_seconds: "Bounded: every call ends within some seconds.",
    a_launch_dropped_midway_happens_once_or_not_at_all: "Dropped midway: as if the answer was lost.",
}

/// How long a dropped call runs before it is dropped.
const DROPPED_AFTER: Duration = Duration::from_millis(2);

/// Checks that a call, made once, is in doubt.
async fn doubted<T: std::fmt::Debug>(
    call: impl Future<Output = Result<T, CloudError>>,
) -> Result<(), Breach> {
    ensure_matches!(bounded(call).await, Err(CloudError::OutcomeUnknown(_)));
    Ok(())
}

async fn lose_answer(stage: &Stage<'_>) -> bool {
    stage.harness.outside(Outside::LoseAnswer).await
}

async fn machines(stage: &Stage<'_>) -> Result<usize, Breach> {
    stage.lists_settle().await;
    Ok(stage.cloud.instances(&stage.fleet).await?.len())
}

async fn a_lost_answer_to_a_launch_is_doubt_and_asked_again_is_one(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().launch(&stage.sentry("one"))).await?;
    stage.running("one").await?;
    let found = machines(stage).await?;
    ensure!(found == 1, "asked again with its token, there are {found} machines");
    Ok(Verdict::Kept)
}

async fn a_lost_answer_to_an_allocation_is_doubt_and_asked_again_is_one(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().allocate_address(&stage.fleet, &stage.token("address"))).await?;
    stage.lists_settle().await;
    stage.free_address("address").await?;
    stage.lists_settle().await;
    let listed = stage.cloud.addresses(&stage.fleet).await?;
    ensure!(listed.len() == 1, "asked again with its token, there are {listed:?}");
    Ok(Verdict::Kept)
}

async fn a_lost_answer_to_a_volume_is_doubt_and_asked_again_is_one(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let (instance, disk) = stage.running_with_disk("one").await?;
    let snapshot = stage.complete(&disk, "snapshot").await?.id;
    let source = VolumeSource::Snapshot { snapshot, zone: instance.zone, rate_mib_per_s: None };
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().create_volume(&stage.volume_from(source.clone(), "volume"))).await?;
    stage.free_volume(source, "volume").await?;
    stage.lists_settle().await;
    let mut listed = stage.cloud.volumes(&stage.fleet).await?;
    listed.retain(|found| found.token.as_ref() == Some(&stage.token("volume")));
    ensure!(listed.len() == 1, "asked again with its token, there are {listed:?}");
    Ok(Verdict::Kept)
}

async fn a_lost_answer_to_a_snapshot_is_doubt_and_asked_again_is_one(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let (_, disk) = stage.running_with_disk("one").await?;
    let request = stage.snapshot_of(&disk, "snapshot")?;
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().take_snapshot(&request)).await?;
    stage.lists_settle().await;
    stage.complete(&disk, "snapshot").await?;
    stage.lists_settle().await;
    let listed = stage.cloud.snapshots(&stage.fleet).await?;
    ensure!(listed.len() == 1, "asked again with its token, there are {listed:?}");
    Ok(Verdict::Kept)
}

async fn a_lost_answer_to_a_move_is_doubt_and_asked_again_is_done(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().move_address(&address.id, &instance)).await?;
    stage.moved(&address, &instance).await.map(|()| Verdict::Kept)
}

async fn a_lost_answer_to_a_detachment_is_doubt_and_asked_again_is_done(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().detach_address(&address.id)).await?;
    stage.cloud.detach_address(&address.id).await?;
    let what = "the address, free";
    stage.address(&address.id, what, |found| found.attached.is_none()).await.map(|_| Verdict::Kept)
}

async fn a_lost_answer_to_an_end_is_doubt_and_asked_again_is_done(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let instance = stage.running("one").await?.id;
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().terminate(&instance)).await?;
    stage.cloud.terminate(&instance).await?;
    stage.ended(&instance).await.map(|()| Verdict::Kept)
}

async fn a_lost_answer_to_an_attachment_is_doubt_and_asked_again_is_done(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    stage.cloud.detach_volume(&volume).await?;
    stage.volume(&volume, "the volume, available", |found| found.state == VolumeState::Available).await?;
    staged!(lose_answer(stage).await, "lose an answer");
    doubted(stage.once().attach_volume(&volume, &instance.id)).await?;
    stage.cloud.attach_volume(&volume, &instance.id).await?;
    let held = Some(&instance.id);
    let what = "an attached volume";
    stage.volume(&volume, what, |found| found.attached.as_ref() == held).await.map(|_| Verdict::Kept)
}

async fn a_lost_request_is_doubt_and_asked_again_is_done(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let done = stage.harness.outside(Outside::LoseRequest).await;
    staged!(done, "lose a request");
    doubted(stage.once().launch(&stage.sentry("one"))).await?;
    stage.running("one").await?;
    let found = machines(stage).await?;
    ensure!(found == 1, "asked again with its token, there are {found} machines");
    Ok(Verdict::Kept)
}

async fn a_throttled_call_says_so_and_changes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    staged!(stage.harness.outside(Outside::Throttle).await, "throttle a call");
    ensure_matches!(bounded(stage.once().launch(&stage.sentry("one"))).await, Err(CloudError::Throttled));
    let found = machines(stage).await?;
    ensure!(found == 0, "throttled, it made {found} machines");
    staged!(stage.harness.outside(Outside::Throttle).await, "throttle a call");
    ensure_matches!(bounded(stage.once().instances(&stage.fleet)).await, Err(CloudError::Throttled));
    Ok(Verdict::Kept)
}

async fn a_cloud_out_of_reach_says_so_and_changes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    staged!(stage.harness.outside(Outside::BreakLine).await, "break the line before a call");
    let answer = bounded(stage.once().launch(&stage.sentry("one"))).await;
    ensure_matches!(answer, Err(CloudError::Unavailable(_)));
    let found = machines(stage).await?;
    ensure!(found == 0, "out of reach, it made {found} machines");
    Ok(Verdict::Kept)
}

async fn a_list_out_of_reach_is_no_empty_list(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (cloud, fleet) = (stage.once(), &stage.fleet);
    staged!(stage.harness.outside(Outside::BreakLine).await, "break the line before a call");
    ensure_matches!(bounded(cloud.instances(fleet)).await, Err(CloudError::Unavailable(_)));
    staged!(stage.harness.outside(Outside::BreakLine).await, "break the line before a call");
    ensure_matches!(bounded(cloud.addresses(fleet)).await, Err(CloudError::Unavailable(_)));
    staged!(stage.harness.outside(Outside::BreakLine).await, "break the line before a call");
    ensure_matches!(bounded(cloud.volumes(fleet)).await, Err(CloudError::Unavailable(_)));
    staged!(stage.harness.outside(Outside::BreakLine).await, "break the line before a call");
    ensure_matches!(bounded(cloud.snapshots(fleet)).await, Err(CloudError::Unavailable(_)));
    Ok(Verdict::Kept)
}

async fn a_silent_cloud_is_doubt_within_some_seconds(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    staged!(stage.harness.outside(Outside::Hang).await, "let a call hang");
    doubted(stage.once().launch(&stage.sentry("one"))).await?;
    stage.running("one").await?;
    let found = machines(stage).await?;
    ensure!(found == 1, "asked again with its token, there are {found} machines");
    Ok(Verdict::Kept)
}

async fn a_launch_dropped_midway_happens_once_or_not_at_all(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (cloud, launch) = (stage.once(), stage.sentry("one"));
    // Whatever it came to by then: it is dropped.
    let _ = tokio::time::timeout(DROPPED_AFTER, cloud.launch(&launch)).await;
    stage.running("one").await?;
    let found = machines(stage).await?;
    ensure!(found == 1, "dropped and asked again with its token, there are {found} machines");
    Ok(Verdict::Kept)
}
