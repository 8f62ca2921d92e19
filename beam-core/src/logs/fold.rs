//! Lines that are no record, folded into one: a Go panic with its goroutines, a usage text with the error after it.
//!
//! Nothing but the line that tells is kept, and that cut, so a dump of any length takes the same room.

use super::plain::printable;
use super::rules::fatal;
use super::{Cause, EXAMPLE_CHARS_MAX};

/// What kind of text it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Kind {
    /// Anything.
    #[default]
    Loose,
    /// `panic:` or `fatal error:` and what follows.
    Panic,
    /// `Usage:` and what follows.
    Usage,
}

/// The text that is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fold {
    kind: Kind,
    /// Whether a line of it was recognised already.
    named: bool,
    /// The line that would tell why, if none is recognised.
    telling: String,
}

/// What a text turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) cause: Cause,
    pub(super) line: String,
}

impl Fold {
    /// Takes in the next line. What can be told now is told: what this line says by itself, and else what the text before
    /// was, if this line begins another.
    pub(super) fn line(&mut self, line: &[u8]) -> Option<Told> {
        let begins = kind_of(line);
        let before = begins.and_then(|_| self.end());
        if let Some(kind) = begins {
            self.kind = kind;
        }
        if is_frame(line) || line.trim_ascii().is_empty() {
            return before;
        }
        if let Some(cause) = fatal(line) {
            self.named = true;
            return Some(Told { cause, line: shown(line) });
        }
        // Of a panic the first line tells, of a usage text the last.
        if self.kind != Kind::Panic || self.telling.is_empty() {
            self.telling = shown(line);
        }
        before
    }

    /// Whether nothing is being read.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The text is over.
    pub(super) fn end(&mut self) -> Option<Told> {
        let Self { kind, named, telling } = std::mem::take(self);
        let cause = match kind {
            Kind::Loose => return None,
            Kind::Panic => Cause::Panic,
            Kind::Usage => Cause::StartRefused,
        };
        (!named).then_some(Told { cause, line: telling })
    }
}

fn kind_of(line: &[u8]) -> Option<Kind> {
    if line.starts_with(b"panic: ") || line.starts_with(b"fatal error: ") {
        Some(Kind::Panic)
    } else if line.starts_with(b"Usage:") {
        Some(Kind::Usage)
    } else {
        None
    }
}

/// A line of a stack or of a usage text, which says nothing by itself.
fn is_frame(line: &[u8]) -> bool {
    line.starts_with(b"\t") || line.starts_with(b"  ") || line.starts_with(b"goroutine ")
}

fn shown(line: &[u8]) -> String {
    // Cut as bytes first: a line may be long.
    let line = line.get(..EXAMPLE_CHARS_MAX * 4).unwrap_or(line);
    printable(line).trim().chars().take(EXAMPLE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<(Cause, String)> {
        let mut fold = Fold::default();
        let mut told: Vec<Told> = text.lines().filter_map(|line| fold.line(line.as_bytes())).collect();
        told.extend(fold.end());
        assert!(fold.is_empty());
        told.into_iter().map(|told| (told.cause, told.line)).collect()
    }

    #[test]
    fn a_panic_is_one_thing_however_long_its_dump() {
        let dump =
            "goroutine 1 [running]:\nmain.main()\n\t/x.go:1 +0x1\ncreated by x in goroutine 2\n".repeat(50);
        let text = format!(
            "panic: runtime error: index out of range [recovered]\n\tpanic: again\n\n{dump}exit status 2"
        );
        assert_eq!(
            told(&text),
            [(Cause::Panic, "panic: runtime error: index out of range [recovered]".to_owned())]
        );
    }

    #[test]
    fn a_panic_with_a_known_reason_is_called_by_it() {
        let text =
            "panic: error writing batch to DB: no space left on device\n\ngoroutine 1 [running]:\nx()\n";
        assert_eq!(told(text).into_iter().map(|(cause, _)| cause).collect::<Vec<_>>(), [Cause::DiskFull]);
    }

    #[test]
    fn after_a_usage_text_the_last_line_tells() {
        let usage = "Usage:\n  gaiad start [flags]\n\nFlags:\n      --halt-height uint  x\n\nGlobal Flags:\n  --y\n\n";
        assert_eq!(
            told(&format!("{usage}no such thing\n\n")),
            [(Cause::StartRefused, "no such thing".to_owned())]
        );
        let twice = format!("{usage}first\n{usage}listen tcp: bind: address already in use\n");
        assert_eq!(
            told(&twice).into_iter().map(|(cause, _)| cause).collect::<Vec<_>>(),
            [Cause::StartRefused, Cause::PortInUse]
        );
    }

    #[test]
    fn loose_text_tells_nothing() {
        assert_eq!(told("leveldb: closed module=server\nhello\n"), []);
    }
}
