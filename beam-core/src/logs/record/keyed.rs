//! The two forms that write a message and then `key=value`: the SDK's plain one, and `CometBFT`'s own.
//!
//! Where the message ends is not marked. It ends before the first word that looks like a key and an equals sign.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::{Fields, Level, Record, number};
use crate::logs::Stamp;

/// `7:31AM INF message key=value …`
pub(super) fn read_plain(line: &[u8]) -> Option<Record<'_>> {
    let colon = memchr(b':', line.get(..3)?)?;
    let rest = line.get(colon + 1..)?;
    let &[m1, m2, half, b'M', b' ', l1, l2, l3] = rest.first_chunk::<8>()? else { return None };
    let clock = m1.is_ascii_digit() && m2.is_ascii_digit() && matches!(half, b'A' | b'P');
    if !clock || ![l1, l2, l3].iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'?') {
        return None;
    }
    let rest = rest.get(8..)?;
    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b" ")? };
    Some(with_fields(Level::of(&[l1, l2, l3]), None, rest))
}

/// `E[2026-11-22|07:43:16.539] message   module=consensus key=value …`
pub(super) fn read_bar(line: &[u8]) -> Option<Record<'_>> {
    let (&[level, b'['], rest) = line.split_first_chunk::<2>()? else { return None };
    let (at, rest) = Stamp::read_with_bar(rest)?;
    Some(with_fields(Level::of(&[level]), Some(at), rest.strip_prefix(b"] ")?))
}

fn with_fields(level: Level, at: Option<Stamp>, rest: &[u8]) -> Record<'_> {
    let (message, fields) = rest.split_at_checked(message_len(rest)).unwrap_or((rest, b""));
    let message = message.trim_ascii();
    let mut record = Record { level, at, message, module: b"", height: None, fields: Fields::Keyed(fields) };
    for (key, value) in (Pairs { rest: fields }) {
        match key {
            b"module" => record.module = value,
            b"height" => record.height = number(value),
            _ => {}
        }
    }
    record
}

/// Where the first ` key=` begins.
fn message_len(text: &[u8]) -> usize {
    let mut from = 0;
    while let Some(equals) = text.get(from..).and_then(|rest| memchr(b'=', rest)) {
        let equals = from + equals;
        let before = text.get(..equals).unwrap_or_default();
        let key = before.iter().rev().take_while(|byte| is_of_key(**byte)).count();
        let begin = equals - key;
        let blank = begin.checked_sub(1).and_then(|at| text.get(at));
        if key > 0 && blank.is_none_or(|byte| *byte == b' ') {
            return begin;
        }
        from = equals + 1;
    }
    text.len()
}

fn is_of_key(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/')
}

struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Pairs<'a> {
    /// The key, and the value as written, with its quotes if it has any.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_ascii_start();
        let (key, rest) = rest.split_at_checked(memchr(b'=', rest)?)?;
        // `H/R=546/0` is a key like any other; what has a blank in it is something else that was not quoted.
        let key = key.rsplit(|byte| *byte == b' ').next().unwrap_or(key);
        let rest = rest.get(1..)?;
        let len = match rest.first() {
            Some(b'"') => quoted_len(rest).unwrap_or(rest.len()),
            _ => memchr(b' ', rest).unwrap_or(rest.len()),
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.rest = rest;
        Some((key, value))
    }
}

/// How long a quoted value is, both quotes counted.
fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut from = 1;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at)? == &b'"' {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

pub(super) fn field<'a>(fields: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = (Pairs { rest: fields }).filter(|(key, _)| *key == name.as_bytes()).last()?;
    Some(match value.strip_prefix(b"\"") {
        // Go quotes as JSON does, but for bytes that are no text, and those stay as they are written.
        Some(quoted) => super::json::unescaped(quoted.strip_suffix(b"\"").unwrap_or(quoted)),
        None => String::from_utf8_lossy(value),
    })
}
