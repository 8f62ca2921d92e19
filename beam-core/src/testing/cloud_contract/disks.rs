//! Volumes: made once, held by one machine, deleted only when free.

use super::Verdict;
use super::stage::Stage;
use crate::cloud_provider::{
    CloudError, InstanceId, SnapshotState, Volume, VolumeId, VolumeOrigin, VolumeRequest, VolumeSource,
    VolumeState, Zone,
};
use crate::testing::Breach;

clauses! {
    a_volume_from_a_snapshot_is_as_large_and_says_so: "As large as what it is made from; it says what that was.",
    a_volume_is_made_in_another_zone: "From a complete snapshot, in any zone.",
    a_volume_asked_for_twice_with_its_token_is_one: "A second call with the same token gives the same volume.",
    a_volume_token_with_other_arguments_makes_nothing: "The same token with other arguments makes nothing.",
    a_direct_copy_is_in_the_same_zone_and_says_so: "A direct copy of a disk in the same zone, in use or not.",
    a_direct_copy_asked_for_twice_with_its_token_is_one: "A second call with the same token gives the same copy.",
    a_rate_that_the_cloud_does_not_have_is_invalid: "Invalid for a rate that the cloud does not have.",
    a_zone_that_the_cloud_does_not_have_is_invalid: "Invalid for a zone that the cloud does not have.",
    a_volume_from_an_unfinished_snapshot_is_not_ready: "NotReady if what it is made from is not complete.",
    a_volume_is_attached_as_the_data_disk: "Attaches a volume to a machine, as its data disk.",
    attaching_a_volume_to_where_it_is_changes_nothing: "Done already is done.",
    an_attached_volume_is_not_given_to_another_machine: "InUse if another machine has the volume.",
    a_machine_with_a_data_disk_takes_no_other: "InUse if the machine has another data disk.",
    a_volume_of_another_zone_is_not_attached: "Invalid across zones.",
    a_volume_that_is_still_made_is_not_attached: "NotReady if the volume is not available.",
    a_detached_volume_stays: "Takes a volume from its machine, and keeps it.",
    detaching_a_volume_twice_is_detaching_it_once: "Done already is done.",
    an_attached_volume_is_not_deleted: "InUse if it is attached.",
    a_deleted_volume_is_gone: "Deletes a volume for good.",
    an_attached_volume_outlives_its_machine: "A disk that was attached later stays.",
}

/// The source for a volume from a snapshot of a new machine's disk, and that disk.
async fn source(stage: &Stage<'_>) -> Result<(VolumeSource, Volume), Breach> {
    let (instance, volume) = stage.running_with_disk("source").await?;
    let snapshot = stage.complete(&volume, "source").await?.id;
    let disk = stage.volume(&volume, "the machine's data disk", |_| true).await?;
    Ok((VolumeSource::Snapshot { snapshot, zone: instance.zone, rate_mib_per_s: None }, disk))
}

/// Checks that one token made one volume.
async fn is_one(stage: &Stage<'_>, request: &VolumeRequest, first: &VolumeId) -> Result<Verdict, Breach> {
    let again = stage.cloud.create_volume(request).await?;
    ensure!(again == *first, "the same token made {first} and then {again}");
    counts_by_token(stage, request).await
}

async fn counts_by_token(stage: &Stage<'_>, request: &VolumeRequest) -> Result<Verdict, Breach> {
    stage.lists_settle().await;
    let mut listed = stage.cloud.volumes(&stage.fleet).await?;
    listed.retain(|found| found.token.as_ref() == Some(&request.token));
    ensure!(listed.len() == 1, "one token made {listed:?}");
    Ok(Verdict::Kept)
}

async fn a_volume_from_a_snapshot_is_as_large_and_says_so(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("source").await?;
    let disk = stage.volume(&volume, "the machine's data disk", |_| true).await?;
    let snapshot = stage.complete(&volume, "source").await?.id;
    let zone = instance.zone;
    let source = VolumeSource::Snapshot {
        snapshot: snapshot.clone(),
        zone: zone.clone(),
        rate_mib_per_s: Some(RATE_MIB_PER_S),
    };
    let found = stage.free_volume(source, "volume").await?;
    ensure!(
        found.made_from == Some(VolumeOrigin::Snapshot(snapshot)),
        "it is made from {:?}",
        found.made_from
    );
    ensure!(found.size_gib == disk.size_gib, "{} GiB became {}", disk.size_gib, found.size_gib);
    ensure!(found.zone == zone, "asked for in {zone}, it is in {}", found.zone);
    ensure!(found.token == Some(stage.token("volume")), "it carries the token {:?}", found.token);
    ensure!(found.attached.is_none(), "it is attached to {:?}", found.attached);
    Ok(Verdict::Kept)
}

/// A rate that every cloud with rates should have; AWS has 100 to 300 MiB/s.
const RATE_MIB_PER_S: u32 = 200;

async fn a_volume_is_made_in_another_zone(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let other = stage.harness.other_zone();
    staged!(other.is_some(), "name another zone");
    let (VolumeSource::Snapshot { snapshot, .. }, Some(zone)) = (source(stage).await?.0, other) else {
        return Err(Breach::new("the suite's own source is no snapshot"));
    };
    let source = VolumeSource::Snapshot { snapshot, zone: zone.clone(), rate_mib_per_s: None };
    let found = stage.free_volume(source, "volume").await?.zone;
    ensure!(found == zone, "asked for in {zone}, it is in {found}");
    Ok(Verdict::Kept)
}

async fn a_volume_asked_for_twice_with_its_token_is_one(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let request = stage.volume_from(source(stage).await?.0, "volume");
    let first = stage.cloud.create_volume(&request).await?;
    is_one(stage, &request, &first).await?;
    stage.volume(&first, "an available volume", |found| found.state == VolumeState::Available).await?;
    is_one(stage, &request, &first).await
}

async fn a_volume_token_with_other_arguments_makes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, _) = source(stage).await?;
    let first = stage.free_volume(source.clone(), "volume").await?.id;
    let VolumeSource::Snapshot { snapshot, zone, .. } = source else {
        return Err(Breach::new("the suite's own source is no snapshot"));
    };
    let other = VolumeSource::Snapshot { snapshot, zone, rate_mib_per_s: Some(RATE_MIB_PER_S) };
    let request = stage.volume_from(other, "volume");
    match stage.cloud.create_volume(&request).await {
        Err(CloudError::Invalid(_)) => {}
        Ok(given) if given == first => {}
        answer => return Err(Breach::new(format!("the same token, another rate: {answer:?}"))),
    }
    counts_by_token(stage, &request).await
}

async fn a_direct_copy_is_in_the_same_zone_and_says_so(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("source").await?;
    let disk = stage.volume(&volume, "the machine's data disk", |_| true).await?;
    let found = stage.free_volume(VolumeSource::Volume(volume.clone()), "copy").await?;
    ensure!(found.id != volume, "the copy is the disk itself");
    ensure!(found.made_from == Some(VolumeOrigin::Volume(volume)), "it is made from {:?}", found.made_from);
    ensure!(found.size_gib == disk.size_gib, "{} GiB became {}", disk.size_gib, found.size_gib);
    ensure!(found.zone == disk.zone, "copied in {}, it is in {}", disk.zone, found.zone);
    Ok(Verdict::Kept)
}

async fn a_direct_copy_asked_for_twice_with_its_token_is_one(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("source").await?;
    let request = stage.volume_from(VolumeSource::Volume(volume), "copy");
    let first = stage.cloud.create_volume(&request).await?;
    stage.volume(&first, "an available copy", |found| found.state == VolumeState::Available).await?;
    is_one(stage, &request, &first).await
}

async fn a_rate_that_the_cloud_does_not_have_is_invalid(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (VolumeSource::Snapshot { snapshot, zone, .. }, _) = source(stage).await? else {
        return Err(Breach::new("the suite's own source is no snapshot"));
    };
    for rate in [0, 1_000_000, u32::MAX] {
        let source = VolumeSource::Snapshot {
            snapshot: snapshot.clone(),
            zone: zone.clone(),
            rate_mib_per_s: Some(rate),
        };
        let request = stage.volume_from(source, "volume");
        ensure_matches!(stage.cloud.create_volume(&request).await, Err(CloudError::Invalid(_)));
    }
    Ok(Verdict::Kept)
}

async fn a_zone_that_the_cloud_does_not_have_is_invalid(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (VolumeSource::Snapshot { snapshot, .. }, _) = source(stage).await? else {
        return Err(Breach::new("the suite's own source is no snapshot"));
    };
    let source = VolumeSource::Snapshot { snapshot, zone: Zone::new("nowhere-9z"), rate_mib_per_s: None };
    let request = stage.volume_from(source, "volume");
    ensure_matches!(stage.cloud.create_volume(&request).await, Err(CloudError::Invalid(_)));
    Ok(Verdict::Kept)
}

async fn a_volume_from_an_unfinished_snapshot_is_not_ready(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("source").await?;
    let snapshot = stage.cloud.take_snapshot(&stage.snapshot_of(&volume, "snapshot")?).await?;
    let source =
        VolumeSource::Snapshot { snapshot: snapshot.clone(), zone: instance.zone, rate_mib_per_s: None };
    let answer = stage.cloud.create_volume(&stage.volume_from(source, "volume")).await;
    let found = stage.snapshot(&snapshot, "the snapshot", |_| true).await?;
    stage.too_early(&answer, found.state != SnapshotState::Complete)
}

async fn a_volume_is_attached_as_the_data_disk(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, _) = source(stage).await?;
    let instance = stage.running_without_disk("one").await?.id;
    let volume = stage.free_volume(source, "volume").await?.id;
    stage.cloud.attach_volume(&volume, &instance).await?;
    held(stage, &volume, &instance).await
}

/// Waits until both lists say that a machine has a volume.
async fn held(stage: &Stage<'_>, volume: &VolumeId, by: &InstanceId) -> Result<Verdict, Breach> {
    let so = |found: &Volume| found.attached.as_ref() == Some(by) && found.state == VolumeState::InUse;
    stage.volume(volume, "an attached volume", so).await?;
    let what = "the machine's data disk";
    stage.instance(by, what, |found| found.data_volume.as_ref() == Some(volume)).await.map(|_| Verdict::Kept)
}

async fn attaching_a_volume_to_where_it_is_changes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    ensure_matches!(stage.cloud.attach_volume(&volume, &instance.id).await, Ok(()));
    stage.lists_settle().await;
    held(stage, &volume, &instance.id).await
}

async fn an_attached_volume_is_not_given_to_another_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (one, volume) = stage.running_with_disk("one").await?;
    let two = stage.running_without_disk("two").await?;
    ensure_matches!(stage.cloud.attach_volume(&volume, &two.id).await, Err(CloudError::InUse(_)));
    stage.lists_settle().await;
    held(stage, &volume, &one.id).await
}

async fn a_machine_with_a_data_disk_takes_no_other(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, own) = source(stage).await?;
    let Some(instance) = own.attached else {
        return Err(Breach::new("the data disk is attached to nothing"));
    };
    let volume = stage.free_volume(source, "volume").await?.id;
    ensure_matches!(stage.cloud.attach_volume(&volume, &instance).await, Err(CloudError::InUse(_)));
    stage.lists_settle().await;
    let found = stage.volume(&volume, "the refused volume", |_| true).await?.attached;
    ensure!(found.is_none(), "refused, it is attached to {found:?}");
    held(stage, &own.id, &instance).await
}

async fn a_volume_of_another_zone_is_not_attached(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let other = stage.harness.other_zone();
    staged!(other.is_some(), "name another zone");
    let (VolumeSource::Snapshot { snapshot, .. }, Some(zone)) = (source(stage).await?.0, other) else {
        return Err(Breach::new("the suite's own source is no snapshot"));
    };
    let instance = stage.running_without_disk("one").await?.id;
    let source = VolumeSource::Snapshot { snapshot, zone, rate_mib_per_s: None };
    let volume = stage.free_volume(source, "volume").await?.id;
    ensure_matches!(stage.cloud.attach_volume(&volume, &instance).await, Err(CloudError::Invalid(_)));
    Ok(Verdict::Kept)
}

async fn a_volume_that_is_still_made_is_not_attached(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, _) = source(stage).await?;
    let instance = stage.running_without_disk("one").await?.id;
    let volume = stage.cloud.create_volume(&stage.volume_from(source, "volume")).await?;
    let answer = stage.cloud.attach_volume(&volume, &instance).await;
    let found = stage.volume(&volume, "the volume", |_| true).await?;
    stage.too_early(&answer, found.state == VolumeState::Creating)
}

async fn a_detached_volume_stays(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    stage.cloud.detach_volume(&volume).await?;
    let so = |found: &Volume| found.attached.is_none() && found.state == VolumeState::Available;
    stage.volume(&volume, "the volume, available", so).await?;
    let what = "the machine without data disk";
    stage.instance(&instance.id, what, |found| found.data_volume.is_none()).await?;
    stage.cloud.attach_volume(&volume, &instance.id).await?;
    held(stage, &volume, &instance.id).await
}

async fn detaching_a_volume_twice_is_detaching_it_once(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, volume) = stage.running_with_disk("one").await?;
    stage.cloud.detach_volume(&volume).await?;
    ensure_matches!(stage.cloud.detach_volume(&volume).await, Ok(()));
    stage.volume(&volume, "the volume, available", |found| found.state == VolumeState::Available).await?;
    ensure_matches!(stage.cloud.detach_volume(&volume).await, Ok(()));
    Ok(Verdict::Kept)
}

async fn an_attached_volume_is_not_deleted(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    ensure_matches!(stage.cloud.delete_volume(&volume).await, Err(CloudError::InUse(_)));
    stage.lists_settle().await;
    held(stage, &volume, &instance.id).await
}

async fn a_deleted_volume_is_gone(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, _) = source(stage).await?;
    let volume = stage.free_volume(source, "volume").await?.id;
    stage.cloud.delete_volume(&volume).await?;
    // While it goes, deleting is done already; then it is forgotten.
    ensure_matches!(stage.strict.delete_volume(&volume).await, Ok(()) | Err(CloudError::NotFound(_)));
    stage.volume_gone(&volume).await?;
    ensure_matches!(stage.strict.delete_volume(&volume).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn an_attached_volume_outlives_its_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (source, _) = source(stage).await?;
    let instance = stage.running_without_disk("one").await?.id;
    let volume = stage.free_volume(source, "volume").await?.id;
    stage.cloud.attach_volume(&volume, &instance).await?;
    held(stage, &volume, &instance).await?;
    stage.cloud.terminate(&instance).await?;
    stage.ended(&instance).await?;
    let so = |found: &Volume| found.attached.is_none() && found.state == VolumeState::Available;
    stage.volume(&volume, "the volume, available", so).await.map(|_| Verdict::Kept)
}
