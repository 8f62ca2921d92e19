//! A register that counts and times what it does, for status and metrics.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use tokio::time::Instant;

use crate::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};

/// What a register has done since the process began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RegisterFigures {
    /// Operations that were answered; a lost race is an answer.
    pub answered: u64,
    /// Operations that failed, or whose outcome is unknown.
    pub failed: u64,
    /// The median of the last [`MeasuredRegister::KEPT`] answers.
    pub p50: Option<Duration>,
    /// All but one in a hundred of them were no slower.
    pub p99: Option<Duration>,
    /// When it last answered, by this machine's clock.
    pub last_ok: Option<SystemTime>,
    /// When it last failed, by this machine's clock.
    pub last_failed: Option<SystemTime>,
}

/// Wraps a register and measures it. It changes nothing about it. An operation that is dropped midway is not counted.
#[derive(Clone)]
pub struct MeasuredRegister {
    inner: Arc<dyn Register>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    answered: u64,
    failed: u64,
    last: VecDeque<Duration>,
    last_ok: Option<SystemTime>,
    last_failed: Option<SystemTime>,
}

impl MeasuredRegister {
    /// How many answers the percentiles are taken from: some ten minutes of blocks of 6 s.
    pub const KEPT: usize = 512;

    /// Measures `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn Register>) -> Self {
        Self { inner, seen: Arc::default() }
    }

    /// What was measured so far.
    #[must_use]
    pub fn figures(&self) -> RegisterFigures {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<Duration> = seen.last.iter().copied().collect();
        sorted.sort_unstable();
        let at =
            |percent: usize| sorted.get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)));
        RegisterFigures {
            answered: seen.answered,
            failed: seen.failed,
            p50: at(50).copied(),
            p99: at(99).copied(),
            last_ok: seen.last_ok,
            last_failed: seen.last_failed,
        }
    }

    fn note(&self, took: Duration, answered: bool) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if !answered {
            seen.failed = seen.failed.saturating_add(1);
            seen.last_failed = Some(SystemTime::now());
            return;
        }
        seen.answered = seen.answered.saturating_add(1);
        seen.last_ok = Some(SystemTime::now());
        if seen.last.len() >= Self::KEPT {
            seen.last.pop_front();
        }
        seen.last.push_back(took);
    }
}

#[async_trait]
impl Register for MeasuredRegister {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        let began = Instant::now();
        let answer = self.inner.read(key).await;
        self.note(began.elapsed(), answer.is_ok());
        answer
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        let began = Instant::now();
        let answer = self.inner.swap(key, expected, value).await;
        self.note(began.elapsed(), matches!(answer, Ok(_) | Err(SwapError::Conflict { .. })));
        answer
    }
}
