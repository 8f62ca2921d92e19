//! Whether the pilot's loops turn: what the service manager's watchdog is fed with.
//!
//! A ping that a timer sends says that timers work. Here each loop says when it has come round, with a bound of its own, and
//! the watchdog is fed only while none is late. A node, register or disk that does not answer is no reason for a loop to be
//! late: every question has a bound.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// All loops that are looked after.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulses(Arc<Mutex<Vec<Option<Loop>>>>);

#[derive(Clone, Copy, Debug)]
struct Loop {
    name: &'static str,
    within: Duration,
    turned: Instant,
}

/// One loop's own: to be told each time it has come round.
#[derive(Debug)]
pub(crate) struct Pulse {
    loops: Arc<Mutex<Vec<Option<Loop>>>>,
    at: usize,
}

impl Pulses {
    /// Looks after one more loop, which comes round `within` this time whatever happens.
    pub(crate) fn of(&self, name: &'static str, within: Duration) -> Pulse {
        let mut loops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        loops.push(Some(Loop { name, within, turned: Instant::now() }));
        Pulse { loops: Arc::clone(&self.0), at: loops.len().saturating_sub(1) }
    }

    /// The name of a loop that should have come round by `now` and has not.
    pub(crate) fn late(&self, now: Instant) -> Option<&'static str> {
        let loops = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late = |one: &&Loop| now.saturating_duration_since(one.turned) > one.within;
        loops.iter().flatten().find(late).map(|one| one.name)
    }
}

impl Pulse {
    /// The loop has come round.
    pub(crate) fn beat(&self) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Some(own)) = loops.get_mut(self.at) {
            own.turned = Instant::now();
        }
    }
}

impl Drop for Pulse {
    /// A loop that has ended is told of by its owner and is no longer looked after: starting the pilot anew over and over would
    /// not help.
    fn drop(&mut self) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = loops.get_mut(self.at) {
            *own = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_late_when_its_own_bound_has_passed() {
        let pulses = Pulses::default();
        let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
        let fast = pulses.of("fast", second);
        let slow = pulses.of("slow", minute);
        let now = Instant::now();
        assert_eq!(pulses.late(now), None);
        assert_eq!(pulses.late(now + second * 2), Some("fast"));
        fast.beat();
        slow.beat();
        assert_eq!(pulses.late(Instant::now() + second / 2), None);
        assert_eq!(pulses.late(Instant::now() + minute * 2), Some("fast"));
        drop(fast);
        assert_eq!(pulses.late(Instant::now() + minute * 2), Some("slow"));
        drop(slow);
        assert_eq!(pulses.late(Instant::now() + minute * 2), None);
    }
}
