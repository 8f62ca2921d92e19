//! A table to try things on.
#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::Arc;

use async_trait::async_trait;
use beam_aws::dynamodb::{Credentials, DynamoDbRegister, Place};
use beam_core::register::{Register, RegisterError};
use beam_core::testing::RegisterHarness;
use beam_examples::dynamodb_local::DynamoDbLocal;
use beam_examples::install::to_stderr;
use tempfile::TempDir;

/// Where the emulator's tables are.
pub(crate) const REGION: &str = "local-1";

/// What the emulator takes.
pub(crate) fn credentials() -> Credentials {
    Credentials::key("beam", "beam")
}

/// An emulator, and a place to keep its log.
pub(crate) struct Emulator {
    pub(crate) local: DynamoDbLocal,
    _dir: TempDir,
}

impl Emulator {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let local = DynamoDbLocal::start(dir.path(), to_stderr).await.unwrap();
        Self { local, _dir: dir }
    }

    pub(crate) fn place(&self, table: &str) -> Place {
        Place { table: table.to_owned(), region: REGION.to_owned(), endpoint: Some(self.local.endpoint()) }
    }
}

/// Every handle is a client of its own.
pub(crate) struct Table {
    pub(crate) place: Place,
    pub(crate) run: u64,
}

#[async_trait]
impl RegisterHarness for Table {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(DynamoDbRegister::open(self.place.clone(), None, &credentials()).await?))
    }

    fn run(&self) -> u64 {
        self.run
    }
}
