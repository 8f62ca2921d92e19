//! The roster: which machines of a validator are there.
//!
//! A second cell beside the record, in which every pilot notes itself about once a height. People read it, and a planned
//! switch looks there for its target. No signature ever depends on it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ParseError, SignerId};
use crate::signing::Height;

/// One machine, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its signer's present id.
    pub signer: SignerId,
    /// The height that its node last asked about or committed.
    pub height: Height,
    /// When it wrote this, by its own clock, in milliseconds since 1970. For people; compared with nothing.
    pub seen_ms: u64,
}

/// All machines of one validator by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Roster {
    /// The machines. At most [`Roster::MEMBERS_MAX`].
    pub members: BTreeMap<String, Member>,
}

const HEADER: &str = "beam-roster 1";

impl Roster {
    /// The form in which it is written. Machines that share a register must know the same.
    pub const FORMAT: &str = HEADER;
    /// The most machines that one validator may have.
    pub const MEMBERS_MAX: usize = 16;
    /// The longest name of a machine, in bytes.
    pub const NAME_LEN_MAX: usize = 64;

    /// Whether `name` can stand in a roster: short, and letters, digits, `-`, `_` and `.` only.
    #[must_use]
    pub fn is_name(name: &str) -> bool {
        (1..=Self::NAME_LEN_MAX).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    }

    /// The name of the machine whose signer this is.
    #[must_use]
    pub fn name_of(&self, signer: SignerId) -> Option<&str> {
        self.members.iter().find(|(_, member)| member.signer == signer).map(|(name, _)| name.as_str())
    }

    /// The roster as it is written to the register: a line a machine.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let lines = self
            .members
            .iter()
            .map(|(name, member)| format!("{name} {} {} {}\n", member.signer, member.height, member.seen_ms));
        std::iter::once(format!("{HEADER}\n")).chain(lines).collect::<String>().into_bytes()
    }

    /// Reads what [`Roster::encode`] wrote.
    ///
    /// # Errors
    /// [`ParseError`] if it is anything else.
    pub fn decode(value: &[u8]) -> Result<Self, ParseError> {
        let text =
            std::str::from_utf8(value).map_err(|_| ParseError::new("roster", "(bytes)", "it is not text"))?;
        let bad = |why| ParseError::new("roster", text, why);
        let mut lines = text.strip_suffix('\n').ok_or_else(|| bad("it is cut short"))?.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(bad("its first line is not \"beam-roster 1\""));
        }
        let mut members = BTreeMap::new();
        for line in lines {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, signer, height, seen_ms] = words[..] else {
                return Err(bad("a line is not name, signer, height and time"));
            };
            let number = |text: &str| text.parse().map_err(|_| bad("a number is none"));
            let member = Member {
                signer: signer.parse()?,
                height: Height(number(height)?),
                seen_ms: number(seen_ms)?,
            };
            if !Self::is_name(name) || members.insert(name.to_owned(), member).is_some() {
                return Err(bad("a name is malformed or doubled"));
            }
        }
        if members.len() > Self::MEMBERS_MAX {
            return Err(bad("it has too many machines"));
        }
        Ok(Self { members })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_reads_back_as_written_and_is_refused_when_cut() {
        let member =
            |id| Member { signer: SignerId::from_random(id), height: Height(12), seen_ms: 1_700_000_000_000 };
        let members = [("a".to_owned(), member(1)), ("b.eu-west".to_owned(), member(2))].into();
        let roster = Roster { members };
        let written = roster.encode();
        assert_eq!(Roster::decode(&written).unwrap(), roster);
        assert_eq!(roster.name_of(SignerId::from_random(2)), Some("b.eu-west"));
        assert!(
            (0..written.len())
                .all(|cut| Roster::decode(&written[..cut]).is_err() || written[cut - 1] == b'\n')
        );
    }
}
