//! The register in an S3 bucket: one object for each cell, written with a condition.
//!
//! # Why it keeps the contract of [`Register`]
//! * **One winner, linearizable.** A swap is one PUT with `If-None-Match: *` (the first write) or `If-Match` (the ETag of the object that
//!   held the expected version), which S3 judges and applies as one step; since December 2020 a GET sees whatever was written before
//!   it began.
//! * **No content comes twice** (see [`cell`](super::cell)), so an ETag names one write. A cell that was put back to an older content,
//!   and even one that was then written up to the same version again, is not what a handle expects that saw the former: its swap loses.
//!   (A table's version is only a number, which would fit.)
//! * **Versions** are in the content. The ETag of the version that is expected is remembered from the read or swap that saw it; a swap that
//!   expects another version reads first.
//! * **The loser learns the winner** by a read after the refusal.
//! * **Durable.** S3 acknowledges when several zones have it; buckets of one zone are refused by their names.
//! * **Honest about doubt.** Only what S3 itself refused, or what never left, has `Failed`; the rest is
//!   [`SwapError::OutcomeUnknown`].
//! * **Nothing is repeated** behind the caller's back: the SDK's retries are off. The one thing that is made again, a few times within
//!   the bound, is a PUT that S3 refused with 409 because another write was under way: it certainly was not done.
//! * **Bounded.** A swap with all that it needs takes no longer than a read: [`CALL_WITHIN`](crate::timeouts::CALL_WITHIN).
//!
//! # What it refuses by name
//! A bucket that is not there, in another region or of another account; names of what is no bucket (see [`Bucket::check`]); an endpoint
//! that takes conditions and does not keep them; an object that somebody edited, or that came from another bucket by replication: then a
//! second machine could win in that one.
//!
//! # What it cannot see
//! Objects that are put back within the bucket are what the signer's floor and the record's lineage are for.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ReplicationStatus;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use beam_core::id::to_hex;
use beam_core::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{
    Access, Bucket, BucketFacts, CallError, Calls, Clients, Counted, SERVICE, Trouble, bucket, cell,
};

/// The rights that a running pilot and its doctor need, by the names that IAM has for them. `ListBucket` lets S3 say that an
/// object is not there, instead of "access denied".
pub const ACTIONS: [&str; 4] = ["GetBucketVersioning", "GetObject", "ListBucket", "PutObject"];

/// How often a PUT is made that S3 refuses because another is under way.
const CONTENDED_MAX: u32 = 4;
/// After how long it is made again.
const CONTENDED_AGAIN_AFTER: Duration = Duration::from_millis(25);
/// Of so many cells it is remembered what they were; a validator has four.
const SEEN_MAX: usize = 64;

/// What the names of the register's objects begin with.
pub(super) fn prefix(bucket: &Bucket) -> String {
    format!("{}register/", bucket.prefix)
}

/// A register in an S3 bucket. See the [module](super) and what this file says at its head.
#[derive(Clone, Debug)]
pub struct S3Register {
    client: Client,
    patient: Client,
    bucket: Arc<Bucket>,
    /// The bucket, in words.
    at: Arc<str>,
    within: Duration,
    calls: Arc<Calls>,
    writes: Arc<Writes>,
    seen: Arc<Mutex<BTreeMap<RegisterKey, (Version, String)>>>,
}

/// Names each write.
#[derive(Debug)]
struct Writes {
    /// Drawn when the register was opened.
    writer: String,
    count: AtomicU64,
}

impl Writes {
    fn new() -> Result<Self, RegisterError> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| RegisterError::Unavailable(error.into()))?;
        Ok(Self { writer: to_hex(&random), count: AtomicU64::new(0) })
    }

    fn next(&self) -> String {
        format!("{}-{}", self.writer, self.count.fetch_add(1, Ordering::Relaxed))
    }
}

/// On what a PUT depends.
#[derive(Clone, Debug)]
enum Condition {
    /// There is no such object.
    Absent,
    /// It is the very one with this ETag.
    Is(String),
}

/// Why a PUT was not done.
enum Unwritten {
    /// The condition does not hold.
    Lost,
    /// Another write is under way.
    Contended(Trouble),
    /// Anything else; it may have been done.
    Trouble(Trouble),
}

/// A cell as it was seen.
struct Seen {
    cell: Cell,
    etag: Option<String>,
}

impl S3Register {
    /// Opens a register in a bucket that is there.
    ///
    /// # Errors
    /// [`RegisterError`]: `Unfit` if the bucket must not be used (the text says why), `Unavailable` if it cannot be asked, or
    /// is not there.
    pub async fn open(bucket: Bucket, access: &Access) -> Result<Self, RegisterError> {
        let register = Self::on(bucket, access).await?;
        bucket::look(&register.patient, &register.bucket).await?;
        register.keeps_conditions().await?;
        Ok(register)
    }

    /// Makes the bucket, and opens it: closed to the public, with versioning on, the register's former contents kept for a week. One that
    /// is there is opened as it is.
    ///
    /// # Errors
    /// As for [`S3Register::open`].
    pub async fn create(bucket: Bucket, access: &Access) -> Result<Self, RegisterError> {
        let register = Self::on(bucket, access).await?;
        bucket::create(&register.patient, &register.bucket).await?;
        register.keeps_conditions().await?;
        Ok(register)
    }

    async fn on(bucket: Bucket, access: &Access) -> Result<Self, RegisterError> {
        bucket.check().map_err(|error| RegisterError::Unfit(error.to_string()))?;
        let Clients { brisk: client, patient } =
            Clients::new(&bucket, access).await.map_err(CallError::of_read)?;
        Ok(Self {
            client,
            patient,
            at: bucket.to_string().into(),
            bucket: bucket.into(),
            within: access.call_within,
            calls: Arc::default(),
            writes: Arc::new(Writes::new()?),
            seen: Arc::default(),
        })
    }

    /// Where it is.
    #[must_use]
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// What the bucket is now.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn facts(&self) -> Result<BucketFacts, RegisterError> {
        bucket::facts(&self.patient, &self.bucket).await
    }

    /// What was asked of S3 since it was opened, through this handle and its clones.
    #[must_use]
    pub fn calls(&self) -> Counted {
        self.calls.counted()
    }

    /// AWS does. What else answers at an endpoint that somebody named may take a condition and not know what it means: then two
    /// machines would both win.
    async fn keeps_conditions(&self) -> Result<(), RegisterError> {
        if self.bucket.endpoint.is_none() {
            return Ok(());
        }
        let name = format!("{}probe", prefix(&self.bucket));
        // The first makes it, if it is not there; the others must be refused.
        let other = Condition::Is("\"00000000000000000000000000000000\"".to_owned());
        for (condition, may_be_done) in
            [(Condition::Absent, true), (Condition::Absent, false), (other, false)]
        {
            let deadline = Instant::now() + self.within;
            match self
                .put(&name, &condition, b"beam asks whether conditions are kept\n".to_vec(), deadline)
                .await
            {
                Ok(_) if may_be_done => {}
                Err(Unwritten::Lost) => {}
                Ok(_) => {
                    return Err(RegisterError::Unfit(format!(
                        "{}: this endpoint takes conditional writes and does not keep the condition ({condition:?}), so two machines \
                         could both win; it must keep If-Match and If-None-Match as S3 does",
                        self.at
                    )));
                }
                Err(Unwritten::Contended(trouble) | Unwritten::Trouble(trouble)) => {
                    return Err(self.error("PutObject", trouble).of_read());
                }
            }
        }
        Ok(())
    }

    fn error(&self, call: &'static str, trouble: Trouble) -> CallError {
        CallError { call, place: self.at.clone(), trouble }
    }

    fn object(&self, key: &RegisterKey) -> String {
        format!("{}{key}", prefix(&self.bucket))
    }

    /// The ETag of the object that held that version of the cell, if it is the last one seen.
    fn etag_of(&self, key: &RegisterKey, version: Version) -> Option<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(key).filter(|(seen, _)| *seen == version).map(|(_, etag)| etag.clone())
    }

    /// What is remembered was true when it was seen; a condition on it holds only if it still is, so nothing has to be forgotten.
    fn remember(&self, key: &RegisterKey, version: Version, etag: Option<String>) {
        let Some(etag) = etag else { return };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= SEEN_MAX && !seen.contains_key(key) {
            seen.clear();
        }
        seen.insert(key.clone(), (version, etag));
    }

    async fn get(&self, key: &RegisterKey, deadline: Instant) -> Result<Option<Seen>, CallError> {
        self.calls.read();
        let got = timeout_at(deadline, self.get_unbounded(key)).await;
        let got = got.unwrap_or(Err(Trouble::NoAnswer(self.within)));
        let got = got.map_err(|trouble| self.error("GetObject", trouble))?;
        if let Some(Seen { cell, etag }) = &got {
            self.remember(key, cell.version, etag.clone());
        }
        Ok(got)
    }

    async fn get_unbounded(&self, key: &RegisterKey) -> Result<Option<Seen>, Trouble> {
        let request = self.client.get_object().bucket(&self.bucket.name).key(self.object(key));
        let answer = match request.expected_bucket_owner(&self.bucket.owner).send().await {
            Ok(answer) => answer,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(Trouble::of(&error, self.within, &SERVICE)),
        };
        if answer.replication_status == Some(ReplicationStatus::Replica) {
            return Err(Trouble::Damaged(format!(
                "the object of cell {key} came from another bucket by replication, and a second machine could win in that one: find out \
                 which rule did it, and take it off"
            )));
        }
        let etag = answer.e_tag;
        let content = content(answer.body).await.map_err(|error| Trouble::Cut(error.to_string()))?;
        let cell = content.ok_or(cell::CellError::TooLarge).and_then(|content| cell::decode(key, &content));
        let edited = |error| {
            Trouble::Damaged(format!(
                "somebody edited the object of cell {key}: {error}; find out who, then see the handbook of `beam watermark`"
            ))
        };
        Ok(Some(Seen { cell: cell.map_err(edited)?, etag }))
    }

    /// Writes an object, and gives its ETag.
    async fn put(
        &self,
        name: &str,
        condition: &Condition,
        content: Vec<u8>,
        deadline: Instant,
    ) -> Result<Option<String>, Unwritten> {
        self.calls.write();
        let request = self.client.put_object().bucket(&self.bucket.name).key(name);
        let request = request.expected_bucket_owner(&self.bucket.owner).body(ByteStream::from(content));
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Is(etag) => request.if_match(etag),
        };
        match timeout_at(deadline, request.send()).await {
            Err(_) => Err(Unwritten::Trouble(Trouble::NoAnswer(self.within))),
            Ok(Ok(answer)) => Ok(answer.e_tag),
            Ok(Err(error)) => Err(self.unwritten(&error)),
        }
    }

    fn unwritten(&self, error: &SdkError<PutObjectError, HttpResponse>) -> Unwritten {
        match error.code() {
            // The second: the object that was to be replaced is not there.
            Some("PreconditionFailed" | "NoSuchKey") => Unwritten::Lost,
            Some("ConditionalRequestConflict" | "OperationAborted") => Unwritten::Contended(
                Trouble::Refused("somebody else is writing the object at this moment".to_owned()),
            ),
            _ => Unwritten::Trouble(Trouble::of(error, self.within, &SERVICE)),
        }
    }

    /// The condition under which the cell still has that version; or what it has instead.
    async fn condition(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        deadline: Instant,
    ) -> Result<Condition, SwapError> {
        let Some(expected) = expected else { return Ok(Condition::Absent) };
        if let Some(etag) = self.etag_of(key, expected) {
            return Ok(Condition::Is(etag));
        }
        match self.get(key, deadline).await.map_err(|error| SwapError::Failed(error.into()))? {
            Some(Seen { cell, etag }) if cell.version == expected => {
                let nameless = || self.error("GetObject", Trouble::Strange("no ETag".to_owned()));
                etag.map(Condition::Is).ok_or_else(|| SwapError::Failed(nameless().into()))
            }
            current => Err(SwapError::Conflict { current: current.map(|seen| seen.cell) }),
        }
    }

    /// What a swap is told that S3 refused: it wrote nothing, and learns what is there.
    async fn lost(&self, key: &RegisterKey, deadline: Instant) -> SwapError {
        match self.get(key, deadline).await {
            Ok(current) => SwapError::Conflict { current: current.map(|seen| seen.cell) },
            Err(error) => SwapError::Failed(error.into()),
        }
    }
}

/// The content, unless it is longer than any cell's.
async fn content(mut body: ByteStream) -> Result<Option<Vec<u8>>, aws_sdk_s3::primitives::ByteStreamError> {
    let mut content = Vec::new();
    while let Some(part) = body.try_next().await? {
        if content.len().saturating_add(part.len()) > cell::LEN_MAX {
            return Ok(None);
        }
        content.extend_from_slice(&part);
    }
    Ok(Some(content))
}

#[async_trait]
impl Register for S3Register {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        let seen = self.get(key, Instant::now() + self.within).await.map_err(CallError::of_read)?;
        Ok(seen.map(|seen| seen.cell))
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        let deadline = Instant::now() + self.within;
        let refused = |why: String| self.error("PutObject", Trouble::Refused(why)).of_swap();
        if value.len() > Cell::LEN_MAX {
            return Err(refused(format!("a value of {} bytes is too large", value.len())));
        }
        let condition = self.condition(key, expected, deadline).await?;
        let Some(next) = expected.map_or(Some(Version::FIRST), Version::next) else {
            return Err(refused("no version is left above this one".to_owned()));
        };
        let content = cell::encode(key, next, &self.writes.next(), &value);
        for _ in 0..CONTENDED_MAX {
            match self.put(&self.object(key), &condition, content.clone(), deadline).await {
                Ok(etag) => {
                    self.remember(key, next, etag);
                    return Ok(next);
                }
                Err(Unwritten::Lost) => return Err(self.lost(key, deadline).await),
                Err(Unwritten::Contended(_)) => {
                    let again = Instant::now() + CONTENDED_AGAIN_AFTER;
                    // A PUT that nobody waits for would be a doubt, and there is none so far.
                    if again >= deadline {
                        break;
                    }
                    sleep_until(again).await;
                }
                Err(Unwritten::Trouble(trouble)) => return Err(self.error("PutObject", trouble).of_swap()),
            }
        }
        // Whoever is writing all the time may be done by now.
        match self.lost(key, deadline).await {
            SwapError::Conflict { current } if current.as_ref().map(|cell| cell.version) == expected => {
                Err(refused("somebody else is writing the object at this moment".to_owned()))
            }
            error => Err(error),
        }
    }
}
