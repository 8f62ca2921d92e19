//! Objects in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;

use super::mood::Switch;
use super::{Mood, lock};
use crate::object_store::{
    CONTENT_LEN_MAX, Chunks, Kept, Listed, Object, ObjectError, ObjectName, ObjectStore, ObjectVersion,
    OnlyIf,
};
use crate::register::Cause;

/// Keeps the contract of [`ObjectStore`] but durability. Its clock goes on by a second with each change.
#[derive(Debug, Default)]
pub struct FakeObjects {
    state: Mutex<State>,
    switch: Switch,
}

#[derive(Debug, Default)]
struct State {
    /// Of each object all that was written, the oldest first; `None` where it was deleted.
    objects: BTreeMap<ObjectName, Vec<Written>>,
    changes: u64,
    answers_to_lose: u32,
}

#[derive(Clone, Debug)]
struct Written {
    change: u64,
    content: Option<Vec<u8>>,
}

impl Written {
    fn version(&self) -> ObjectVersion {
        ObjectVersion::new(self.change.to_string())
    }

    fn len(&self) -> u64 {
        self.content.as_ref().and_then(|content| u64::try_from(content.len()).ok()).unwrap_or_default()
    }
}

impl State {
    /// The object as it is, unless it is deleted.
    fn current(&self, name: &ObjectName) -> Option<&Written> {
        self.objects.get(name)?.last().filter(|written| written.content.is_some())
    }

    fn write(&mut self, name: &ObjectName, content: Option<Vec<u8>>) -> Result<ObjectVersion, ObjectError> {
        self.changes = self.changes.saturating_add(1);
        let written = Written { change: self.changes, content };
        let version = written.version();
        self.objects.entry(name.clone()).or_default().push(written);
        if self.answers_to_lose > 0 {
            self.answers_to_lose = self.answers_to_lose.saturating_sub(1);
            return Err(ObjectError::OutcomeUnknown("the answer was lost".into()));
        }
        Ok(version)
    }
}

impl FakeObjects {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how it behaves.
    pub fn set_mood(&self, mood: Mood) {
        self.switch.set(mood);
    }

    /// The next so many changes happen, and whoever asked for them is not told.
    pub fn lose_answers(&self, count: u32) {
        lock(&self.state).answers_to_lose = count;
    }

    async fn pass(&self) -> Result<(), ObjectError> {
        self.switch.pass().await.map_err(ObjectError::Unavailable)
    }
}

#[async_trait]
impl ObjectStore for FakeObjects {
    async fn put(
        &self,
        name: &ObjectName,
        only_if: OnlyIf,
        content: Vec<u8>,
    ) -> Result<ObjectVersion, ObjectError> {
        if content.len() > CONTENT_LEN_MAX {
            return Err(ObjectError::TooLarge(format!("{} bytes for {name}", content.len())));
        }
        self.pass().await?;
        let mut state = lock(&self.state);
        let current = state.current(name).map(Written::version);
        let holds = match only_if {
            OnlyIf::Always => true,
            OnlyIf::Absent => current.is_none(),
            OnlyIf::Is(version) => current == Some(version),
        };
        if holds { state.write(name, Some(content)) } else { Err(ObjectError::Conflict(name.clone())) }
    }

    async fn get(&self, name: &ObjectName, version: Option<ObjectVersion>) -> Result<Object, ObjectError> {
        self.pass().await?;
        let state = lock(&self.state);
        let found = match &version {
            None => state.current(name),
            Some(version) => {
                let mut kept = state.objects.get(name).into_iter().flatten();
                kept.find(|written| written.version() == *version)
            }
        };
        let found = found.and_then(|written| Some((written.version(), written.content.clone()?)));
        let (version, content) = found.ok_or_else(|| ObjectError::NotFound(name.clone()))?;
        if content.len() > CONTENT_LEN_MAX {
            return Err(ObjectError::TooLarge(format!("{name} has {} bytes", content.len())));
        }
        Ok(Object { version, content })
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Listed>, ObjectError> {
        self.pass().await?;
        let state = lock(&self.state);
        let names = state.objects.keys().filter(|name| name.as_str().starts_with(prefix));
        Ok(names
            .filter_map(|name| Some(Listed { name: name.clone(), len: state.current(name)?.len() }))
            .collect())
    }

    async fn versions(&self, name: &ObjectName) -> Result<Vec<Kept>, ObjectError> {
        self.pass().await?;
        let state = lock(&self.state);
        let kept = state.objects.get(name).into_iter().flatten().rev();
        Ok(kept
            .map(|written| Kept {
                version: written.content.is_some().then(|| written.version()),
                len: written.len(),
                at: SystemTime::UNIX_EPOCH + Duration::from_secs(written.change),
            })
            .collect())
    }

    async fn delete(&self, name: &ObjectName) -> Result<(), ObjectError> {
        self.pass().await?;
        let mut state = lock(&self.state);
        match state.current(name) {
            Some(_) => state.write(name, None).map(drop),
            None => Ok(()),
        }
    }

    async fn put_stream(
        &self,
        name: &ObjectName,
        content: &mut dyn Chunks,
    ) -> Result<ObjectVersion, ObjectError> {
        self.pass().await?;
        let mut whole = Vec::new();
        while let Some(chunk) = content.next().await.map_err(ObjectError::Source)? {
            whole.extend(chunk);
        }
        let mut state = lock(&self.state);
        match state.current(name) {
            Some(_) => Err(ObjectError::Conflict(name.clone())),
            None => state.write(name, Some(whole)),
        }
    }

    async fn get_stream(&self, name: &ObjectName) -> Result<Box<dyn Chunks>, ObjectError> {
        self.pass().await?;
        let content = lock(&self.state).current(name).and_then(|written| written.content.clone());
        let content = content.ok_or_else(|| ObjectError::NotFound(name.clone()))?;
        let chunks: Vec<Vec<u8>> = content.chunks(64 * 1024).map(<[u8]>::to_vec).collect();
        Ok(Box::new(InMemory(chunks.into_iter())))
    }
}

/// Chunks that are there already.
#[derive(Debug)]
struct InMemory(std::vec::IntoIter<Vec<u8>>);

#[async_trait]
impl Chunks for InMemory {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Cause> {
        Ok(self.0.next())
    }
}
