//! A validator's key that is not in a file.

use crate::ministack::Ministack;

/// A key in an emulator's KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsPlan {
    /// Its ARN.
    pub key: String,
    /// The emulator's URL, or that of what stands between.
    pub endpoint: String,
}

impl KmsPlan {
    /// The region that the lab's keys are in.
    pub const REGION: &str = "local-1";

    /// What `beam init` is told of it.
    pub(super) fn arguments(&self) -> [(&'static str, String); 2] {
        [("--key", format!("kms:{}@{}", self.key, Self::REGION)), ("--key-endpoint", self.endpoint.clone())]
    }

    /// What every command of the machine must find in its environment. Nothing of the lab asks this host's metadata service,
    /// should it be a cloud's.
    pub(super) fn environment(&self) -> impl Iterator<Item = (&'static str, &'static str)> + use<> {
        [("AWS_EC2_METADATA_DISABLED", "true")].into_iter().chain(Ministack::CREDENTIALS)
    }
}
