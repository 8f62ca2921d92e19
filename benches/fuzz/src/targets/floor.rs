//! The floor's file: two copies, each with a checksum, which is made right here so that what lies behind it is reached.

use std::cell::OnceCell;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt as _;

use beam_core::id::to_hex;
use beam_gaia::floor_file::FloorFile;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

const COPY_LEN: usize = 4096;
const CHECKSUM_LINE_LEN: usize = 72;

thread_local! {
    static FILE: OnceCell<NamedTempFile> = const { OnceCell::new() };
}

/// The first byte says which copies get a right checksum, and whether the file is cut; what follows up to a zero is the first
/// copy's text, and the rest the second's.
pub fn run(bytes: &[u8]) {
    let Some((how, texts)) = bytes.split_first() else { return };
    let middle = texts.iter().position(|byte| *byte == 0).unwrap_or(texts.len());
    let (first, second) = texts.split_at(middle);
    let whole = [how & 1 == 0, how & 2 == 0];
    let copies = [copy(first, whole[0]), copy(second.get(1..).unwrap_or_default(), whole[1])];
    let mut file = copies.concat();
    if how & 4 != 0 {
        file.truncate(2 * COPY_LEN - usize::from(how >> 3));
    }
    let read = peek(&file);
    if file.len() < 2 * COPY_LEN {
        return;
    }
    // What each says by itself, with the other one damaged.
    let damaged = vec![b'x'; COPY_LEN];
    let first = peek(&[&copies[0][..], &damaged].concat());
    let second = peek(&[&damaged[..], &copies[1]].concat());
    // Whole and not understood: it may be the higher one.
    let strange = (whole[0] && first.is_err()) || (whole[1] && second.is_err());
    match (read, first, second) {
        (read, ..) if strange => assert!(read.is_err(), "a copy that nobody understands was passed over"),
        (Err(_), Err(_), Err(_)) => {}
        (Ok(read), Ok(one), Err(_)) | (Ok(read), Err(_), Ok(one)) => assert_eq!(read, one),
        (Ok(read), Ok(first), Ok(second)) => {
            let later = if sequence(&copies[1]) > sequence(&copies[0]) { second } else { first };
            assert_eq!(read, later, "the earlier of two copies was read");
        }
        (read, first, second) => panic!("{read:?} of {first:?} and {second:?}"),
    }
    assert!(whole[0] || whole[1] || peek(&file).is_err(), "a damaged copy was read");
}

/// The number that a copy was written with.
fn sequence(copy: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(copy).ok()?.lines().nth(2)?;
    line.strip_prefix("sequence ")?.parse().ok()
}

fn peek(bytes: &[u8]) -> Result<Option<beam_core::signing::Floor>, beam_core::floor_store::FloorError> {
    FILE.with(|file| {
        let path = file.get_or_init(|| NamedTempFile::new().expect("a temporary file")).path();
        let file = OpenOptions::new().write(true).open(path).expect("the file");
        file.set_len(bytes.len() as u64).expect("its length");
        file.write_all_at(bytes, 0).expect("its bytes");
        FloorFile::peek(path)
    })
}

/// A copy with this text, padded as Beam pads it.
fn copy(text: &[u8], whole: bool) -> Vec<u8> {
    let mut body = text.to_vec();
    body.resize(COPY_LEN - CHECKSUM_LINE_LEN - 1, b' ');
    body.push(b'\n');
    let checksum = if whole { to_hex(&Sha256::digest(&body)) } else { "0".repeat(64) };
    [format!("sha256 {checksum}\n").as_bytes(), &body].concat()
}
