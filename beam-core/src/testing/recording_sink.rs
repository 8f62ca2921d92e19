//! A sink that remembers.

use std::sync::Mutex;

use async_trait::async_trait;

use super::mood::Switch;
use super::{Mood, lock};
use crate::alert_sink::{Alert, AlertError, AlertSink};

/// Takes every alert and keeps it, in order, also the same one twice.
#[derive(Debug)]
pub struct RecordingSink {
    name: String,
    alerts: Mutex<Vec<Alert>>,
    switch: Switch,
}

impl RecordingSink {
    /// An empty one.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), alerts: Mutex::default(), switch: Switch::default() }
    }

    /// What was delivered.
    #[must_use]
    pub fn alerts(&self) -> Vec<Alert> {
        lock(&self.alerts).clone()
    }

    /// Sets how it behaves.
    pub fn set_mood(&self, mood: Mood) {
        self.switch.set(mood);
    }
}

#[async_trait]
impl AlertSink for RecordingSink {
    fn name(&self) -> &str {
        &self.name
    }

    async fn deliver(&self, alert: &Alert) -> Result<(), AlertError> {
        self.switch.pass().await.map_err(AlertError::Unavailable)?;
        lock(&self.alerts).push(alert.clone());
        Ok(())
    }
}
