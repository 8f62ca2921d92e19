//! Buckets that a register may stand on, and those that it may not.

use beam_aws::s3::{Bucket, S3Register, Versioning};
use beam_core::register::{Register as _, RegisterError, Version};

use crate::common::{client, key, line, new_place, new_store, open, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_is_made_once_keeps_versions_and_forgets_the_registers_after_a_while() {
    let bucket = new_place().await;
    let made = S3Register::create(bucket.clone(), &patient()).await.unwrap();
    assert_eq!(made.facts().await.unwrap().versioning, Versioning::On);
    let rules =
        client(&bucket).get_bucket_lifecycle_configuration().bucket(&bucket.name).send().await.unwrap();
    let [rule] = rules.rules() else { panic!("{rules:?}") };
    assert_eq!(rule.filter().unwrap().prefix(), Some("beam/register/"));
    assert_eq!(rule.noncurrent_version_expiration().unwrap().noncurrent_days(), Some(7));
    assert!(rule.expiration().is_none(), "what is in force never expires");
    made.swap(&key(), None, vec![1]).await.unwrap();
    let again = S3Register::create(bucket.clone(), &patient()).await.unwrap();
    assert_eq!(again.read(&key()).await.unwrap().unwrap().version, Version(1), "what was in it is in it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keeps_no_versions_is_told() {
    use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
    let bucket = new_store().await;
    let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
    let told = client(&bucket).put_bucket_versioning().bucket(&bucket.name);
    told.versioning_configuration(suspended).send().await.unwrap();
    assert_eq!(open(&bucket).await.unwrap().facts().await.unwrap().versioning, Versioning::Suspended);
    let plain = new_place().await;
    let made = client(&plain).create_bucket().bucket(&plain.name);
    let region = aws_sdk_s3::types::CreateBucketConfiguration::builder();
    let region = region.location_constraint(plain.region.as_str().into()).build();
    made.create_bucket_configuration(region).send().await.unwrap();
    assert_eq!(open(&plain).await.unwrap().facts().await.unwrap().versioning, Versioning::Never);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_is_told_with_what_to_check() {
    let bucket = new_place().await;
    let error = open(&bucket).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unavailable(_)), "{error:?}");
    let said = line(error);
    assert!(said.contains("there is no such bucket: check its name"), "{said}");
    assert!(said.contains(&bucket.name) && said.contains(&bucket.owner) && !said.contains('\n'), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_in_another_region_is_refused_with_that_regions_name() {
    let bucket = Bucket { region: "eu-west-1".to_owned(), ..new_store().await };
    let error = open(&bucket).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unfit(_)), "{error:?}");
    assert!(line(error).contains("it is in eu-central-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_that_cannot_be_are_refused_before_anything_is_asked() {
    let bucket = Bucket { name: "Beam".to_owned(), ..new_place().await };
    let error = open(&bucket).await.unwrap_err();
    assert!(matches!(error, RegisterError::Unfit(_)) && line(error).contains("lower-case"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registers_with_other_prefixes_in_one_bucket_are_others() {
    let bucket = new_store().await;
    let other = Bucket { prefix: "other/".to_owned(), ..bucket.clone() };
    open(&bucket).await.unwrap().swap(&key(), None, vec![1]).await.unwrap();
    assert_eq!(open(&other).await.unwrap().read(&key()).await.unwrap(), None);
}
