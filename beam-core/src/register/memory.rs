//! A register in this process's memory: for tests, benchmarks and embedding several signers in one process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};

/// Cells behind a mutex. Linearizable, but gone with the process: it keeps every part of the contract of
/// [`Register`] but durability, so it never guards a real key.
#[derive(Debug, Default)]
pub struct MemoryRegister {
    cells: Mutex<BTreeMap<RegisterKey, Cell>>,
}

impl MemoryRegister {
    /// A register without cells.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn cells(&self) -> MutexGuard<'_, BTreeMap<RegisterKey, Cell>> {
        // A panic elsewhere cannot leave a half-written cell: the map is changed by one insert.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Register for MemoryRegister {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        Ok(self.cells().get(key).cloned())
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        if value.len() > Cell::LEN_MAX {
            return Err(SwapError::Failed(format!("a value of {} bytes is too large", value.len()).into()));
        }
        let mut cells = self.cells();
        let current = cells.get(key);
        if current.map(|cell| cell.version) != expected {
            return Err(SwapError::Conflict { current: current.cloned() });
        }
        let version = match expected {
            None => Version::FIRST,
            Some(version) => version.next().ok_or_else(|| SwapError::Failed("out of versions".into()))?,
        };
        cells.insert(key.clone(), Cell { version, value });
        Ok(version)
    }
}
