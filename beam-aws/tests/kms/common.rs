//! Keys to try things on. One emulator serves the whole program: it is gone when the program is.

use std::time::Duration;

use beam_aws::kms::{Access, Credentials, KeyPlace, KmsKey};
use beam_core::signing_key::{KeyError, PublicKey};
use beam_examples::ministack::Ministack;
use ed25519_dalek::{Signature, VerifyingKey};

/// Where the emulator's keys are.
pub(crate) const REGION: &str = "local-1";

/// The emulator, which the first test that asks starts.
pub(crate) async fn emulator() -> &'static Ministack {
    Ministack::of_program().await.unwrap()
}

/// What the emulator takes, and the patience that an emulator needs on a busy machine.
pub(crate) fn patient() -> Access {
    let within = Duration::from_secs(20);
    Access { credentials: Credentials::key("beam", "beam"), call_within: within, connect_within: within }
}

/// As a signer asks.
pub(crate) fn brisk() -> Access {
    Access { credentials: patient().credentials, ..Access::default() }
}

/// A key as it is in the emulator, at the end of a wire if one is given.
pub(crate) fn place(key: &str, endpoint: Option<String>, local: &Ministack) -> KeyPlace {
    let endpoint = endpoint.or_else(|| Some(local.endpoint()));
    KeyPlace { key: key.to_owned(), region: REGION.to_owned(), endpoint }
}

/// A new key such as a validator has.
pub(crate) async fn new_key() -> KeyPlace {
    let local = emulator().await;
    place(&local.make_key(REGION, "ECC_NIST_EDWARDS25519", "SIGN_VERIFY").await.unwrap(), None, local)
}

pub(crate) async fn open(place: &KeyPlace) -> Result<KmsKey, KeyError> {
    KmsKey::open(place.clone(), None, &patient()).await
}

/// Whether that is the key's signature over those bytes.
pub(crate) fn verifies(key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
    let key = VerifyingKey::from_bytes(&key.0).unwrap();
    Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(bytes, &signature).is_ok())
}

/// An error with its causes, as the pilot prints it.
pub(crate) fn line(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}
