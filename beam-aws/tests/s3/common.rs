//! Buckets to try things on. One emulator serves the whole program: it is gone when the program is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials as Key, Region};
use beam_aws::s3::{Access, Bucket, Credentials, S3Register};
use beam_core::register::{Register, RegisterError, RegisterKey};
use beam_core::testing::RegisterHarness;
use beam_examples::moto::Moto;

pub(crate) const REGION: &str = "eu-central-1";

static BUCKETS: AtomicU64 = AtomicU64::new(0);

/// The emulator, which the first test that asks starts.
pub(crate) async fn emulator() -> &'static Moto {
    Moto::of_program().await.unwrap()
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

/// A bucket that no other test has, and that is not there yet.
pub(crate) async fn new_place() -> Bucket {
    Bucket {
        name: format!("bucket-{}", BUCKETS.fetch_add(1, Ordering::Relaxed)),
        prefix: Bucket::PREFIX.to_owned(),
        region: REGION.to_owned(),
        owner: Moto::ACCOUNT.to_owned(),
        endpoint: Some(emulator().await.endpoint()),
    }
}

/// A new bucket.
pub(crate) async fn new_store() -> Bucket {
    let bucket = new_place().await;
    S3Register::create(bucket.clone(), &patient()).await.unwrap();
    bucket
}

/// What is tried.
pub(crate) type AwsRegister = S3Register;

pub(crate) async fn open(bucket: &Bucket) -> Result<AwsRegister, RegisterError> {
    open_with(bucket, &patient()).await
}

pub(crate) async fn open_with(bucket: &Bucket, access: &Access) -> Result<AwsRegister, RegisterError> {
    S3Register::open(bucket.clone(), access).await
}

/// A validator's cell.
pub(crate) fn key() -> RegisterKey {
    RegisterKey::signing(&"test-1".parse().unwrap(), &"A".repeat(40)).unwrap()
}

/// Its object.
pub(crate) fn object() -> String {
    format!("beam/register/{}", key())
}

/// An error with its causes, as the pilot prints it.
pub(crate) fn line(error: impl Into<anyhow::Error>) -> String {
    format!("{:#}", error.into())
}

/// A client of somebody else.
pub(crate) fn client(bucket: &Bucket) -> Client {
    let http = aws_smithy_http_client::Builder::new().build_http();
    let mut config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .credentials_provider(Key::new("beam", "beam", None, None, "test"))
        .region(Region::new(REGION))
        .force_path_style(true)
        .http_client(http);
    config.set_endpoint_url(bucket.endpoint.clone());
    Client::from_conf(config.build())
}

/// Every handle is a client of its own.
pub(crate) struct Store(pub(crate) Bucket);

#[async_trait]
impl RegisterHarness for Store {
    async fn open(&self) -> Result<Arc<dyn Register>, RegisterError> {
        Ok(Arc::new(open(&self.0).await?))
    }
}
