//! Lists, which S3 gives page by page.

use std::cmp::Reverse;
use std::time::SystemTime;

use aws_sdk_s3::primitives::DateTime;
use beam_core::object_store::{Kept, LIST_LEN_MAX, Listed, ObjectError, ObjectName};

use super::{S3Objects, prefix, version};

/// A small page costs S3 little time; what is listed here is tens of objects.
const PAGE: i32 = 100;

impl S3Objects {
    pub(super) async fn list_pages(&self, begin: &str) -> Result<Vec<Listed>, ObjectError> {
        let root = prefix(&self.bucket);
        let (mut listed, mut next) = (Vec::new(), None);
        loop {
            let request = self.again.list_objects_v2().bucket(&self.bucket.name).max_keys(PAGE);
            let request = request.expected_bucket_owner(&self.bucket.owner).prefix(format!("{root}{begin}"));
            let page = request.set_continuation_token(next).send().await;
            let page = page.map_err(|error| self.unread("ListObjectsV2", &error))?;
            for object in page.contents.unwrap_or_default() {
                // What has no name of ours is somebody else's.
                let name = object.key.as_deref().and_then(|key| key.strip_prefix(&root)?.parse().ok());
                let len = object.size.and_then(|len| u64::try_from(len).ok()).unwrap_or_default();
                listed.extend(name.map(|name| Listed { name, len }));
            }
            bounded(begin, listed.len())?;
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(listed);
            }
        }
    }

    pub(super) async fn version_pages(&self, name: &ObjectName) -> Result<Vec<Kept>, ObjectError> {
        let key = self.key(name);
        let (mut kept, mut after) = (Vec::new(), (None, None));
        loop {
            let request = self.again.list_object_versions().bucket(&self.bucket.name).max_keys(PAGE);
            let request = request.expected_bucket_owner(&self.bucket.owner).prefix(&key);
            let request = request.set_key_marker(after.0).set_version_id_marker(after.1);
            let page = request.send().await.map_err(|error| self.unread("ListObjectVersions", &error))?;
            for one in
                page.versions.unwrap_or_default().into_iter().filter(|one| one.key.as_ref() == Some(&key))
            {
                let len = one.size.and_then(|len| u64::try_from(len).ok()).unwrap_or_default();
                let at = at(one.last_modified);
                let version = Some(version(one.version_id, one.e_tag));
                kept.push((one.is_latest, Kept { version, len, at }));
            }
            let markers = page.delete_markers.unwrap_or_default();
            for one in markers.into_iter().filter(|one| one.key.as_ref() == Some(&key)) {
                kept.push((one.is_latest, Kept { version: None, len: 0, at: at(one.last_modified) }));
            }
            bounded(name.as_str(), kept.len())?;
            // Its own versions come first: the shortest name is the first of those that begin with it.
            let more = page.next_key_marker.as_ref() == Some(&key) && page.is_truncated == Some(true);
            after = (page.next_key_marker, page.next_version_id_marker);
            if !more {
                break;
            }
        }
        // Versions and deletions come apart, each newest first.
        kept.sort_by_key(|(latest, kept)| (Reverse(*latest == Some(true)), Reverse(kept.at)));
        Ok(kept.into_iter().map(|(_, kept)| kept).collect())
    }
}

fn at(time: Option<DateTime>) -> SystemTime {
    time.and_then(|time| SystemTime::try_from(time).ok()).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn bounded(what: &str, len: usize) -> Result<(), ObjectError> {
    if len > LIST_LEN_MAX {
        return Err(ObjectError::TooLarge(format!("more than {LIST_LEN_MAX} begin with {what:?}")));
    }
    Ok(())
}
