//! Which lines are shown.

use beam_core::logs::{Captured, Level, Mark, Record, Stamp, printable, uncoloured};

/// What people can ask for. What is not asked for does not select.
#[derive(Clone, Debug, Default)]
pub(super) struct Select {
    pub(super) since: Option<Stamp>,
    pub(super) until: Option<Stamp>,
    pub(super) level: Option<Level>,
    pub(super) grep: Option<String>,
    /// Whether the line before was shown, which the rest of a line follows.
    before: bool,
    scratch: Vec<u8>,
}

impl Select {
    pub(super) fn new(
        since: Option<Stamp>,
        until: Option<Stamp>,
        level: Option<Level>,
        grep: Option<String>,
    ) -> Self {
        Self { since, until, level, grep, ..Self::default() }
    }

    /// The line as it is to be shown, or `None`.
    pub(super) fn shown(&mut self, line: &[u8]) -> Option<String> {
        let (at, mark, text) = match Captured::read(line) {
            Some(captured) => (Some(captured.at), captured.mark, captured.text),
            None => (None, Mark::Said, line),
        };
        if mark != Mark::Rest {
            self.before = self.is_in_time(at) && self.is_loud(mark, text);
        }
        let shown = self.before.then(|| printable(line).into_owned())?;
        self.grep.as_ref().is_none_or(|words| shown.contains(words)).then_some(shown)
    }

    fn is_in_time(&self, at: Option<Stamp>) -> bool {
        at.is_none_or(|at| {
            self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at <= until)
        })
    }

    fn is_loud(&mut self, mark: Mark, text: &[u8]) -> bool {
        let Some(level) = self.level else { return true };
        // Panics and usage texts have no level, and are why somebody looks; so are the pilot's notes.
        mark == Mark::Note
            || Record::read(uncoloured(text, &mut self.scratch)).is_none_or(|record| record.level >= level)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "2026-11-22T07:33:20.123Z";

    fn shown(select: &mut Select, lines: &[&str]) -> Vec<String> {
        let lines = lines.iter().map(|line| format!("{STAMP} {line}"));
        lines.filter_map(|line| Some(select.shown(line.as_bytes())?[STAMP.len() + 3..].to_owned())).collect()
    }

    #[test]
    fn a_level_lets_louder_ones_and_what_has_none_through() {
        let lines = [
            "| 7:31AM INF a",
            "+ rest",
            "| 7:31AM \u{1b}[31mERR\u{1b}[0m b",
            "+ rest",
            "| panic: c",
            "# note",
        ];
        let mut select = Select { level: Some(Level::Warn), ..Select::default() };
        assert_eq!(shown(&mut select, &lines), ["7:31AM ERR b", "rest", "panic: c", "note"]);
    }

    #[test]
    fn time_and_words_select() {
        let at = Stamp::at_ms(1_795_332_800_123);
        let mut select = Select::new(Some(at), Some(at), None, Some("p2p".to_owned()));
        assert_eq!(shown(&mut select, &["| p2p", "| rpc"]), ["p2p"]);
        select.since = Some(Stamp::at_ms(at.ms() + 1));
        assert_eq!(shown(&mut select, &["| p2p"]), [""; 0]);
        select = Select::new(None, Some(Stamp::at_ms(at.ms() - 1)), None, None);
        assert_eq!(shown(&mut select, &["| p2p"]), [""; 0]);
    }
}
