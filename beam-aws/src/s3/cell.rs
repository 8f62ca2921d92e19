//! A cell as an object: what is written, and what of that is believed when it is read.
//!
//! ```text
//! beam cell 1
//! key test-1/0123456789ABCDEF0123456789ABCDEF01234567/signing
//! version 7
//! write 00112233445566778899aabbccddeeff-12
//! value 113 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
//!
//! (the value's 113 bytes; above, the SHA-256 of all the rest)
//! ```
//!
//! `write` names the one write that made this content, so that **no two writes ever have the same content**, and what S3 calls
//! its ETag, which a swap is conditional on, names one write. Without it a cell that was put back and written again could be
//! taken for the one that was there before.
//!
//! An object that is not exactly as it would be written was not written by Beam, or edited since; it is never taken for a cell, nor for
//! none.

use beam_core::id::to_hex;
use beam_core::register::{Cell, RegisterKey, Version};
use sha2::{Digest as _, Sha256};

/// The first line: the format, and its version.
const HEAD: &str = "beam cell 1";
/// What stands between the lines and the value.
const END: &[u8] = b"\n\n";
/// More than the lines ever take.
const LINES_LEN_MAX: usize = 512;

/// The most that an object of a cell may hold.
pub(super) const LEN_MAX: usize = LINES_LEN_MAX + Cell::LEN_MAX;

/// Why an object is no cell.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum CellError {
    #[error("it does not begin with \"{HEAD}\"")]
    NoCell,
    #[error("it is longer than a cell may be")]
    TooLarge,
    #[error("its version is {0:?}, which is none")]
    NoVersion(String),
    #[error("it is the object of another cell, {0:?}")]
    OtherCell(String),
    #[error("it has not the lines, the length or the sum that Beam writes")]
    Changed,
}

/// The object's content.
pub(super) fn encode(key: &RegisterKey, version: Version, write: &str, value: &[u8]) -> Vec<u8> {
    let len = value.len();
    let lines = format!("{HEAD}\nkey {key}\nversion {version}\nwrite {write}\nvalue {len} ");
    let sum = Sha256::new().chain_update(&lines).chain_update(value).finalize();
    [lines.as_bytes(), to_hex(&sum).as_bytes(), END, value].concat()
}

/// The cell that an object holds.
pub(super) fn decode(key: &RegisterKey, content: &[u8]) -> Result<Cell, CellError> {
    if content.len() > LEN_MAX {
        return Err(CellError::TooLarge);
    }
    let end = content.windows(END.len()).position(|window| window == END).ok_or(CellError::NoCell)?;
    let (lines, value) = content.split_at_checked(end).ok_or(CellError::NoCell)?;
    let value = value.get(END.len()..).ok_or(CellError::NoCell)?;
    let mut lines = std::str::from_utf8(lines).map_err(|_| CellError::NoCell)?.lines();
    if lines.next() != Some(HEAD) {
        return Err(CellError::NoCell);
    }
    let mut line = |name: &str| lines.next().and_then(|line| line.strip_prefix(name));
    let cell = line("key ").ok_or(CellError::Changed)?;
    if cell != key.as_str() {
        return Err(CellError::OtherCell(cell.chars().take(100).collect()));
    }
    let version = line("version ").ok_or(CellError::Changed)?;
    let no_version = || CellError::NoVersion(version.chars().take(40).collect());
    let version = version.parse().ok().filter(|number| *number > 0).map(Version).ok_or_else(no_version)?;
    let write = line("write ").ok_or(CellError::Changed)?;
    // All else is as it is if it is what we would have written.
    if encode(key, version, write, value) != content {
        return Err(CellError::Changed);
    }
    Ok(Cell { version, value: value.to_vec() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signing() -> RegisterKey {
        RegisterKey::signing(&"test-1".parse().unwrap(), &"A".repeat(40)).unwrap()
    }

    proptest! {
        #[test]
        fn a_cell_is_read_as_it_was_written(number in 1..=u64::MAX, value: Vec<u8>) {
            let cell = Cell { version: Version(number), value };
            let content = encode(&signing(), cell.version, "ab-1", &cell.value);
            prop_assert_eq!(decode(&signing(), &content), Ok(cell));
        }

        #[test]
        fn a_cell_of_which_one_byte_was_changed_is_none(
            value: Vec<u8>, at: proptest::sample::Index, to: u8,
        ) {
            let content = encode(&signing(), Version(7), "ab-1", &value);
            let mut changed = content.clone();
            let at = at.index(changed.len());
            changed[at] = to;
            prop_assume!(changed != content);
            prop_assert!(decode(&signing(), &changed).is_err(), "{changed:?}");
        }

        #[test]
        fn no_bytes_panic(content: Vec<u8>) {
            let _ = decode(&signing(), &content);
            let _ = decode(&signing(), &[b"beam cell 1\n", &content[..]].concat());
        }
    }

    #[test]
    fn an_object_that_somebody_edited_is_no_cell() {
        let whole = encode(&signing(), Version(7), "ab-1", b"value");
        let text = String::from_utf8(whole.clone()).unwrap();
        let edited = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            decode(&signing(), text.replace(from, to).as_bytes()).unwrap_err()
        };
        assert_eq!(decode(&signing(), b""), Err(CellError::NoCell));
        assert_eq!(edited("beam cell 1", "beam cell 2"), CellError::NoCell);
        assert_eq!(
            edited("key test-1", "key test-2"),
            CellError::OtherCell(signing().as_str().replace("-1", "-2"))
        );
        for none in ["0", "-7", "", "x", "18446744073709551616"] {
            assert_eq!(
                edited("version 7", &format!("version {none}")),
                CellError::NoVersion(none.to_owned())
            );
        }
        for odd in ["+7", "07"] {
            assert_eq!(edited("version 7", &format!("version {odd}")), CellError::Changed);
        }
        for (from, to) in
            [("\nwrite ab-1", ""), ("value 5", "value 6"), ("\n\nvalue", "\n\nvalve"), ("\nkey", "\r\nkey")]
        {
            edited(from, to);
        }
        assert_eq!(decode(&signing(), &[whole, b"\n".to_vec()].concat()), Err(CellError::Changed));
        assert_eq!(decode(&signing(), &vec![b'a'; LEN_MAX + 1]), Err(CellError::TooLarge));
    }

    #[test]
    fn the_largest_cell_of_all_fits() {
        let key = RegisterKey::history(&"ä".repeat(25).parse().unwrap(), &"A".repeat(40)).unwrap();
        let write = format!("{}-{}", "f".repeat(32), u64::MAX);
        let content = encode(&key, Version(u64::MAX), &write, &vec![0; Cell::LEN_MAX]);
        assert!(content.len() <= LEN_MAX, "{}", content.len());
        decode(&key, &content).unwrap();
    }
}
