//! Failover around a daemon that is not gaiad: two price feeders, of which message N must be said exactly once.
//!
//! Each machine sees its own price, so each would say something else. Beam's signer lets one of them say each number;
//! the other takes over when the first is gone. Run it: `cargo run -p beam-examples --bin odd_daemon`

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use beam_core::audit_log::NoAuditLog;
use beam_core::id::{Lineage, SessionId, SignerId};
use beam_core::register::{MemoryRegister, Register, RegisterKey};
use beam_core::runtime::{SignerParts, start_signer};
use beam_core::signing::{Height, Mark, Record, SignerConfig, Statement};
use beam_core::takeover::TakeoverConfig;
use beam_core::testing::{FakeFloor, FakeKey};

const EVERY: Duration = Duration::from_millis(100);
const MESSAGES: u64 = 12;
/// Machine a says this one, and dies.
const A_DIES_AT: u64 = 6;

/// What both machines share.
type Cell = (Arc<dyn Register>, RegisterKey);
/// Everything that was said, by number.
type Said = Arc<Mutex<BTreeMap<u64, Vec<String>>>>;

#[tokio::main]
async fn main() -> Result<()> {
    for (number, said) in run().await? {
        println!("{number:>3}  {}", said.join(" AND "));
    }
    Ok(())
}

async fn run() -> Result<BTreeMap<u64, Vec<String>>> {
    // Machines on one host share a SqliteRegister; memory will do only because these two are one process.
    let register: Arc<dyn Register> = Arc::new(MemoryRegister::new());
    let key = RegisterKey::signing(&"price-feed".parse()?, &"0".repeat(40))?;
    // No silent beginning: somebody states, once, that nothing was said up to 0.
    let record = Record::begin(Lineage::from_random(1), Mark::end_of(Height(0)));
    register.swap(&key, None, record.encode()).await?;

    let said = Said::default();
    let cell: Cell = (register, key);
    let a = tokio::spawn(machine("a", A_DIES_AT, cell.clone(), said.clone()));
    tokio::time::sleep(EVERY / 2).await;
    machine("b", MESSAGES, cell, said.clone()).await?;
    a.await??;
    Ok(said.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// One machine, until it dies after message `last`.
async fn machine(name: &str, last: u64, (register, key): Cell, said: Said) -> Result<()> {
    let parts = SignerParts {
        register,
        key,
        // In earnest: a real key, the same on both machines, and a synced file on each machine's own disk.
        signing_key: Arc::new(FakeKey::new(7)),
        floor: Arc::new(FakeFloor::new()),
        audit: Arc::new(NoAuditLog),
    };
    let takeover = TakeoverConfig { takeover_after: EVERY * 2, ..TakeoverConfig::default() };
    // In earnest: drawn at random at each start.
    let id = name.bytes().map(u128::from).sum();
    let config = SignerConfig { me: SignerId::from_random(id), takeover };
    let (signer, _task) = start_signer(config, parts).await?;
    for number in 1..=last {
        let words = format!("{} dollars, as {name} sees it", 100 * number);
        let statement = Statement::numbered(number, words.into_bytes());
        // Either our words are the ones recorded for this number, or we are told that others are.
        match signer.sign(SessionId::from_random(id), statement, None).await {
            Ok(release) => {
                let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
                said.entry(number).or_default().push(String::from_utf8(release.bytes)?);
            }
            Err(refusal) => println!("     {name} keeps silent: {refusal}"),
        }
        tokio::time::sleep(EVERY).await;
    }
    Ok(())
}
