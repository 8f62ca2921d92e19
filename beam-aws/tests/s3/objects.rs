//! Objects in a bucket.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use beam_aws::s3::{Bucket, S3Objects};
use beam_core::object_store::{Chunks, ObjectError, ObjectName, ObjectStore, OnlyIf};
use beam_core::register::Cause;
use beam_core::testing::{Breach, ObjectHarness, object_contract};
use beam_examples::proxy::{Proxy, Weather};

use crate::common::{client, emulator, line, new_place, new_store, patient};

struct Objects(Bucket);

#[async_trait]
impl ObjectHarness for Objects {
    async fn open(&self) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        Ok(Arc::new(S3Objects::open(self.0.clone(), &patient()).await?))
    }
}

fn name() -> ObjectName {
    "nodes.json".parse().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_is_kept() -> Result<(), Breach> {
    object_contract::run_all(&Objects(new_store().await)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_keeps_no_versions_is_refused_by_name() {
    let plain = new_place().await;
    let region = aws_sdk_s3::types::CreateBucketConfiguration::builder();
    let region = region.location_constraint(plain.region.as_str().into()).build();
    let made = client(&plain).create_bucket().bucket(&plain.name).create_bucket_configuration(region);
    made.send().await.unwrap();
    let error = S3Objects::open(plain, &patient()).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unfit(_)), "{error:?}");
    assert!(line(error).contains("switch its versioning on"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_bucket_is_told() {
    let error = S3Objects::open(new_place().await, &patient()).await.unwrap_err();
    assert!(matches!(error, ObjectError::Unavailable(_)), "{error:?}");
    assert!(line(error).contains("there is no such bucket"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_answer_is_a_doubt_and_the_object_is_found_when_it_is_read() {
    let mut bucket = new_store().await;
    let wire = Proxy::start(emulator().await.address()).unwrap();
    bucket.endpoint = Some(format!("http://{}", wire.address()));
    let objects = S3Objects::open(bucket, &patient()).await.unwrap();
    let first = objects.put(&name(), OnlyIf::Absent, vec![1]).await.unwrap();
    wire.set(Weather::LOSES_ANSWERS);
    let error = objects.put(&name(), OnlyIf::Is(first.clone()), vec![2]).await.unwrap_err();
    assert!(matches!(error, ObjectError::OutcomeUnknown(_)), "{error:?}");
    wire.set(Weather::FINE);
    assert_eq!(objects.get(&name(), None).await.unwrap().content, [2]);
    // Made again, it finds itself.
    let error = objects.put(&name(), OnlyIf::Is(first), vec![2]).await.unwrap_err();
    assert!(matches!(error, ObjectError::Conflict(_)), "{error:?}");
    assert_eq!(objects.versions(&name()).await.unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_others_put_beside_is_in_no_list() {
    let bucket = new_store().await;
    let objects = S3Objects::open(bucket.clone(), &patient()).await.unwrap();
    objects.put(&name(), OnlyIf::Absent, vec![1]).await.unwrap();
    for key in ["beam/objects/nodes json", "beam/objects//", "beam/nodes.json", "nodes.json"] {
        client(&bucket).put_object().bucket(&bucket.name).key(key).send().await.unwrap();
    }
    let listed = objects.list("").await.unwrap();
    assert_eq!(listed.iter().map(|listed| listed.name.clone()).collect::<Vec<_>>(), [name()]);
}

/// Comes to its end only after the test.
struct Endless;

#[async_trait]
impl Chunks for Endless {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(Some(vec![7; 1024 * 1024]))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_breaks_or_is_dropped_leaves_no_object_and_a_broken_one_no_parts() {
    struct Breaks(u32);
    #[async_trait]
    impl Chunks for Breaks {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
            self.0 = self.0.checked_sub(1).ok_or("the disk is gone")?;
            Ok(Some(vec![7; 1024 * 1024]))
        }
    }
    let bucket = new_store().await;
    let objects = S3Objects::open(bucket.clone(), &patient()).await.unwrap();
    let uploads = async || {
        let asked = client(&bucket).list_multipart_uploads().bucket(&bucket.name).send().await.unwrap();
        asked.uploads().len()
    };
    let error = objects.put_stream(&name(), &mut Breaks(20)).await.unwrap_err();
    assert!(matches!(error, ObjectError::Source(_)), "{error:?}");
    assert_eq!(uploads().await, 0);

    let mut endless = Endless;
    let name = name();
    let mut putting = objects.put_stream(&name, &mut endless);
    // Until its upload has begun.
    loop {
        tokio::select! {
            ended = &mut putting => panic!("{ended:?}"),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
        if uploads().await == 1 {
            break;
        }
    }
    drop(putting);
    assert!(matches!(objects.get(&name, None).await, Err(ObjectError::NotFound(_))));
    assert_eq!(objects.list("").await.unwrap(), []);
}

/// The look before the upload saw nothing; the condition at its end does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_overtaken_is_a_conflict_and_leaves_no_parts() {
    struct Overtaken(u32, S3Objects);
    #[async_trait]
    impl Chunks for Overtaken {
        async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
            let Some(left) = self.0.checked_sub(1) else { return Ok(None) };
            self.0 = left;
            if left == 0 {
                self.1.put(&name(), OnlyIf::Absent, vec![1]).await?;
            }
            Ok(Some(vec![7; 1024 * 1024]))
        }
    }
    let bucket = new_store().await;
    let objects = S3Objects::open(bucket.clone(), &patient()).await.unwrap();
    let error = objects.put_stream(&name(), &mut Overtaken(20, objects.clone())).await.unwrap_err();
    assert!(matches!(error, ObjectError::Conflict(_)), "{error:?}");
    assert_eq!(objects.get(&name(), None).await.unwrap().content, [1]);
    let uploads = client(&bucket).list_multipart_uploads().bucket(&bucket.name).send().await.unwrap();
    assert!(uploads.uploads().is_empty());
}
