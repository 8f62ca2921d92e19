//! A pause of takeovers: while people work on a validator's machines, no standby takes over by itself.
//!
//! * It stops takeovers and nothing else: the fence holds, the owner signs, a standby repeats what the owner signed, a planned
//!   switch and a forced one work.
//! * It ends by itself. Nobody has to remember it, and one that is forgotten costs no more than its length.
//! * Times are by the clocks of the machines. A clock that is wrong makes a pause shorter or longer and nothing unsafe.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::ParseError;
use crate::shared::{Document, as_written, lines, one_line};

/// One pause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Who asked for it, such as `ops@bastion`.
    pub by: String,
    /// Why, in a line.
    pub reason: String,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// Until when, in milliseconds since 1970.
    pub until_ms: u64,
}

impl Pause {
    /// The longest pause, so that a slip of the finger does not take a validator's failover away for a year.
    pub const LEN_MAX: Duration = Duration::from_secs(7 * 24 * 60 * 60);
    /// The longest text, in bytes.
    pub const TEXT_LEN_MAX: usize = 200;

    /// Whether takeovers are paused at `now_ms`.
    #[must_use]
    pub fn holds(&self, now_ms: u64) -> bool {
        now_ms < self.until_ms
    }
}

/// What is paused for one validator: the pause that was asked for last, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paused(pub Option<Pause>);

impl Paused {
    /// The pause that holds at `now_ms`, if any.
    #[must_use]
    pub fn at(&self, now_ms: u64) -> Option<&Pause> {
        self.0.as_ref().filter(|pause| pause.holds(now_ms))
    }
}

const HEADER: &str = "beam-pause 1";

impl Document for Paused {
    const WHAT: &'static str = "pause";

    fn encode(&self) -> Vec<u8> {
        let text = |text: &str| one_line(text, Pause::TEXT_LEN_MAX);
        let body = self.0.as_ref().map_or_else(String::new, |pause| {
            let (by, reason) = (text(&pause.by), text(&pause.reason));
            format!("since {}\nuntil {}\nby {by}\nreason {reason}\n", pause.since_ms, pause.until_ms)
        });
        format!("{HEADER}\n{body}").into_bytes()
    }

    fn decode(value: &[u8]) -> Result<Self, ParseError> {
        let bad = |text: &str, why| ParseError::new(Self::WHAT, text, why);
        let mut lines = lines(Self::WHAT, HEADER, value)?.peekable();
        if lines.peek().is_none() {
            return as_written(Self(None), value);
        }
        let mut field = |name: &str| {
            let line = lines.next().unwrap_or_default();
            let value = line.strip_prefix(name).and_then(|rest| rest.strip_prefix(' '));
            value.ok_or_else(|| bad(line, "a field is missing or out of place"))
        };
        let number = |text: &str| text.parse().map_err(|_| bad(text, "a time is no number"));
        let (since_ms, until_ms) = (number(field("since")?)?, number(field("until")?)?);
        let (by, reason) = (field("by")?.to_owned(), field("reason")?.to_owned());
        match lines.next() {
            None => as_written(Self(Some(Pause { by, reason, since_ms, until_ms })), value),
            Some(line) => Err(bad(line, "it has more lines than a pause")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pause() -> Pause {
        Pause { by: "ops@bastion".to_owned(), reason: "new disk".to_owned(), since_ms: 1000, until_ms: 3000 }
    }

    #[test]
    fn a_pause_ends_by_itself() {
        let paused = Paused(Some(pause()));
        assert_eq!([1000, 2999, 3000].map(|now| paused.at(now).is_some()), [true, true, false]);
        assert_eq!(Paused::default().at(0), None);
    }

    #[test]
    fn it_reads_back_as_written_and_so_does_none() {
        for paused in [Paused(Some(pause())), Paused(None)] {
            assert_eq!(Paused::decode(&paused.encode()).unwrap(), paused);
        }
    }

    #[test]
    fn what_is_cut_or_added_to_is_refused() {
        let text = String::from_utf8(Paused(Some(pause())).encode()).unwrap();
        assert!(Paused::decode(format!("{text}more\n").as_bytes()).is_err());
        assert!(Paused::decode(text.trim_end().as_bytes()).is_err());
        assert!(Paused::decode(text.replace("until", "till").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_stays_on_its_line(by in ".{0,300}", reason in ".{0,300}") {
            let written = Paused(Some(Pause { by, reason, ..pause() })).encode();
            let read = Paused::decode(&written).unwrap().0.unwrap();
            prop_assert!(read.reason.len() <= Pause::TEXT_LEN_MAX);
            prop_assert_eq!((read.since_ms, read.until_ms), (1000, 3000));
        }

        #[test]
        fn any_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Paused::decode(&bytes);
        }
    }
}
