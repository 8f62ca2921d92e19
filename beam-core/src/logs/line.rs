//! One line of the captured log: when it came, how far that can be believed, and what was said, byte for byte.
//!
//! ```text
//! 2026-11-24T11:11:08.123Z | said at that moment, give or take the pilot's poll
//! 2026-11-24T11:11:08.123Z ~ found when the pilot came: said some time before, nobody knows when
//! 2026-11-24T11:11:08.123Z + the rest of the line above, which was too long or came in parts
//! 2026-11-24T11:11:08.123Z # the pilot's own note
//! ```

use super::Stamp;

/// How a captured line is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Said by the node at that moment.
    Said,
    /// Said by the node before that moment: it was already there when the pilot came.
    Found,
    /// The rest of the line before it.
    Rest,
    /// The pilot's own words.
    Note,
}

impl Mark {
    const ALL: [(Self, u8); 4] =
        [(Self::Said, b'|'), (Self::Found, b'~'), (Self::Rest, b'+'), (Self::Note, b'#')];

    /// The byte that stands for it.
    #[must_use]
    pub fn byte(self) -> u8 {
        Self::ALL.iter().find(|(mark, _)| *mark == self).map_or(b'|', |(_, byte)| *byte)
    }

    fn of(byte: u8) -> Option<Self> {
        Self::ALL.iter().find(|(_, of)| *of == byte).map(|(mark, _)| *mark)
    }
}

/// A line of the captured log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Captured<'a> {
    /// When it was read from the node.
    pub at: Stamp,
    /// How to take it.
    pub mark: Mark,
    /// What was said, as it was said.
    pub text: &'a [u8],
}

impl<'a> Captured<'a> {
    /// Reads one line; `None` if it was not written by the capture.
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        // Nearly all other lines are told apart by their first byte.
        if !line.first()?.is_ascii_digit() {
            return None;
        }
        let (at, rest) = Stamp::read(line)?;
        let (&[b' ', mark, b' '], text) = rest.split_first_chunk::<3>()? else { return None };
        Some(Self { at, mark: Mark::of(mark)?, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_read_back() {
        for (mark, byte) in Mark::ALL {
            assert_eq!(mark.byte(), byte);
            let line = format!("{} {} a | b", Stamp::at_ms(7), char::from(byte));
            let read = Captured::read(line.as_bytes()).unwrap();
            assert_eq!(read, Captured { at: Stamp::at_ms(7), mark, text: b"a | b" });
        }
    }

    #[test]
    fn a_nodes_own_line_is_not_taken_for_a_captured_one() {
        for line in [
            "",
            "7:31AM INF x",
            "{\"level\":\"info\"}",
            "2026-11-22T07:33:20Z text",
            "2026-11-22T07:33:20Z ? x",
        ] {
            assert_eq!(Captured::read(line.as_bytes()), None, "{line}");
        }
    }
}
