//! The record: what the register holds for one validator key, and how it is written down.
//!
//! It is text, a field a line, so that somebody woken at night can read it with the store's own tools:
//!
//! ```text
//! beam-record 1
//! lineage 5f0c3a7e9b2d4c68a1f0e3d2c4b5a697
//! epoch 12
//! owner 9a1b...
//! since 12001/0/prevote takeover
//! mark 12345/0/precommit
//! bytes 7808021139...
//! lock 12345/0 0a20aaaa... 77c1...
//! ```
//!
//! Reading is strict: every field once, in this order, each in the one way in which it is written, nothing else. A record that
//! cannot be read is never guessed at.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::{Lineage, ParseError, SessionId, SignerId, from_hex, to_hex};
use crate::shared::unless_dash;
use crate::signing::{BlockId, Height, Mark, Round, Step};

/// How often ownership has changed hands. Grows by one each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Epoch(pub u64);

impl std::fmt::Display for Epoch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Why the present owner owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handover {
    /// Nobody has owned since the record was made, or the owner is the first.
    Init,
    /// A standby stopped waiting for the owner.
    Takeover,
    /// Somebody planned it.
    Switchover,
    /// Somebody forced it, without asking whether the new owner is ready.
    Failover,
}

impl std::fmt::Display for Handover {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Init => "init",
            Self::Takeover => "takeover",
            Self::Switchover => "switchover",
            Self::Failover => "failover",
        })
    }
}

impl FromStr for Handover {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "init" => Ok(Self::Init),
            "takeover" => Ok(Self::Takeover),
            "switchover" => Ok(Self::Switchover),
            "failover" => Ok(Self::Failover),
            _ => Err(ParseError::new("handover", text, "expected init, takeover, switchover or failover")),
        }
    }
}

/// The block last precommitted at a height, and the session that did it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lock {
    /// The height.
    pub height: Height,
    /// The round of the precommit.
    pub round: Round,
    /// The block.
    pub block: BlockId,
    /// The run of the node that asked for it: only that one is known to have seen why.
    pub session: SessionId,
}

/// What all machines of one validator agree on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Which making of the record this is.
    pub lineage: Lineage,
    /// Grows by one whenever the owner changes.
    pub epoch: Epoch,
    /// Who signs without waiting; nobody after the record was made.
    pub owner: Option<SignerId>,
    /// The mark at which this epoch began.
    pub since: Mark,
    /// Why it began.
    pub handover: Handover,
    /// The highest position that anyone may have signed.
    pub mark: Mark,
    /// The exact sign bytes at the mark; empty if only the position is known (after the record was made).
    pub bytes: Vec<u8>,
    /// The block last precommitted at the mark's height, if any.
    pub lock: Option<Lock>,
}

const HEADER: &str = "beam-record 1";

impl Record {
    /// The form in which it is written. Machines that share a register must know the same.
    pub const FORMAT: &str = HEADER;

    /// A first record: everything up to and including `mark` counts as signed.
    #[must_use]
    pub fn begin(lineage: Lineage, mark: Mark) -> Self {
        Self {
            lineage,
            epoch: Epoch(0),
            owner: None,
            since: mark,
            handover: Handover::Init,
            mark,
            bytes: Vec::new(),
            lock: None,
        }
    }

    /// This record with another owner and a new epoch; everything that guards signatures stays as it is.
    ///
    /// `None` if epochs have run out, which no validator lives to see.
    #[must_use]
    pub fn handed_to(&self, owner: SignerId, handover: Handover) -> Option<Self> {
        let epoch = Epoch(self.epoch.0.checked_add(1)?);
        Some(Self { epoch, owner: Some(owner), since: self.mark, handover, ..self.clone() })
    }

    /// The record as it is written to the register.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let bytes = (!self.bytes.is_empty()).then(|| to_hex(&self.bytes));
        let lock = self
            .lock
            .as_ref()
            .map(|lock| format!("{}/{} {} {}", lock.height, lock.round, to_hex(&lock.block.0), lock.session));
        format!(
            "{HEADER}\nlineage {}\nepoch {}\nowner {}\nsince {} {}\nmark {}\nbytes {}\nlock {}\n",
            self.lineage,
            self.epoch,
            or_dash(self.owner.map(|owner| owner.to_string())),
            self.since,
            self.handover,
            self.mark,
            or_dash(bytes),
            or_dash(lock),
        )
        .into_bytes()
    }

    /// Reads what [`Record::encode`] wrote.
    ///
    /// # Errors
    /// [`ParseError`] if it is anything else.
    pub fn decode(value: &[u8]) -> Result<Self, ParseError> {
        let text =
            std::str::from_utf8(value).map_err(|_| ParseError::new("record", "(bytes)", "it is not text"))?;
        let bad = |why| ParseError::new("record", text, why);
        let mut lines = text.strip_suffix('\n').ok_or_else(|| bad("it is cut short"))?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(bad(
                "its first line is not \"beam-record 1\": another version of Beam may have written it",
            ));
        }
        let mut field = |name: &str| {
            lines
                .next()
                .and_then(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .ok_or_else(|| bad("a field is missing or out of place"))
        };
        let lineage = field("lineage")?.parse()?;
        let epoch = Epoch(number(field("epoch")?).ok_or_else(|| bad("the epoch is no number"))?);
        let owner = unless_dash(field("owner")?, SignerId::from_str)?;
        let (since, handover) =
            field("since")?.split_once(' ').ok_or_else(|| bad("since must be a mark and a reason"))?;
        let since = since.parse()?;
        let handover = handover.parse().map_err(|_: ParseError| bad("the reason of the epoch is unknown"))?;
        let mark: Mark = field("mark")?.parse()?;
        let bytes = unless_dash(field("bytes")?, from_hex)?.unwrap_or_default();
        let lock = unless_dash(field("lock")?, decode_lock)?;
        if lines.next().is_some() {
            return Err(bad("it has more lines than a record"));
        }
        if lock.as_ref().is_some_and(|lock| lock.height != mark.height) {
            return Err(bad("its lock is of another height than its mark"));
        }
        let record = Self { lineage, epoch, owner, since, handover, mark, bytes, lock };
        // Leading zeroes, capital digits, an empty field: the same record, but not as any version of Beam writes it.
        if record.encode() != value { Err(bad("it is not written as Beam writes it")) } else { Ok(record) }
    }
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn decode_lock(text: &str) -> Result<Lock, ParseError> {
    let bad = |why| ParseError::new("lock", text, why);
    let mut words = text.split(' ');
    let (Some(place), Some(block), Some(session), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(bad("expected height/round block session"));
    };
    // Read as a mark, so that heights and rounds are checked in one place.
    let at: Mark = format!("{place}/{}", Step::Precommit).parse()?;
    let block = from_hex(block)?;
    if block.is_empty() {
        return Err(bad("nobody locks on nil"));
    }
    Ok(Lock { height: at.height, round: at.round, block: BlockId(block), session: session.parse()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_mark() -> impl Strategy<Value = Mark> {
        let step = prop_oneof![Just(Step::Proposal), Just(Step::Prevote), Just(Step::Precommit)];
        (0..=Height::MAX.0, 0..=Round::MAX.0, step).prop_map(|(h, r, s)| Mark::new(h, r, s))
    }

    fn any_record() -> impl Strategy<Value = Record> {
        let lock = proptest::option::of((any::<u128>(), proptest::collection::vec(any::<u8>(), 1..80)));
        let bytes = proptest::collection::vec(any::<u8>(), 0..200);
        let handover = proptest::sample::select(&[
            Handover::Init,
            Handover::Takeover,
            Handover::Switchover,
            Handover::Failover,
        ]);
        let owner = proptest::option::of(any::<u128>());
        (any::<u128>(), any::<u64>(), owner, any_mark(), handover, any_mark(), bytes, lock).prop_map(
            |(lineage, epoch, owner, since, handover, mark, bytes, lock)| Record {
                lineage: Lineage::from_random(lineage),
                epoch: Epoch(epoch),
                owner: owner.map(SignerId::from_random),
                since,
                handover,
                mark,
                bytes,
                lock: lock.map(|(session, block)| Lock {
                    height: mark.height,
                    round: mark.round,
                    block: BlockId(block),
                    session: SessionId::from_random(session),
                }),
            },
        )
    }

    proptest! {
        #[test]
        fn a_record_always_reads_back_as_written(record in any_record()) {
            prop_assert_eq!(Record::decode(&record.encode()).unwrap(), record);
        }

        #[test]
        fn a_cut_record_is_never_read(record in any_record(), cut in 0_usize..600) {
            let written = record.encode();
            prop_assume!(cut < written.len());
            prop_assert!(Record::decode(&written[..cut]).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Record::decode(&bytes);
        }
    }

    #[test]
    fn another_writing_of_the_same_record_is_refused() {
        let mark = Mark::new(12, 3, Step::Prevote);
        let record =
            Record { epoch: Epoch(7), bytes: vec![0xab], ..Record::begin(Lineage::from_random(7), mark) };
        let text = String::from_utf8(record.encode()).unwrap();
        assert_eq!(Record::decode(text.as_bytes()).unwrap(), record);
        for (written, other) in [
            ("epoch 7", "epoch 07"),
            ("bytes ab", "bytes AB"),
            ("bytes ab", "bytes "),
            ("mark 12/", "mark 012/"),
        ] {
            assert!(Record::decode(text.replace(written, other).as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_handover_begins_an_epoch_where_the_record_is_and_changes_nothing_else() {
        let begun = Record::begin(Lineage::from_random(7), Mark::end_of(Height(5)));
        let there = Record { mark: Mark::new(9, 0, Step::Prevote), bytes: vec![1], ..begun };
        let owner = SignerId::from_random(3);
        let handed = there.handed_to(owner, Handover::Failover).unwrap();
        let expected = Record {
            epoch: Epoch(1),
            owner: Some(owner),
            since: there.mark,
            handover: Handover::Failover,
            ..there.clone()
        };
        assert_eq!(handed, expected);
        assert_eq!(Record { epoch: Epoch(u64::MAX), ..there }.handed_to(owner, Handover::Failover), None);
    }

    #[test]
    fn another_version_and_an_added_line_are_refused() {
        let record = Record::begin(Lineage::from_random(7), Mark::end_of(Height(5)));
        let text = String::from_utf8(record.encode()).unwrap();
        assert!(Record::decode(text.replace("beam-record 1", "beam-record 2").as_bytes()).is_err());
        assert!(Record::decode(format!("{text}extra 1\n").as_bytes()).is_err());
    }
}
