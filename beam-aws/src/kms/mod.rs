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

pub mod cost;
mod service;
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

pub use crate::access::{Access, Credentials, region_of_environment};
pub use crate::place::{KeyPlace, KeyPlaceError};

use crate::access;
use crate::timeouts::PATIENT_CALL_WITHIN;
use crate::trouble::{CallError, Trouble};
use service::{SERVICE, may_pass};
use timeouts::{AGAIN_AFTER, ATTEMPTS_MAX};

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
    place: KeyPlace,
    /// The place, in words.
    at: Arc<str>,
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
        let at: Arc<str> = place.to_string().into();
        let failed = |trouble| unavailable("GetPublicKey", &at, trouble);
        place.check().map_err(|wrong| failed(Trouble::Refused(wrong.to_string())))?;
        let configs = access::configs(&place.region, place.endpoint.as_deref(), access).await;
        let configs = configs.map_err(failed)?;
        let asked = Client::new(&configs.patient).get_public_key().key_id(&place.key).send().await;
        let answer = asked.map_err(|error| failed(Trouble::of(&error, PATIENT_CALL_WITHIN, &SERVICE)))?;
        let public = public_key(&answer, pinned).map_err(failed)?;
        let arn = answer.key_id().unwrap_or(&place.key).to_owned();
        let (client, within) = (Client::new(&configs.brisk), access.call_within);
        Ok(Self { client, place, at, arn, public, within, calls: Arc::default() })
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

    async fn attempt(&self, bytes: &[u8]) -> Result<Blob, Trouble> {
        self.calls.attempts.fetch_add(1, Ordering::Relaxed);
        let request = self
            .client
            .sign()
            // By its ARN: an alias may have been moved since.
            .key_id(&self.arn)
            .message(Blob::new(bytes))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::Ed25519Sha512);
        let answer = request.send().await.map_err(|error| Trouble::of(&error, self.within, &SERVICE))?;
        Ok(answer.signature.unwrap_or_else(|| Blob::new([])))
    }

    /// The signature, if it is this key's and over these bytes.
    fn verified(&self, bytes: &[u8], signature: Blob) -> Result<Vec<u8>, KeyError> {
        let made = Signature::from_slice(signature.as_ref());
        if !made.is_ok_and(|made| self.public.verify_strict(bytes, &made).is_ok()) {
            let trouble = Trouble::Strange("no signature of this key over these bytes".to_owned());
            return Err(KeyError::Wrong(CallError { call: "Sign", place: self.at.clone(), trouble }.into()));
        }
        self.calls.signatures.fetch_add(1, Ordering::Relaxed);
        Ok(signature.into_inner())
    }
}

#[async_trait]
impl SigningKey for KmsKey {
    fn public_key(&self) -> PublicKey {
        PublicKey(self.public.to_bytes())
    }

    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        if bytes.len() > LEN_MAX {
            return Err(KeyError::TooLong { len: bytes.len(), max: LEN_MAX });
        }
        let mut made = self.attempt(bytes).await;
        for turn in 1..ATTEMPTS_MAX {
            if !made.as_ref().is_err_and(may_pass) {
                break;
            }
            tokio::time::sleep(AGAIN_AFTER.saturating_mul(turn)).await;
            made = self.attempt(bytes).await;
        }
        self.verified(bytes, made.map_err(|trouble| unavailable("Sign", &self.at, trouble))?)
    }
}

fn unavailable(call: &'static str, at: &Arc<str>, trouble: Trouble) -> KeyError {
    KeyError::Unavailable(CallError { call, place: at.clone(), trouble }.into())
}

/// The public key that KMS told, if the key is one that a validator can have, and the pinned one.
fn public_key(told: &GetPublicKeyOutput, pinned: Option<PublicKey>) -> Result<VerifyingKey, Trouble> {
    let (spec, usage) = (told.key_spec(), told.key_usage());
    if spec != Some(&KeySpec::EccNistEdwards25519) || usage != Some(&KeyUsageType::SignVerify) {
        let (spec, usage) = (spec.map_or("?", KeySpec::as_str), usage.map_or("?", KeyUsageType::as_str));
        return Err(Trouble::Refused(format!(
            "it is a key of kind {spec} for {usage}; a validator's is of kind ECC_NIST_EDWARDS25519 for SIGN_VERIFY: name another key"
        )));
    }
    let der = told.public_key().map(Blob::as_ref).unwrap_or_default();
    let public = from_der(der).ok_or_else(|| Trouble::Strange("no Ed25519 public key in it".to_owned()))?;
    let is = PublicKey(public.to_bytes());
    match pinned.filter(|pinned| *pinned != is) {
        Some(pinned) => {
            let (is, pinned) = (Base64::encode_string(&is.0), Base64::encode_string(&pinned.0));
            Err(Trouble::Refused(format!(
                "its public key is {is}, not the pinned {pinned}: it is another validator's key, or was made anew; nothing is signed \
                 with it"
            )))
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
