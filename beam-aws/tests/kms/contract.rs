//! The contract suite of signing keys, on the emulator.

use std::sync::Arc;

use async_trait::async_trait;
use beam_aws::kms::{ACTIONS, KeyPlace, KmsKey, LEN_MAX};
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use beam_core::testing::{Breach, KeyHarness, key_contract};

use crate::common::{emulator, new_key, open, patient, verifies};
use crate::meddler::{Meddler, Way};

/// One key, asked through somebody who can be told to lie.
struct OverAWire {
    place: KeyPlace,
    meddler: Meddler,
    lie: Way,
}

impl OverAWire {
    async fn new(lie: Way) -> Self {
        let meddler = Meddler::start(emulator().await.address()).await;
        let place = KeyPlace { endpoint: Some(meddler.endpoint()), ..new_key().await };
        Self { place, meddler, lie }
    }
}

#[async_trait]
impl KeyHarness for OverAWire {
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(KmsKey::open(self.place.clone(), None, &patient()).await?))
    }

    fn verifies(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        verifies(key, bytes, signature)
    }

    fn len_max(&self) -> Option<usize> {
        Some(LEN_MAX)
    }

    async fn lies(&self, lies: bool) -> bool {
        if lies && self.lie == Way::Earlier {
            // Something that it can give again.
            self.open().await.unwrap().sign(b"an earlier vote").await.unwrap();
        }
        self.meddler.set(if lies { self.lie.clone() } else { Way::Through });
        true
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_kms_keeps_the_contract_of_signing_keys() -> Result<(), Breach> {
    key_contract::run_all(&OverAWire::new(Way::Flipped).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_lie_is_it_is_not_given_out_and_not_asked_for_again() {
    for lie in [Way::Earlier, Way::Short(84), Way::Short(0), Way::Flipped] {
        let harness = OverAWire::new(lie.clone()).await;
        key_contract::a_wrong_signature_is_not_given_out(&harness).await.unwrap();
        harness.lies(true).await;
        let before = harness.meddler.calls("Sign");
        let error = harness.open().await.unwrap().sign(b"a vote").await.unwrap_err();
        assert!(matches!(error, KeyError::Wrong(_)), "{lie:?}: {error:?}");
        assert_eq!(harness.meddler.calls("Sign"), before + 1, "{lie:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_calls_that_are_made_are_those_of_the_list_and_are_counted() {
    let harness = OverAWire::new(Way::Through).await;
    let key = KmsKey::open(harness.place.clone(), None, &patient()).await.unwrap();
    key.sign(b"one").await.unwrap();
    key.sign(b"two").await.unwrap();
    key.sign(&[0; LEN_MAX + 1]).await.unwrap_err();
    assert_eq!(harness.meddler.actions(), ACTIONS);
    assert_eq!(harness.meddler.calls("Sign"), 2, "one too long is not asked for");
    let counted = key.calls();
    assert_eq!((counted.signatures, counted.attempts), (2, 2));
    harness.meddler.refuses(500, "KMSInternalException", "", 1);
    key.sign(b"three").await.unwrap();
    assert_eq!((key.calls().signatures, key.calls().attempts), (3, 4));
    assert_eq!(harness.meddler.calls("Sign"), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alias_leads_to_the_keys_arn_and_moving_it_later_changes_nothing() {
    let (place, other, local) = (new_key().await, new_key().await, emulator().await);
    let name = format!("alias/beam-{}", place.key.rsplit('/').next().unwrap());
    let alias = |key: &KeyPlace| serde_json::json!({ "AliasName": name, "TargetKeyId": key.key });
    local.kms("local-1", "CreateAlias", &alias(&place)).await.unwrap();
    let key = open(&KeyPlace { key: name.clone(), ..place.clone() }).await.unwrap();
    assert_eq!(key.arn(), place.key);
    local.kms("local-1", "UpdateAlias", &alias(&other)).await.unwrap();
    let signature = key.sign(b"a vote").await.unwrap();
    assert!(verifies(&key.public_key(), b"a vote", &signature));
    // Whoever starts anew finds another key, and the pin.
    let moved = KeyPlace { key: name, ..place };
    let error = KmsKey::open(moved, Some(key.public_key()), &patient()).await.unwrap_err();
    let said = crate::common::line(error);
    assert!(said.contains("not the pinned"), "{said}");
}
