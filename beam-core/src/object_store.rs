//! Objects under names: node list, templates, archived logs. For people and plans, never for safety: what must be agreed on is in the
//! [`register`](crate::register).

use std::fmt;
use std::str::FromStr;
use std::time::SystemTime;

use async_trait::async_trait;

use crate::id::ParseError;
use crate::register::Cause;

/// A store of objects that keeps what was written over.
///
/// # Contract
/// * **Consistent.** What begins after a call has succeeded sees what it did, lists too.
/// * **Whole or not at all.** An object is there when its put has succeeded, never a part of it.
/// * **One winner.** Of puts that expect the same version of an object, or that there is none, at most one succeeds; every other gets
///   [`ObjectError::Conflict`] and has changed nothing. But a store may tell versions by their content alone (S3 does): where a winner
///   puts the very content that was there, others that expect it may still succeed. Whoever minds puts a number into the content.
/// * **Versions stay.** What was written over or deleted can still be read by its [`ObjectVersion`], until the store's owner lets it expire.
/// * **Done already is done.** Deleting what is not there succeeds.
/// * **Honest about doubt.** If a put may or may not have happened (no answer, a connection cut after sending), the error is
///   [`ObjectError::OutcomeUnknown`] and no other. Made again, it may find itself: `Conflict`, with the content that it meant to write.
/// * **Bounded memory.** [`put`](Self::put) and [`get`](Self::get) are for what is at most [`CONTENT_LEN_MAX`] long; the streams hold
///   some megabytes, however long the object.
/// * **Dropped midway**: as if the answer was lost. A stream dropped midway leaves no object. **Bounded**: every call, and every chunk of a
///   stream, ends within minutes.
#[async_trait]
pub trait ObjectStore: Send + Sync + 'static {
    /// Writes an object.
    ///
    /// # Errors
    /// [`ObjectError`]; `Conflict` if `only_if` does not hold, `TooLarge` beyond [`CONTENT_LEN_MAX`].
    async fn put(
        &self,
        name: &ObjectName,
        only_if: OnlyIf,
        content: Vec<u8>,
    ) -> Result<ObjectVersion, ObjectError>;

    /// The object as it is now, or as a former version was.
    ///
    /// # Errors
    /// [`ObjectError`]; `NotFound` if there is none, or it is deleted; `TooLarge` beyond [`CONTENT_LEN_MAX`].
    async fn get(&self, name: &ObjectName, version: Option<ObjectVersion>) -> Result<Object, ObjectError>;

    /// The objects that are there and whose names begin so, in order of their names.
    ///
    /// # Errors
    /// [`ObjectError`]; `TooLarge` if they are more than [`LIST_LEN_MAX`].
    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, ObjectError>;

    /// What is kept of one object, the newest first; nothing if it never was.
    ///
    /// # Errors
    /// As for [`list`](Self::list).
    async fn versions(&self, name: &ObjectName) -> Result<Vec<Kept>, ObjectError>;

    /// Deletes an object. Its versions stay.
    ///
    /// # Errors
    /// [`ObjectError`].
    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError>;

    /// Writes a new object of any length, chunk by chunk.
    ///
    /// # Errors
    /// [`ObjectError`]; `Conflict` if there is one of that name; `Source` if `content` fails, and then there is no object.
    async fn put_stream(
        &self,
        name: &ObjectName,
        content: &mut dyn Chunks,
    ) -> Result<ObjectVersion, ObjectError>;

    /// The object as it is now, chunk by chunk.
    ///
    /// # Errors
    /// [`ObjectError`]; `NotFound` if there is none.
    async fn get_stream(&self, name: &ObjectName) -> Result<Box<dyn Chunks>, ObjectError>;
}

/// The most that an object may hold, in bytes, to be put or got in one piece.
pub const CONTENT_LEN_MAX: usize = 8 * 1024 * 1024;

/// The most objects, or versions of one, that are listed.
pub const LIST_LEN_MAX: usize = 100_000;

/// Content that comes in pieces.
#[async_trait]
pub trait Chunks: Send {
    /// The next piece, or `None` when all have come.
    ///
    /// # Errors
    /// Whatever keeps the rest from coming. Nothing comes after it.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause>;
}

/// On what a put depends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OnlyIf {
    /// On nothing.
    Always,
    /// There is no such object.
    Absent,
    /// It still has the content of that version.
    Is(ObjectVersion),
}

/// The name of an object: folders and a file, with `/` between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName(String);

impl ObjectName {
    /// The longest that a name may be, in bytes.
    pub const LEN_MAX: usize = 512;

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectName {
    type Err = ParseError;

    /// Letters, digits, `-`, `_`, `.`, `=`, `+`, `@`; no folder is empty, `.` or `..`.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let part = |part: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.=+@".contains(&byte);
            !part.is_empty() && part != "." && part != ".." && part.bytes().all(allowed)
        };
        if text.len() > Self::LEN_MAX || !text.split('/').all(part) {
            let wanted = "letters, digits, '-', '_', '.', '=', '+' or '@', in folders, at most 512 bytes";
            return Err(ParseError::new("object name", text, wanted));
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One version of an object, in the store's own words.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectVersion(String);

impl ObjectVersion {
    /// Takes the store's words as they are.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// They again.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Which version it is.
    pub version: ObjectVersion,
    /// What it holds.
    pub content: Vec<u8>,
}

/// An object, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub name: ObjectName,
    /// How many bytes it holds.
    pub len: u64,
}

/// A version of an object, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What was written; `None` if it was deleted then.
    pub version: Option<ObjectVersion>,
    /// How many bytes that holds.
    pub len: u64,
    /// When it was written or deleted, by the store's clock.
    pub at: SystemTime,
}

/// A call that did not succeed. Only the first may have changed something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// It may have happened, may yet happen, or may not: only reading tells.
    #[error("whether the object was written is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// There is no such object, or version.
    #[error("there is no object {0}")]
    NotFound(ObjectName),
    /// Somebody else was there first: read, and decide again.
    #[error("object {0} is not what was expected")]
    Conflict(ObjectName),
    /// Wrong credentials, too few rights, or somebody else's store. Only a person can help.
    #[error("the object store refuses us")]
    Denied(#[source] Cause),
    /// The store did not answer, or could not. Trying again may help.
    #[error("the object store is out of reach")]
    Unavailable(#[source] Cause),
    /// More than the call is for.
    #[error("too large: {0}")]
    TooLarge(String),
    /// The content that was to be written could not be had.
    #[error("the content could not be read")]
    Source(#[source] Cause),
    /// The store cannot keep the contract where it stands, and will not be used.
    #[error("the object store cannot be used: {0}")]
    Unfit(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folders_and_a_file() {
        for name in ["a", "nodes.json", "logs/a@b/2026-11-24T10+00=1.gz", &"a".repeat(512)] {
            assert_eq!(name.parse::<ObjectName>().unwrap().as_str(), name);
        }
        for name in ["", "/", "/a", "a/", "a//b", "a/../b", "./a", "ä", "a b", "a\n", &"a".repeat(513)] {
            name.parse::<ObjectName>().unwrap_err();
        }
    }
}
