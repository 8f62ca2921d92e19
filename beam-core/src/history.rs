//! What happened to a validator's ownership: each takeover and each switch, with its cause, its evidence, what it cost and who
//! did it and why.
//!
//! It is kept in the register, so that every machine tells the same story, whichever of them is asked. Whoever becomes the owner
//! writes the entry; whoever plans a switch adds who and why; the cost is added when the chain has told it. The oldest entries go when
//! the cell is full. It guards nothing.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::ParseError;
use crate::shared::{Document, as_written, lines, one_line, or_dash, unless_dash};
use crate::signing::{Epoch, Handover, Mark};

/// One change of owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The epoch that it began. Every change of owner has its own.
    pub epoch: Epoch,
    /// What it was.
    pub how: Handover,
    /// When the entry was begun, in milliseconds since 1970 by the writer's clock.
    pub at_ms: u64,
    /// The machine that owned before, if its name is known.
    pub from: Option<String>,
    /// The machine that owns since.
    pub to: String,
    /// How far the former owner had come: the evidence of its silence. Known for takeovers.
    pub was: Option<Mark>,
    /// The mark at which the new epoch began.
    pub since: Mark,
    /// From when the silence was first seen to the decision, in milliseconds. Takeovers only.
    pub waited_ms: Option<u64>,
    /// From the decision (or the command) to the register's word, in milliseconds.
    pub swapped_ms: Option<u64>,
    /// From there to the new owner's first signature, in milliseconds.
    pub signed_ms: Option<u64>,
    /// What it cost, once the chain has told.
    pub cost: Option<Cost>,
    /// Who did it, such as `ops@bastion`, or `beam` for a takeover.
    pub by: String,
    /// Why, in a line.
    pub reason: String,
}

/// What a change of owner cost, by the chain's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The first height that was looked at: the one before the change.
    pub from_height: u64,
    /// The last one.
    pub to_height: u64,
    /// Of those, heights without our vote.
    pub missed: u64,
    /// And with a vote for nil.
    pub nil: u64,
}

/// All entries, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// At most [`History::ENTRIES_MAX`], with growing epochs.
    pub entries: Vec<Entry>,
}

impl History {
    /// How many entries are kept. With texts of the greatest length they fill half a cell.
    pub const ENTRIES_MAX: usize = 64;
    /// The longest text of an entry, in bytes.
    pub const TEXT_LEN_MAX: usize = 200;

    /// The entry of an epoch.
    #[must_use]
    pub fn entry(&self, epoch: Epoch) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.epoch == epoch)
    }

    /// Adds what one machine knows of a change of owner to what others have told of it. What is known already stays, but for who did
    /// it and why: a person's word counts more than a program's.
    pub fn tell(&mut self, news: Entry) {
        match self.entries.iter_mut().find(|entry| entry.epoch == news.epoch) {
            Some(entry) => entry.add(news),
            None => {
                let place = self.entries.partition_point(|entry| entry.epoch < news.epoch);
                self.entries.insert(place, news);
            }
        }
        let too_many = self.entries.len().saturating_sub(Self::ENTRIES_MAX);
        self.entries.drain(..too_many);
    }
}

impl Entry {
    /// The name under which a takeover stands that no person asked for.
    pub const BEAM: &'static str = "beam";

    /// How long the change took, as far as it is known: from the silence or the command to the first signature.
    #[must_use]
    pub fn took(&self) -> Option<Duration> {
        let known = [self.waited_ms, self.swapped_ms, self.signed_ms];
        let sum = known.iter().flatten().fold(0_u64, |sum, ms| sum.saturating_add(*ms));
        self.signed_ms.map(|_| Duration::from_millis(sum))
    }

    fn add(&mut self, news: Self) {
        if self.by == Self::BEAM && news.by != Self::BEAM {
            (self.by, self.reason) = (news.by, news.reason);
        }
        self.from = self.from.take().or(news.from);
        self.was = self.was.or(news.was);
        self.waited_ms = self.waited_ms.or(news.waited_ms);
        self.swapped_ms = self.swapped_ms.or(news.swapped_ms);
        self.signed_ms = self.signed_ms.or(news.signed_ms);
        self.cost = news.cost.or(self.cost);
    }

    /// One line: what has no blanks in a fixed order, then the reason.
    fn line(&self) -> String {
        let word = |text: &str| one_line(text, History::TEXT_LEN_MAX).replace(' ', "_");
        let cost = self
            .cost
            .map(|cost| format!("{}-{}:{}:{}", cost.from_height, cost.to_height, cost.missed, cost.nil));
        format!(
            "{} {} {} {} {} {} {} {} {} {} {} {} {}\n",
            self.epoch,
            self.how,
            self.at_ms,
            or_dash(self.from.as_deref().map(word).as_ref()),
            word(&self.to),
            or_dash(self.was.as_ref()),
            self.since,
            or_dash(self.waited_ms.as_ref()),
            or_dash(self.swapped_ms.as_ref()),
            or_dash(self.signed_ms.as_ref()),
            or_dash(cost.as_ref()),
            word(&self.by),
            one_line(&self.reason, History::TEXT_LEN_MAX),
        )
    }

    fn read(line: &str) -> Result<Self, ParseError> {
        let words: Vec<&str> = line.splitn(13, ' ').collect();
        let [epoch, how, at_ms, from, to, was, since, waited, swapped, signed, cost, by, reason] = words[..]
        else {
            return Err(bad(line, "a line has not 13 fields"));
        };
        Ok(Self {
            epoch: Epoch(number(epoch)?),
            how: how.parse()?,
            at_ms: number(at_ms)?,
            from: unless_dash(from, |name| Ok(name.to_owned()))?,
            to: to.to_owned(),
            was: unless_dash(was, str::parse)?,
            since: since.parse()?,
            waited_ms: unless_dash(waited, number)?,
            swapped_ms: unless_dash(swapped, number)?,
            signed_ms: unless_dash(signed, number)?,
            cost: unless_dash(cost, Cost::read)?,
            by: by.to_owned(),
            reason: reason.to_owned(),
        })
    }
}

impl Cost {
    fn read(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.split([':', '-']).map(number);
        let mut part = || parts.next().unwrap_or_else(|| Err(bad(text, "a cost has not four numbers")));
        let cost = Self { from_height: part()?, to_height: part()?, missed: part()?, nil: part()? };
        if parts.next().is_some() { Err(bad(text, "a cost has more than four numbers")) } else { Ok(cost) }
    }
}

fn bad(text: &str, why: &'static str) -> ParseError {
    ParseError::new(History::WHAT, text, why)
}

fn number(text: &str) -> Result<u64, ParseError> {
    text.parse().map_err(|_| bad(text, "a number is none"))
}

const HEADER: &str = "beam-history 1";

impl Document for History {
    const WHAT: &'static str = "history";

    fn encode(&self) -> Vec<u8> {
        let lines = self.entries.iter().map(Entry::line);
        std::iter::once(format!("{HEADER}\n")).chain(lines).collect::<String>().into_bytes()
    }

    fn decode(value: &[u8]) -> Result<Self, ParseError> {
        let entries = lines(Self::WHAT, HEADER, value)?.map(Entry::read).collect::<Result<Vec<_>, _>>()?;
        if !entries.is_sorted_by(|a, b| a.epoch < b.epoch) || entries.len() > Self::ENTRIES_MAX {
            return Err(bad("(entries)", "its epochs do not grow, or it is too long"));
        }
        as_written(Self { entries }, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::register::Cell;
    use crate::signing::Step;

    fn entry(epoch: u64) -> Entry {
        Entry {
            epoch: Epoch(epoch),
            how: Handover::Takeover,
            at_ms: 1_700_000_000_000,
            from: Some("a".to_owned()),
            to: "b".to_owned(),
            was: Some(Mark::new(9, 0, Step::Precommit)),
            since: Mark::new(10, 0, Step::Prevote),
            waited_ms: Some(300),
            swapped_ms: Some(4),
            signed_ms: None,
            cost: None,
            by: Entry::BEAM.to_owned(),
            reason: "a was silent".to_owned(),
        }
    }

    #[test]
    fn it_reads_back_as_written_and_is_refused_when_cut() {
        let cost = Some(Cost { from_height: 9, to_height: 19, missed: 1, nil: 0 });
        let whole = Entry { signed_ms: Some(3), cost, ..entry(3) };
        let bare = Entry { from: None, was: None, waited_ms: None, reason: String::new(), ..entry(4) };
        let history = History { entries: vec![entry(2), whole, bare] };
        let written = history.encode();
        assert_eq!(History::decode(&written).unwrap(), history);
        assert!(History::decode(&written[..written.len() - 1]).is_err());
        let doubled = History { entries: vec![entry(2), entry(2)] };
        assert!(History::decode(&doubled.encode()).is_err());
    }

    #[test]
    fn a_persons_reason_counts_and_what_was_known_stays() {
        let mut history = History::default();
        history.tell(Entry { how: Handover::Switchover, ..entry(5) });
        let person = Entry {
            by: "ops@bastion".to_owned(),
            reason: "new disk".to_owned(),
            signed_ms: Some(9),
            ..entry(5)
        };
        history.tell(Entry { waited_ms: None, ..person });
        history.tell(Entry {
            cost: Some(Cost { from_height: 9, to_height: 19, missed: 0, nil: 0 }),
            ..entry(5)
        });
        let told = history.entry(Epoch(5)).unwrap();
        assert_eq!((told.by.as_str(), told.reason.as_str()), ("ops@bastion", "new disk"));
        assert_eq!((told.waited_ms, told.signed_ms, told.cost.unwrap().missed), (Some(300), Some(9), 0));
        assert_eq!(told.took(), Some(Duration::from_millis(313)));
    }

    #[test]
    fn the_oldest_go_and_the_fullest_fits_its_cell() {
        let mut history = History::default();
        let long = "x".repeat(500);
        for epoch in (0..200).rev() {
            let longest = Entry { by: long.clone(), reason: long.clone(), ..entry(u64::MAX - epoch) };
            history.tell(longest);
        }
        assert_eq!(history.entries.len(), History::ENTRIES_MAX);
        assert_eq!(history.entries.last().unwrap().epoch, Epoch(u64::MAX));
        let written = history.encode();
        assert!(written.len() < Cell::LEN_MAX, "{}", written.len());
        assert!(History::decode(&written).is_ok());
    }

    fn any_text() -> &'static str {
        r"[ \n\x00-\x1f\x85a-c-]{0,9}.{0,40}"
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_never_panic(text in "(beam-history 1\n)?[-0-9a-z/ :]{0,200}\n?") {
            let _ = History::decode(text.as_bytes());
        }

        #[test]
        fn any_words_stay_one_entry(by in any_text(), reason in any_text(), from in any_text(), to in any_text()) {
            let history = History { entries: vec![Entry { by, reason, from: Some(from), to, ..entry(1) }] };
            let written = history.encode();
            let read = History::decode(&written).unwrap();
            proptest::prop_assert_eq!((read.entries.len(), read.encode()), (1, written));
        }
    }
}
