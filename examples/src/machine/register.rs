//! The register that a lab's machines share.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::dynamodb_local::DynamoDbLocal;
use crate::moto::Moto;
use crate::proxy::Proxy;

/// Which register it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RegisterPlan {
    /// A file beside the network's.
    #[default]
    Sqlite,
    /// A table of an emulator, which is made by the first machine.
    DynamoDb {
        /// The table's name.
        table: String,
        /// The emulator's URL, or that of what stands between.
        endpoint: String,
    },
    /// A bucket of an emulator, likewise.
    S3 {
        /// The bucket's name.
        bucket: String,
        /// As above.
        endpoint: String,
    },
}

impl RegisterPlan {
    /// The region that the lab's tables are in.
    pub const REGION: &str = "local-1";
    /// The region that the lab's buckets are in: moto knows AWS's only.
    pub const BUCKET_REGION: &str = "eu-central-1";
}

/// The register of one machine.
#[derive(Debug, Clone)]
pub(super) enum Register {
    File(PathBuf),
    Table { table: String, endpoint: String },
    Bucket { bucket: String, endpoint: String },
}

impl Register {
    /// One for all, or, for controls that must go wrong, one of its own for the machine named.
    pub(super) fn of(plan: &RegisterPlan, dir: &Path, own: Option<&str>) -> Self {
        let name = |of_all: &str| own.map_or(of_all.to_owned(), |own| format!("{of_all}-{own}"));
        match plan {
            RegisterPlan::Sqlite => Self::File(dir.join(name("register")).with_extension("db")),
            RegisterPlan::DynamoDb { table, endpoint } => {
                Self::Table { table: name(table), endpoint: endpoint.clone() }
            }
            RegisterPlan::S3 { bucket, endpoint } => {
                Self::Bucket { bucket: name(bucket), endpoint: endpoint.clone() }
            }
        }
    }

    /// The same, and the wire that leads to it: a table or bucket is reached over one, so that it can be damaged.
    ///
    /// # Errors
    /// When the endpoint is none on this host, or there is no port for a wire.
    pub(super) fn over_a_wire(mut self) -> Result<(Self, Option<Proxy>)> {
        let endpoint = match &mut self {
            Self::File(_) => return Ok((self, None)),
            Self::Table { endpoint, .. } | Self::Bucket { endpoint, .. } => endpoint,
        };
        let upstream = endpoint.strip_prefix("http://").and_then(|address| address.parse().ok());
        let wire = Proxy::start(upstream.with_context(|| format!("{endpoint} is not http://IP:PORT"))?)?;
        *endpoint = format!("http://{}", wire.address());
        Ok((self, Some(wire)))
    }

    /// Its file, if it is one.
    pub(super) fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Table { .. } | Self::Bucket { .. } => None,
        }
    }

    /// What `beam init` is told of it.
    pub(super) fn arguments(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::File(file) => vec![("--register", file.to_string_lossy().into_owned())],
            Self::Table { table, endpoint } => vec![
                ("--register", format!("dynamodb:{table}@{}", RegisterPlan::REGION)),
                ("--register-endpoint", endpoint.clone()),
            ],
            Self::Bucket { bucket, endpoint } => vec![
                ("--register", format!("s3:{bucket}@{}", RegisterPlan::BUCKET_REGION)),
                ("--register-endpoint", endpoint.clone()),
                ("--bucket-owner", Moto::ACCOUNT.to_owned()),
            ],
        }
    }

    /// As [`arguments`](Self::arguments), what has no value.
    pub(super) fn flags(&self) -> Option<&'static str> {
        match self {
            Self::File(_) => None,
            Self::Table { .. } => Some("--create-table"),
            Self::Bucket { .. } => Some("--create-bucket"),
        }
    }

    /// What every command of this machine must find in its environment.
    pub(super) fn environment(&self) -> Vec<(&'static str, &'static str)> {
        let credentials = match self {
            Self::File(_) => return Vec::new(),
            Self::Table { .. } => DynamoDbLocal::CREDENTIALS,
            Self::Bucket { .. } => Moto::CREDENTIALS,
        };
        // Nothing of the lab asks this host's metadata service, should it be a cloud's.
        [("AWS_EC2_METADATA_DISABLED", "true")].into_iter().chain(credentials).collect()
    }

    /// Whether somebody made it and its record already. A table is not looked into: who asks a second time is refused.
    pub(super) fn has_a_record(&self) -> bool {
        matches!(self, Self::File(file) if file.exists())
    }
}
