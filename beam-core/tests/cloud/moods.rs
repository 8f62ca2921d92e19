//! The contract, on the simulated cloud, however it feels.

use std::time::Duration;

use beam_core::testing::{Breach, CloudOdds, ListLag, RateLimit, Report, cloud_contract};

use crate::stage::Simulated;

/// What can only be seen of a cloud that takes its time.
const ONLY_SLOW: [&str; 4] = [
    "a_machine_from_an_unfinished_snapshot_is_not_ready",
    "a_machine_that_only_begins_takes_no_address",
    "a_volume_from_an_unfinished_snapshot_is_not_ready",
    "a_volume_that_is_still_made_is_not_attached",
];

const LAG: Duration = Duration::from_secs(20);

/// Everything was seen but these.
fn saw_all_but(report: &Report, unseen: &[&str]) {
    let mut found: Vec<_> = report.not_staged.iter().map(|(clause, _)| *clause).collect();
    found.sort_unstable();
    assert_eq!(found, unseen, "{report}");
    assert_eq!(report.kept.len() + found.len(), cloud_contract::clauses().count());
}

fn late(mut stage: Simulated, lag: ListLag) -> Simulated {
    stage.simulated.set_list_lag(lag);
    stage.list_lag = lag.max();
    stage
}

fn throttled(stage: Simulated) -> Simulated {
    let limit = |burst, per_second| Some(RateLimit { burst, per_second });
    stage.simulated.set_rate_limits(limit(4, 5), limit(2, 1));
    stage
}

fn doubtful(stage: Simulated, seed: u64) -> Simulated {
    let odds = CloudOdds { lost_answer: 150, lost_request: 100, throttled: 50, unavailable: 50 };
    stage.simulated.set_odds(seed, odds);
    stage
}

#[tokio::test(start_paused = true)]
async fn a_calm_cloud_keeps_the_contract() -> Result<(), Breach> {
    let report = cloud_contract::run_all(&Simulated::calm()).await?;
    saw_all_but(&report, &ONLY_SLOW);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_slow_cloud_keeps_the_contract_and_shows_all_of_it() -> Result<(), Breach> {
    let report = cloud_contract::run_all(&Simulated::slow()).await?;
    saw_all_but(&report, &[]);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_cloud_with_late_lists_keeps_the_contract() -> Result<(), Breach> {
    cloud_contract::run_all(&late(Simulated::slow(), ListLag::Fixed(LAG))).await?;
    for seed in 0..10 {
        cloud_contract::run_all(&late(Simulated::slow(), ListLag::UpTo { max: LAG, seed })).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_throttled_cloud_keeps_the_contract() -> Result<(), Breach> {
    let stage = throttled(Simulated::slow());
    cloud_contract::run_all(&stage).await?;
    assert!(stage.simulated.calls().throttled > 50, "{:?}", stage.simulated.calls());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_doubtful_cloud_keeps_the_contract() -> Result<(), Breach> {
    for seed in 0..20 {
        cloud_contract::run_all(&doubtful(Simulated::slow(), seed)).await?;
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_cloud_on_its_worst_day_keeps_the_contract() -> Result<(), Breach> {
    for seed in 0..20 {
        let late = late(Simulated::slow(), ListLag::UpTo { max: LAG, seed });
        cloud_contract::run_all(&doubtful(throttled(late), seed)).await?;
    }
    Ok(())
}
