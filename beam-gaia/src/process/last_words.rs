//! What a node said before it went: the one line of its log that tells why.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// How much of the end of a log is read.
pub const LAST_WORDS_READ_MAX: u64 = 64 * 1024;

/// How much of the line is kept, in characters.
pub const LAST_WORDS_CHARS_MAX: usize = 1024;

/// The line that tells why a node ended: its last `panic:` or `fatal error:` if there is one, and its last line that is not
/// empty otherwise (gaiad prints eighty lines of usage and then its error). `None` if the log says nothing.
///
/// Looks at the last [`LAST_WORDS_READ_MAX`] bytes and at nothing before `from`, where this run began; a log that
/// was cut short since then is looked at as a whole.
///
/// # Errors
/// [`io::Error`] if the file cannot be read.
pub fn last_words(log_file: &Path, from: u64) -> io::Result<Option<String>> {
    let mut file = File::open(log_file)?;
    let len = file.metadata()?.len();
    let from = if from > len { 0 } else { from };
    file.seek(SeekFrom::Start(from.max(len.saturating_sub(LAST_WORDS_READ_MAX))))?;
    let mut end = Vec::new();
    file.take(LAST_WORDS_READ_MAX).read_to_end(&mut end)?;
    Ok(telling_line(&String::from_utf8_lossy(&end)))
}

fn telling_line(text: &str) -> Option<String> {
    let lines = || text.lines().rev().map(plain).filter(|line| !line.is_empty());
    // A panic is followed by where it happened, which tells a person nothing.
    lines()
        .find(|line| line.starts_with("panic:") || line.starts_with("fatal error:"))
        .or_else(|| lines().next())
}

/// The line without colours and other control characters, which would run on into whatever shows it.
fn plain(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        if c == '\u{1b}' {
            // A colour: escape, bracket, parameters, one closing letter.
            let _ = rest.by_ref().find(char::is_ascii_alphabetic);
        } else if !c.is_control() || c == '\t' {
            plain.push(c);
        }
    }
    plain.trim().chars().take(LAST_WORDS_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn usage_and_empty_lines_are_passed_over() {
        let text = "Usage:\n  gaiad start [flags]\n\nFlags:\n  --x\n\nfailed to listen on 127.0.0.1:1: address already in use\n\n";
        assert_eq!(telling_line(text).unwrap(), "failed to listen on 127.0.0.1:1: address already in use");
        assert_eq!(telling_line(" \n\t\n"), None);
    }

    #[test]
    fn a_panic_tells_more_than_its_stack() {
        let text = "INF block\npanic: error writing batch to DB: no space left on device\n\ngoroutine 1 [running]:\n\tfile.go:1 +0x1d\n";
        assert_eq!(telling_line(text).unwrap(), "panic: error writing batch to DB: no space left on device");
    }

    #[test]
    fn colours_are_taken_off_and_a_long_line_is_cut() {
        assert_eq!(
            telling_line("\u{1b}[90m7:31AM\u{1b}[0m \u{1b}[31mERR\u{1b}[0m no").unwrap(),
            "7:31AM ERR no"
        );
        assert_eq!(telling_line(&"é".repeat(5000)).unwrap().chars().count(), LAST_WORDS_CHARS_MAX);
    }

    #[test]
    fn only_the_end_is_read_and_nothing_of_the_run_before() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("node.log");
        fs::write(&log, format!("panic: long ago\n{}last\n", "x\n".repeat(40 * 1024))).unwrap();
        assert_eq!(last_words(&log, 0).unwrap().unwrap(), "last");

        fs::write(&log, "panic: the run before\nno complaint\n").unwrap();
        assert_eq!(last_words(&log, 22).unwrap().unwrap(), "no complaint");
        assert_eq!(last_words(&log, 35).unwrap(), None);
        // Cut short by a rotation.
        assert_eq!(last_words(&log, 999).unwrap().unwrap(), "panic: the run before");
    }
}
