//! The contract suite on a real account: `BEAM_AWS_LIVE=1`, credentials and a region in the environment. It makes a key, tagged
//! `beam = test`, and schedules its deletion, which KMS does after seven days at the earliest. Nobody has run it for this repository,
//! which has no account.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_kms::Client;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, Tag};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use beam_aws::kms::{Access, KeyPlace, KmsKey, LEN_MAX, region_of_environment};
use beam_core::signing_key::{KeyError, PublicKey, SigningKey};
use beam_core::testing::{KeyHarness, key_contract};

use crate::common::verifies;

struct Live(KeyPlace);

#[async_trait]
impl KeyHarness for Live {
    async fn open(&self) -> Result<Arc<dyn SigningKey>, KeyError> {
        Ok(Arc::new(KmsKey::open(self.0.clone(), None, &Access::default()).await?))
    }

    fn verifies(&self, key: &PublicKey, bytes: &[u8], signature: &[u8]) -> bool {
        verifies(key, bytes, signature)
    }

    fn len_max(&self) -> Option<usize> {
        Some(LEN_MAX)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_by_aws() {
    if std::env::var_os("BEAM_AWS_LIVE").is_none() {
        return println!("skipped: BEAM_AWS_LIVE is not set");
    }
    let region = region_of_environment().await.expect("a region: set AWS_REGION");
    let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http);
    let client = Client::new(&loader.region(Region::new(region.clone())).load().await);
    let tag = Tag::builder().tag_key("beam").tag_value("test").build().unwrap();
    let wanted = client.create_key().key_spec(KeySpec::EccNistEdwards25519).tags(tag);
    let made = wanted.key_usage(KeyUsageType::SignVerify).send().await.unwrap();
    let key = made.key_metadata().unwrap().key_id().to_owned();
    let outcome = key_contract::run_all(&Live(KeyPlace { key: key.clone(), region, endpoint: None })).await;
    let deleted = client.schedule_key_deletion().key_id(&key).pending_window_in_days(7).send().await;
    deleted.unwrap_or_else(|error| panic!("key {key} is left, schedule its deletion by hand: {error:?}"));
    outcome.unwrap();
}
