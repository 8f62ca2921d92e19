//! Cutting a stream of bytes into messages: a varint length, then as many bytes.
//!
//! Whatever arrives, the reader gets back in step: a message that is too long is skipped as it comes, without being kept;
//! a length that is no length makes it forget what it has, since nobody knows where the next message begins. Both are
//! told, so that they can be answered. A message that is cut short waits for its rest.

use super::limits::{REQUEST_LEN_MAX, SKIPPED_LEN_MAX};

/// Takes in bytes as they come and gives out frames. Holds at most one message and what was pushed last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    buffer: Vec<u8>,
    /// How much of a message that was too long is still to come.
    skip: u64,
}

/// What was in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message, undecoded.
    Message(Vec<u8>),
    /// A message of this length, more than [`REQUEST_LEN_MAX`]. It is skipped.
    TooLong(u64),
    /// No length. What had arrived with it is dropped.
    BadLength,
}

impl Frames {
    /// Takes in bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let skipped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        self.skip = self.skip.saturating_sub(skipped as u64);
        if let Some(rest) = bytes.get(skipped..) {
            self.buffer.extend_from_slice(rest);
        }
    }

    /// The next frame, if all of it is there.
    pub fn take(&mut self) -> Option<Frame> {
        let (len, header) = match read_length(&self.buffer) {
            Length::Cut => return None,
            Length::Is { len, header } if len <= SKIPPED_LEN_MAX => (len, header),
            Length::Is { .. } | Length::Bad => {
                self.buffer.clear();
                return Some(Frame::BadLength);
            }
        };
        if len > REQUEST_LEN_MAX {
            let rest = self.buffer.split_off(header);
            self.buffer.clear();
            self.skip = len;
            self.push(&rest);
            return Some(Frame::TooLong(len));
        }
        let end = usize::try_from(len).ok()?.checked_add(header)?;
        if self.buffer.len() < end {
            return None;
        }
        let rest = self.buffer.split_off(end);
        let message = std::mem::replace(&mut self.buffer, rest).split_off(header);
        Some(Frame::Message(message))
    }
}

enum Length {
    /// More bytes are needed.
    Cut,
    /// A length and how many bytes it took to say it.
    Is { len: u64, header: usize },
    /// It goes on for longer than 64 bits.
    Bad,
}

fn read_length(bytes: &[u8]) -> Length {
    let mut len = 0_u64;
    for (place, (byte, shift)) in bytes.iter().zip((0..64).step_by(7)).enumerate() {
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return Length::Bad;
        }
        len |= bits << shift;
        if byte & 0x80 == 0 {
            return Length::Is { len, header: place + 1 };
        }
    }
    const DIGITS_MAX: usize = 10;
    if bytes.len() < DIGITS_MAX { Length::Cut } else { Length::Bad }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        prost::encode_length_delimiter(body.len(), &mut bytes).unwrap();
        bytes.extend_from_slice(body);
        bytes
    }

    #[test]
    fn a_cut_frame_waits() {
        let whole = frame(&[7; 300]);
        let mut frames = Frames::default();
        for byte in &whole[..whole.len() - 1] {
            frames.push(&[*byte]);
            assert_eq!(frames.take(), None);
        }
        frames.push(&whole[whole.len() - 1..]);
        assert_eq!(frames.take(), Some(Frame::Message(vec![7; 300])));
        assert_eq!(frames, Frames::default());
    }

    #[test]
    fn a_frame_that_is_too_long_is_skipped_without_being_kept() {
        let mut frames = Frames::default();
        let len = REQUEST_LEN_MAX + 1;
        let mut head = Vec::new();
        prost::encode_length_delimiter(usize::try_from(len).unwrap(), &mut head).unwrap();
        frames.push(&head);
        frames.push(&[0; 10]);
        assert_eq!(frames.take(), Some(Frame::TooLong(len)));
        let mut left = len - 10;
        while left > 0 {
            let chunk = left.min(65_536);
            frames.push(&vec![1; usize::try_from(chunk).unwrap()]);
            left -= chunk;
            assert_eq!((frames.take(), frames.buffer.len()), (None, 0));
        }
        frames.push(&frame(b"next"));
        assert_eq!(frames.take(), Some(Frame::Message(b"next".to_vec())));
    }

    #[test]
    fn the_longest_frame_is_taken_and_the_end_of_a_skipped_one_may_come_with_the_next() {
        let longest = vec![3; usize::try_from(REQUEST_LEN_MAX).unwrap()];
        let too_long = vec![4; longest.len() + 1];
        let mut frames = Frames::default();
        frames.push(&[frame(&longest), frame(&too_long), frame(b"next")].concat());
        assert_eq!(frames.take(), Some(Frame::Message(longest)));
        assert_eq!(frames.take(), Some(Frame::TooLong(REQUEST_LEN_MAX + 1)));
        assert_eq!(frames.take(), Some(Frame::Message(b"next".to_vec())));
        assert_eq!(frames.take(), None);
    }

    #[test]
    fn what_is_no_length_is_dropped_with_all_that_came_along() {
        let absurd = frame_head(SKIPPED_LEN_MAX + 1);
        for garbage in [vec![0xff; 11], vec![0xff; 10], absurd] {
            let mut frames = Frames::default();
            frames.push(&garbage);
            assert_eq!(frames.take(), Some(Frame::BadLength));
            assert_eq!(frames.take(), None);
            frames.push(&frame(b"next"));
            assert_eq!(frames.take(), Some(Frame::Message(b"next".to_vec())));
        }
    }

    fn frame_head(len: u64) -> Vec<u8> {
        let mut head = Vec::new();
        prost::encode_length_delimiter(usize::try_from(len).unwrap(), &mut head).unwrap();
        head
    }

    proptest! {
        #[test]
        fn messages_always_come_out_as_they_went_in(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8),
            chunk in 1_usize..50,
        ) {
            let stream: Vec<u8> = bodies.iter().flat_map(|body| frame(body)).collect();
            let mut frames = Frames::default();
            let mut out = Vec::new();
            for part in stream.chunks(chunk) {
                frames.push(part);
                while let Some(Frame::Message(body)) = frames.take() {
                    out.push(body);
                }
            }
            prop_assert_eq!(out, bodies);
        }

        #[test]
        fn arbitrary_bytes_never_panic_and_never_pile_up(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut frames = Frames::default();
            frames.push(&bytes);
            // Each frame takes at least a byte.
            let taken = std::iter::from_fn(|| frames.take()).count();
            prop_assert!(taken <= bytes.len());
        }
    }
}
