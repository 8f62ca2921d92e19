//! A bounded share of the real faults, on a real chain, in a random order that is always the same; and that a fault which did not strike
//! is noticed. `cargo measure --fault any` runs any number of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use std::time::Duration;

use beam_examples::install::{self, to_stderr};
use beam_examples::judge::Outcome;
use beam_examples::machine::{Disk, MachinePlan};
use beam_examples::network::NetworkPlan;
use beam_examples::trial::{self, Fault, Ledger, Need, Pace};
use common::Trial;

/// Shuffled once. Each is of another family, and what one leaves behind the next one meets.
const IN_THIS_ORDER: [Fault; 8] = [
    Fault::Cut,
    Fault::ClockBehind,
    Fault::CopiedHome,
    Fault::RegisterLocked,
    Fault::DiskFull,
    Fault::RegionsKill,
    Fault::FloorRefused,
    Fault::Cut,
];
/// How long an untouched lab is asked whether a fault struck it.
const SHOWS_WITHIN: Duration = Duration::from_secs(4);

/// A lab in which as many faults are possible as this host allows.
async fn trial() -> Trial {
    let network = NetworkPlan { block_time: common::BLOCK_TIME, wired: true, ..NetworkPlan::default() };
    let why_not = Disk::why_not();
    if let Some(why) = why_not {
        println!("without faults of disks and copies: {why}");
    }
    let clock = install::faketime(to_stderr).await;
    if let Err(error) = &clock {
        println!("without faults of clocks: {error:#}");
    }
    let plan = MachinePlan { own_disk: why_not.is_none(), clock: clock.ok(), ..MachinePlan::default() };
    let mut trial = Trial::prepare_on(network, plan).await;
    trial.starts().await;
    trial
}

fn is_possible(trial: &Trial, fault: Fault) -> bool {
    fault.need().is_none_or(|need| trial.lab.offers(need))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn real_faults_one_after_the_other_cost_no_more_than_promised_and_nobody_contradicts_himself() {
    let mut trial = trial().await;
    let first = trial.lab.wait_in_step(0).await.unwrap();
    let mut ledger = Ledger::from(first);
    for fault in IN_THIS_ORDER {
        if !is_possible(&trial, fault) {
            continue;
        }
        let run = trial::run(&mut trial.lab, &mut ledger, fault, Pace::quick(), &|what| println!("{what}"));
        let outcome = run.await.unwrap_or_else(|error| panic!("{fault}: {error:#}\n{}", trial.logs()));
        println!("{}", outcome.to_json());
        assert!(outcome.is_good(), "{outcome:?}\n{}", trial.logs());
    }
    let verdict = trial.lab.verdict().await.unwrap();
    println!("{verdict}");
    verdict.must_be_clean().unwrap();
}

/// Each fault shows by something else than the call that does it that it struck. Of a lab that nothing was done to none may say so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_did_not_strike_is_noticed() {
    let mut trial = trial().await;
    trial.lab.wait_in_step(0).await.unwrap();
    let possible: Vec<_> = Fault::ALL.into_iter().filter(|fault| is_possible(&trial, *fault)).collect();
    assert!(possible.len() > 10 && trial.lab.offers(Need::Wires), "{possible:?}");
    for fault in possible {
        let shown = trial::has_struck(&mut trial.lab, fault, SHOWS_WITHIN).await;
        assert!(shown.is_err(), "{fault} would count without having struck");
    }
    assert_eq!(trial.lab.verdict().await.unwrap().outcome(), Outcome::Clean);
}
