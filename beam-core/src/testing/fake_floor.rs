//! A floor in memory.

use std::sync::Mutex;

use async_trait::async_trait;

use super::mood::Switch;
use super::{Mood, lock};
use crate::floor_store::{FloorError, FloorStore};
use crate::signing::Floor;

/// Keeps the contract of [`FloorStore`] but durability. It stands for one machine's disk: give the same one (by `Arc`) to
/// the next driver, and the machine was started again; give a new one, and its disk was lost.
#[derive(Debug, Default)]
pub struct FakeFloor {
    disk: Mutex<Disk>,
    switch: Switch,
}

#[derive(Debug, Default)]
struct Disk {
    floor: Option<Floor>,
    writes: u64,
}

impl FakeFloor {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The floor that is there now.
    #[must_use]
    pub fn kept(&self) -> Option<Floor> {
        lock(&self.disk).floor.clone()
    }

    /// How often something was written.
    #[must_use]
    pub fn writes(&self) -> u64 {
        lock(&self.disk).writes
    }

    /// Puts another floor there, or none, as a person would (`beam watermark adopt`).
    pub fn put(&self, floor: Option<Floor>) {
        lock(&self.disk).floor = floor;
    }

    /// Sets how it behaves.
    pub fn set_mood(&self, mood: Mood) {
        self.switch.set(mood);
    }
}

#[async_trait]
impl FloorStore for FakeFloor {
    async fn load(&self) -> Result<Option<Floor>, FloorError> {
        self.switch.pass().await.map_err(FloorError::Io)?;
        Ok(self.kept())
    }

    async fn keep(&self, floor: Floor) -> Result<(), FloorError> {
        self.switch.pass().await.map_err(FloorError::Io)?;
        let mut disk = lock(&self.disk);
        match &disk.floor {
            Some(kept) if kept.lineage != floor.lineage => return Err(FloorError::OtherLineage),
            Some(kept) if kept.mark >= floor.mark => return Ok(()),
            Some(_) | None => {}
        }
        disk.floor = Some(floor);
        disk.writes = disk.writes.saturating_add(1);
        Ok(())
    }
}
