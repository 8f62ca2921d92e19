//! The stream from the node, cut into messages, and each message decoded.

use beam_gaia::privval::frame::{Frame, Frames};
use beam_gaia::privval::limits::{REQUEST_LEN_MAX, SKIPPED_LEN_MAX};
use beam_gaia::privval::messages::Message;
use prost::Message as _;

/// The first byte says in pieces of which length the rest comes.
pub fn run(bytes: &[u8]) {
    let Some((piece, stream)) = bytes.split_first() else { return };
    let at_once = cut(std::iter::once(stream));
    let in_pieces = cut(stream.chunks(usize::from(*piece).max(1)));
    let singly = cut(stream.chunks(1));
    // What is dropped with a length that is none depends on what had come; until then nothing does.
    for other in [&in_pieces, &singly] {
        assert_eq!(until_bad(&at_once), until_bad(other));
    }
    let mut passed = 0;
    for frame in until_bad(&at_once) {
        match frame {
            Frame::Message(message) => {
                assert!(message.len() as u64 <= REQUEST_LEN_MAX);
                passed += message.len() as u64;
                decode(message);
            }
            Frame::TooLong(len) => assert!((REQUEST_LEN_MAX + 1..=SKIPPED_LEN_MAX).contains(len)),
            Frame::BadLength => {}
        }
    }
    assert!(passed <= stream.len() as u64);
}

fn cut<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Frame> {
    let (mut frames, mut out) = (Frames::default(), Vec::new());
    for piece in pieces {
        frames.push(piece);
        while let Some(frame) = frames.take() {
            out.push(frame);
        }
    }
    assert_eq!(frames.take(), None);
    out
}

fn until_bad(frames: &[Frame]) -> &[Frame] {
    let bad = frames.iter().position(|frame| *frame == Frame::BadLength);
    bad.map_or(frames, |bad| &frames[..=bad])
}

/// What is decoded is what would be decoded from its own encoding, behind its length.
fn decode(bytes: &[u8]) {
    let Ok(message) = Message::decode(bytes) else { return };
    let frame = message.to_frame();
    let out = cut(std::iter::once(&frame[..]));
    let [Frame::Message(body)] = &out[..] else { panic!("{out:?}") };
    assert_eq!(Message::decode(&body[..]), Ok(message));
}
