//! How often a node may be restarted: at most so many times in any window, with a pause after each that doubles with every
//! further one. When they are used up and have not healed it, there are no more until it was well again for a while.

use std::collections::VecDeque;
use std::time::Duration;

use crate::health::config::{CALM_AFTER, PAUSE_MIN};
use crate::time::Instant;

/// What the brake says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// Now.
    Given,
    /// Not yet.
    Pause,
    /// Not any more: a person must see to it.
    UsedUp,
}

/// Remembers the restarts of the last window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Brake {
    restarts_max: u32,
    window: Duration,
    restarts: VecDeque<Instant>,
    used_up: bool,
    well_since: Option<Instant>,
}

impl Brake {
    pub(super) fn new(restarts_max: u32, window: Duration) -> Self {
        Self { restarts_max, window, restarts: VecDeque::new(), used_up: false, well_since: None }
    }

    /// Other limits are in force. Restarts that were done count as before; who allows more than were used up gives them back.
    pub(super) fn limit(&mut self, restarts_max: u32, window: Duration) {
        self.used_up &= restarts_max <= self.restarts_max;
        (self.restarts_max, self.window) = (restarts_max, window);
    }

    /// Whether another restart may follow now.
    pub(super) fn leave(&mut self, now: Instant) -> Leave {
        let used = self.used(now);
        self.used_up |= used >= self.restarts_max;
        if self.used_up {
            return Leave::UsedUp;
        }
        let pause = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(used.saturating_sub(1)));
        match self.restarts.back() {
            Some(last) if now.since(*last) < pause.min(self.window) => Leave::Pause,
            _ => Leave::Given,
        }
    }

    /// Whether the node is well. Being so for long makes up for restarts that did not help.
    pub(super) fn is_well(&mut self, now: Instant, well: bool) {
        self.well_since = well.then(|| self.well_since.unwrap_or(now));
        if self.well_since.is_some_and(|since| now.since(since) >= CALM_AFTER) {
            self.used_up = false;
        }
    }

    /// One is being done.
    pub(super) fn restarted(&mut self, now: Instant) {
        self.restarts.retain(|restart| now.since(*restart) <= self.window);
        self.restarts.push_back(now);
    }

    /// How many there were within the window.
    pub(super) fn used(&self, now: Instant) -> u32 {
        let recent = self.restarts.iter().filter(|restart| now.since(**restart) <= self.window);
        u32::try_from(recent.count()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Instant {
        Instant::at(Duration::from_secs(second))
    }

    #[test]
    fn pauses_double_and_what_is_used_up_comes_back_only_after_calm() {
        let mut brake = Brake::new(3, Duration::from_secs(3600));
        let mut given = Vec::new();
        for second in 0..10_000 {
            brake.is_well(at(second), (8_000..9_000).contains(&second));
            if brake.leave(at(second)) == Leave::Given {
                brake.restarted(at(second));
                given.push(second);
            }
        }
        assert_eq!(given, [0, 120, 360, 8_600, 8_720, 8_960]);
    }

    #[test]
    fn who_allows_more_gives_back_what_was_used_up_and_nothing_is_forgotten() {
        let hour = Duration::from_secs(3600);
        let mut brake = Brake::new(1, hour);
        brake.restarted(at(0));
        assert_eq!(brake.leave(at(1_000)), Leave::UsedUp);
        brake.limit(1, hour);
        assert_eq!(brake.leave(at(1_000)), Leave::UsedUp, "the same again changes nothing");
        brake.limit(2, hour);
        assert_eq!((brake.leave(at(1_000)), brake.used(at(1_000))), (Leave::Given, 1));
        brake.limit(1, hour);
        assert_eq!(brake.leave(at(1_000)), Leave::UsedUp, "what was done counts");
    }

    #[test]
    fn none_are_allowed_where_none_are_wanted() {
        assert_eq!(Brake::new(0, Duration::from_secs(3600)).leave(at(0)), Leave::UsedUp);
    }

    #[test]
    fn calm_does_not_lift_the_limit() {
        let mut brake = Brake::new(1, Duration::from_secs(3600));
        brake.restarted(at(0));
        for second in 0..3_600 {
            brake.is_well(at(second), true);
        }
        assert_eq!(brake.leave(at(3_600)), Leave::UsedUp);
    }
}
