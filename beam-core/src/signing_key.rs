//! The key that signs: in a file, in an HSM, in a cloud's key service.

use std::fmt;

use async_trait::async_trait;

use crate::id::to_hex;
use crate::register::Cause;

/// A validator's consensus key.
///
/// # Contract
/// * `sign` signs exactly the bytes it is given (Ed25519 over the raw message, no hashing first), and is
///   deterministic: the same bytes give the same signature, on every machine that holds the key.
/// * What it gives out is a signature of [`public_key`](Self::public_key) over these bytes. A key that is asked over a wire
///   looks before it gives one out: an answer that is mixed up or forged is [`KeyError::Wrong`].
/// * It decides nothing. Whoever calls it has already put the bytes into the register.
/// * Dropped midway, it may or may not have signed: that is harmless, for the same reason.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait SigningKey: Send + Sync + 'static {
    /// The public half, as the node must see it.
    fn public_key(&self) -> PublicKey;

    /// Signs.
    ///
    /// # Errors
    /// [`KeyError`] if the key did not sign. Nothing else is tried: the node is refused.
    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError>;
}

/// An Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A key that did not sign.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The device or service that holds the key did not answer, or refused.
    #[error("the signing key is out of reach")]
    Unavailable(#[source] Cause),
    /// It answered with something that is no signature of this key over these bytes. It was not given out.
    #[error("the signing key gave a wrong signature, which was not given out")]
    Wrong(#[source] Cause),
    /// More than it can sign. Votes never are; vote extensions may be.
    #[error("{len} bytes are more than the signing key can sign ({max})")]
    TooLong {
        /// How many it was given.
        len: usize,
        /// How many it takes.
        max: usize,
    },
}
