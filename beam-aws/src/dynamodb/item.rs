//! A cell as an item of the table: what is written, and what of that is believed when it is read.
//!
//! | attribute | type | what |
//! |---|---|---|
//! | `cell` | string, the partition key | the [`RegisterKey`] |
//! | `version` | number | the cell's [`Version`], from 1 |
//! | `value` | binary | the cell's content, byte for byte |
//!
//! Whatever else an item has is left alone. An item that has these otherwise was not written by Beam; it is never taken for a
//! cell, nor for none.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use beam_core::register::{Cell, RegisterKey, Version};

/// The partition key.
pub(super) const CELL: &str = "cell";
pub(super) const VERSION: &str = "version";
pub(super) const VALUE: &str = "value";

/// An item, as the SDK has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// Why an item is no cell.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum ItemError {
    #[error("it has no attribute {0:?}")]
    Missing(&'static str),
    #[error("its attribute {0:?} is not a {1}")]
    WrongType(&'static str, &'static str),
    #[error("its version is {0:?}, which is none")]
    NoVersion(String),
    #[error("its value has {0} bytes, more than a cell may")]
    TooLarge(usize),
    #[error("it is the item of another cell, {0:?}")]
    OtherCell(String),
}

pub(super) fn key(key: &RegisterKey) -> AttributeValue {
    AttributeValue::S(key.as_str().to_owned())
}

pub(super) fn version(version: Version) -> AttributeValue {
    AttributeValue::N(version.to_string())
}

pub(super) fn value(value: Vec<u8>) -> AttributeValue {
    AttributeValue::B(Blob::new(value))
}

/// The cell that an item holds.
pub(super) fn decode(key: &RegisterKey, item: &Item) -> Result<Cell, ItemError> {
    let attribute = |name| item.get(name).ok_or(ItemError::Missing(name));
    let wrong = |name, wanted| move |_: &AttributeValue| ItemError::WrongType(name, wanted);
    let cell = attribute(CELL)?.as_s().map_err(wrong(CELL, "string"))?;
    if cell != key.as_str() {
        return Err(ItemError::OtherCell(cell.clone()));
    }
    let version = attribute(VERSION)?.as_n().map_err(wrong(VERSION, "number"))?;
    let value = attribute(VALUE)?.as_b().map_err(wrong(VALUE, "binary"))?.as_ref();
    if value.len() > Cell::LEN_MAX {
        return Err(ItemError::TooLarge(value.len()));
    }
    Ok(Cell { version: parse(version)?, value: value.to_vec() })
}

/// A whole number from 1, in digits and nothing else.
fn parse(text: &str) -> Result<Version, ItemError> {
    let none = || ItemError::NoVersion(text.chars().take(40).collect());
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(none());
    }
    match text.parse() {
        Ok(0) | Err(_) => Err(none()),
        Ok(number) => Ok(Version(number)),
    }
}

/// How large the item of a cell is to DynamoDB, which bills by it: names and values in bytes; a number takes a byte for two
/// digits, and one more.
pub(super) fn size(key: &RegisterKey, version: Option<Version>, value_len: usize) -> usize {
    let digits = version.map_or(1, |version| version.to_string().len());
    [CELL.len(), VERSION.len(), VALUE.len(), key.as_str().len(), digits.div_ceil(2), 1, value_len]
        .iter()
        .fold(0, |sum, part| sum.saturating_add(*part))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signing() -> RegisterKey {
        RegisterKey::signing(&"test-1".parse().unwrap(), &"A".repeat(40)).unwrap()
    }

    fn item(cell: &Cell) -> Item {
        let attributes = [
            (CELL, key(&signing())),
            (VERSION, version(cell.version)),
            (VALUE, super::value(cell.value.clone())),
        ];
        attributes.map(|(name, value)| (name.to_owned(), value)).into()
    }

    proptest! {
        #[test]
        fn a_cell_is_read_as_it_was_written(number in 1..=u64::MAX, value: Vec<u8>) {
            let cell = Cell { version: Version(number), value };
            prop_assert_eq!(decode(&signing(), &item(&cell)), Ok(cell));
        }

        #[test]
        fn no_text_for_a_version_panics_or_is_taken_for_another(text in "\\PC{0,50}") {
            if let Ok(version) = parse(&text) {
                prop_assert_eq!(version.to_string(), text.trim_start_matches('0'));
            }
        }
    }

    #[test]
    fn an_item_that_somebody_edited_is_no_cell() {
        let whole = item(&Cell { version: Version(7), value: vec![1] });
        let edited = |name: &str, attribute: Option<AttributeValue>| {
            let mut item = whole.clone();
            match attribute {
                Some(attribute) => item.insert(name.to_owned(), attribute),
                None => item.remove(name),
            };
            decode(&signing(), &item).unwrap_err()
        };
        let text = |text: &str| Some(AttributeValue::S(text.to_owned()));
        let number = |text: &str| Some(AttributeValue::N(text.to_owned()));
        for name in [CELL, VERSION, VALUE] {
            assert_eq!(edited(name, None), ItemError::Missing(name));
        }
        assert_eq!(edited(VERSION, text("7")), ItemError::WrongType(VERSION, "number"));
        assert_eq!(edited(VALUE, text("AQ==")), ItemError::WrongType(VALUE, "binary"));
        assert_eq!(edited(CELL, text("other")), ItemError::OtherCell("other".to_owned()));
        for none in ["0", "-7", "+7", "7.5", "7E2", "", "18446744073709551616", " 7"] {
            assert_eq!(edited(VERSION, number(none)), ItemError::NoVersion(none.to_owned()));
        }
        let long = Some(super::value(vec![0; Cell::LEN_MAX + 1]));
        assert_eq!(edited(VALUE, long), ItemError::TooLarge(Cell::LEN_MAX + 1));
    }

    #[test]
    fn what_others_added_to_an_item_is_left_alone() {
        let cell = Cell { version: Version(7), value: vec![1] };
        let mut item = item(&cell);
        item.insert("note".to_owned(), AttributeValue::Bool(true));
        assert_eq!(decode(&signing(), &item), Ok(cell));
    }
}
