//! This machine's clock, for people.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Now, in milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    ms_of(SystemTime::now())
}

/// A moment in milliseconds since 1970.
pub(crate) fn ms_of(at: SystemTime) -> u64 {
    millis(at.duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// A length of time in milliseconds.
pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A moment as people read it: UTC, whole seconds.
pub(crate) fn utc(ms: u64) -> String {
    let timestamp = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    timestamp.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

/// A length of time as people read it: its two greatest units, such as `1h 59m`.
pub(crate) fn length(time: Duration) -> String {
    let seconds = Duration::from_secs(time.as_secs());
    let text = humantime::format_duration(seconds).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_for_people() {
        assert_eq!(utc(1_700_000_000_123), "2023-11-14 22:13:20 UTC");
        assert_eq!(utc(u64::MAX), "?");
        assert_eq!(length(Duration::from_millis(7_199_900)), "1h 59m");
        assert_eq!(length(Duration::ZERO), "0s");
    }
}
