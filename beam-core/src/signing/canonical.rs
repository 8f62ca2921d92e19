//! Reading CometBFT's canonical sign bytes.
//!
//! What a validator signs is a length-delimited protobuf message, `CanonicalVote` or `CanonicalProposal`
//! (`proto/tendermint/types/canonical.proto`, unchanged from CometBFT 0.34 to 0.40). Beam reads the position, the
//! block and the chain **out of the very bytes it will sign**, so that no disagreement between what was checked and
//! what was signed is possible. The reader is strict: a field that is unknown, doubled, out of order, of another wire
//! type or written out although it is zero makes the whole message unreadable, and what cannot be read is not signed.

use crate::signing::{Height, Mark, Round, Step};

/// The parts of canonical sign bytes that decide.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canonical<'a> {
    /// The position.
    pub mark: Mark,
    /// The block's canonical id, as encoded; `None` for a nil vote.
    pub block: Option<&'a [u8]>,
    /// A proposal's proof-of-lock round, -1 if it has none; 0 for votes.
    pub pol_round: i64,
    /// When the node says it made this.
    pub timestamp: Timestamp,
    /// The chain it is for.
    pub chain_id: &'a str,
}

/// A protobuf timestamp: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00Z; negative before.
    pub seconds: i64,
    /// Nanoseconds after those, 0 to 999,999,999.
    pub nanos: i32,
}

/// Why bytes are not canonical sign bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not canonical sign bytes: {0}")]
pub struct Unreadable(&'static str);

impl<'a> Canonical<'a> {
    /// Reads length-delimited canonical sign bytes of a vote or a proposal.
    ///
    /// # Errors
    /// [`Unreadable`] if anything about them is not as `CometBFT` writes it.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut outer = Reader(bytes);
        let mut body = Reader(outer.delimited()?);
        outer.end()?;

        let mut kind = 0;
        let mut height = 0;
        let mut round = 0;
        let mut last = 0;
        let (mut pol_round, mut block, mut timestamp, mut chain_id) = (0, None, None, None);
        while let Some((field, wire)) = body.field()? {
            if field <= last {
                return Err(Unreadable("fields are doubled or out of order"));
            }
            last = field;
            // The first three fields tell what the message is; after them votes and proposals differ.
            let proposal = kind == KIND_PROPOSAL;
            match (field, wire, proposal) {
                (1, Wire::Varint, _) => kind = body.varint()?,
                (2, Wire::Fixed64, _) => height = body.fixed64()?,
                (3, Wire::Fixed64, _) => round = written_out(body.fixed64()?)?,
                (4, Wire::Varint, true) => pol_round = written_out(body.varint()?)?.cast_signed(),
                (5, Wire::Delimited, true) | (4, Wire::Delimited, false) => {
                    block = Some(written_out(body.delimited()?)?)
                }
                (6, Wire::Delimited, true) | (5, Wire::Delimited, false) => {
                    timestamp = Some(Timestamp::read(body.delimited()?)?);
                }
                (7, Wire::Delimited, true) | (6, Wire::Delimited, false) => {
                    let text = std::str::from_utf8(written_out(body.delimited()?)?);
                    chain_id = Some(text.map_err(|_| Unreadable("the chain id is not UTF-8"))?);
                }
                _ => return Err(Unreadable("an unknown field")),
            }
        }
        let step = match kind {
            KIND_PREVOTE => Step::Prevote,
            KIND_PRECOMMIT => Step::Precommit,
            KIND_PROPOSAL => Step::Proposal,
            _ => return Err(Unreadable("neither a prevote, a precommit nor a proposal")),
        };
        let height = u64::try_from(height).map_err(|_| Unreadable("a negative height"))?;
        if height == 0 {
            return Err(Unreadable("no height"));
        }
        let round = u64::try_from(round)
            .ok()
            .and_then(|round| u32::try_from(round).ok())
            .filter(|round| *round <= Round::MAX.0)
            .ok_or(Unreadable("a round out of range"))?;
        Ok(Self {
            mark: Mark { height: Height(height), round: Round(round), step },
            block,
            pol_round,
            timestamp: timestamp.ok_or(Unreadable("no timestamp"))?,
            chain_id: chain_id.ok_or(Unreadable("no chain id"))?,
        })
    }

    /// Whether this is the same vote as `other`, made at another time. A proposal is never the same with another
    /// time: `CometBFT` keeps its own timestamp when it takes over a proposal's signature, so only identical bytes help.
    #[must_use]
    pub fn same_vote(&self, other: &Self) -> bool {
        self.mark.step != Step::Proposal && Self { timestamp: other.timestamp, ..self.clone() } == *other
    }
}

const KIND_PREVOTE: u64 = 1;
const KIND_PRECOMMIT: u64 = 2;
const KIND_PROPOSAL: u64 = 32;

impl Timestamp {
    fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut body = Reader(bytes);
        let mut timestamp = Self::default();
        let mut last = 0;
        while let Some((field, wire)) = body.field()? {
            if field <= last {
                return Err(Unreadable("fields of the timestamp are doubled or out of order"));
            }
            last = field;
            match (field, wire) {
                (1, Wire::Varint) => timestamp.seconds = written_out(body.varint()?)?.cast_signed(),
                (2, Wire::Varint) => {
                    timestamp.nanos = i32::try_from(written_out(body.varint()?)?)
                        .ok()
                        .filter(|nanos| *nanos < 1_000_000_000)
                        .ok_or(Unreadable("nanoseconds out of range"))?;
                }
                _ => return Err(Unreadable("an unknown field in the timestamp")),
            }
        }
        Ok(timestamp)
    }
}

/// A value that stands in the message: zero and empty ones are left out, but for messages within it.
fn written_out<T: Default + PartialEq>(value: T) -> Result<T, Unreadable> {
    if value == T::default() { Err(Unreadable("a zero that is written out")) } else { Ok(value) }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wire {
    Varint,
    Fixed64,
    Delimited,
}

/// The rest of a protobuf message.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next field's number and wire type, or `None` at the end.
    fn field(&mut self) -> Result<Option<(u64, Wire)>, Unreadable> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Varint,
            1 => Wire::Fixed64,
            2 => Wire::Delimited,
            _ => return Err(Unreadable("an unknown wire type")),
        };
        Ok(Some((tag >> 3, wire)))
    }

    /// A base-128 varint in its shortest form, as `CometBFT` writes it.
    fn varint(&mut self) -> Result<u64, Unreadable> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(Unreadable("cut short"))?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(Unreadable("a number that is too large"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if *byte == 0 && shift > 0 {
                    return Err(Unreadable("a number that is not in its shortest form"));
                }
                return Ok(value);
            }
        }
        Err(Unreadable("a number that is too long"))
    }

    fn fixed64(&mut self) -> Result<i64, Unreadable> {
        let (bytes, rest) = self.0.split_first_chunk::<8>().ok_or(Unreadable("cut short"))?;
        self.0 = rest;
        Ok(i64::from_le_bytes(*bytes))
    }

    fn delimited(&mut self) -> Result<&'a [u8], Unreadable> {
        let len = usize::try_from(self.varint()?).map_err(|_| Unreadable("a length that is too large"))?;
        let (bytes, rest) = self.0.split_at_checked(len).ok_or(Unreadable("cut short"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn end(&self) -> Result<(), Unreadable> {
        if self.0.is_empty() { Ok(()) } else { Err(Unreadable("more bytes than the length says")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::from_hex;

    // Made with CometBFT's own Go library: chain cosmoshub-4, height 12345, time 1700000000.123456789, block hash
    // 32 x aa, part set 3 x bb.
    const PREVOTE_NIL: &str = "2508011139300000000000002a0b0880e2cfaa0610959aef3a320b636f736d6f736875622d34";

    fn block_id() -> String {
        format!("0a20{}122408031220{}", "aa".repeat(32), "bb".repeat(32))
    }

    fn precommit() -> Vec<u8> {
        let text = format!(
            "7808021139300000000000001902000000000000002248{}2a0b0880e2cfaa0610959aef3a320b636f736d6f736875622d34",
            block_id()
        );
        from_hex(&text).unwrap()
    }

    fn proposal() -> Vec<u8> {
        let text = format!(
            "8301082011393000000000000019010000000000000020ffffffffffffffffff012a48{}320b0880e2cfaa0610959aef3a3a0b\
             636f736d6f736875622d34",
            block_id()
        );
        from_hex(&text).unwrap()
    }

    #[test]
    fn the_golden_bytes_are_read() {
        let time = Timestamp { seconds: 1_700_000_000, nanos: 123_456_789 };
        let block = from_hex(&block_id()).unwrap();
        let bytes = from_hex(PREVOTE_NIL).unwrap();
        let read = Canonical::read(&bytes).unwrap();
        assert_eq!(
            read,
            Canonical {
                mark: Mark::new(12345, 0, Step::Prevote),
                block: None,
                pol_round: 0,
                timestamp: time,
                chain_id: "cosmoshub-4"
            }
        );
        let bytes = precommit();
        let read = Canonical::read(&bytes).unwrap();
        assert_eq!((read.mark, read.block), (Mark::new(12345, 2, Step::Precommit), Some(&block[..])));
        let bytes = proposal();
        let read = Canonical::read(&bytes).unwrap();
        assert_eq!(
            (read.mark, read.block, read.pol_round),
            (Mark::new(12345, 1, Step::Proposal), Some(&block[..]), -1)
        );
    }

    #[test]
    fn only_a_votes_timestamp_may_differ() {
        let bytes = precommit();
        let vote = Canonical::read(&bytes).unwrap();
        let later = Canonical { timestamp: Timestamp { seconds: 1, nanos: 0 }, ..vote.clone() };
        assert!(vote.same_vote(&later));
        assert!(!vote.same_vote(&Canonical { block: None, ..vote.clone() }));
        assert!(!vote.same_vote(&Canonical { chain_id: "other", ..vote.clone() }));
        let bytes = proposal();
        let proposal = Canonical::read(&bytes).unwrap();
        assert!(!proposal.same_vote(&Canonical { timestamp: Timestamp::default(), ..proposal.clone() }));
    }

    #[test]
    fn every_cut_and_every_appended_byte_is_refused() {
        for bytes in [precommit(), proposal(), from_hex(PREVOTE_NIL).unwrap()] {
            for len in 0..bytes.len() {
                assert!(Canonical::read(&bytes[..len]).is_err(), "cut at {len}");
            }
            assert!(Canonical::read(&[&bytes[..], &[0]].concat()).is_err());
        }
    }

    #[test]
    fn a_negative_height_an_unknown_kind_and_a_doubled_field_are_refused() {
        let (height, negative, rest) = ("110100000000000000", "11ffffffffffffffff", "2a00 320163");
        for body in [
            format!("0801 {negative} {rest}"),
            format!("0803 {height} {rest}"),
            format!("0801 {height} 0801 {rest}"),
            format!("0801 {rest}"),
        ] {
            assert!(Canonical::read(&framed(&body)).is_err(), "{body}");
        }
        assert!(Canonical::read(&framed(&format!("0801 {height} {rest}"))).is_ok());
    }

    #[test]
    fn a_zero_that_is_written_out_is_refused() {
        let height = "110100000000000000";
        for rest in [
            "190000000000000000 2a00 320163",
            "2200 2a00 320163",
            "2a020800 320163",
            "2a021000 320163",
            "2a00 3200",
        ] {
            assert!(Canonical::read(&framed(&format!("0801 {height} {rest}"))).is_err(), "{rest}");
        }
        for (pol_round, good) in [("2001", true), ("2000", false)] {
            let body = format!("0820 {height} {pol_round} 3200 3a0163");
            assert_eq!(Canonical::read(&framed(&body)).is_ok(), good, "{body}");
        }
    }

    /// These hexadecimal digits, behind their length.
    fn framed(body: &str) -> Vec<u8> {
        let body = from_hex(&body.replace(' ', "")).unwrap();
        [&[u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    /// A prevote at height 1 with this in its time, which is length-delimited.
    fn at_time(time: &str) -> Vec<u8> {
        let body = format!("0801110100000000000000{time}320161");
        from_hex(&format!("{:02x}{body}", body.len() / 2)).unwrap()
    }

    #[test]
    fn nanoseconds_are_less_than_a_second() {
        assert_eq!(Canonical::read(&at_time("2a0610ff93ebdc03")).unwrap().timestamp.nanos, 999_999_999);
        assert!(Canonical::read(&at_time("2a06108094ebdc03")).is_err());
    }

    #[test]
    fn a_number_has_one_encoding() {
        let good = at_time("2a020801");
        assert_eq!(Canonical::read(&good).unwrap().timestamp.seconds, 1);
        assert!(Canonical::read(&at_time("2a03088100")).is_err(), "longer than it need be");
        // Ten bytes hold one bit more than there is room for.
        assert_eq!(Canonical::read(&at_time("2a0b08ffffffffffffffffff01")).unwrap().timestamp.seconds, -1);
        assert!(Canonical::read(&at_time("2a0b08ffffffffffffffffff02")).is_err());
        assert!(Canonical::read(&at_time("2a0c08ffffffffffffffffff8101")).is_err());
    }
}
