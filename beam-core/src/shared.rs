//! What the machines of one validator share besides the signing record: who is there, what is paused, what happened. For people
//! and for plans; nothing here guards a signature, and all of it may be lost without harm to anything but memory.
//!
//! Each is a [`Document`] in a cell of its own: text, so that somebody woken at night can read it with the store's own tools.

use crate::id::ParseError;

/// Something that fits into a cell of the register and is read back as it was written.
///
/// A cell that was never written holds the default.
pub trait Document: Clone + Default + Send + Sync {
    /// What it is, for messages.
    const WHAT: &'static str;

    /// As it is written to the register.
    fn encode(&self) -> Vec<u8>;

    /// Reads what [`encode`](Document::encode) wrote, and nothing that means the same and is written in another way.
    ///
    /// # Errors
    /// [`ParseError`] if it is anything else.
    fn decode(value: &[u8]) -> Result<Self, ParseError>;
}

/// The lines of a document after its `header`, which says what it is and in which form.
pub(crate) fn lines<'a>(
    what: &'static str,
    header: &'static str,
    value: &'a [u8],
) -> Result<impl Iterator<Item = &'a str>, ParseError> {
    let text = std::str::from_utf8(value).map_err(|_| ParseError::new(what, "(bytes)", "it is not text"))?;
    let whole = text.strip_suffix('\n').ok_or_else(|| ParseError::new(what, text, "it is cut short"))?;
    let mut lines = whole.split('\n');
    if lines.next() != Some(header) {
        return Err(ParseError::new(what, text, "another version of Beam may have written it"));
    }
    Ok(lines)
}

/// The document, if these bytes are how it is written. So what it holds is what may stand in it: no text that is too long, and no
/// control characters for somebody's terminal.
pub(crate) fn as_written<D: Document>(document: D, value: &[u8]) -> Result<D, ParseError> {
    if document.encode() == value {
        return Ok(document);
    }
    Err(ParseError::new(D::WHAT, &String::from_utf8_lossy(value), "it is not written as Beam writes it"))
}

/// A field that may be unknown, as it is written.
pub(crate) fn or_dash<T: ToString>(value: Option<&T>) -> String {
    value.map_or_else(|| "-".to_owned(), T::to_string)
}

/// A field that may be unknown, as it is read.
pub(crate) fn unless_dash<T>(
    text: &str,
    read: impl FnOnce(&str) -> Result<T, ParseError>,
) -> Result<Option<T>, ParseError> {
    if text == "-" { Ok(None) } else { read(text).map(Some) }
}

/// Free text that fits on a line: control characters become blanks, and it is cut to `len_max` bytes at a character's border. There
/// are no blanks around it, so that a line that was made is one already.
#[must_use]
pub fn one_line(text: &str, len_max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut line = line.trim().to_owned();
    while line.len() > len_max || line.ends_with(char::is_whitespace) {
        line.pop();
    }
    line
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_one_already_and_fits(text in r"[ \x00-\x1fa-cé]{0,20}", len_max in 0_usize..20) {
            let line = one_line(&text, len_max);
            prop_assert!(line.len() <= len_max && !line.contains(char::is_control));
            prop_assert_eq!(one_line(&line, len_max), line);
        }
    }
}
