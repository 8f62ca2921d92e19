//! The key signs on a machine by itself, past Beam: a plain node with the validator's key, on its real chain.
//!
//! Beam cannot keep a stranger from signing. What it promises is that it stops and says so, as soon as the chain shows a vote that its
//! register does not know. That ends the validator's run until a person has looked, so it stands apart from the other faults, on
//! a network of its own.
//!
//! While the stranger signs the register is kept from being written: else the two would sign the same heights, and contradict each other
//! before anybody can have seen it. In this order the stranger's votes are evidence for Beam and for nobody else, and the judge can
//! tell whether Beam added a contradiction.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;

use crate::judge::Verdict;
use crate::lab::Lab;
use crate::wait;

/// A plain node starts, catches up and votes; then the pilot looks at the chain.
const STOPS_WITHIN: Duration = Duration::from_secs(120);
/// The first votes, of a pilot that has just started.
const SIGNS_WITHIN: Duration = Duration::from_secs(60);
/// How long it is watched after it stopped: it must not sign again when the register can be written.
const STAYS_STOPPED_FOR: Duration = Duration::from_secs(5);
const LOCKED_WITHIN: Duration = Duration::from_secs(10);
/// Why it stopped, as the report has it.
const HALTED: &str = "/signer/halted";

/// Beam stopped and said so.
#[derive(Debug)]
pub struct Stopped {
    /// What it said.
    pub said: String,
    /// From the stranger's first vote at another validator to the pilot's report.
    pub took: Duration,
    /// What the judge found.
    pub verdict: Verdict,
}

/// Starts one machine under Beam and, when it signs, its twin as a plain node with the same key. Nothing of the lab may run yet.
///
/// # Errors
/// When Beam does not stop in time, does not say so, or signs again afterwards.
pub async fn stranger(lab: &mut Lab) -> Result<Stopped> {
    let [ours, theirs] = crate::network::MACHINES;
    lab.machine(ours)?.start()?;
    let first = lab.watcher.wait_for_signature_after(1, SIGNS_WITHIN).await?;
    let lock = lock(lab, ours)?;
    let last = lab.chain.height().await?.max(first.height);
    lab.network.start_unfenced(theirs).await?;
    let seen = lab.watcher.wait_for_signature_after(last.saturating_add(1), STOPS_WITHIN).await;
    let seen = seen.context("the stranger does not sign")?.arrived;
    let machine = lab.machine(ours)?;
    let said = wait::until("Beam to stop and say so", STOPS_WITHIN, || async {
        let report = machine.report().await.unwrap_or_default();
        Ok(report.pointer(HALTED).and_then(serde_json::Value::as_str).map(str::to_owned))
    });
    let said = said.await?;
    let took = seen.elapsed();
    unlock(lock)?;
    let signed = signatures(lab)?;
    let watched = Instant::now();
    while watched.elapsed() < STAYS_STOPPED_FOR {
        ensure!(
            signatures(lab)? == signed,
            "it stopped, and signed again when the register could be written"
        );
        tokio::time::sleep(STAYS_STOPPED_FOR.div_f64(10.0)).await;
    }
    Ok(Stopped { said, took, verdict: lab.verdict().await? })
}

fn signatures(lab: &Lab) -> Result<usize> {
    Ok(crate::judge::audit::read_all(&lab.audits())?.len())
}

fn lock(lab: &mut Lab, machine: &str) -> Result<Mutex<Connection>> {
    let register =
        Connection::open(lab.machine(machine)?.register_file()?).context("cannot open the register")?;
    register.busy_timeout(LOCKED_WITHIN)?;
    register.execute_batch("BEGIN IMMEDIATE").context("cannot lock the register")?;
    Ok(Mutex::new(register))
}

fn unlock(lock: Mutex<Connection>) -> Result<()> {
    let register = lock.into_inner().unwrap_or_else(PoisonError::into_inner);
    register.execute_batch("ROLLBACK").context("cannot release the register")
}
