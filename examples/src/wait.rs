//! Waiting for something to become true, with a deadline that names what was waited for.

use std::future::Future;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How often a condition is looked at: short next to a block, long next to the look itself.
const POLL: Duration = Duration::from_millis(20);

/// Asks `condition` until it answers `Some`, and returns that answer.
///
/// # Errors
/// The condition's own error at once, or a message naming `what` once `within` has passed.
pub async fn until<T, F, Fut>(what: &str, within: Duration, mut condition: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let started = Instant::now();
    loop {
        if let Some(answer) = condition().await? {
            return Ok(answer);
        }
        if started.elapsed() >= within {
            bail!("waited {within:?} for {what}, in vain");
        }
        tokio::time::sleep(POLL).await;
    }
}
