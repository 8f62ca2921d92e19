//! One fault after the other.

use std::time::Instant;

use anyhow::Context as _;

use beam_benches::random::Random;
use beam_examples::lab::Lab;
use beam_examples::trial::{self, CALM_HEIGHTS, Fault, Ledger, Outcome, Pace};

use crate::Log;
use crate::args::Args;

/// Runs the faults until all are done, time is up, or one cannot be measured. What was measured is returned either way.
pub(crate) async fn run(
    args: &Args,
    lab: &mut Lab,
    ledger: &mut Ledger,
    log: &mut Log,
) -> (Vec<Outcome>, Option<anyhow::Error>) {
    let (mut random, faults) = (Random::from_seed(args.seed), args.faults());
    let mut outcomes = Vec::new();
    let began = Instant::now();
    while outcomes.len() < usize::try_from(args.count).unwrap_or(usize::MAX) && began.elapsed() < args.limit()
    {
        let one = async {
            // A block takes a little longer than timeout_commit: the votes.
            tokio::time::sleep(random.moment_before(args.block_time.mul_f64(1.1))).await;
            let fault = random.choose(&faults).context("no fault to choose from")?;
            let outcome = trial::run(lab, ledger, fault, Pace::default(), &|_| {}).await?;
            log.write(&outcome.to_json())?;
            tell(outcomes.len().saturating_add(1), &outcome);
            trial::let_heights_pass(lab, args.calm.unwrap_or(calm_after(fault))).await?;
            anyhow::Ok(outcome)
        };
        match one.await {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => return (outcomes, Some(error)),
        }
    }
    (outcomes, None)
}

fn calm_after(fault: Fault) -> u64 {
    if fault.is_remembered() { CALM_HEIGHTS } else { 0 }
}

fn tell(number: usize, outcome: &Outcome) {
    let at =
        if outcome.missed.is_empty() { String::new() } else { format!(" (heights {:?})", outcome.missed) };
    println!(
        "{number:>4}  {} {}: missed {} of {}{at}, nil {}, next vote {} ms, epoch {} -> {}, {} owns, in step after {} ms",
        outcome.fault,
        outcome.machine,
        outcome.missed.len(),
        outcome.blocks(),
        outcome.nil.len(),
        outcome.next_vote.as_millis(),
        outcome.epoch.0,
        outcome.epoch.1,
        outcome.owner,
        outcome.took.as_millis(),
    );
}
