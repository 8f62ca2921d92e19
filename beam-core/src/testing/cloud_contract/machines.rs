//! Machines: asked once, made once; ended once, and never a validator.

use super::Verdict;
use super::harness::Outside;
use super::stage::Stage;
use crate::cloud_provider::{CloudError, InstanceState, Launch, Role, SnapshotState, VolumeOrigin};
use crate::testing::Breach;

clauses! {
    a_launch_repeated_with_its_token_is_one_machine: "A second call with the same token gives the same machine.",
    another_token_is_another_machine: "A new intention has a new token, and gives a new machine.",
    a_token_with_other_arguments_makes_no_machine: "The same token with other arguments makes nothing.",
    a_machine_carries_what_it_was_launched_with: "Role, name and token are in the machine's tags.",
    a_machine_has_a_data_disk_in_its_zone: "The data disk of a machine is listed, in its zone, as its own.",
    a_machine_that_ends_is_listed_as_ended_or_not_at_all: "Accepted is not finished; the lists say when it is so.",
    the_disk_of_a_machine_that_ends_is_given_back: "Ends one machine, and gives the disks it was launched with back.",
    ending_twice_is_ending_once: "Ending what ends, or is ended, succeeds and changes nothing.",
    a_validator_is_never_terminated: "A validator is never terminated, whoever asks.",
    a_validator_that_a_person_ended_is_listed_as_ended: "Lists say what is, whoever did it.",
    a_machine_from_a_snapshot_is_filled_from_it: "A launch with a snapshot fills the data disk from it.",
    a_machine_from_an_unfinished_snapshot_is_not_ready: "What builds on something unfinished is NotReady.",
    a_zone_without_room_is_no_capacity_and_makes_nothing: "NoCapacity if there is no room; then nothing changed.",
}

/// Checks that the fleet has so many machines that have not ended, once lists have settled.
async fn counts(stage: &Stage<'_>, wanted: usize) -> Result<(), Breach> {
    stage.lists_settle().await;
    let mut listed = stage.cloud.instances(&stage.fleet).await?;
    listed.retain(|found| !matches!(found.state, InstanceState::Ending | InstanceState::Terminated));
    let found = listed.len();
    ensure!(found == wanted, "there are {found} machines, not {wanted}: {listed:?}");
    Ok(())
}

async fn a_launch_repeated_with_its_token_is_one_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let first = stage.cloud.launch(&stage.sentry("one")).await?;
    let again = stage.cloud.launch(&stage.sentry("one")).await?;
    ensure!(again == first, "the same token launched {first} and then {again}");
    stage.running("one").await?;
    let late = stage.cloud.launch(&stage.sentry("one")).await?;
    ensure!(late == first, "the same token launched {first} and, once it ran, {late}");
    counts(stage, 1).await.map(|()| Verdict::Kept)
}

async fn another_token_is_another_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (one, two) = (stage.running("one").await?, stage.running("two").await?);
    ensure!(one.id != two.id, "two tokens launched one machine, {}", one.id);
    counts(stage, 2).await.map(|()| Verdict::Kept)
}

async fn a_token_with_other_arguments_makes_no_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let first = stage.running("one").await?.id;
    let other = Launch { name: "renamed".to_owned(), ..stage.sentry("one") };
    match stage.cloud.launch(&other).await {
        Err(CloudError::Invalid(_)) => {}
        Ok(given) if given == first => {}
        answer => return Err(Breach::new(format!("the same token, another name: {answer:?}"))),
    }
    counts(stage, 1).await.map(|()| Verdict::Kept)
}

async fn a_machine_carries_what_it_was_launched_with(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let found = stage.running("named").await?;
    ensure!(found.role == Some(Role::Sentry), "the sentry's role is {:?}", found.role);
    ensure!(found.name == "named", "the machine's name is {:?}", found.name);
    ensure!(found.token == Some(stage.token("named")), "the machine's token is {:?}", found.token);
    ensure!(found.private_address.is_some(), "the machine has no private address");
    let id = stage.cloud.launch(&stage.validator("validator")).await?;
    let found = stage.instance(&id, "the validator", |_| true).await?;
    ensure!(found.role == Some(Role::Validator), "the validator's role is {:?}", found.role);
    Ok(Verdict::Kept)
}

async fn a_machine_has_a_data_disk_in_its_zone(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    let held = Some(&instance.id);
    let found = stage.volume(&volume, "its data disk", |found| found.attached.as_ref() == held).await?;
    ensure!(found.zone == instance.zone, "the disk is in {}, the machine in {}", found.zone, instance.zone);
    ensure!(found.size_gib > 0, "the disk has no size");
    Ok(Verdict::Kept)
}

async fn a_machine_that_ends_is_listed_as_ended_or_not_at_all(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let id = stage.running("one").await?.id;
    stage.cloud.terminate(&id).await?;
    stage.ended(&id).await.map(|()| Verdict::Kept)
}

async fn the_disk_of_a_machine_that_ends_is_given_back(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    stage.volume(&volume, "its data disk", |_| true).await?;
    stage.cloud.terminate(&instance.id).await?;
    stage.ended(&instance.id).await?;
    stage.volume_gone(&volume).await.map(|()| Verdict::Kept)
}

async fn ending_twice_is_ending_once(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let id = stage.running("one").await?.id;
    stage.cloud.terminate(&id).await?;
    ensure_matches!(stage.cloud.terminate(&id).await, Ok(()));
    stage.ended(&id).await?;
    // A cloud that has forgotten it by now may say so.
    ensure_matches!(stage.cloud.terminate(&id).await, Ok(()) | Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn a_validator_is_never_terminated(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let id = stage.cloud.launch(&stage.validator("validator")).await?;
    ensure_matches!(stage.cloud.terminate(&id).await, Err(CloudError::Protected(_)));
    stage.instance(&id, "a running validator", |found| found.state == InstanceState::Running).await?;
    ensure_matches!(stage.cloud.terminate(&id).await, Err(CloudError::Protected(_)));
    counts(stage, 1).await.map(|()| Verdict::Kept)
}

async fn a_validator_that_a_person_ended_is_listed_as_ended(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let id = stage.cloud.launch(&stage.validator("validator")).await?;
    stage.instance(&id, "a running validator", |found| found.state == InstanceState::Running).await?;
    staged!(stage.harness.outside(Outside::EndMachine(&id)).await, "end a machine by hand");
    stage.ended(&id).await.map(|()| Verdict::Kept)
}

async fn a_machine_from_a_snapshot_is_filled_from_it(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let snapshot = stage.complete(&volume, "snapshot").await?.id;
    let launch = Launch { snapshot: Some(snapshot.clone()), ..stage.sentry("two") };
    let id = stage.cloud.launch(&launch).await?;
    let what = "a machine with its data disk";
    let made = stage.instance(&id, what, |found| found.data_volume.is_some()).await?;
    let Some(made) = made.data_volume else { return Err(Breach::new("no data disk")) };
    let found = stage.volume(&made, "the machine's data disk", |_| true).await?.made_from;
    ensure!(found == Some(VolumeOrigin::Snapshot(snapshot)), "the disk was made from {found:?}");
    Ok(Verdict::Kept)
}

async fn a_machine_from_an_unfinished_snapshot_is_not_ready(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    let snapshot = stage.cloud.take_snapshot(&stage.snapshot_of(&volume, "snapshot")?).await?;
    let answer =
        stage.cloud.launch(&Launch { snapshot: Some(snapshot.clone()), ..stage.sentry("two") }).await;
    let found = stage.snapshot(&snapshot, "the snapshot", |_| true).await?;
    let verdict = stage.too_early(&answer, found.state != SnapshotState::Complete)?;
    if verdict == Verdict::Kept {
        counts(stage, 1).await?;
    }
    Ok(verdict)
}

async fn a_zone_without_room_is_no_capacity_and_makes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    staged!(stage.harness.outside(Outside::FillZone).await, "fill a zone");
    ensure_matches!(stage.once().launch(&stage.sentry("one")).await, Err(CloudError::NoCapacity(_)));
    counts(stage, 0).await.map(|()| Verdict::Kept)
}
