//! The contract suites on a real account: `BEAM_AWS_LIVE=1`, credentials and a region in the environment. They make a bucket with a name
//! of its own and delete it with all that is in it. Nobody has run it for this repository, which has no account.

use std::sync::Arc;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use beam_aws::s3::{Access, Bucket, S3Objects, S3Register, account_of_environment, region_of_environment};
use beam_core::object_store::{ObjectError, ObjectStore};
use beam_core::register::{Register, RegisterError};
use beam_core::testing::{ObjectHarness, RegisterHarness, object_contract, register_contract};

struct Live(Bucket);

#[async_trait]
impl RegisterHarness for Live {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(S3Register::open(self.0.clone(), &Access::default()).await?))
    }
}

#[async_trait]
impl ObjectHarness for Live {
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        Ok(Arc::new(S3Objects::open(self.0.clone(), &Access::patient()).await?))
    }
}

/// All versions of all objects, and the bucket.
async fn delete(bucket: &Bucket) -> Result<(), aws_sdk_s3::Error> {
    let provider = Provider::Rustls(CryptoMode::Ring);
    let http = Builder::new().tls_provider(provider).build_https();
    let region = Region::new(bucket.region.clone());
    let config =
        aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http).region(region).load().await;
    let client = Client::new(&config);
    loop {
        let page = client.list_object_versions().bucket(&bucket.name).send().await?;
        let versions = page.versions().iter().map(|version| (version.key(), version.version_id()));
        let markers = page.delete_markers().iter().map(|marker| (marker.key(), marker.version_id()));
        for (key, version) in versions.chain(markers) {
            let object = client.delete_object().bucket(&bucket.name).set_key(key.map(str::to_owned));
            object.set_version_id(version.map(str::to_owned)).send().await?;
        }
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    client.delete_bucket().bucket(&bucket.name).send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept_by_aws() {
    if std::env::var_os("BEAM_AWS_LIVE").is_none() {
        return println!("skipped: BEAM_AWS_LIVE is not set");
    }
    let region = region_of_environment().await.expect("a region: set AWS_REGION");
    let owner = account_of_environment(&region).await.unwrap();
    let mut random = [0; 8];
    getrandom::fill(&mut random).unwrap();
    let name = format!("beam-test-{:016x}", u64::from_be_bytes(random));
    let bucket = Bucket { name, prefix: Bucket::PREFIX.to_owned(), region, owner, endpoint: None };
    S3Register::create(bucket.clone(), &Access::patient()).await.unwrap();
    let live = Live(bucket.clone());
    let register = register_contract::run_all(&live).await;
    let objects = object_contract::run_all(&live).await;
    delete(&bucket).await.expect("the bucket was not deleted: do it by hand");
    register.unwrap();
    objects.unwrap();
}
