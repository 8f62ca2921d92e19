//! Neutron, 2023-08-01: two validators tombstoned on a chain secured by the Cosmos Hub; the Hub's proposal 818 dealt with it.
//!
//! The chain had halted for an upgrade, and while it came back some ran one version of the node and some the other. That much has
//! been published; what exactly those two did has not, as far as we know. So this test takes the accident that such a mixture makes
//! possible: at the height at which the chain goes on, one machine of a validator has the old version and the other the new one.
//! The node of one finds the other's block invalid, so where one votes for a block, the other votes nil.
//!
//! *The tool of the day* was the node's file signer, or one remote signer. The first knows nothing of the other machine.
//!
//! *In Beam* the first statement at a mark is the only one, whichever version made it; the other version's is refused. When the
//! wrong one then fails, as its kind does at the first block, the other goes on by itself.
//!
//! *What Beam does not stop:* the wrong version being first, and wasting the votes of that height on nil. Nil is no double sign.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use beam_examples::install::{cometbft, to_stderr};
use beam_examples::lab::Lab;
use beam_examples::machine::{Machine, MachinePlan};
use beam_examples::network::{MACHINES, Network};
use tempfile::TempDir;
use tokio::sync::MutexGuard;

use super::scene::{acquitted, convicted_within, network, start_alone};
use crate::common::{Trial, WITHIN, alone, beam};

/// A chain that stands before its next block, none of whose nodes runs. Machine b has another version than the rest, whose blocks
/// it finds invalid: its application tells another version, as it does after an upgrade.
struct Halted {
    network: Network,
    dir: TempDir,
    alone: MutexGuard<'static, ()>,
}

async fn halted() -> Halted {
    let alone = alone().await;
    cometbft(to_stderr).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut network = Network::create(dir.path(), network()).await.unwrap();
    let version = &network.node("b").unwrap().command()[0];
    let other = dir.path().join("other-version");
    fs::write(&other, format!("#!/bin/sh\nexec {version} \"$@\" --proxy_app=noop\n")).unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    network.use_program("b", &other).unwrap();
    Halted { network, dir, alone }
}

impl Halted {
    /// The other validators come back, and the chain goes on.
    async fn goes_on(mut self, machines: Vec<Machine>) -> Trial {
        self.network.start_validators().await.unwrap();
        let (watcher, chain) = (self.network.watch().await.unwrap(), self.network.chain().unwrap());
        let lab = Lab { machines, beam: beam(), ..Lab::of(self.network, watcher, chain) };
        Trial::of(lab, self.dir, self.alone)
    }
}

fn log(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_default()
}

/// The two votes are sent within a second of one another, or not at all; the evidence of them is in the block after the next.
const CONVICTED_WITHIN: Duration = Duration::from_secs(20);
/// How often it is tried. The two versions meet at one height only, and it takes luck that it shows: a node that finds its peers late
/// has not voted when the others have decided, and who already has a vote of this validator is not sent the other.
const TRIES: usize = 5;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neutron_2023_two_versions_of_the_node_at_one_height() {
    for _ in 0..TRIES {
        if they_met_under_beam().await {
            return;
        }
    }
    panic!("the two versions never asked for different things");
}

/// Whether they asked for different things. Whether or not, nobody may have contradicted himself.
async fn they_met_under_beam() -> bool {
    let mut halted = halted().await;
    let mut machines = Vec::new();
    for name in MACHINES {
        let machine = Machine::new(&mut halted.network, name, &beam(), MachinePlan::default()).unwrap();
        machine.init().await.unwrap();
        machine.init_watermark().await.unwrap();
        machines.push(machine);
    }
    for machine in &mut machines {
        machine.start().unwrap();
    }
    for machine in &mut machines {
        machine.wait_ready(WITHIN).await.unwrap();
    }
    let mut trial = halted.goes_on(machines).await;
    trial.signs_beyond(3).await;
    let logs = MACHINES.map(|name| log(&trial.lab.machine(name).unwrap().home().join("logs/node.log")));
    assert!(
        logs[1].contains("wrong Block.Header.Version"),
        "b's node finds nothing wrong, so it is of the same version: {}",
        logs[1]
    );
    acquitted(&trial).await;
    logs.iter().any(|log| log.contains("beam: something else is recorded"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neutron_2023_as_it_was_without_beam() {
    for _ in 0..TRIES {
        let mut halted = halted().await;
        for name in MACHINES {
            start_alone(&mut halted.network, name).await;
        }
        let trial = halted.goes_on(Vec::new()).await;
        if convicted_within(&trial, CONVICTED_WITHIN).await.is_ok() {
            return;
        }
    }
    panic!("nobody contradicted himself in {TRIES} tries");
}
