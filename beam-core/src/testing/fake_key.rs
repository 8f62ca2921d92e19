//! A key that signs nothing.

use std::sync::Mutex;

use async_trait::async_trait;

use super::dice::mix;
use super::mood::Switch;
use super::{Mood, lock};
use crate::signing_key::{KeyError, PublicKey, SigningKey};

/// Gives 64 bytes that depend on the seed and on every byte of the message, so that tests can compare them.
///
/// **No cryptography**: anybody can make such a "signature", and no verifier takes it.
#[derive(Debug)]
pub struct FakeKey {
    seed: u64,
    signed: Mutex<Vec<Vec<u8>>>,
    switch: Switch,
}

impl FakeKey {
    /// The key of this seed: two of the same seed are the same key on two machines.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, signed: Mutex::default(), switch: Switch::default() }
    }

    /// What `sign` gives for a message. Counts as no signature.
    #[must_use]
    pub fn expected(&self, bytes: &[u8]) -> Vec<u8> {
        spread::<8>(
            bytes.iter().fold(mix(self.seed), |state, byte| mix(state ^ u64::from(*byte)).rotate_left(1)),
        )
    }

    /// Every message signed so far, in order.
    #[must_use]
    pub fn signed(&self) -> Vec<Vec<u8>> {
        lock(&self.signed).clone()
    }

    /// Sets how it behaves.
    pub fn set_mood(&self, mood: Mood) {
        self.switch.set(mood);
    }
}

/// `WORDS` words of eight bytes from one.
fn spread<const WORDS: u64>(state: u64) -> Vec<u8> {
    (1..=WORDS).flat_map(|word| mix(state.wrapping_add(word)).to_be_bytes()).collect()
}

#[async_trait]
impl SigningKey for FakeKey {
    fn public_key(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.iter_mut().zip(spread::<4>(!self.seed)).for_each(|(byte, fake)| *byte = fake);
        PublicKey(bytes)
    }

    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.switch.pass().await.map_err(KeyError::Unavailable)?;
        lock(&self.signed).push(bytes.to_vec());
        Ok(self.expected(bytes))
    }
}
