//! A new `beam` on both machines of a validator that signs, the way the manual says: on the standby, then a switch, then on the
//! other. No block is missed, nothing is signed twice, and no node is restarted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that panics has failed, which is what it is for"
)]

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use common::{Trial, beam};
use rustix::process::{Pid, Signal, kill_process};

/// The file that a running process was started from.
fn inode_of(pid: u32) -> u64 {
    fs::metadata(format!("/proc/{pid}/exe")).unwrap().ino()
}

/// As a package does it: a new file in the place of the one that runs.
fn install(program: &Path) -> u64 {
    let beside = program.with_extension("new");
    fs::copy(beam(), &beside).unwrap();
    fs::rename(&beside, program).unwrap();
    fs::metadata(program).unwrap().ino()
}

/// Has the machine's pilot take the installed program into use and waits until it signs or stands by again.
async fn take_into_use(trial: &mut Trial, name: &str, installed: u64) {
    let machine = trial.lab.machine(name).unwrap();
    let (pilot, node) = (machine.pilot_pid().unwrap(), machine.node_pid().unwrap());
    assert_ne!(inode_of(pilot), installed, "it is the old one so far");
    let raw = Pid::from_raw(i32::try_from(pilot).unwrap()).unwrap();
    kill_process(raw, Signal::USR2).unwrap();
    trial.wait_for("the new program to run", |_| inode_of(pilot) == installed).await;
    let log: PathBuf = trial.lab.machine(name).unwrap().log();
    let adopted = |_: &mut Trial| fs::read_to_string(&log).is_ok_and(|log| log.contains("adopted=true"));
    trial.wait_for("the new program to adopt the node", adopted).await;
    trial.both_in_step().await;
    let machine = trial.lab.machine(name).unwrap();
    assert_eq!(
        (machine.pilot_pid(), machine.node_pid()),
        (Some(pilot), Some(node)),
        "a process was restarted"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_beam_on_the_standby_then_a_switch_then_on_the_other_costs_nothing() {
    let mut trial = Trial::start().await;
    let owner = trial.owner().await;
    let standby = if owner == "a" { "b" } else { "a" };
    let program = trial.lab.beam.clone();
    let installed = install(&program);

    take_into_use(&mut trial, standby, installed).await;
    assert_eq!(trial.owner().await, owner, "the owner did not notice");
    trial.lab.machine(&owner).unwrap().switchover(Some(standby)).await.unwrap();
    assert_eq!(trial.owner().await, standby);
    take_into_use(&mut trial, &owner, installed).await;
    assert_eq!(trial.owner().await, standby);

    let height = trial.lab.chain.height().await.unwrap();
    trial.signs_beyond(height + 2).await;
    trial.ends_well(0).await;
}
