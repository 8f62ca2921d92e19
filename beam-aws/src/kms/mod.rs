//! A validator's key in KMS: it signs and never leaves.
//!
//! # Why it keeps the contract of [`SigningKey`]
//! * **The very bytes.** The key is of kind `ECC_NIST_EDWARDS25519`, the algorithm `ED25519_SHA_512`, the message `RAW`: Ed25519 over
//!   the message itself, as CometBFT verifies it. (`ED25519_PH_SHA_512` hashes first, and no node would take it.)
//! * **Deterministic**, as Ed25519 is, so an attempt whose answer was lost is made again.
//! * **Looked at.** The public key is read once, when the key is opened, and must be the pinned one. Each signature is verified
//!   against it, strictly, before it is given out. So neither a mixed-up answer nor an alias that was moved to another key, nor
//!   whoever may stand between, makes a node send what is no signature of its validator.
//! * **Bounded.** Own timeouts and attempts, in [`timeouts`].
//!
//! # What it cannot do
//! * Sign more than [`LEN_MAX`] bytes. A vote has a tenth of that. A vote *extension* may have more, on the few chains that carry much
//!   in them: it is refused with a sentence before anything is asked, and so is the vote that it belongs to. Such a chain's key
//!   belongs into a file.
//! * Take a key that is in a file. KMS takes key material only into a key that was made for that (origin `EXTERNAL`), and then the file
//!   has been there. A validator that moves into KMS has a new consensus key, which the chain must be told of.
//!
//! # What it guards, and what it does not
//! Nobody can copy the key: not by a backup, a snapshot of the disk, or root on the machine. But whoever has the machine's role can ask
//! KMS to sign, past the register. Give that role to the two machines and to nobody, and watch the key in CloudTrail.
//!
//! ```no_run
//! # async fn f() -> Result<(), beam_core::signing_key::KeyError> {
//! use beam_aws::kms::{Access, KeyPlace, KmsKey};
//! use beam_core::signing_key::SigningKey as _;
//!
//! let place = KeyPlace { key: "alias/beam".into(), region: "eu-central-1".into(), endpoint: None };
//! let key = KmsKey::open(place, None, &Access::default()).await?;
//! println!("pin this: {}", key.public_key());
//! # Ok(()) }
//! ```

mod connect;
pub mod cost;
mod errors;
mod place;
pub mod timeouts;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_kms::Client;
use aws_sdk_kms::operation::get_public_key::GetPublicKeyOutput;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MessageType, SigningAlgorithmSpec};
use base64ct::{Base64, Encoding as _};
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use ed25519_dalek::{Signature, VerifyingKey};
use spki::der::Decode as _;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};

pub use crate::dynamodb::{Credentials, region_of_environment};
pub use connect::Access;
pub use place::{KeyPlace, KeyPlaceError};

use errors::{CallError, Trouble};
use timeouts::{AGAIN_AFTER, ATTEMPTS_MAX, LOOK_WITHIN};

/// How many bytes KMS signs at most, as its documentation of `Sign` has it.
pub const LEN_MAX: usize = 4096;

/// The calls that a running pilot makes, by the names that IAM has for them.
pub const ACTIONS: [&str; 2] = ["GetPublicKey", "Sign"];

/// Ed25519, as RFC 8410 names it.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// What was asked of KMS, counted: it is billed by the request.
#[derive(Debug, Default)]
struct Calls {
    signatures: AtomicU64,
    attempts: AtomicU64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Signatures that were given out.
    pub signatures: u64,
    /// How often one was asked for, in vain or not: each is billed.
    pub attempts: u64,
}

/// A key in KMS. See the [module](self).
#[derive(Clone, Debug)]
pub struct KmsKey {
    client: Client,
    place: Arc<KeyPlace>,
    arn: String,
    public: VerifyingKey,
    within: Duration,
    calls: Arc<Calls>,
}

impl KmsKey {
    /// Opens a key after a look at it. `pinned` is the public key that it must have.
    ///
    /// # Errors
    /// [`KeyError::Unavailable`]: in one line why it cannot be used, and what to do.
    pub async fn open(place: KeyPlace, pinned: Option<PublicKey>, access: &Access) -> Result<Self, KeyError> {
        const CALL: &str = "GetPublicKey";
        let place = Arc::new(place);
        let failed = |trouble| CallError { call: CALL, place: place.clone(), trouble };
        let client = connect::client(&place, access).await.map_err(failed)?;
        let asked = client.get_public_key().key_id(&place.key).customize();
        let answer = asked.config_override(connect::patient()).send().await;
        let answer = answer.map_err(|error| failed(Trouble::of(&error, LOOK_WITHIN)))?;
        let public = public_key(&answer, pinned).map_err(failed)?;
        let arn = answer.key_id().unwrap_or(&place.key).to_owned();
        Ok(Self { client, arn, public, within: access.attempt_within, calls: Arc::default(), place })
    }

    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &KeyPlace {
        &self.place
    }

    /// The key's ARN, as KMS told it: what an alias led to.
    #[must_use]
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// What was asked of KMS since it was opened, through this handle and its clones.
    #[must_use]
    pub fn calls(&self) -> Counted {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counted { signatures: of(&self.calls.signatures), attempts: of(&self.calls.attempts) }
    }

    async fn attempt(&self, bytes: &[u8]) -> Result<Vec<u8>, Trouble> {
        self.calls.attempts.fetch_add(1, Ordering::Relaxed);
        let request = self
            .client
            .sign()
            // By its ARN: an alias may have been moved since.
            .key_id(&self.arn)
            .message(Blob::new(bytes))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512);
        let answer = request.send().await.map_err(|error| Trouble::of(&error, self.within))?;
        let signature = answer.signature().map(Blob::as_ref).unwrap_or_default();
        let made = Signature::from_slice(signature).map_err(|_| Trouble::Forged)?;
        self.public.verify_strict(bytes, &made).map_err(|_| Trouble::Forged)?;
        Ok(signature.to_vec())
    }
}

#[async_trait]
impl SigningKey for KmsKey {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.public.to_bytes())
    }

    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        let failed = |trouble| CallError { call: "Sign", place: self.place.clone(), trouble };
        if bytes.len() > LEN_MAX {
            return Err(failed(Trouble::TooLong { len: bytes.len(), max: LEN_MAX }).into());
        }
        let mut made = self.attempt(bytes).await;
        for turn in 1..ATTEMPTS_MAX {
            if !made.as_ref().is_err_and(Trouble::may_pass) {
                break;
            }
            tokio::time::sleep(AGAIN_AFTER.saturating_mul(turn)).await;
            made = self.attempt(bytes).await;
        }
        let signature = made.map_err(failed)?;
        self.calls.signatures.fetch_add(1, Ordering::Relaxed);
        Ok(signature)
    }
}

/// The public key that KMS told, if the key is one that a validator can have, and the pinned one.
fn public_key(told: &GetPublicKeyOutput, pinned: Option<PublicKey>) -> Result<VerifyingKey, Trouble> {
    let (spec, usage) = (told.key_spec(), told.key_usage());
    if spec != Some(&KeySpec::EccNistEdwards25519) || usage != Some(&KeyUsageType::SignVerify) {
        let text = |text: Option<&str>| text.unwrap_or("?").to_owned();
        return Err(Trouble::OtherKind {
            spec: text(spec.map(KeySpec::as_str)),
            usage: text(usage.map(KeyUsageType::as_str)),
        });
    }
    let der = told.public_key().map(Blob::as_ref).unwrap_or_default();
    let public = from_der(der).ok_or_else(|| Trouble::Strange("no Ed25519 public key in it".to_owned()))?;
    let is = PublicKey(public.to_bytes());
    match pinned.filter(|pinned| *pinned != is) {
        Some(pinned) => {
            let text = |key: PublicKey| Base64::encode_string(&key.0);
            Err(Trouble::OtherKey { is: text(is), pinned: text(pinned) })
        }
        None => Ok(public),
    }
}

/// A public key as X.509 writes one down.
fn from_der(der: &[u8]) -> Option<VerifyingKey> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    if info.algorithm.oid != ED25519 || info.algorithm.parameters.is_some() {
        return None;
    }
    let bytes = info.subject_public_key.as_bytes()?.try_into().ok()?;
    // A weak key would verify signatures that are none.
    VerifyingKey::from_bytes(bytes).ok().filter(|key| !key.is_weak())
}

#[cfg(test)]
mod tests;
