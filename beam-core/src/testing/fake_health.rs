//! A check that says what it is told.

use std::sync::Mutex;

use async_trait::async_trait;

use super::lock;
use crate::health_check::{Health, HealthCheck};

/// Answers what was set last; fine at first.
#[derive(Debug)]
pub struct FakeHealth {
    name: String,
    answer: Mutex<(Health, u64)>,
}

impl FakeHealth {
    /// One that is fine.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), answer: Mutex::new((Health::Fine, 0)) }
    }

    /// Sets what it answers from now on.
    pub fn set(&self, health: Health) {
        lock(&self.answer).0 = health;
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> u64 {
        lock(&self.answer).1
    }
}

#[async_trait]
impl HealthCheck for FakeHealth {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Health {
        let mut answer = lock(&self.answer);
        answer.1 = answer.1.saturating_add(1);
        answer.0.clone()
    }
}
