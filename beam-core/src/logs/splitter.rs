//! Bytes in, lines out, in constant memory.

/// Splits a stream into lines. A line that is longer than the bound comes in several parts.
///
/// Every byte comes out once and in order, without its newline.
#[derive(Clone, Debug)]
pub struct Splitter {
    /// The beginning of a line whose end has not come.
    held: Vec<u8>,
    /// Whether the line that is held, or next, is the rest of one that was given out in part.
    rest: bool,
    len_max: usize,
}

/// A line, or part of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The text, without the newline.
    pub text: &'a [u8],
    /// Whether it goes on where the part before it stopped.
    pub rest: bool,
    /// Whether the line ends here.
    pub ends: bool,
}

impl Splitter {
    /// Lines of up to this many bytes are given out whole.
    #[must_use]
    pub fn new(len_max: usize) -> Self {
        Self { held: Vec::new(), rest: false, len_max: len_max.max(1) }
    }

    /// Takes in some bytes and gives out the lines that are complete.
    pub fn push(&mut self, mut bytes: &[u8], mut line: impl FnMut(Part<'_>)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (text, rest) = bytes.split_at_checked(end).unwrap_or((bytes, b""));
            bytes = rest.get(1..).unwrap_or_default();
            if self.held.is_empty() && text.len() <= self.len_max {
                line(Part { text, rest: self.rest, ends: true });
            } else {
                self.hold(text, &mut line);
                line(Part { text: &self.held, rest: self.rest, ends: true });
                self.held.clear();
            }
            self.rest = false;
        }
        self.hold(bytes, &mut line);
    }

    fn hold(&mut self, mut bytes: &[u8], line: &mut impl FnMut(Part<'_>)) {
        while self.held.len().saturating_add(bytes.len()) > self.len_max {
            let (fits, more) = bytes.split_at_checked(self.len_max - self.held.len()).unwrap_or((bytes, b""));
            self.held.extend_from_slice(fits);
            bytes = more;
            line(Part { text: &self.held, rest: self.rest, ends: false });
            self.held.clear();
            self.rest = true;
        }
        self.held.extend_from_slice(bytes);
    }

    /// How many bytes of an unfinished line are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    /// Gives out what is held although its end has not come, if there is anything.
    pub fn flush(&mut self, mut line: impl FnMut(Part<'_>)) {
        if !self.held.is_empty() {
            line(Part { text: &self.held, rest: self.rest, ends: false });
            self.held.clear();
            self.rest = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_that_comes_in_pieces_is_one_line() {
        let mut splitter = Splitter::new(100);
        let mut lines = Vec::new();
        for piece in ["a", "b\nc", "\n\nd"] {
            splitter.push(piece.as_bytes(), |part| lines.push((part.text.to_vec(), part.rest, part.ends)));
        }
        assert_eq!(
            lines,
            [(b"ab".to_vec(), false, true), (b"c".to_vec(), false, true), (vec![], false, true)]
        );
        assert_eq!(splitter.held(), 1);
        splitter.flush(|part| assert_eq!(part, Part { text: b"d", rest: false, ends: false }));
        splitter.push(b"e\n", |part| assert_eq!(part, Part { text: b"e", rest: true, ends: true }));
    }

    proptest! {
        #[test]
        fn no_byte_is_lost_doubled_or_held_beyond_the_bound(
            pieces in proptest::collection::vec(proptest::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..60), 0..20),
            len_max in 1_usize..40,
        ) {
            let mut splitter = Splitter::new(len_max);
            let mut out = Vec::new();
            let mut collect = |part: Part<'_>| {
                assert!(part.text.len() <= len_max);
                out.extend_from_slice(part.text);
                if part.ends {
                    out.push(b'\n');
                }
            };
            for piece in &pieces {
                splitter.push(piece, &mut collect);
            }
            splitter.flush(&mut collect);
            prop_assert_eq!(out, pieces.concat());
        }
    }
}
