//! A node's log, in pieces, cut into lines, analysed and watched.

use beam_core::logs::{
    Analysis, Captured, EXAMPLE_CHARS_MAX, Lines, Part, Record, SUBJECTS_MAX, Splitter, Stamp, Watch,
    printable, uncoloured,
};
use serde_json::{Map, Value};

/// How long a line may be here, so that longer ones are met with.
const LINE_LEN_MAX: usize = 1000;

/// The first byte says in pieces of which length the rest comes, the second what is asked for.
pub fn run(bytes: &[u8]) {
    let &[piece, how, ref log @ ..] = bytes else { return };
    let until = (how & 1 == 1).then(|| Stamp::at_ms(1_795_000_000_030));
    let since = (how & 2 == 2).then(|| Stamp::at_ms(1_795_000_000_010));
    let mut analysis = Analysis::default().between(since, until);
    let (mut watch, mut out, mut lines) = (Watch::default(), Vec::new(), 0_u64);
    let mut take = |part: Part<'_>| {
        assert!(part.text.len() <= LINE_LEN_MAX);
        out.extend_from_slice(part.text);
        if part.ends {
            out.push(b'\n');
        }
        lines += 1;
        analysis.line(part.text);
        let _ = watch.line(part.text);
        one_line(part.text);
    };
    let mut splitter = Splitter::new(LINE_LEN_MAX);
    for piece in log.chunks(usize::from(piece).max(1) * 16) {
        splitter.push(piece, &mut take);
        assert!(splitter.held() <= LINE_LEN_MAX);
    }
    splitter.flush(&mut take);
    assert_eq!(out, log, "a byte was lost or doubled");
    counted(analysis, lines);
}

fn counted(analysis: Analysis, fed: u64) {
    let report = analysis.report();
    let Lines { all, records, texts, notes, rests, outside, timed, .. } = report.lines;
    assert_eq!(all, fed);
    assert_eq!(all, records + texts + notes + rests + outside);
    assert!(timed <= records + texts);
    for finding in &report.findings {
        assert!(finding.count > 0 && finding.subjects.len() <= SUBJECTS_MAX);
        assert!(finding.example.chars().count() <= EXAMPLE_CHARS_MAX);
    }
    serde_json::to_string(&report).expect("JSON");
}

fn one_line(line: &[u8]) {
    assert!(!printable(line).chars().any(|c| c.is_control() && c != '\t'));
    let text = Captured::read(line).map_or(line, |captured| captured.text);
    let mut scratch = Vec::new();
    let text = uncoloured(text, &mut scratch);
    let Some(record) = Record::read(text) else { return };
    let _ = (record.text(), record.error(), record.field("height"), record.field("peer"));
    if let Ok(whole) = serde_json::from_slice::<Map<String, Value>>(text) {
        as_a_library_reads_it(text, &record, &whole);
    }
}

/// Of JSON that is whole, the texts are those that a JSON library finds. (A key with an escape in it is none of the node's.)
fn as_a_library_reads_it(line: &[u8], record: &Record<'_>, whole: &Map<String, Value>) {
    if line.contains(&b'\\') && escaped_key(line) {
        return;
    }
    for (key, value) in whole {
        if let Value::String(value) = value {
            assert_eq!(record.field(key).as_deref(), Some(value.as_str()), "{key}");
        }
    }
    if let Some(Value::String(message)) = whole.get("message") {
        assert_eq!(record.text(), message.as_str());
    }
}

/// Whether some string before a colon has a backslash in it; an estimate that errs to the safe side.
fn escaped_key(line: &[u8]) -> bool {
    let colons = line.iter().enumerate().filter(|(_, byte)| **byte == b':');
    colons.map(|(at, _)| line[..at].trim_ascii_end()).any(|before| {
        let begin = before.strip_suffix(b"\"").and_then(|key| key.iter().rposition(|byte| *byte == b'"'));
        begin.is_some_and(|begin| before[begin..].contains(&b'\\') || before[..begin].ends_with(b"\\"))
    })
}
