//! 01node, Osmosis, height 30,968,345, March 2025: 5 % slashed, about 75,000 OSMO; two votes about 1.5 ms apart. Again on
//! Celestia's testnet Mocha in October 2025, where the chain's makers now tell validators to leave the tool.
//!
//! *The tool of the day* was Horcrux, versions 3.1.0 to 3.3.1 (GHSA-6wxf-7784-62fp). It read its last signed position, decided,
//! and wrote the new one, and between the read and the write another request could pass the same check. The mend was one lock
//! around both (v3.3.2). Of the vote on Mocha no more is known to us than that it happened.
//!
//! *In Beam* there is no check before the write that could go out of date: the write itself names the version of the record that
//! it was decided upon, and the register refuses it if that is not the newest. It does not matter how many ask, on how many
//! machines, or how long each sleeps in between. Here two machines want to own at the same instant, and each is asked for two
//! different votes by two nodes.
//!
//! *What Beam does not stop:* a register that breaks this promise. The second half is such a one: it compares and writes as Horcrux
//! did, with nothing else changed.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use beam_core::audit_log::NoAuditLog;
use beam_core::id::{Lineage, SessionId, SignerId};
use beam_core::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};
use beam_core::runtime::{SignerHandle, SignerParts, start_signer};
use beam_core::signing::{Handover, Height, Mark, Record, SignerConfig, Statement};
use beam_core::takeover::TakeoverConfig;
use beam_gaia::floor_file::FloorFile;
use beam_gaia::keys::KeyFile;
use tokio::task::JoinSet;

use crate::offline::{ADDRESS, KEY};

/// What lay between the two votes.
const APART: Duration = Duration::from_micros(1500);
/// So many validators at once, each of which is a race of its own.
const RACES: u8 = 60;
const MACHINES: u128 = 2;

/// A register in memory. Each write takes its time; whether the version is compared after that time or before is the whole
/// difference.
struct Store {
    cell: Mutex<Cell>,
    one_lock: bool,
}

impl Store {
    fn check(&self, expected: Option<Version>) -> Result<(), SwapError> {
        let current = self.cell.lock().unwrap().clone();
        if Some(current.version) == expected {
            Ok(())
        } else {
            Err(SwapError::Conflict { current: Some(current) })
        }
    }
}

#[async_trait]
impl Register for Store {
    async fn read(&self, _: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        Ok(Some(self.cell.lock().unwrap().clone()))
    }

    async fn swap(
        &self,
        _: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        if !self.one_lock {
            self.check(expected)?;
        }
        tokio::time::sleep(APART).await;
        let mut cell = self.cell.lock().unwrap();
        if self.one_lock && Some(cell.version) != expected {
            return Err(SwapError::Conflict { current: Some(cell.clone()) });
        }
        *cell = Cell { version: cell.version.next().unwrap(), value };
        Ok(cell.version)
    }
}

/// A validator's machines, with real keys and floors.
async fn machines(register: &Arc<Store>, dir: &std::path::Path) -> Vec<SignerHandle> {
    let key_file = dir.join("key.json");
    std::fs::write(&key_file, KEY).unwrap();
    std::fs::set_permissions(&key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut machines = Vec::new();
    for number in 0..MACHINES {
        let parts = SignerParts {
            register: register.clone(),
            key: RegisterKey::signing(&"race-1".parse().unwrap(), ADDRESS).unwrap(),
            signing_key: Arc::new(KeyFile::load(&key_file).unwrap()),
            floor: Arc::new(FloorFile::open(dir.join(format!("floor-{number}"))).unwrap()),
            audit: Arc::new(NoAuditLog),
        };
        // No patience: both take over in the same instant.
        let takeover = TakeoverConfig { takeover_after: Duration::ZERO, ..TakeoverConfig::default() };
        let config = SignerConfig { me: SignerId::from_random(number), takeover };
        machines.push(start_signer(config, parts).await.unwrap().0);
    }
    machines
}

/// What a validator's machines signed at one position, whose owner is gone. Each machine is asked for two different votes.
async fn race(one_lock: bool) -> BTreeSet<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let begin = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
    let owned = begin.handed_to(SignerId::from_random(MACHINES), Handover::Init).unwrap();
    let cell = Mutex::new(Cell { version: Version::FIRST, value: owned.encode() });
    let register = Arc::new(Store { cell, one_lock });
    let mut asking = JoinSet::new();
    for (number, machine) in machines(&register, dir.path()).await.into_iter().enumerate() {
        for node in 0..2_u128 {
            let machine = machine.clone();
            let vote = format!("what node {node} of machine {number} wants");
            asking.spawn(async move {
                let statement = Statement::numbered(1, vote.into_bytes());
                machine.sign(SessionId::from_random(node), statement, None).await
            });
        }
    }
    let answers = asking.join_all().await;
    answers.into_iter().flatten().map(|release| release.signatures.statement).collect()
}

/// How many races ended with no signature, with one, and with more.
async fn races(one_lock: bool) -> [usize; 3] {
    let races: JoinSet<_> = (0..RACES).map(|_| race(one_lock)).collect();
    let mut ended = [0; 3];
    for signatures in races.join_all().await {
        ended[signatures.len().min(2)] += 1;
    }
    ended
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn horcrux_2025_a_race_between_the_read_and_the_write() {
    let [none, one, doubled] = races(true).await;
    println!("under Beam: {none} races ended without a signature, {one} with one, {doubled} with more");
    assert!(one > 0);
    assert_eq!(doubled, 0);

    let [_, _, doubled] = races(false).await;
    println!("compared and written apart: {doubled} of {RACES} positions were signed twice");
    assert!(doubled > 0);
}
