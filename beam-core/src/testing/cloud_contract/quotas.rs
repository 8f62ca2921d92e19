//! Quotas, which are errors of their own.

use super::Verdict;
use super::stage::Stage;
use crate::cloud_provider::CloudError;
use crate::testing::Breach;

clauses! {
    the_quota_of_addresses_is_an_error_of_its_own: "Quota if there may be no more; then nothing changed.",
    how_many_addresses_are_left_counts_down: "How many more addresses the account may take now.",
    a_released_address_makes_room_for_another: "Something must go first.",
}

/// How many addresses are allocated to reach a quota. A cloud that gives more has none, for this suite.
const ADDRESSES_MAX: u32 = 20;

/// Allocates until there may be no more, and says how many there are.
async fn fill(stage: &Stage<'_>) -> Result<u32, Breach> {
    for count in 0..ADDRESSES_MAX {
        match stage.cloud.allocate_address(&stage.fleet, &stage.token(&count.to_string())).await {
            Ok(_) => {}
            Err(CloudError::Quota(_)) => return Ok(count),
            Err(error) => return Err(error.into()),
        }
    }
    Err(Breach::new(format!("there is no quota: {ADDRESSES_MAX} addresses were allocated")))
}

async fn the_quota_of_addresses_is_an_error_of_its_own(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let count = fill(stage).await?;
    stage.lists_settle().await;
    let listed = stage.cloud.addresses(&stage.fleet).await?.len();
    ensure!(u32::try_from(listed) == Ok(count), "{count} allocations were accepted, and {listed} are listed");
    Ok(Verdict::Kept)
}

async fn how_many_addresses_are_left_counts_down(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    let before = stage.cloud.addresses_left().await?;
    let Some(before) = before else { return Ok(Verdict::NotStaged("tell how many addresses are left")) };
    stage.free_address("address").await?;
    stage.lists_settle().await;
    let after = stage.cloud.addresses_left().await?;
    ensure!(after == before.checked_sub(1), "of {before} left, one was taken, and {after:?} are left");
    Ok(Verdict::Kept)
}

async fn a_released_address_makes_room_for_another(stage: &Stage<'_>) -> Result<Verdict, Breach> {
    fill(stage).await?;
    stage.lists_settle().await;
    let Some(first) = stage.cloud.addresses(&stage.fleet).await?.pop() else {
        return Err(Breach::new("the quota is used up, and the fleet has no address"));
    };
    stage.cloud.release_address(&first.id).await?;
    stage.free_address("another").await.map(|_| Verdict::Kept)
}
