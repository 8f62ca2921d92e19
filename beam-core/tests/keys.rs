//! The contract suite of signing keys: the fake keeps it, and each way to break it is caught by the statement that is about it.

#![cfg(feature = "testing")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use beam_core::testing::{Breach, FakeKey, KeyHarness, key_contract};

/// The key of this seed on each handle, broken in one way.
struct Broken {
    how: fn(&Handle, Vec<u8>) -> Vec<u8>,
    public: fn(u64) -> u64,
    len_max: Option<usize>,
    /// Whether it looks before it gives a signature out.
    looks: bool,
    handles: AtomicU64,
    lies: Arc<AtomicBool>,
}

/// One handle of it.
struct Handle {
    key: FakeKey,
    public: FakeKey,
    how: fn(&Handle, Vec<u8>) -> Vec<u8>,
    number: u64,
    calls: AtomicU64,
    len_max: Option<usize>,
    looks: bool,
    lies: Arc<AtomicBool>,
}

/// As it should be.
fn well() -> Broken {
    Broken {
        how: |_, bytes| bytes,
        public: |_| 5,
        len_max: Some(4096),
        looks: true,
        handles: AtomicU64::new(0),
        lies: Arc::default(),
    }
}

#[async_trait]
impl KeyHarness for Broken {
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        let number = self.handles.fetch_add(1, Ordering::Relaxed);
        Ok(Arc::new(Handle {
            key: FakeKey::new(5),
            public: FakeKey::new((self.public)(number)),
            how: self.how,
            number,
            calls: AtomicU64::new(0),
            len_max: self.len_max,
            looks: self.looks,
            lies: self.lies.clone(),
        }))
    }

    fn verifies(&self, _: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        FakeKey::new(5).expected(bytes) == signature
    }

    fn len_max(&self) -> Option<usize> {
        Some(4096)
    }

    async fn lies(&self, lies: bool) -> bool {
        self.lies.store(lies, Ordering::Relaxed);
        true
    }
}

#[async_trait]
impl SigningKey for Handle {
    fn public_key(&self) -> PublicKey {
        self.public.public_key()
    }

    async fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        if let Some(max) = self.len_max.filter(|max| bytes.len() > *max) {
            return Err(KeyError::TooLong { len: bytes.len(), max });
        }
        // Others are asked in between, as over a wire.
        tokio::task::yield_now().await;
        self.calls.fetch_add(1, Ordering::Relaxed);
        let mut signature = self.key.sign(&(self.how)(self, bytes.to_vec())).await?;
        if self.lies.load(Ordering::Relaxed) {
            signature.iter_mut().take(1).for_each(|byte| *byte ^= 1);
        }
        if self.looks && self.lies.load(Ordering::Relaxed) {
            return Err(KeyError::Wrong("no signature of ours".into()));
        }
        Ok(signature)
    }
}

async fn breach(key: Broken) -> &'static str {
    match key_contract::run_all(&key).await {
        Ok(()) => "none: it passes",
        Err(breach) => breach.statement,
    }
}

struct Fake;

#[async_trait]
impl KeyHarness for Fake {
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(FakeKey::new(1)))
    }

    fn verifies(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        let fake = FakeKey::new(1);
        fake.public_key() == *key && fake.expected(bytes) == signature
    }
}

#[tokio::test]
async fn the_fake_key_keeps_the_contract() -> Result<(), Breach> {
    key_contract::run_all(&Fake).await
}

#[tokio::test]
async fn a_key_that_is_well_passes() -> Result<(), Breach> {
    key_contract::run_all(&well()).await
}

#[tokio::test]
async fn a_key_that_signs_a_hash_or_a_part_is_noticed() {
    let hash = |_: &Handle, bytes: Vec<u8>| vec![bytes.iter().fold(0, |sum: u8, byte| sum ^ byte); 64];
    assert_eq!(breach(Broken { how: hash, ..well() }).await, "it_signs_the_very_bytes_it_is_given");
    // It takes what is as long as a hash for one.
    let only_long = |_: &Handle, bytes: Vec<u8>| if bytes.len() == 64 { bytes } else { vec![0; 64] };
    assert_eq!(breach(Broken { how: only_long, ..well() }).await, "it_signs_the_very_bytes_it_is_given");
    let cut = |_: &Handle, bytes: Vec<u8>| bytes.into_iter().take(1024).collect();
    assert_eq!(breach(Broken { how: cut, ..well() }).await, "it_signs_the_very_bytes_it_is_given");
}

#[tokio::test]
async fn a_key_that_signs_other_bytes_now_and_then_is_noticed() {
    // Those asked for before: only when there are many at once.
    let mixed = |handle: &Handle, bytes: Vec<u8>| {
        let late = handle.calls.load(Ordering::Relaxed) > 12;
        if late { bytes.into_iter().rev().collect() } else { bytes }
    };
    assert_eq!(breach(Broken { how: mixed, ..well() }).await, "many_at_once_get_each_their_own");
}

#[tokio::test]
async fn handles_of_different_keys_are_noticed() {
    let other = |number| if number == 0 { 5 } else { 6 };
    assert_eq!(breach(Broken { public: other, ..well() }).await, "every_handle_has_the_same_public_key");
    let salted = |handle: &Handle, mut bytes: Vec<u8>| {
        if handle.number == 4 {
            bytes.push(0);
        }
        bytes
    };
    assert_eq!(
        breach(Broken { how: salted, ..well() }).await,
        "the_same_bytes_give_the_same_signature_on_every_handle"
    );
}

#[tokio::test]
async fn a_key_that_takes_more_than_it_can_sign_is_noticed() {
    assert_eq!(
        breach(Broken { len_max: None, ..well() }).await,
        "more_than_it_can_sign_is_refused_and_the_next_is_signed"
    );
}

#[tokio::test]
async fn a_key_that_does_not_look_at_its_answer_is_noticed() {
    assert_eq!(breach(Broken { looks: false, ..well() }).await, "a_wrong_signature_is_not_given_out");
}
