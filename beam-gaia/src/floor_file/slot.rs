//! One copy of a floor, as it lies in the file: text, padded to a fixed length.
//!
//! ```text
//! sha256 6bd0...          over everything after this line, the padding too
//! beam-floor 1
//! sequence 12
//! lineage 5f0c3a7e9b2d4c68a1f0e3d2c4b5a697
//! mark 12345/0/precommit
//! bytes 7808021139...
//! ```
//!
//! All three are `-` in a copy that was never used. A copy that was written in part does not match its checksum,
//! wherever it was cut.

use beam_core::id::{from_hex, to_hex};
use beam_core::signing::Floor;
use sha2::{Digest, Sha256};

/// How long a copy is: one page, and a multiple of every disk's sector.
pub(super) const LEN: usize = 4096;
/// The longest sign bytes that fit. A vote has some 200.
pub(super) const BYTES_LEN_MAX: usize = 1900;

const HEADER: &str = "beam-floor 1";
const CHECKSUM: &str = "sha256 ";
const CHECKSUM_LINE_LEN: usize = CHECKSUM.len() + 64 + 1;

/// What a copy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    /// Grows with every write, so that the later of two copies is known.
    pub(super) sequence: u64,
    /// The floor, once there is one.
    pub(super) floor: Option<Floor>,
}

/// Why a copy says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotRead {
    /// It was not written whole, or has changed since.
    Torn,
    /// It is whole, and this version does not understand it: it may hold a higher floor than any that can be read.
    Strange,
}

impl Slot {
    /// The copy as it is written, [`LEN`] bytes; `None` if the floor's bytes are too long.
    pub(super) fn encode(&self) -> Option<Vec<u8>> {
        let (lineage, mark, bytes) = match &self.floor {
            None => ("-".to_owned(), "-".to_owned(), String::new()),
            Some(floor) if floor.bytes.len() > BYTES_LEN_MAX => return None,
            Some(floor) => (floor.lineage.to_string(), floor.mark.to_string(), to_hex(&floor.bytes)),
        };
        let bytes = if bytes.is_empty() { "-" } else { &bytes };
        let text =
            format!("{HEADER}\nsequence {}\nlineage {lineage}\nmark {mark}\nbytes {bytes}\n", self.sequence);
        Self::sealed(&text)
    }

    /// A copy that says this, if it fits.
    pub(super) fn sealed(text: &str) -> Option<Vec<u8>> {
        // A line of spaces to the end, so that the file can be printed.
        let width = LEN.checked_sub(CHECKSUM_LINE_LEN + 1)?;
        let body = format!("{text:width$}\n");
        let slot = format!("{CHECKSUM}{}\n{body}", checksum(body.as_bytes())).into_bytes();
        (slot.len() == LEN).then_some(slot)
    }

    /// Reads a copy.
    ///
    /// # Errors
    /// [`NotRead`].
    pub(super) fn decode(slot: &[u8]) -> Result<Self, NotRead> {
        let (line, body) = slot.split_at_checked(CHECKSUM_LINE_LEN).ok_or(NotRead::Torn)?;
        let whole = slot.len() == LEN && line == format!("{CHECKSUM}{}\n", checksum(body)).as_bytes();
        if !whole {
            return Err(NotRead::Torn);
        }
        Self::understand(body).ok_or(NotRead::Strange)
    }

    fn understand(body: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(body).ok()?.split('\n');
        if lines.next() != Some(HEADER) {
            return None;
        }
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let sequence = field("sequence")?.parse().ok()?;
        let (lineage, mark, bytes) = (field("lineage")?, field("mark")?, field("bytes")?);
        let floor = if lineage == "-" {
            None
        } else {
            let bytes = if bytes == "-" { Vec::new() } else { from_hex(bytes).ok()? };
            Some(Floor { lineage: lineage.parse().ok()?, mark: mark.parse().ok()?, bytes })
        };
        Some(Self { sequence, floor })
    }
}

fn checksum(body: &[u8]) -> String {
    to_hex(&Sha256::digest(body))
}

#[cfg(test)]
mod tests {
    use beam_core::id::Lineage;
    use beam_core::signing::{Height, Mark, Round, Step};
    use proptest::prelude::*;

    use super::*;

    fn slot_with(len: usize) -> Slot {
        let (lineage, mark) = (Lineage::from_random(u128::MAX), Mark::end_of(Height::MAX));
        Slot { sequence: u64::MAX, floor: Some(Floor { lineage, mark, bytes: vec![0xff; len] }) }
    }

    #[test]
    fn the_longest_floor_fits_and_a_longer_one_is_refused() {
        let longest = slot_with(BYTES_LEN_MAX);
        assert_eq!(Slot::decode(&longest.encode().unwrap()), Ok(longest));
        assert_eq!(slot_with(BYTES_LEN_MAX + 1).encode(), None);
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let good = slot_with(180).encode().unwrap();
        for place in 0..LEN {
            let mut bad = good.clone();
            bad[place] ^= 1;
            assert_eq!(Slot::decode(&bad), Err(NotRead::Torn), "{place}");
        }
        for torn in [&good[1..], &[0; LEN], &good[..9]] {
            assert_eq!(Slot::decode(torn), Err(NotRead::Torn));
        }
    }

    proptest! {
        #[test]
        fn a_slot_always_reads_back_as_written(
            sequence: u64, lineage: u128, height in 0..=Height::MAX.0, round in 0..=Round::MAX.0,
            bytes in proptest::collection::vec(any::<u8>(), 0..BYTES_LEN_MAX), none: bool,
        ) {
            let mark = Mark::new(height, round, Step::Prevote);
            let floor = (!none).then_some(Floor { lineage: Lineage::from_random(lineage), mark, bytes });
            let slot = Slot { sequence, floor };
            prop_assert_eq!(Slot::decode(&slot.encode().unwrap()), Ok(slot));
        }
    }
}
