//! Taking colours and other control characters off.

use std::borrow::Cow;

use memchr::memchr;

/// The line without colours, copied into `scratch` only if it has any.
#[must_use]
pub fn uncoloured<'a>(line: &'a [u8], scratch: &'a mut Vec<u8>) -> &'a [u8] {
    let Some(first) = memchr(ESCAPE, line) else { return line };
    scratch.clear();
    let (mut before, mut rest) = line.split_at_checked(first).unwrap_or((line, b""));
    loop {
        scratch.extend_from_slice(before);
        rest = after_escape(rest);
        let Some(next) = memchr(ESCAPE, rest) else { break };
        (before, rest) = rest.split_at_checked(next).unwrap_or((rest, b""));
    }
    scratch.extend_from_slice(rest);
    scratch
}

/// A line for people's eyes: no colours, and nothing that would move a terminal's cursor. Bytes that are no text are replaced.
#[must_use]
pub fn printable(line: &[u8]) -> Cow<'_, str> {
    let harmless = |c: char| !c.is_control() || c == '\t';
    match String::from_utf8_lossy(line) {
        Cow::Borrowed(text) if text.chars().all(harmless) => Cow::Borrowed(text),
        _ => {
            let mut scratch = Vec::new();
            let text = String::from_utf8_lossy(uncoloured(line, &mut scratch)).into_owned();
            Cow::Owned(text.chars().filter(|c| harmless(*c)).collect())
        }
    }
}

const ESCAPE: u8 = 0x1b;

/// What follows a colour: escape, bracket, parameters, one closing letter. An escape that begins none is dropped alone.
fn after_escape(text: &[u8]) -> &[u8] {
    let rest = text.get(1..).unwrap_or_default();
    let Some(parameters) = rest.strip_prefix(b"[") else { return rest };
    let len = parameters.iter().take_while(|byte| matches!(**byte, b'0'..=b'?')).count();
    parameters.get(len + 1..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn colours_go_and_the_words_stay() {
        let mut scratch = Vec::new();
        let line = b"\x1b[90m7:31AM\x1b[0m \x1b[31mERR\x1b[0m \x1b[1mno\x1b[0m \x1b[36merr=\x1b[0mEOF";
        assert_eq!(uncoloured(line, &mut scratch), b"7:31AM ERR no err=EOF");
        assert_eq!(uncoloured(b"plain", &mut scratch), b"plain");
        assert_eq!(printable(b"\x1b[2Ja\x07b\xff\tc"), "ab\u{fffd}\tc");
    }

    proptest! {
        #[test]
        fn nothing_that_controls_a_terminal_is_left(line in proptest::collection::vec(any::<u8>(), 0..80)) {
            let mut scratch = Vec::new();
            let _ = uncoloured(&line, &mut scratch);
            prop_assert!(!printable(&line).chars().any(|c| c.is_control() && c != '\t'));
        }
    }
}
