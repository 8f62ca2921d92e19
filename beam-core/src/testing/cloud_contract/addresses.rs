//! Fixed addresses: allocated once, moved, taken off, and released only when free.

use super::Verdict;
use super::harness::Outside;
use super::stage::Stage;
use crate::cloud_provider::{CloudError, InstanceState};
use crate::testing::Breach;

clauses! {
    an_allocation_repeated_with_its_token_is_one_address: "A second call with the same token gives the same address.",
    another_token_is_another_address: "A new intention has a new token, and gives a new address.",
    an_address_moves_to_a_machine_and_both_lists_say_so: "Attaches an address to a machine.",
    moving_an_address_to_where_it_is_changes_nothing: "Moving an address to where it is succeeds and changes nothing.",
    moving_an_address_to_where_it_is_costs_nothing: "Reads before it writes, since clouds charge for a move that changes nothing.",
    an_attached_address_is_not_taken_from_its_machine: "InUse if the address is attached to another machine.",
    a_detached_address_moves_to_another_machine: "Detach it there first, and it moves.",
    a_machine_given_another_address_leaves_the_former_allocated: "In place of the machine's former one, which stays allocated.",
    a_detached_address_stays_allocated: "Detaches an address, and keeps it allocated.",
    detaching_an_address_twice_is_detaching_it_once: "Done already is done.",
    an_attached_address_is_not_released: "InUse if it is attached.",
    a_released_address_is_gone: "Gives an address back for good.",
    the_address_of_a_machine_that_ends_stays_allocated: "Its address stays allocated.",
    a_machine_that_only_begins_takes_no_address: "NotReady if the machine neither runs nor is stopped.",
    a_machine_that_has_ended_takes_no_address: "NotReady if the machine neither runs nor is stopped.",
    a_stopped_machine_takes_an_address: "A stopped machine is one that has its address when it starts.",
}

async fn an_allocation_repeated_with_its_token_is_one_address(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let first = stage.free_address("address").await?;
    stage.lists_settle().await;
    let again = stage.cloud.allocate_address(&stage.fleet, &stage.token("address")).await?;
    ensure!(again == first.id, "the same token allocated {} and then {again}", first.id);
    ensure!(first.token == Some(stage.token("address")), "the address carries the token {:?}", first.token);
    stage.lists_settle().await;
    let listed = stage.cloud.addresses(&stage.fleet).await?;
    ensure!(listed.len() == 1, "one token allocated {listed:?}");
    Ok(Verdict::Kept)
}

async fn another_token_is_another_address(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (one, two) = (stage.free_address("one").await?, stage.free_address("two").await?);
    ensure!(one.id != two.id, "two tokens allocated one address, {}", one.id);
    ensure!(one.address != two.address, "two addresses are both {}", one.address);
    Ok(Verdict::Kept)
}

async fn an_address_moves_to_a_machine_and_both_lists_say_so(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await.map(|()| Verdict::Kept)
}

async fn moving_an_address_to_where_it_is_changes_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    ensure_matches!(stage.cloud.move_address(&address.id, &instance).await, Ok(()));
    stage.lists_settle().await;
    stage.moved(&address, &instance).await.map(|()| Verdict::Kept)
}

async fn moving_an_address_to_where_it_is_costs_nothing(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    let before = stage.harness.moves_billed();
    staged!(before.is_some(), "count what is billed");
    stage.cloud.move_address(&address.id, &instance).await?;
    let after = stage.harness.moves_billed();
    ensure!(before == after, "a move to where it is was billed: {before:?} moves, then {after:?}");
    Ok(Verdict::Kept)
}

async fn an_attached_address_is_not_taken_from_its_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (one, two) = (stage.running("one").await?.id, stage.running("two").await?.id);
    let address = stage.free_address("address").await?;
    stage.moved(&address, &one).await?;
    ensure_matches!(stage.cloud.move_address(&address.id, &two).await, Err(CloudError::InUse(_)));
    stage.lists_settle().await;
    let found = stage.address(&address.id, "the address", |_| true).await?.attached;
    ensure!(found.as_ref() == Some(&one), "refused, the address moved from {one} to {found:?}");
    Ok(Verdict::Kept)
}

async fn a_detached_address_moves_to_another_machine(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (one, two) = (stage.running("one").await?.id, stage.running("two").await?.id);
    let address = stage.free_address("address").await?;
    stage.moved(&address, &one).await?;
    stage.cloud.detach_address(&address.id).await?;
    stage.moved(&address, &two).await?;
    stage.lists_settle().await;
    let shown = Some(address.address);
    let what = "the former machine without the address";
    stage.instance(&one, what, |found| found.public_address != shown).await.map(|_| Verdict::Kept)
}

async fn a_machine_given_another_address_leaves_the_former_allocated(
    stage: &Stage<'_>,
) -> Result<Verdict, Breach> {
    let instance = stage.running("one").await?.id;
    let (former, new) = (stage.free_address("former").await?, stage.free_address("new").await?);
    stage.moved(&former, &instance).await?;
    stage.moved(&new, &instance).await?;
    let what = "the former address, allocated and free";
    stage.address(&former.id, what, |found| found.attached.is_none()).await.map(|_| Verdict::Kept)
}

async fn a_detached_address_stays_allocated(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    stage.cloud.detach_address(&address.id).await?;
    let found = stage.address(&address.id, "the address, free", |found| found.attached.is_none()).await?;
    ensure!(found.address == address.address, "{} became {}", address.address, found.address);
    let shown = Some(address.address);
    let what = "the machine without the address";
    stage.instance(&instance, what, |found| found.public_address != shown).await.map(|_| Verdict::Kept)
}

async fn detaching_an_address_twice_is_detaching_it_once(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let address = stage.free_address("address").await?;
    ensure_matches!(stage.cloud.detach_address(&address.id).await, Ok(()));
    let instance = stage.running("one").await?.id;
    stage.moved(&address, &instance).await?;
    stage.cloud.detach_address(&address.id).await?;
    ensure_matches!(stage.cloud.detach_address(&address.id).await, Ok(()));
    let what = "the address, free";
    stage.address(&address.id, what, |found| found.attached.is_none()).await.map(|_| Verdict::Kept)
}

async fn an_attached_address_is_not_released(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    ensure_matches!(stage.cloud.release_address(&address.id).await, Err(CloudError::InUse(_)));
    stage.lists_settle().await;
    let found = stage.address(&address.id, "the address", |_| true).await?.attached;
    ensure!(found.as_ref() == Some(&instance), "refused, the address went from {instance} to {found:?}");
    Ok(Verdict::Kept)
}

async fn a_released_address_is_gone(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let address = stage.free_address("address").await?;
    stage.cloud.release_address(&address.id).await?;
    stage.lists_settle().await;
    let listed = stage.cloud.addresses(&stage.fleet).await?;
    ensure!(listed.is_empty(), "released, it is still listed: {listed:?}");
    ensure_matches!(stage.strict.release_address(&address.id).await, Err(CloudError::NotFound(_)));
    Ok(Verdict::Kept)
}

async fn the_address_of_a_machine_that_ends_stays_allocated(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.moved(&address, &instance).await?;
    stage.cloud.terminate(&instance).await?;
    stage.ended(&instance).await?;
    let what = "the address, allocated and free";
    stage.address(&address.id, what, |found| found.attached.is_none()).await.map(|_| Verdict::Kept)
}

async fn a_machine_that_only_begins_takes_no_address(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let address = stage.free_address("address").await?;
    let instance = stage.cloud.launch(&stage.sentry("one")).await?;
    let answer = stage.cloud.move_address(&address.id, &instance).await;
    let found = stage.instance(&instance, "the machine", |_| true).await?;
    let verdict = stage.too_early(&answer, found.state == InstanceState::Pending)?;
    stage.instance(&instance, "a running machine", |found| found.state == InstanceState::Running).await?;
    stage.moved(&address, &instance).await.map(|()| verdict)
}

async fn a_machine_that_has_ended_takes_no_address(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    stage.cloud.terminate(&instance).await?;
    stage.ended(&instance).await?;
    ensure_matches!(
        stage.cloud.move_address(&address.id, &instance).await,
        Err(CloudError::NotReady(_) | CloudError::NotFound(_))
    );
    stage.lists_settle().await;
    let found = stage.address(&address.id, "the address", |_| true).await?.attached;
    ensure!(found.is_none(), "the address is attached to {found:?}, which has ended");
    Ok(Verdict::Kept)
}

async fn a_stopped_machine_takes_an_address(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let (instance, address) = (stage.running("one").await?.id, stage.free_address("address").await?);
    staged!(stage.harness.outside(Outside::StopMachine(&instance)).await, "stop a machine");
    stage.instance(&instance, "a stopped machine", |found| found.state == InstanceState::Stopped).await?;
    stage.moved(&address, &instance).await.map(|()| Verdict::Kept)
}
