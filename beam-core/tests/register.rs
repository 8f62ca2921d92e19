//! The contract of `Register`, run on the backends of this crate, and on broken ones to see that it notices.

#![cfg(all(feature = "sqlite", feature = "testing"))]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "clippy takes what a test calls for code that is no test"
)]

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use beam_core::register::{Cell, MemoryRegister, Register, RegisterError, RegisterKey, SwapError, Version};
use beam_core::sqlite::SqliteRegister;
use beam_core::testing::{Breach, FaultyRegister, RegisterHarness, register_contract};

/// Every handle is the same register.
struct Shared(Arc<dyn Register>);

#[async_trait]
impl RegisterHarness for Shared {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::clone(&self.0))
    }
}

/// Every handle is a connection of its own.
struct OnFile(PathBuf);

#[async_trait]
impl RegisterHarness for OnFile {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(SqliteRegister::open(&self.0).await?))
    }

    async fn restart(&self) -> bool {
        // The handles are gone, and with them the last connection: opening is starting again.
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_register_keeps_the_contract() -> Result<(), Breach> {
    register_contract::run_all(&Shared(Arc::new(MemoryRegister::new()))).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_sqlite_register_keeps_the_contract() -> Result<(), Breach> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.db");
    SqliteRegister::create(&path).await?;
    register_contract::run_all(&OnFile(path)).await
}

#[tokio::test]
async fn a_wrapper_without_faults_keeps_the_contract() -> Result<(), Breach> {
    register_contract::run_all(&Shared(Arc::new(FaultyRegister::new(Arc::new(MemoryRegister::new()))))).await
}

/// Ways to break the contract.
#[derive(Clone, Copy, Debug)]
enum Broken {
    /// Whatever version is expected, it fits.
    IgnoresVersions,
    /// A read sees the write before the last.
    ReadsStale,
    /// A conflict does not say what is there.
    HidesWinners,
    /// All keys are one.
    MixesKeys,
    /// Ends of values get lost.
    CutsValues,
}

struct BrokenRegister {
    how: Broken,
    inner: MemoryRegister,
    stale: std::sync::Mutex<std::collections::BTreeMap<RegisterKey, Option<Cell>>>,
}

impl BrokenRegister {
    fn key(&self, key: &RegisterKey) -> RegisterKey {
        match self.how {
            Broken::MixesKeys => {
                RegisterKey::signing(&"one-for-all".parse().unwrap(), &"0".repeat(40)).unwrap()
            }
            _ => key.clone(),
        }
    }
}

#[async_trait]
impl Register for BrokenRegister {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        match self.how {
            Broken::ReadsStale => Ok(self.stale.lock().unwrap().get(key).cloned().flatten()),
            _ => self.inner.read(&self.key(key)).await,
        }
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        mut value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        let key = self.key(key);
        let current = self.inner.read(&key).await.unwrap();
        self.stale.lock().unwrap().insert(key.clone(), current.clone());
        let expected = match self.how {
            Broken::IgnoresVersions => current.map(|cell| cell.version),
            _ => expected,
        };
        if matches!(self.how, Broken::CutsValues) && value.len() > 1000 {
            value.truncate(1000);
        }
        self.inner.swap(&key, expected, value).await.map_err(|error| match (self.how, error) {
            (Broken::HidesWinners, SwapError::Conflict { .. }) => SwapError::Conflict { current: None },
            (_, error) => error,
        })
    }
}

#[tokio::test]
async fn a_broken_register_is_noticed_and_the_statement_named() {
    for (how, statement) in [
        (Broken::IgnoresVersions, "only_the_first_write_may_expect_nothing"),
        (Broken::ReadsStale, "versions_begin_with_one_and_grow_by_one"),
        (Broken::HidesWinners, "only_the_first_write_may_expect_nothing"),
        (Broken::MixesKeys, "versions_begin_with_one_and_grow_by_one"),
        (Broken::CutsValues, "values_come_back_byte_for_byte"),
    ] {
        let register =
            BrokenRegister { how, inner: MemoryRegister::new(), stale: std::sync::Mutex::default() };
        let breach = register_contract::run_all(&Shared(Arc::new(register))).await.unwrap_err();
        assert_eq!(breach.statement, statement, "{how:?}: {breach}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_race_alone_notices_a_register_that_ignores_versions() {
    for seen in [
        register_contract::of_racing_writers_one_wins_and_all_others_see_its_value(&ignoring()).await,
        register_contract::a_late_swap_never_beats_a_newer_one(&ignoring()).await,
        register_contract::a_lost_answer_is_recognised_by_its_content(&ignoring()).await,
        register_contract::a_wrong_version_is_told_the_cell_and_writes_nothing(&ignoring()).await,
    ] {
        seen.unwrap_err();
    }
}

fn ignoring() -> Shared {
    let (how, inner) = (Broken::IgnoresVersions, MemoryRegister::new());
    Shared(Arc::new(BrokenRegister { how, inner, stale: std::sync::Mutex::default() }))
}
