//! The bucket: how it is made, and what it must be.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, BucketVersioningStatus,
    CreateBucketConfiguration, ExpirationStatus, LifecycleRule, LifecycleRuleFilter,
    NoncurrentVersionExpiration, VersioningConfiguration,
};
use beam_core::register::RegisterError;

use super::{Bucket, DENIED, ELSEWHERE, SERVICE, Trouble, error};
use crate::timeouts::PATIENT_CALL_WITHIN;

/// Whether a bucket keeps what is written over or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versioning {
    /// It does.
    On,
    /// It did once: what was kept then is there, and nothing is kept any more.
    Suspended,
    /// It never did.
    Never,
}

/// What a bucket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketFacts {
    /// Whether it keeps what is written over or deleted.
    pub versioning: Versioning,
}

/// How long the register's former contents are kept in a bucket that Beam makes: two of them come with every block, and they are
/// only for people who want to see what was.
const FORMER_KEPT_DAYS: i32 = 7;

/// The region whose buckets are made without saying so.
const UNNAMED_REGION: &str = "us-east-1";

fn trouble<E>(cause: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    Trouble::of(cause, PATIENT_CALL_WITHIN, &SERVICE)
}

/// Whether the bucket is there, ours and in its region.
pub(super) async fn look(client: &Client, bucket: &Bucket) -> Result<(), RegisterError> {
    const CALL: &str = "HeadBucket";
    let asked = client.head_bucket().bucket(&bucket.name).expected_bucket_owner(&bucket.owner);
    let region = match asked.send().await {
        Ok(answer) => answer.bucket_region,
        Err(cause) => return Err(error(CALL, bucket, headless(&cause)).of_read()),
    };
    match region {
        Some(region) if region != bucket.region => {
            Err(RegisterError::Unfit(format!("{bucket}: it is in {region}: say so in node.toml")))
        }
        Some(_) | None => Ok(()),
    }
}

/// An answer to HEAD has no body that would say what is wrong: its status has to.
fn headless<E>(cause: &SdkError<E, HttpResponse>) -> Trouble
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    let Some(answer) = cause.raw_response() else { return trouble(cause) };
    let elsewhere = || match answer.headers().get("x-amz-bucket-region") {
        Some(region) => format!("{ELSEWHERE}: it is in {region}"),
        None => ELSEWHERE.to_owned(),
    };
    match answer.status().as_u16() {
        301 | 307 => Trouble::Refused(elsewhere()),
        400 if answer.headers().contains_key("x-amz-bucket-region") => Trouble::Refused(elsewhere()),
        403 => Trouble::Refused(DENIED.to_owned()),
        404 => Trouble::Refused("there is no such bucket: check its name".to_owned()),
        _ => trouble(cause),
    }
}

/// What the bucket is.
pub(super) async fn facts(client: &Client, bucket: &Bucket) -> Result<BucketFacts, RegisterError> {
    let asked = client.get_bucket_versioning().bucket(&bucket.name).expected_bucket_owner(&bucket.owner);
    let answer = asked.send().await;
    let answer = answer.map_err(|cause| error("GetBucketVersioning", bucket, trouble(&cause)).of_read())?;
    let versioning = match answer.status {
        Some(BucketVersioningStatus::Enabled) => Versioning::On,
        Some(_) => Versioning::Suspended,
        None => Versioning::Never,
    };
    Ok(BucketFacts { versioning })
}

/// Makes the bucket unless it is there: closed to the public as S3 makes them, keeping what is written over, and of the register that
/// for some days.
pub(super) async fn create(client: &Client, bucket: &Bucket) -> Result<(), RegisterError> {
    const CALL: &str = "CreateBucket";
    let place = (bucket.region != UNNAMED_REGION).then(|| {
        let region = BucketLocationConstraint::from(bucket.region.as_str());
        CreateBucketConfiguration::builder().location_constraint(region).build()
    });
    let asked = client.create_bucket().bucket(&bucket.name).set_create_bucket_configuration(place);
    match asked.send().await {
        Ok(_) => {}
        Err(cause) => {
            return match cause.code() {
                Some("BucketAlreadyOwnedByYou") => look(client, bucket).await,
                Some("BucketAlreadyExists") => {
                    let taken = "the name is another account's already: choose one that nobody else would";
                    Err(error(CALL, bucket, Trouble::Refused(taken.to_owned())).of_read())
                }
                _ => Err(error(CALL, bucket, trouble(&cause)).of_read()),
            };
        }
    }
    look(client, bucket).await?;
    keep_versions(client, bucket).await
}

async fn keep_versions(client: &Client, bucket: &Bucket) -> Result<(), RegisterError> {
    let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let asked = client.put_bucket_versioning().bucket(&bucket.name).expected_bucket_owner(&bucket.owner);
    let told = asked.versioning_configuration(on).send().await;
    told.map_err(|cause| error("PutBucketVersioning", bucket, trouble(&cause)).of_read())?;

    const CALL: &str = "PutBucketLifecycleConfiguration";
    let incomplete = |cause| error(CALL, bucket, Trouble::Refused(format!("{cause}"))).of_read();
    let former = NoncurrentVersionExpiration::builder().noncurrent_days(FORMER_KEPT_DAYS).build();
    let of_register = LifecycleRuleFilter::builder().prefix(super::register::prefix(bucket)).build();
    let rule = LifecycleRule::builder()
        .id("beam-register")
        .status(ExpirationStatus::Enabled)
        .filter(of_register)
        .noncurrent_version_expiration(former)
        .build()
        .map_err(incomplete)?;
    let rules = BucketLifecycleConfiguration::builder().rules(rule).build().map_err(incomplete)?;
    let asked =
        client.put_bucket_lifecycle_configuration().bucket(&bucket.name).expected_bucket_owner(&bucket.owner);
    let told = asked.lifecycle_configuration(rules).send().await;
    told.map(drop).map_err(|cause| error(CALL, bucket, trouble(&cause)).of_read())
}
