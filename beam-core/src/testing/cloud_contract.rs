//! The contract of [`CloudProvider`], as a suite for any backend. Basic: what the decisions rely on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::Breach;
use crate::cloud_provider::{
    Address, AddressId, CloudError, CloudProvider, FleetTag, Instance, InstanceId, InstanceState, Launch,
    Role, Snapshot, SnapshotId, SnapshotRequest, SnapshotState, TemplateId, Token, VolumeId,
};
use crate::signing::Height;

/// What the suite needs to know of a backend.
#[async_trait]
pub trait CloudHarness: Send + Sync {
    /// The cloud.
    fn cloud(&self) -> Arc<dyn CloudProvider>;

    /// A template that machines can be launched from.
    fn template(&self) -> TemplateId;

    /// A number that no earlier run in the same account has had: fleets and tokens are made from it.
    fn run(&self) -> u64 {
        0
    }

    /// Lets what was accepted get somewhat further. The suite looks again after each call.
    async fn settle(&self) {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Checks every statement. What it makes it ends again, unless a statement fails.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(harness: &dyn CloudHarness) -> Result<(), Breach> {
    state_all!(harness;
        an_empty_fleet_lists_nothing,
        the_same_token_launches_the_same_machine,
        ending_twice_is_ending_once,
        a_validator_is_never_terminated,
        an_address_moves_and_is_released_only_when_free,
        the_same_token_allocates_the_same_address,
        a_snapshot_carries_chain_and_height,
        what_is_not_there_is_not_found,
    )
}

/// A fleet that nobody used has nothing, and that is no error.
///
/// # Errors
/// The [`Breach`], as for all that follow.
pub async fn an_empty_fleet_lists_nothing(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, fleet) = (harness.cloud(), fleet(harness, "empty"));
    ensure!(cloud.instances(&fleet).await?.is_empty(), "there are machines");
    ensure!(cloud.addresses(&fleet).await?.is_empty(), "there are addresses");
    ensure!(cloud.snapshots(&fleet).await?.is_empty(), "there are snapshots");
    Ok(())
}

/// A launch repeated with its token is the same machine; with another, another; and only its fleet lists it.
///
/// # Errors
/// The [`Breach`].
pub async fn the_same_token_launches_the_same_machine(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, launch) = (harness.cloud(), launch(harness, "token", Role::Sentry));
    let first = cloud.launch(&launch).await?;
    ensure_matches!(cloud.launch(&launch).await, Ok(again) if again == first);
    let other =
        Launch { token: token(harness, "token, another"), name: "another".to_owned(), ..launch.clone() };
    let second = cloud.launch(&other).await?;
    ensure!(first != second, "two tokens launched one machine");
    let listed = until(harness, || running(&*cloud, &launch.fleet, 2)).await?;
    let found = listed.iter().find(|instance| instance.id == first);
    ensure!(
        found.is_some_and(|found| found.role == Some(Role::Sentry)
            && found.name == launch.name
            && found.token.as_ref() == Some(&launch.token)),
        "the machine is listed as {found:?}"
    );
    ensure!(cloud.instances(&fleet(harness, "empty")).await?.is_empty(), "another fleet lists the machines");
    for instance in [first, second] {
        cloud.terminate(&instance).await?;
    }
    until(harness, || running(&*cloud, &launch.fleet, 0)).await.map(drop)
}

/// Terminating a machine that ends, or has just ended, is a success.
///
/// # Errors
/// The [`Breach`].
pub async fn ending_twice_is_ending_once(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, launch) = (harness.cloud(), launch(harness, "end", Role::Sentry));
    let instance = cloud.launch(&launch).await?;
    cloud.terminate(&instance).await?;
    cloud.terminate(&instance).await?;
    until(harness, || running(&*cloud, &launch.fleet, 0)).await.map(drop)
}

/// Whoever asks. The machine stays; the harness's owner ends it by hand.
///
/// # Errors
/// The [`Breach`].
pub async fn a_validator_is_never_terminated(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, launch) = (harness.cloud(), launch(harness, "validator", Role::Validator));
    let instance = cloud.launch(&launch).await?;
    ensure_matches!(cloud.terminate(&instance).await, Err(CloudError::Protected(_)));
    until(harness, || running(&*cloud, &launch.fleet, 1)).await.map(drop)
}

/// Attached, it is neither released nor taken away; moved to where it is, nothing happens; detached, it stays ours.
///
/// # Errors
/// The [`Breach`].
pub async fn an_address_moves_and_is_released_only_when_free(
    harness: &dyn CloudHarness,
) -> Result<(), Breach> {
    let (cloud, launch) = (harness.cloud(), launch(harness, "move", Role::Sentry));
    let other = Launch { token: token(harness, "move, to"), ..launch.clone() };
    let (from, to) = (cloud.launch(&launch).await?, cloud.launch(&other).await?);
    until(harness, || running(&*cloud, &launch.fleet, 2)).await?;
    let address = cloud.allocate_address(&launch.fleet, &token(harness, "address")).await?;
    cloud.move_address(&address, &from).await?;
    cloud.move_address(&address, &from).await?;
    until(harness, || attached(&*cloud, &launch.fleet, &address, Some(&from))).await?;
    ensure_matches!(cloud.release_address(&address).await, Err(CloudError::InUse(_)));
    ensure_matches!(cloud.move_address(&address, &to).await, Err(CloudError::InUse(_)));
    cloud.detach_address(&address).await?;
    cloud.detach_address(&address).await?;
    until(harness, || attached(&*cloud, &launch.fleet, &address, None)).await?;
    cloud.move_address(&address, &to).await?;
    until(harness, || attached(&*cloud, &launch.fleet, &address, Some(&to))).await?;
    cloud.detach_address(&address).await?;
    cloud.release_address(&address).await?;
    for instance in [from, to] {
        cloud.terminate(&instance).await?;
    }
    Ok(())
}

/// An allocation repeated with its token is the same address.
///
/// # Errors
/// The [`Breach`].
pub async fn the_same_token_allocates_the_same_address(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, fleet, token) = (harness.cloud(), fleet(harness, "address"), token(harness, "address, same"));
    let first = cloud.allocate_address(&fleet, &token).await?;
    until(harness, || attached(&*cloud, &fleet, &first, None)).await?;
    ensure_matches!(cloud.allocate_address(&fleet, &token).await, Ok(again) if again == first);
    cloud.release_address(&first).await?;
    Ok(())
}

/// A snapshot says what it holds, is one for its token, and can be deleted.
///
/// # Errors
/// The [`Breach`].
pub async fn a_snapshot_carries_chain_and_height(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let (cloud, launch) = (harness.cloud(), launch(harness, "snapshot", Role::Sentry));
    let instance = cloud.launch(&launch).await?;
    let listed = until(harness, || running(&*cloud, &launch.fleet, 1)).await?;
    let Some(volume) = listed.into_iter().find_map(|instance| instance.data_volume) else {
        return Err(Breach::new("the template's machine has no data volume"));
    };
    let request = SnapshotRequest {
        token: token(harness, "snapshot"),
        fleet: launch.fleet.clone(),
        volume,
        chain: "contract-1".parse()?,
        height: Height(42),
    };
    let id = cloud.take_snapshot(&request).await?;
    let found = until(harness, || complete(&*cloud, &launch.fleet, &id)).await?;
    ensure!(
        found.chain == request.chain && found.height == request.height,
        "the snapshot is listed as {found:?}"
    );
    ensure_matches!(cloud.take_snapshot(&request).await, Ok(again) if again == id);
    cloud.delete_snapshot(&id).await?;
    cloud.terminate(&instance).await?;
    Ok(())
}

/// What never was is told apart from what cannot be done.
///
/// # Errors
/// The [`Breach`].
pub async fn what_is_not_there_is_not_found(harness: &dyn CloudHarness) -> Result<(), Breach> {
    let cloud = harness.cloud();
    // Well formed for AWS, so that it is asked for and not refused.
    let (address, snapshot) =
        (AddressId::new("eipalloc-00000000000000000"), SnapshotId::new("snap-00000000000000000"));
    let instance = InstanceId::new("i-00000000000000000");
    ensure_matches!(cloud.terminate(&instance).await, Err(CloudError::NotFound(_)));
    ensure_matches!(cloud.move_address(&address, &instance).await, Err(CloudError::NotFound(_)));
    ensure_matches!(cloud.release_address(&address).await, Err(CloudError::NotFound(_)));
    ensure_matches!(cloud.delete_snapshot(&snapshot).await, Err(CloudError::NotFound(_)));
    let request = SnapshotRequest {
        token: token(harness, "nothing"),
        fleet: fleet(harness, "nothing"),
        volume: VolumeId::new("vol-00000000000000000"),
        chain: "contract-1".parse()?,
        height: Height(1),
    };
    ensure_matches!(cloud.take_snapshot(&request).await, Err(CloudError::NotFound(_)));
    Ok(())
}

/// Looks until there is what is looked for. [`run_all`]'s bound on a statement ends it otherwise.
async fn until<T, F>(harness: &dyn CloudHarness, look: impl Fn() -> F) -> Result<T, Breach>
where
    F: Future<Output = Result<Option<T>, CloudError>>,
{
    loop {
        if let Some(found) = look().await? {
            return Ok(found);
        }
        harness.settle().await;
    }
}

/// The running machines, once there are so many and no others begin.
async fn running(
    cloud: &dyn CloudProvider,
    fleet: &FleetTag,
    count: usize,
) -> Result<Option<Vec<Instance>>, CloudError> {
    let mut listed = cloud.instances(fleet).await?;
    listed.retain(|instance| instance.state != InstanceState::Terminated);
    let done = listed.len() == count && listed.iter().all(|found| found.state == InstanceState::Running);
    Ok(done.then_some(listed))
}

/// The address, once it is attached there.
async fn attached(
    cloud: &dyn CloudProvider,
    fleet: &FleetTag,
    address: &AddressId,
    to: Option<&InstanceId>,
) -> Result<Option<Address>, CloudError> {
    let listed = cloud.addresses(fleet).await?;
    Ok(listed.into_iter().find(|found| found.id == *address && found.attached.as_ref() == to))
}

/// The snapshot, once it is complete.
async fn complete(
    cloud: &dyn CloudProvider,
    fleet: &FleetTag,
    id: &SnapshotId,
) -> Result<Option<Snapshot>, CloudError> {
    let listed = cloud.snapshots(fleet).await?;
    Ok(listed.into_iter().find(|found| found.id == *id && found.state == SnapshotState::Complete))
}

fn fleet(harness: &dyn CloudHarness, name: &str) -> FleetTag {
    FleetTag::new(format!("contract-{:x}-{name}", harness.run()))
}

fn token(harness: &dyn CloudHarness, name: &str) -> Token {
    Token::new(format!("contract-{:x}-{name}", harness.run()))
}

fn launch(harness: &dyn CloudHarness, name: &str, role: Role) -> Launch {
    Launch {
        token: token(harness, name),
        fleet: fleet(harness, name),
        role,
        name: name.to_owned(),
        template: harness.template(),
        snapshot: None,
    }
}
