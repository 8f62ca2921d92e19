//! Objects in an S3 bucket that keeps versions: node list, templates, archived logs.
//!
//! An [`ObjectVersion`] is S3's id of the version and its ETag, which conditions are on. S3's clock tells when a version was written, to the
//! second: of a write and a deletion within one second, neither of them the newest, [`versions`](ObjectStore::versions) may give the
//! order wrong.
//!
//! What may write is made once; what only reads, or may be made twice, is made again by the SDK, a few times.

mod page;
mod stream;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use beam_core::object_store::{
    CONTENT_LEN_MAX, Chunks, Kept, Listed, Object, ObjectError, ObjectName, ObjectStore, ObjectVersion,
    OnlyIf,
};
use beam_core::register::RegisterError;
use tokio::time::timeout;

use super::{Access, Bucket, CallError, SERVICE, Trouble, Versioning, bucket, client, error};
use crate::access;
use crate::timeouts::{PATIENT_CALL_WITHIN, PATIENT_CALLS_MAX};

/// One call with up to eight megabytes in it, over a line of a megabit a second.
const CALL_WITHIN: Duration = Duration::from_secs(70);

/// What the names of all objects begin with.
pub(super) fn prefix(bucket: &Bucket) -> String {
    format!("{}objects/", bucket.prefix)
}

/// Objects in an S3 bucket. See the head of this file.
#[derive(Clone, Debug)]
pub struct S3Objects {
    /// For what must not be made twice.
    once: Client,
    /// For what may.
    again: Client,
    bucket: Arc<Bucket>,
    at: Arc<str>,
}

impl S3Objects {
    /// Opens the objects of a bucket that is there and keeps versions.
    ///
    /// # Errors
    /// [`ObjectError`]: `Unfit` if the bucket must not be used (the text says why), `Denied` or `Unavailable` if it cannot be asked.
    pub async fn open(bucket: Bucket, access: &Access) -> Result<Self, ObjectError> {
        bucket.check().map_err(|error| ObjectError::Unfit(error.to_string()))?;
        let configs = access::configs(&bucket.region, bucket.endpoint.as_deref(), access).await;
        let configs = configs.map_err(|trouble| of_read(error("HeadBucket", &bucket, trouble)))?;
        let asking = client(&configs.patient, &bucket);
        bucket::look(&asking, &bucket).await.map_err(of_opening)?;
        let facts = bucket::facts(&asking, &bucket).await.map_err(of_opening)?;
        if facts.versioning != Versioning::On {
            return Err(ObjectError::Unfit(format!(
                "{bucket}: it keeps no versions, so what is written over would be gone; switch its versioning on"
            )));
        }
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(PATIENT_CALL_WITHIN)
            .operation_attempt_timeout(CALL_WITHIN)
            .operation_timeout(CALL_WITHIN.saturating_mul(PATIENT_CALLS_MAX))
            .build();
        let with = |config: aws_config::SdkConfig| {
            client(&config.into_builder().timeout_config(timeouts.clone()).build(), &bucket)
        };
        let (once, again) = (with(configs.brisk), with(configs.patient));
        Ok(Self { once, again, at: bucket.to_string().into(), bucket: bucket.into() })
    }

    fn key(&self, name: &ObjectName) -> String {
        format!("{}{name}", prefix(&self.bucket))
    }

    fn call(&self, call: &'static str, trouble: Trouble) -> CallError {
        CallError { call, place: self.at.clone(), trouble }
    }

    /// What became of a call that changes nothing.
    fn unread<E: Failure>(&self, call: &'static str, error: &SdkError<E, HttpResponse>) -> ObjectError {
        of_read(self.call(call, Trouble::of(error, CALL_WITHIN, &SERVICE)))
    }

    /// What became of a call that changes something.
    fn unwritten<E: Failure>(
        &self,
        call: &'static str,
        name: &ObjectName,
        error: &SdkError<E, HttpResponse>,
    ) -> ObjectError {
        match error.code() {
            Some("PreconditionFailed" | "NoSuchKey" | "ConditionalRequestConflict" | "OperationAborted") => {
                ObjectError::Conflict(name.clone())
            }
            _ => of_write(self.call(call, Trouble::of(error, CALL_WITHIN, &SERVICE))),
        }
    }

    async fn open_object(
        &self,
        name: &ObjectName,
        version: Option<&ObjectVersion>,
    ) -> Result<GetObjectOutput, ObjectError> {
        let not_found = || ObjectError::NotFound(name.clone());
        let id = version.map(|version| parts(version).map(|(id, _)| id.to_owned()));
        let id = match id {
            Some(None) => return Err(not_found()),
            Some(Some(id)) => Some(id),
            None => None,
        };
        let said = id.is_some();
        let request = self.again.get_object().bucket(&self.bucket.name).key(self.key(name));
        let request = request.expected_bucket_owner(&self.bucket.owner).set_version_id(id);
        request.send().await.map_err(|error| match error.code() {
            // The last two: a version that marks a deletion, and an id that none has.
            Some("NoSuchKey" | "NoSuchVersion" | "MethodNotAllowed") => not_found(),
            Some("InvalidArgument") if said => not_found(),
            _ => self.unread("GetObject", &error),
        })
    }

    async fn put_whole(
        &self,
        name: &ObjectName,
        only_if: OnlyIf,
        content: Vec<u8>,
    ) -> Result<ObjectVersion, ObjectError> {
        let request = self.once.put_object().bucket(&self.bucket.name).key(self.key(name));
        let request = request.expected_bucket_owner(&self.bucket.owner).body(ByteStream::from(content));
        let request = match &only_if {
            OnlyIf::Always => request,
            OnlyIf::Absent => request.if_none_match("*"),
            OnlyIf::Is(version) => match parts(version) {
                Some((_, etag)) => request.if_match(etag),
                None => return Err(ObjectError::Conflict(name.clone())),
            },
        };
        let answer = request.send().await.map_err(|error| self.unwritten("PutObject", name, &error))?;
        Ok(version(answer.version_id, answer.e_tag))
    }
}

/// An error of any operation.
pub(super) trait Failure: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static {}

impl<E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static> Failure for E {}

/// A version as S3 has it; `null` is what it calls one that was written before it kept versions.
fn version(id: Option<String>, etag: Option<String>) -> ObjectVersion {
    ObjectVersion::new(format!("{} {}", id.as_deref().unwrap_or("null"), etag.unwrap_or_default()))
}

/// Its id and its ETag; `None` if it is no version of S3's.
fn parts(version: &ObjectVersion) -> Option<(&str, &str)> {
    version.as_str().split_once(' ')
}

fn of_read(error: CallError) -> ObjectError {
    match error.trouble {
        Trouble::NoCredentials(_)
        | Trouble::Denied(..)
        | Trouble::UnknownCredentials(_)
        | Trouble::Expired(_)
        | Trouble::Signature(_) => ObjectError::Denied(error.into()),
        _ => ObjectError::Unavailable(error.into()),
    }
}

fn of_write(error: CallError) -> ObjectError {
    if error.trouble.wrote_nothing() { of_read(error) } else { ObjectError::OutcomeUnknown(error.into()) }
}

fn of_opening(error: RegisterError) -> ObjectError {
    match error {
        RegisterError::Unfit(why) => ObjectError::Unfit(why),
        RegisterError::Unavailable(cause) | RegisterError::Damaged(cause) => {
            match cause.downcast::<CallError>() {
                Ok(call) => of_read(*call),
                Err(cause) => ObjectError::Unavailable(cause),
            }
        }
        error => ObjectError::Unavailable(error.into()),
    }
}

#[async_trait]
impl ObjectStore for S3Objects {
    async fn put(
        &self,
        name: &ObjectName,
        only_if: OnlyIf,
        content: Vec<u8>,
    ) -> Result<ObjectVersion, ObjectError> {
        if content.len() > CONTENT_LEN_MAX {
            return Err(ObjectError::TooLarge(format!("{} bytes for {name}", content.len())));
        }
        self.put_whole(name, only_if, content).await
    }

    async fn get(&self, name: &ObjectName, wanted: Option<ObjectVersion>) -> Result<Object, ObjectError> {
        const CALL: &str = "GetObject";
        let answer = self.open_object(name, wanted.as_ref()).await?;
        let too_large = || ObjectError::TooLarge(format!("{name} has more than {CONTENT_LEN_MAX} bytes"));
        if answer
            .content_length
            .and_then(|len| usize::try_from(len).ok())
            .is_some_and(|len| len > CONTENT_LEN_MAX)
        {
            return Err(too_large());
        }
        let version = version(answer.version_id, answer.e_tag);
        let content = timeout(CALL_WITHIN, super::register::content(answer.body, CONTENT_LEN_MAX)).await;
        let content = content.map_err(|_| of_read(self.call(CALL, Trouble::NoAnswer(CALL_WITHIN))))?;
        let content = content.map_err(|error| of_read(self.call(CALL, Trouble::Cut(error.to_string()))))?;
        Ok(Object { version, content: content.ok_or_else(too_large)? })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, ObjectError> {
        self.list_pages(prefix).await
    }

    async fn versions(&self, name: &ObjectName) -> Result<Vec<Kept>, ObjectError> {
        self.version_pages(name).await
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let request = self.again.delete_object().bucket(&self.bucket.name).key(self.key(name));
        let answer = request.expected_bucket_owner(&self.bucket.owner).send().await;
        answer.map(drop).map_err(|error| self.unwritten("DeleteObject", name, &error))
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        content: &mut dyn Chunks,
    ) -> Result<ObjectVersion, ObjectError> {
        self.put_parts(name, content).await
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<Box<dyn Chunks>, ObjectError> {
        let answer = self.open_object(name, None).await?;
        Ok(Box::new(stream::Body(answer.body)))
    }
}
