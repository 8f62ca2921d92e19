//! Objects of any length, in parts: one part is in memory at a time, on its way, and the next fills behind it.
//!
//! What is no longer than one part is one PUT. What is longer is a multipart upload, which S3 makes an object of at its end, in one step,
//! if there is still none of that name. Ended midway it is given up; if that cannot be done either (the process is gone), the parts lie
//! about, invisible and paid for, until the bucket's lifecycle rule takes them: `beam init --create-bucket` sets one.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use beam_core::object_store::{CONTENT_LEN_MAX, Chunks, ObjectError, ObjectName, ObjectVersion, OnlyIf};
use beam_core::register::Cause;
use tokio::time::timeout;

use super::{CALL_WITHIN, S3Objects, of_read, version};
use crate::trouble::Trouble;

/// S3 takes parts from 5 MiB.
const PART_LEN: usize = CONTENT_LEN_MAX;
/// S3 takes so many: 80 GB in all.
const PARTS_MAX: i32 = 10_000;
/// The next piece of an object that is read.
const CHUNK_WITHIN: Duration = Duration::from_secs(30);

/// Fills up to more than one part, or to the end; tells whether there may be more.
async fn fill(buffer: &mut Vec<u8>, content: &mut dyn Chunks) -> Result<bool, ObjectError> {
    while buffer.len() <= PART_LEN {
        match content.next().await.map_err(ObjectError::Source)? {
            Some(chunk) => buffer.extend(chunk),
            None => return Ok(false),
        }
    }
    Ok(true)
}

impl S3Objects {
    pub(super) async fn put_parts(
        &self,
        name: &ObjectName,
        content: &mut dyn Chunks,
    ) -> Result<ObjectVersion, ObjectError> {
        let mut buffer = Vec::new();
        if !fill(&mut buffer, content).await? && buffer.len() <= PART_LEN {
            return self.put_whole(name, OnlyIf::Absent, buffer).await;
        }
        self.is_absent(name).await?;
        let request = self.again.create_multipart_upload().bucket(&self.bucket.name).key(self.key(name));
        let begun = request.expected_bucket_owner(&self.bucket.owner).send().await;
        let begun = begun.map_err(|error| self.unread("CreateMultipartUpload", &error))?;
        let nameless = || of_read(self.call("CreateMultipartUpload", Trouble::Strange("no id".to_owned())));
        let id = begun.upload_id.ok_or_else(nameless)?;
        let parts = match self.upload(name, &id, buffer, content).await {
            Ok(parts) => parts,
            Err(error) => {
                self.give_up(name, &id).await;
                return Err(error);
            }
        };
        let ended = self.complete(name, &id, parts).await;
        // In doubt it may be an object by now.
        if matches!(
            ended,
            Err(ObjectError::Conflict(_) | ObjectError::Denied(_) | ObjectError::Unavailable(_))
        ) {
            self.give_up(name, &id).await;
        }
        ended
    }

    /// Said at the end as well, where it counts; here it saves the way there.
    async fn is_absent(&self, name: &ObjectName) -> Result<(), ObjectError> {
        let request = self.again.head_object().bucket(&self.bucket.name).key(self.key(name));
        match request.expected_bucket_owner(&self.bucket.owner).send().await {
            Ok(_) => Err(ObjectError::Conflict(name.clone())),
            // Whoever may only add, as a machine may to the archive of logs, may not look: then it is found out at the end.
            Err(error)
                if error
                    .raw_response()
                    .is_some_and(|answer| matches!(answer.status().as_u16(), 403 | 404)) =>
            {
                Ok(())
            }
            Err(error) => Err(self.unread("HeadObject", &error)),
        }
    }

    async fn upload(
        &self,
        name: &ObjectName,
        id: &str,
        mut buffer: Vec<u8>,
        content: &mut dyn Chunks,
    ) -> Result<Vec<CompletedPart>, ObjectError> {
        const CALL: &str = "UploadPart";
        let mut parts = Vec::new();
        for number in 1..=PARTS_MAX {
            let more = fill(&mut buffer, content).await?;
            let rest = if buffer.len() > PART_LEN { buffer.split_off(PART_LEN) } else { Vec::new() };
            let part = std::mem::replace(&mut buffer, rest);
            let request = self.again.upload_part().bucket(&self.bucket.name).key(self.key(name));
            let request = request.expected_bucket_owner(&self.bucket.owner).upload_id(id).part_number(number);
            let answer = request.body(ByteStream::from(part)).send().await;
            let answer = answer.map_err(|error| self.unread(CALL, &error))?;
            let part = CompletedPart::builder().part_number(number).set_e_tag(answer.e_tag);
            // Whatever sums the SDK had S3 check on the way.
            let part = part.set_checksum_crc32(answer.checksum_crc32);
            let part = part.set_checksum_crc64_nvme(answer.checksum_crc64_nvme);
            parts.push(part.build());
            if !more && buffer.is_empty() {
                return Ok(parts);
            }
        }
        Err(ObjectError::TooLarge(format!("{name} has more than {PARTS_MAX} parts of {PART_LEN} bytes")))
    }

    async fn complete(
        &self,
        name: &ObjectName,
        id: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<ObjectVersion, ObjectError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.once.complete_multipart_upload().bucket(&self.bucket.name).key(self.key(name));
        let request = request.expected_bucket_owner(&self.bucket.owner).upload_id(id).multipart_upload(parts);
        let answer = request.if_none_match("*").send().await;
        let answer = answer.map_err(|error| self.unwritten("CompleteMultipartUpload", name, &error))?;
        Ok(version(answer.version_id, answer.e_tag))
    }

    /// As well as it goes: the bucket's rule takes what is left.
    async fn give_up(&self, name: &ObjectName, id: &str) {
        let request = self.again.abort_multipart_upload().bucket(&self.bucket.name).key(self.key(name));
        let request = request.expected_bucket_owner(&self.bucket.owner).upload_id(id);
        let _ = timeout(CALL_WITHIN, request.send()).await;
    }
}

/// An object's content as it comes.
pub(super) struct Body(pub(super) ByteStream);

#[async_trait]
impl Chunks for Body {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        let chunk = timeout(CHUNK_WITHIN, self.0.try_next()).await?;
        Ok(chunk?.map(|bytes| bytes.to_vec()))
    }
}
