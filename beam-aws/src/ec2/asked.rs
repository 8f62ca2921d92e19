//! Tokens with which something was asked for a moment ago.
//!
//! EC2 takes no token for an address or a snapshot, so the thing is looked for by its tag before another is made. But what was made a moment
//! ago may not be found yet, and the caller whose answer was lost asks again at once. So who asks again so soon looks for longer.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use beam_core::cloud_provider::Token;

/// Forgets what is older than a thing may be hidden.
#[derive(Debug)]
pub(super) struct Asked {
    visible_within: Duration,
    when: Mutex<BTreeMap<Token, Instant>>,
}

impl Asked {
    pub(super) fn new(visible_within: Duration) -> Self {
        Self { visible_within, when: Mutex::default() }
    }

    /// Whether what was asked for with the token may be there and not be found yet.
    pub(super) fn lately(&self, token: &Token, now: Instant) -> bool {
        let mut asked = self.when.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, when| now.saturating_duration_since(*when) < self.visible_within);
        asked.contains_key(token)
    }

    /// It is being asked for now.
    pub(super) fn note(&self, token: &Token, now: Instant) {
        self.when.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone(), now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VISIBLE_WITHIN: Duration = Duration::from_secs(5);

    #[test]
    fn a_token_is_remembered_for_as_long_as_its_thing_may_be_hidden_and_no_longer() {
        let (asked, token, now) = (Asked::new(VISIBLE_WITHIN), Token::new("t-1"), Instant::now());
        assert!(!asked.lately(&token, now));
        asked.note(&token, now);
        assert!(asked.lately(&token, now + VISIBLE_WITHIN - Duration::from_millis(1)));
        assert!(!asked.lately(&Token::new("t-2"), now));
        assert!(!asked.lately(&token, now + VISIBLE_WITHIN));
        assert!(asked.when.lock().unwrap().is_empty());
    }
}
