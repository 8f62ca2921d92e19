//! A moment by somebody's wall clock, as logs have it: RFC 3339, UTC, milliseconds.
//!
//! Written and read here, without a calendar library: a log is stamped and read a million times a second.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// Milliseconds since 1970 by a wall clock, which may jump. For people and for comparing lines of one log; nothing is decided
/// by it that must hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(u64);

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl Stamp {
    /// The first moment of the year 10000: later ones cannot be written in 24 characters.
    const END_MS: u64 = 253_402_300_800_000;

    /// How many bytes a stamp takes when written: `2026-11-22T07:33:20.123Z`.
    pub const LEN: usize = 24;

    /// The moment that many milliseconds after 1970 began; the year 9999 has the last one.
    #[must_use]
    pub const fn at_ms(ms: u64) -> Self {
        Self(if ms < Self::END_MS { ms } else { Self::END_MS - 1 })
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn ms(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it is not in the past.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// Reads `2026-11-22T07:33:20Z`, with or without a fraction, at the beginning of `text`, and returns what follows. A fraction
    /// is cut to milliseconds. `None` for another zone than `Z`, and for what is no such moment.
    #[must_use]
    pub fn read(text: &[u8]) -> Option<(Self, &[u8])> {
        let (date, rest) = text.split_first_chunk::<19>()?;
        let seconds = seconds(date, b'T')?;
        let (ms, rest) = fraction(rest);
        let rest = rest.strip_prefix(b"Z")?;
        Some((Self::at_ms(seconds.checked_mul(1000)?.checked_add(ms)?), rest))
    }

    /// Reads `2026-11-22|07:33:20.123`, which is how `CometBFT`'s own logger writes the time.
    pub(super) fn read_with_bar(text: &[u8]) -> Option<(Self, &[u8])> {
        let (date, rest) = text.split_first_chunk::<19>()?;
        let seconds = seconds(date, b'|')?;
        let (ms, rest) = fraction(rest);
        Some((Self::at_ms(seconds.checked_mul(1000)?.checked_add(ms)?), rest))
    }
}

/// `YYYY-MM-DD?HH:MM:SS`, with this byte between date and time.
fn seconds(text: &[u8; 19], between: u8) -> Option<u64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, t, h1, h2, b':', n1, n2, b':', s1, s2] = *text else {
        return None;
    };
    if t != between {
        return None;
    }
    let two = |tens: u8, ones: u8| Some(digit(tens)? * 10 + digit(ones)?);
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    // A leap second is written as 60.
    let sane = year >= 1970 && (1..=12).contains(&month) && (1..=31).contains(&day);
    if !sane || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second)
}

fn digit(byte: u8) -> Option<u64> {
    byte.is_ascii_digit().then(|| u64::from(byte - b'0'))
}

fn fraction(rest: &[u8]) -> (u64, &[u8]) {
    let Some(digits) = rest.strip_prefix(b".") else { return (0, rest) };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at_checked(len).unwrap_or((digits, b""));
    let three = digits.iter().copied().chain(*b"000").take(3);
    (three.fold(0, |ms, byte| ms * 10 + digit(byte).unwrap_or_default()), rest)
}

/// Days from 1970 to this date, by Howard Hinnant's `days_from_civil`.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).checked_sub(719_468)
}

/// The date that many days after 1970 began, by the same author's `civil_from_days`.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0 / DAY_MS);
        let ms = self.0 % DAY_MS;
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments_are_read_and_written() {
        for (text, ms, again) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("2000-02-29T23:59:59.9Z", 951_868_799_900, "2000-02-29T23:59:59.900Z"),
            ("2026-11-22T07:33:20.123456789Z", 1_795_332_800_123, "2026-11-22T07:33:20.123Z"),
        ] {
            let (stamp, rest) = Stamp::read(text.as_bytes()).unwrap();
            assert_eq!((stamp.ms(), rest), (ms, &b""[..]), "{text}");
            assert_eq!(stamp.to_string(), again);
        }
    }

    #[test]
    fn what_is_no_moment_is_not_read() {
        for text in
            ["", "7:31AM INF", "2026-13-01T00:00:00Z", "2026-11-22T07:33:20+01:00", "2026-11-22 07:33:20Z"]
        {
            assert_eq!(Stamp::read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_survives_being_written(ms in 0..Stamp::END_MS) {
            let stamp = Stamp::at_ms(ms);
            let text = stamp.to_string();
            prop_assert_eq!(text.len(), Stamp::LEN);
            prop_assert_eq!(Stamp::read(text.as_bytes()), Some((stamp, &b""[..])));
        }

        #[test]
        fn any_bytes_are_read_or_not(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = Stamp::read(&text);
            let _ = Stamp::read_with_bar(&text);
        }
    }
}
