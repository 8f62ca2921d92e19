//! How many connections may be looked at in a window of time. What a flood costs must not grow with the flood.

use std::time::{Duration, Instant};

/// Counts what happens in windows, one after the other.
#[derive(Debug)]
pub(super) struct Pace {
    window: Duration,
    most: u32,
    began: Instant,
    count: u32,
}

impl Pace {
    /// At most `most` in each `window`.
    pub(super) fn new(window: Duration, most: u32, now: Instant) -> Self {
        Self { window, most, began: now, count: 0 }
    }

    /// One more has happened: how long to wait before the next is taken, if at all.
    pub(super) fn one_more(&mut self, now: Instant) -> Option<Duration> {
        if now.saturating_duration_since(self.began) >= self.window {
            (self.began, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        let left = self.window.saturating_sub(now.saturating_duration_since(self.began));
        (self.count >= self.most).then_some(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_millis(100);

    #[test]
    fn a_full_window_is_waited_out_and_the_next_one_is_empty() {
        let began = Instant::now();
        let mut pace = Pace::new(WINDOW, 3, began);
        let soon = began + Duration::from_millis(30);
        assert_eq!([pace.one_more(soon), pace.one_more(soon)], [None, None]);
        assert_eq!(pace.one_more(soon), Some(Duration::from_millis(70)));
        assert_eq!(pace.one_more(began + WINDOW), None);
    }

    #[test]
    fn no_second_ever_holds_more_than_ten_windows_may() {
        let began = Instant::now();
        let (mut now, mut pace, mut taken) = (began, Pace::new(WINDOW, 3, began), 0);
        while now < began + Duration::from_secs(1) {
            taken += 1;
            now += pace.one_more(now).unwrap_or(Duration::from_micros(10));
        }
        assert!(taken <= 33, "{taken}");
    }
}
