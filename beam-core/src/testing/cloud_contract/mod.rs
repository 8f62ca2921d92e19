//! The contract of [`CloudProvider`], as a suite for any backend: the simulated cloud, an emulator, a real account.
//!
//! Each statement of the contract is a [`Clause`] with a stable name, checked in a fleet of its own that is swept up
//! afterwards. The suite is patient: it asks again when it is throttled or in doubt, as the contract allows, so a slow,
//! late or doubtful backend passes. What an emulator gets wrong is listed as [`Difference`]s, and each must show.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use async_trait::async_trait;
//! use beam_core::cloud_provider::{CloudProvider, TemplateId};
//! use beam_core::testing::{Breach, CloudHarness, FakeCloud, cloud_contract};
//!
//! struct Mine(Arc<FakeCloud>);
//!
//! #[async_trait]
//! impl CloudHarness for Mine {
//!     fn cloud(&self) -> Arc<dyn CloudProvider> {
//!         self.0.clone()
//!     }
//!
//!     fn template(&self) -> TemplateId {
//!         self.0.template()
//!     }
//!
//!     async fn wait(&self, at_least: Duration) {
//!         self.0.advance(at_least); // a real one sleeps, which is the default
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Breach> {
//! let report = cloud_contract::run_all(&Mine(Arc::new(FakeCloud::new()))).await?;
//! println!("{report}"); // what was kept, and what this harness could not bring about
//! # Ok(())
//! # }
//! ```
//!
//! What it cannot show: that traffic follows a moved address, and when. No emulator has a data path, so whoever moves an
//! address probes it; see [`cloud_provider`](crate::cloud_provider).

#[macro_use]
mod clause;

mod addresses;
mod difference;
mod disks;
mod doubts;
mod harness;
mod lists;
mod machines;
mod patient;
mod quotas;
mod report;
mod snapshots;
mod stage;

pub use clause::Clause;
pub use difference::Difference;
pub use harness::{CloudHarness, Outside};
pub use report::Report;

use super::Breach;
use clause::Verdict;
use stage::Stage;

/// Every clause, in the order in which they are checked.
pub fn clauses() -> impl Iterator<Item = &'static Clause> {
    let parts = [
        lists::CLAUSES,
        machines::CLAUSES,
        addresses::CLAUSES,
        disks::CLAUSES,
        snapshots::CLAUSES,
        quotas::CLAUSES,
        doubts::CLAUSES,
    ];
    parts.into_iter().flatten()
}

/// Checks every clause, of a backend that must keep them all.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_all(harness: &dyn CloudHarness) -> Result<Report, Breach> {
    run_but(harness, &[]).await
}

/// Checks every clause, of a backend that is known to differ in some. Each listed difference must show, and as it is
/// listed: one that does not is a breach, so that the list does not outlive what it excuses.
///
/// # Errors
/// The first [`Breach`].
pub async fn run_but(harness: &dyn CloudHarness, differences: &[Difference]) -> Result<Report, Breach> {
    let report = survey(harness, differences).await;
    match report.breaches.first() {
        Some(first) => Err(first.clone()),
        None => Ok(report),
    }
}

/// Checks every clause, and goes on after a breach.
pub async fn survey(harness: &dyn CloudHarness, differences: &[Difference]) -> Report {
    let mut report = Report::default();
    report.breaches.extend(difference::wrongly_listed(differences));
    for (number, clause) in clauses().enumerate() {
        let seen = check(harness, number, clause).await;
        report.add(clause, difference::judged(clause, seen, differences));
    }
    report
}

/// Checks one clause, by its name.
///
/// # Errors
/// Its [`Breach`], or one that says that there is no such clause.
pub async fn run_one(harness: &dyn CloudHarness, name: &str) -> Result<Report, Breach> {
    let mut report = Report::default();
    let Some((number, clause)) = clauses().enumerate().find(|(_, clause)| clause.name == name) else {
        return Err(Breach::new(format!("has no clause {name}")));
    };
    let seen = check(harness, number, clause).await?;
    report.add(clause, difference::judged(clause, Ok(seen), &[]));
    Ok(report)
}

/// Checks a clause in bounded time, and sweeps up behind it.
async fn check(harness: &dyn CloudHarness, number: usize, clause: &Clause) -> Result<Verdict, Breach> {
    let stage = Stage::new(harness, number);
    let limit = harness.patience().saturating_mul(WAITS_MAX);
    let seen = match tokio::time::timeout(limit, (clause.check)(&stage)).await {
        Ok(seen) => seen.map_err(|breach| Breach { statement: clause.name, ..breach }),
        Err(_) => Err(Breach { statement: clause.name, what: format!("not done after {limit:?}") }),
    };
    // What cannot be swept up is no breach: it lies in a fleet that nobody looks at again.
    let _ = tokio::time::timeout(limit, stage.sweep()).await;
    seen
}

/// How many things, at most, one clause waits for in turn.
const WAITS_MAX: u32 = 5;
