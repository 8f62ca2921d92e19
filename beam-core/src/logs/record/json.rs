//! A JSON line, scanned once from left to right. Only the outermost keys matter; what stands deeper is passed over.

use std::borrow::Cow;

use memchr::{memchr2, memchr3};

use super::{Fields, Level, Record, number};
use crate::logs::Stamp;

pub(super) fn read(line: &[u8]) -> Option<Record<'_>> {
    let mut record = Record {
        level: Level::Info,
        at: None,
        message: b"",
        module: b"",
        height: None,
        fields: Fields::Json(line),
    };
    for (key, value) in Pairs::of(line) {
        match key {
            b"level" => record.level = Level::of(value.raw()),
            b"time" => record.at = Stamp::read(value.raw()).map(|(at, _)| at),
            b"message" => record.message = value.raw(),
            b"module" => record.module = value.raw(),
            b"height" => record.height = number(value.raw()),
            _ => {}
        }
    }
    Some(record)
}

pub(super) fn field<'a>(line: &'a [u8], name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = Pairs::of(line).filter(|(key, _)| *key == name.as_bytes()).last()?;
    Some(match value {
        Value::Text(text) => unescaped(text),
        Value::Other(text) => String::from_utf8_lossy(text),
    })
}

#[derive(Clone, Copy)]
enum Value<'a> {
    /// What stands between the quotes.
    Text(&'a [u8]),
    /// A number, a word, an object or an array, as written.
    Other(&'a [u8]),
}

impl<'a> Value<'a> {
    fn raw(self) -> &'a [u8] {
        let (Self::Text(raw) | Self::Other(raw)) = self;
        raw
    }
}

/// Keys and values in the order in which they are written, as far as the line is whole.
struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    fn of(line: &'a [u8]) -> Self {
        Self { rest: line.strip_prefix(b"{").unwrap_or_default() }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a [u8], Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = passed(self.rest, b',').strip_prefix(b"\"")?;
        let (key, rest) = string(rest)?;
        let rest = passed(passed(rest, b' ').strip_prefix(b":")?, b' ');
        let (value, rest) = match rest.first()? {
            b'"' => string(rest.get(1..)?).map(|(text, rest)| (Value::Text(text), rest))?,
            b'{' | b'[' => nested(rest).map(|(text, rest)| (Value::Other(text), rest))?,
            _ => bare(rest).map(|(text, rest)| (Value::Other(text), rest))?,
        };
        self.rest = rest;
        Some((key, value))
    }
}

/// What follows any number of blanks, and of this byte.
fn passed(mut text: &[u8], byte: u8) -> &[u8] {
    while let Some((first, rest)) = text.split_first()
        && (*first == byte || first.is_ascii_whitespace())
    {
        text = rest;
    }
    text
}

/// A string, after its opening quote: what is in it, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let at = from + memchr2(b'"', b'\\', text.get(from..)?)?;
        if text.get(at)? == &b'"' {
            return Some((text.get(..at)?, text.get(at + 1..)?));
        }
        from = at + 2;
    }
}

/// A number or a word.
fn bare(text: &[u8]) -> Option<(&[u8], &[u8])> {
    text.split_at_checked(memchr3(b',', b'}', b' ', text)?)
}

/// An object or an array, whatever is in it.
fn nested(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (mut at, mut depth) = (0_usize, 0_usize);
    loop {
        match text.get(at)? {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b'"' => at = text.len() - string(text.get(at + 1..)?)?.1.len() - 1,
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return text.split_at_checked(at);
        }
    }
}

/// The text of a string, without its escapes. What is no escape stays as it is.
pub(super) fn unescaped(text: &[u8]) -> Cow<'_, str> {
    let written = String::from_utf8_lossy(text);
    if !text.contains(&b'\\') {
        return written;
    }
    let mut plain = String::with_capacity(written.len());
    let mut rest = &*written;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        rest = match after.as_bytes().first() {
            Some(b'u') => unicode(after.get(1..).unwrap_or_default(), &mut plain),
            Some(byte) => {
                match byte {
                    b'n' => plain.push('\n'),
                    b't' => plain.push('\t'),
                    b'r' => plain.push('\r'),
                    b'b' => plain.push('\u{8}'),
                    b'f' => plain.push('\u{c}'),
                    _ => plain.extend(after.chars().next()),
                }
                let mut left = after.chars();
                left.next();
                left.as_str()
            }
            None => after,
        };
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// The character that four hexadecimal digits stand for, two times four beyond the first plane.
fn unicode<'a>(text: &'a str, plain: &mut String) -> &'a str {
    let unit = |text: &str| text.get(..4).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    let Some(first) = unit(text) else {
        plain.push(char::REPLACEMENT_CHARACTER);
        return text;
    };
    let rest = text.get(4..).unwrap_or_default();
    let low = rest.strip_prefix("\\u").and_then(unit).filter(|low| (0xdc00..0xe000).contains(low));
    let units = if (0xd800..0xdc00).contains(&first) { [Some(first), low] } else { [Some(first), None] };
    plain.extend(
        char::decode_utf16(units.iter().flatten().copied()).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)),
    );
    if units.iter().flatten().count() == 2 { rest.get(6..).unwrap_or_default() } else { rest }
}
