//! The validator's key, of whichever kind `node.toml` names. Nobody else knows the kinds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use beam_aws::kms::{Access, KmsKey, cost};
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use beam_gaia::keys::KeyFile;
use beam_gaia::rpc::ValidatorAddress;

use crate::config::{Config, KeyAt, Kms};

const UNFIT: &str = "the validator's key cannot be used";

/// The key, ready to sign.
#[derive(Clone)]
pub(crate) struct ValidatorKey {
    signing: Arc<dyn SigningKey>,
    memory_locked: Option<bool>,
}

impl ValidatorKey {
    pub(crate) fn signing(&self) -> Arc<dyn SigningKey> {
        self.signing.clone()
    }

    /// The public half.
    pub(crate) fn public(&self) -> PublicKey {
        self.signing.public_key()
    }

    /// The validator's address: 40 upper-case hexadecimal digits.
    pub(crate) fn address(&self) -> String {
        ValidatorAddress::of(&self.public()).to_string()
    }

    /// Whether it is kept out of swap; `None` for a key that is not in this machine's memory.
    pub(crate) fn memory_locked(&self) -> Option<bool> {
        self.memory_locked
    }
}

/// Opens the key to sign. One in KMS is asked what it is, and must be the pinned one.
pub(crate) async fn open(config: &Config) -> Result<ValidatorKey> {
    Ok(match config.key()? {
        KeyAt::File(path) => {
            let key = KeyFile::load(path).context(UNFIT)?;
            ValidatorKey { memory_locked: Some(key.memory_locked()), signing: Arc::new(key) }
        }
        KeyAt::Kms(kms) => {
            let key = open_kms(kms, &Access::default()).await.context(UNFIT)?;
            ValidatorKey { memory_locked: None, signing: Arc::new(key) }
        }
    })
}

/// The validator's consensus address. Nobody is asked: the public key of one in KMS is pinned.
pub(crate) fn address(config: &Config) -> Result<String> {
    Ok(match config.key()? {
        KeyAt::File(path) => KeyFile::load(path).context(UNFIT)?.address(),
        KeyAt::Kms(kms) => ValidatorAddress::of(&kms.public_key.0).to_string(),
    })
}

/// Opens a key in KMS, which must be the pinned one.
pub(crate) async fn open_kms(kms: &Kms, access: &Access) -> Result<KmsKey, KeyError> {
    KmsKey::open(kms.place(), Some(kms.public_key.0), access).await
}

/// What a key in KMS costs a month, for people.
pub(crate) fn price(block_time: Duration) -> String {
    let count = cost::signatures(cost::PER_BLOCK, block_time);
    let cost::Prices { key_month, ten_thousand } = cost::US_EAST_1;
    format!(
        "${key_month:.0}/key + ${ten_thousand:.2} per 10,000 signatures, about {count:.0} signatures a month at {} s blocks: ${:.2} a month \
         by the prices of us-east-1",
        block_time.as_secs(),
        cost::month(count, &cost::US_EAST_1)
    )
}

/// What is signed to see how long it takes. It is no vote and no proposal, for nobody: those begin with their length.
pub(crate) fn no_vote(number: usize) -> Vec<u8> {
    format!("beam doctor times the signing key; this is no vote of anybody's, and asks for nothing; it is number {number:08} of a few")
        .into_bytes()
}

/// How long so many signatures take, one after the other.
pub(crate) async fn time_signatures(key: &dyn SigningKey, count: usize) -> Result<Vec<Duration>, KeyError> {
    let mut took = Vec::new();
    for number in 0..count {
        let since = Instant::now();
        key.sign(&no_vote(number)).await?;
        took.push(since.elapsed());
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use beam_core::signing::Statement;

    use super::*;

    #[test]
    fn what_the_doctor_has_signed_is_no_vote() {
        let bytes = no_vote(7);
        Statement::canonical(bytes.clone()).unwrap_err();
        // Whoever reads a vote reads its length first.
        assert_ne!(usize::from(bytes[0]), bytes.len() - 1);
        assert!(bytes[0] < 0x80, "a length of one byte");
        assert_eq!(bytes.len(), no_vote(0).len());
    }

    #[test]
    fn the_price_is_told_with_what_it_is_worked_out_from() {
        assert_eq!(
            price(Duration::from_secs(6)),
            "$1/key + $0.15 per 10,000 signatures, about 2628000 signatures a month at 6 s blocks: $40.42 a month by the prices of us-east-1"
        );
    }
}
