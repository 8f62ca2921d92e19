//! The register, of whichever kind `node.toml` names. Nobody else knows the kinds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use beam_aws::access::Access;
use beam_aws::dynamodb::{self, DynamoDbRegister};
use beam_aws::s3::{self, S3Register, Versioning};
use beam_core::register::{Register, RegisterError, RegisterKey};
use beam_core::sqlite::{FileSystem, SqliteRegister};

use crate::config::{Config, DynamoDb, RegisterAt, S3};

/// Opens the register, which must be there, for a person's question or order.
pub(crate) async fn open(config: &Config) -> Result<Arc<dyn Register>> {
    open_with(config, &Access::patient()).await
}

/// Opens the register, which must be there, to sign: what does not answer soon is given up while there is time to ask again.
pub(crate) async fn open_to_sign(config: &Config) -> Result<Arc<dyn Register>> {
    open_with(config, &Access::default()).await
}

async fn open_with(config: &Config, access: &Access) -> Result<Arc<dyn Register>> {
    Ok(match config.register()? {
        RegisterAt::Sqlite(path) => Arc::new(SqliteRegister::open(path).await?),
        RegisterAt::DynamoDb(table) => {
            Arc::new(DynamoDbRegister::open(table.place(), table.table_id.as_deref(), access).await?)
        }
        RegisterAt::S3(bucket) => Arc::new(S3Register::open(bucket.place(), access).await?),
    })
}

/// Opens the register if it was made already. A table or a bucket always was: `beam init` or a person makes it.
pub(crate) async fn if_there(config: &Config) -> Result<Option<Arc<dyn Register>>> {
    match config.register()? {
        RegisterAt::Sqlite(path) if !path.exists() => Ok(None),
        RegisterAt::Sqlite(_) | RegisterAt::DynamoDb(_) | RegisterAt::S3(_) => open(config).await.map(Some),
    }
}

/// Opens the register, and makes it first if it is a file that is not there.
pub(crate) async fn make(config: &Config) -> Result<Arc<dyn Register>> {
    match config.register()? {
        RegisterAt::Sqlite(path) => Ok(Arc::new(SqliteRegister::create(path).await?)),
        RegisterAt::DynamoDb(_) | RegisterAt::S3(_) => open(config).await,
    }
}

/// Opens a table that is there.
pub(crate) async fn open_table(table: &DynamoDb) -> Result<DynamoDbRegister, RegisterError> {
    DynamoDbRegister::open(table.place(), table.table_id.as_deref(), &Access::patient()).await
}

/// Makes a table, unless it is there, and opens it.
pub(crate) async fn create_table(table: &DynamoDb) -> Result<DynamoDbRegister, RegisterError> {
    DynamoDbRegister::create(table.place(), &Access::patient()).await
}

/// Whether a bucket is there and ours; changes nothing.
pub(crate) async fn look_at_bucket(bucket: &S3) -> Result<(), RegisterError> {
    S3Register::look(bucket.place(), &Access::patient()).await
}

/// Opens a bucket that is there.
pub(crate) async fn open_bucket(bucket: &S3) -> Result<S3Register, RegisterError> {
    S3Register::open(bucket.place(), &Access::patient()).await
}

/// Makes a bucket, unless it is there, and opens it.
pub(crate) async fn create_bucket(bucket: &S3) -> Result<S3Register, RegisterError> {
    S3Register::create(bucket.place(), &Access::patient()).await
}

/// What a table costs in a month of blocks of that time, in US dollars, at the prices of us-east-1.
pub(crate) fn dollars_of_table(block_time: Duration) -> f64 {
    use dynamodb::cost;
    cost::month(&cost::PER_BLOCK, 1, block_time, &cost::US_EAST_1)
}

/// What a bucket costs, likewise.
pub(crate) fn dollars_of_bucket(block_time: Duration) -> f64 {
    use s3::cost;
    cost::month(&cost::PER_BLOCK, 1, block_time, &cost::US_EAST_1)
}

/// What a register stands on, for the doctor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ground {
    /// A file: whether it is in this machine's memory, or why that is not known.
    File { in_memory: Result<bool, String> },
    /// A table.
    Table {
        /// Whether it cannot be deleted by one call.
        protected: bool,
        /// Whether node.toml says which id it must have.
        pinned: bool,
        /// Its id, if it has one.
        id: Option<String>,
    },
    /// A bucket: whether it keeps what is written over or deleted, or why that is not known.
    Bucket { versioning: Result<Versioning, String> },
}

/// Opens the register and tells what it stands on.
pub(crate) async fn inspect(config: &Config) -> Result<(Arc<dyn Register>, Ground)> {
    match config.register()? {
        RegisterAt::Sqlite(path) => {
            let found = rustix::fs::statfs(path).map_err(|error| format!("{}: {error}", path.display()));
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the magic is the low 32 bits"
            )]
            let in_memory =
                found.map(|found| FileSystem::from_magic(found.f_type as u32) == FileSystem::Memory);
            Ok((Arc::new(SqliteRegister::open(path).await?), Ground::File { in_memory }))
        }
        RegisterAt::DynamoDb(table) => {
            let register = open_table(table).await?;
            let facts = register.table();
            let ground = Ground::Table {
                protected: facts.protected,
                pinned: table.table_id.is_some(),
                id: facts.id.clone(),
            };
            Ok((Arc::new(register), ground))
        }
        RegisterAt::S3(bucket) => {
            let register = open_bucket(bucket).await?;
            let facts = register.facts().await;
            let versioning = facts.map(|facts| facts.versioning);
            let versioning = versioning.map_err(|error| format!("{:#}", anyhow::Error::from(error)));
            Ok((Arc::new(register), Ground::Bucket { versioning }))
        }
    }
}

/// How long so many reads of one cell take, one after the other.
pub(crate) async fn time_reads(
    register: &dyn Register,
    key: &RegisterKey,
    count: usize,
) -> Result<Vec<Duration>> {
    let mut took = Vec::new();
    for _ in 0..count {
        let since = Instant::now();
        register.read(key).await.context("the register was not read")?;
        took.push(since.elapsed());
    }
    Ok(took)
}
