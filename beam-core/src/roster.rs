//! The roster: which machines of a validator are there.
//!
//! A second cell beside the record, in which every pilot notes itself about once a height. People read it, and a planned
//! switch looks there for its target. No signature ever depends on it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::id::{ParseError, SignerId};
use crate::shared::{Document, as_written, lines, or_dash, unless_dash};
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
    /// Where its pilot answers HTTP, if it does: for the details that only it knows.
    pub agent: Option<SocketAddr>,
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

    /// Notes a machine. If there are too many, the one that was seen longest ago makes room.
    pub fn note(&mut self, name: &str, member: Member) {
        self.members.insert(name.to_owned(), member);
        while self.members.len() > Self::MEMBERS_MAX {
            let others = self.members.iter().filter(|(other, _)| *other != name);
            let Some(oldest) = others.min_by_key(|(_, member)| member.seen_ms).map(|(name, _)| name.clone())
            else {
                return;
            };
            self.members.remove(&oldest);
        }
    }
}

impl Document for Roster {
    const WHAT: &'static str = "roster";

    /// A line a machine.
    fn encode(&self) -> Vec<u8> {
        let lines = self.members.iter().map(|(name, member)| {
            let Member { signer, height, seen_ms, agent } = member;
            format!("{name} {signer} {height} {seen_ms} {}\n", or_dash(agent.as_ref()))
        });
        std::iter::once(format!("{HEADER}\n")).chain(lines).collect::<String>().into_bytes()
    }

    fn decode(value: &[u8]) -> Result<Self, ParseError> {
        let mut members = BTreeMap::new();
        for line in lines(Self::WHAT, HEADER, value)? {
            let bad = |why| ParseError::new(Self::WHAT, line, why);
            let words: Vec<&str> = line.split(' ').collect();
            let [name, signer, height, seen_ms, agent] = words[..] else {
                return Err(bad("a line is not name, signer, height, time and agent"));
            };
            let number = |text: &str| text.parse().map_err(|_| bad("a number is none"));
            let address = |text: &str| text.parse().map_err(|_| bad("an address is none"));
            let member = Member {
                signer: signer.parse()?,
                height: Height(number(height)?),
                seen_ms: number(seen_ms)?,
                agent: unless_dash(agent, address)?,
            };
            if !Self::is_name(name) || members.insert(name.to_owned(), member).is_some() {
                return Err(bad("a name is malformed or doubled"));
            }
        }
        if members.len() > Self::MEMBERS_MAX {
            return Err(ParseError::new(Self::WHAT, "(members)", "it has too many machines"));
        }
        as_written(Self { members }, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u128) -> Member {
        let agent = (id > 1).then(|| SocketAddr::from(([10, 0, 0, 7], 9393)));
        let seen_ms = 1_700_000_000_000 + u64::try_from(id).unwrap();
        Member { signer: SignerId::from_random(id), height: Height(12), seen_ms, agent }
    }

    #[test]
    fn in_a_full_roster_the_one_seen_longest_ago_makes_room() {
        let mut roster = Roster::default();
        for id in 1..=20 {
            roster.note(&format!("m{id}"), member(id));
        }
        assert_eq!(roster.members.len(), Roster::MEMBERS_MAX);
        assert!(!roster.members.contains_key("m4") && roster.members.contains_key("m5"));
        // The one that notes itself stays, whatever its clock says.
        roster.note("late", Member { seen_ms: 0, ..member(1) });
        assert!(roster.members.contains_key("late"));
    }

    #[test]
    fn a_roster_reads_back_as_written_and_is_refused_when_cut() {
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
