//! What lists hold, and what is not found.

use super::Verdict;
use super::harness::Outside;
use super::stage::Stage;
use crate::cloud_provider::{
    AddressId, CloudError, InstanceId, Launch, SnapshotId, TemplateId, VolumeId, VolumeSource,
};
use crate::testing::Breach;

clauses! {
    an_unused_fleet_lists_nothing: "A list may be empty, and that is no error.",
    a_list_holds_its_own_fleet_and_nothing_else: "Lists hold what carries the fleet's tag and nothing else.",
    what_a_person_launched_has_no_role_and_no_token: "A machine whose tags name no role has none, and no program ends it.",
    a_machine_that_never_was_is_not_found: "What was never there is NotFound: machines.",
    an_address_that_never_was_is_not_found: "What was never there is NotFound: addresses.",
    a_volume_that_never_was_is_not_found: "What was never there is NotFound: volumes.",
    a_snapshot_that_never_was_is_not_found: "What was never there is NotFound: snapshots.",
    a_template_that_never_was_is_not_found: "What was never there is NotFound: templates.",
}

async fn an_unused_fleet_lists_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (cloud, fleet) = (&stage.cloud, &stage.fleet);
    let (instances, addresses) = (cloud.instances(fleet).await?, cloud.addresses(fleet).await?);
    let (volumes, snapshots) = (cloud.volumes(fleet).await?, cloud.snapshots(fleet).await?);
    ensure!(instances.is_empty(), "there are machines: {instances:?}");
    ensure!(addresses.is_empty(), "there are addresses: {addresses:?}");
    ensure!(volumes.is_empty(), "there are volumes: {volumes:?}");
    ensure!(snapshots.is_empty(), "there are snapshots: {snapshots:?}");
    Ok(Verdict::Kept)
}

async fn a_list_holds_its_own_fleet_and_nothing_else(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, volume) = stage.running_with_disk("one").await?;
    let address = stage.free_address("address").await?;
    let snapshot = stage.cloud.take_snapshot(&stage.snapshot_of(&volume, "snapshot")?).await?;
    stage.snapshot(&snapshot, "a snapshot", |_| true).await?;
    stage.volume(&volume, "the machine's data disk", |_| true).await?;
    let (cloud, other) = (&stage.cloud, stage.other_fleet());
    let strange = cloud.instances(&other).await?;
    ensure!(strange.is_empty(), "another fleet lists {strange:?}, though {} is not its own", instance.id);
    let strange = cloud.addresses(&other).await?;
    ensure!(strange.is_empty(), "another fleet lists {strange:?}, though {} is not its own", address.id);
    let strange = cloud.volumes(&other).await?;
    ensure!(strange.is_empty(), "another fleet lists {strange:?}, though {volume} is not its own");
    let strange = cloud.snapshots(&other).await?;
    ensure!(strange.is_empty(), "another fleet lists {strange:?}, though {snapshot} is not its own");
    Ok(Verdict::Kept)
}

async fn what_a_person_launched_has_no_role_and_no_token(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let done = stage.harness.outside(Outside::LaunchByHand(&stage.fleet)).await;
    staged!(done, "launch a machine by hand");
    let mut waiting = stage.waiting("the machine of a person");
    let found = loop {
        match stage.cloud.instances(&stage.fleet).await?.pop() {
            Some(found) => break found,
            None => waiting.more(&"nothing").await?,
        }
    };
    ensure!(found.role.is_none() && found.token.is_none(), "the machine is listed as {found:?}");
    ensure_matches!(stage.cloud.terminate(&found.id).await, Err(CloudError::Protected(_)));
    Ok(Verdict::Kept)
}

/// Names that no cloud gave, and well formed for AWS, so that they are asked for and not refused.
fn nobody() -> (InstanceId, AddressId, VolumeId, SnapshotId) {
    (
        InstanceId::new("i-0f00000000000000f"),
        AddressId::new("eipalloc-0f00000000000000f"),
        VolumeId::new("vol-0f00000000000000f"),
        SnapshotId::new("snap-0f00000000000000f"),
    )
}

async fn a_machine_that_never_was_is_not_found(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, ..) = nobody();
    ensure_matches!(stage.cloud.terminate(&instance).await, Err(CloudError::NotFound(_)));
    let address = stage.free_address("address").await?;
    ensure_matches!(stage.cloud.move_address(&address.id, &instance).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn an_address_that_never_was_is_not_found(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, address, ..) = nobody();
    let instance = stage.running("one").await?.id;
    ensure_matches!(stage.cloud.move_address(&address, &instance).await, Err(CloudError::NotFound(_)));
    ensure_matches!(stage.cloud.detach_address(&address).await, Err(CloudError::NotFound(_)));
    ensure_matches!(stage.strict.release_address(&address).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn a_volume_that_never_was_is_not_found(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (_, _, volume, _) = nobody();
    let instance = stage.running("one").await?.id;
    ensure_matches!(stage.cloud.attach_volume(&volume, &instance).await, Err(CloudError::NotFound(_)));
    ensure_matches!(stage.cloud.detach_volume(&volume).await, Err(CloudError::NotFound(_)));
    ensure_matches!(stage.strict.delete_volume(&volume).await, Err(CloudError::NotFound(_)));
    let request = stage.volume_from(VolumeSource::Volume(volume.clone()), "copy");
    ensure_matches!(stage.cloud.create_volume(&request).await, Err(CloudError::NotFound(_)));
    let request = stage.snapshot_of(&volume, "snapshot")?;
    ensure_matches!(stage.cloud.take_snapshot(&request).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn a_snapshot_that_never_was_is_not_found(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (.., snapshot) = nobody();
    ensure_matches!(stage.strict.delete_snapshot(&snapshot).await, Err(CloudError::NotFound(_)));
    let zone = stage.running("zone").await?.zone;
    let source = VolumeSource::Snapshot { snapshot: snapshot.clone(), zone, rate_mib_per_s: None };
    let request = stage.volume_from(source, "volume");
    ensure_matches!(stage.cloud.create_volume(&request).await, Err(CloudError::NotFound(_)));
    let launch = Launch { snapshot: Some(snapshot), ..stage.sentry("one") };
    ensure_matches!(stage.cloud.launch(&launch).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn a_template_that_never_was_is_not_found(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let launch = Launch { template: TemplateId::new("lt-0f00000000000000f:1"), ..stage.sentry("one") };
    ensure_matches!(stage.cloud.launch(&launch).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}
