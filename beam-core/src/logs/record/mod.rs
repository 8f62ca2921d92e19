//! One line of a node's log, taken apart without copying it.
//!
//! Three forms are known, and told apart by how a line begins:
//!
//! | form | begins with | written by |
//! |---|---|---|
//! | JSON | `{` | the SDK's logger with `--log_format json`; keys may come twice, and the last one counts |
//! | plain | `7:31AM INF` | the same with `plain`, in colour even into a file; no date, no seconds, no zone |
//! | bar | `E[2026-11-22\|07:31:16.539]` | `CometBFT`'s own logger |
//!
//! What begins otherwise is no record: a Go panic, a usage text, the second line of a message. Nothing in here fails: a line
//! that was cut is taken as far as it goes.

mod json;
mod keyed;

use std::borrow::Cow;

use super::Stamp;

/// How loud a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `trace`.
    Trace,
    /// `debug`.
    Debug,
    /// `info`, and everything that names no level.
    Info,
    /// `warn`.
    Warn,
    /// `error`.
    Error,
    /// `fatal` and `panic`: the node ends.
    Fatal,
}

impl Level {
    /// Reads a level as any of the forms writes it.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        match text {
            b"trace" | b"TRC" => Self::Trace,
            b"debug" | b"DBG" | b"D" => Self::Debug,
            b"warn" | b"WRN" | b"W" => Self::Warn,
            b"error" | b"ERR" | b"E" => Self::Error,
            b"fatal" | b"panic" | b"FTL" | b"PNC" => Self::Fatal,
            _ => Self::Info,
        }
    }
}

/// One record. All texts are pieces of the line.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// How loud it is.
    pub level: Level,
    /// When the node wrote it, if it says so in a way that can be believed: JSON by the second, bar by its local clock.
    pub at: Option<Stamp>,
    /// What it says, as written: in JSON with its escapes.
    pub message: &'a [u8],
    /// Which part of the node says it; empty if it does not say.
    pub module: &'a [u8],
    /// The height that it is about.
    pub height: Option<u64>,
    fields: Fields<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    Json(&'a [u8]),
    Keyed(&'a [u8]),
}

impl<'a> Record<'a> {
    /// Takes a line apart; `None` if it is no record. Colours must be off, see [`uncoloured`](super::uncoloured).
    #[must_use]
    pub fn read(line: &'a [u8]) -> Option<Self> {
        match line.first()? {
            b'{' => json::read(line),
            b'0'..=b'9' => keyed::read_plain(line),
            b'A'..=b'Z' | b'a'..=b'z' => keyed::read_bar(line),
            _ => None,
        }
    }

    /// The field of this name, unescaped; the last one if there are several.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Cow<'a, str>> {
        match self.fields {
            Fields::Json(line) => json::field(line, name),
            Fields::Keyed(rest) => keyed::field(rest, name),
        }
    }

    /// What went wrong, which the node calls `err` or `error`.
    #[must_use]
    pub fn error(&self) -> Option<Cow<'a, str>> {
        self.field("err").or_else(|| self.field("error"))
    }

    /// What it says, unescaped.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match self.fields {
            Fields::Json(_) => json::unescaped(self.message),
            Fields::Keyed(_) => String::from_utf8_lossy(self.message),
        }
    }
}

/// A decimal number, and nothing else.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(line: &str) -> Record<'_> {
        Record::read(line.as_bytes()).unwrap()
    }

    #[test]
    fn of_keys_that_come_twice_the_last_counts() {
        let line = r#"{"level":"error","module":"server","module":"baseapp","module":"x/upgrade","height":497,"time":"2026-11-22T07:41:13Z","message":"UPGRADE \"v2\" NEEDED\n\u00e9"}"#;
        let record = read(line);
        assert_eq!(
            (record.level, record.module, record.height),
            (Level::Error, &b"x/upgrade"[..], Some(497))
        );
        assert_eq!(record.text(), "UPGRADE \"v2\" NEEDED\né");
        assert_eq!(record.at.unwrap().to_string(), "2026-11-22T07:41:13.000Z");
        assert_eq!(record.field("module").unwrap(), "x/upgrade");
        assert_eq!(record.field("height").unwrap(), "497");
        assert_eq!(record.field("nothing"), None);
    }

    #[test]
    fn values_of_every_kind_are_passed_over() {
        let line = r#"{"listener":{"a":["}",{"b":"\\"}]},"ids":[],"none":null,"ok":true,"dur":-1.5e3,"message":"m","level":"warn"}"#;
        let record = read(line);
        assert_eq!((record.level, record.message), (Level::Warn, &b"m"[..]));
        assert_eq!(record.field("listener").unwrap(), r#"{"a":["}",{"b":"\\"}]}"#);
        assert_eq!(record.field("dur").unwrap(), "-1.5e3");
    }

    #[test]
    fn a_line_that_was_cut_is_taken_as_far_as_it_goes() {
        let whole = r#"{"level":"error","module":"p2p","err":"EOF","message":"Stopping peer for error"}"#;
        for len in 1..whole.len() {
            let record = read(&whole[..len]);
            assert_eq!(record.level == Level::Error, len >= 16, "{len}");
        }
    }

    #[test]
    fn plain_has_no_time_that_can_be_believed() {
        let record = read(
            r#"7:41AM ERR CONSENSUS FAILURE!!! err="failed \"v2\" = 1" height=7 module=consensus stack="a\n\tb""#,
        );
        assert_eq!((record.level, record.at, record.module), (Level::Error, None, &b"consensus"[..]));
        assert_eq!((record.message, record.height), (&b"CONSENSUS FAILURE!!!"[..], Some(7)));
        assert_eq!(record.error().unwrap(), "failed \"v2\" = 1");
        assert_eq!(record.field("stack").unwrap(), "a\n\tb");
    }

    #[test]
    fn a_message_may_have_an_equals_sign_of_its_own() {
        let record = read(
            r#"12:01PM ERR UPGRADE "v2" NEEDED at height: 497: {"b":"https://x/y?sum=1"} module=x/upgrade"#,
        );
        assert_eq!(record.text(), r#"UPGRADE "v2" NEEDED at height: 497: {"b":"https://x/y?sum=1"}"#);
        assert_eq!(record.module, b"x/upgrade");
        assert_eq!(read("7:33AM ERR leveldb: closed").message, b"leveldb: closed");
    }

    #[test]
    fn cometbfts_own_form_is_read() {
        let line = "E[2026-11-22|07:43:16.539] failed signing vote                          module=consensus height=5 err=\"a b\"";
        let record = read(line);
        assert_eq!((record.level, record.message), (Level::Error, &b"failed signing vote"[..]));
        assert_eq!((record.height, record.module), (Some(5), &b"consensus"[..]));
        assert_eq!(record.at.unwrap().to_string(), "2026-11-22T07:43:16.539Z");
        assert_eq!(record.error().unwrap(), "a b");
    }

    #[test]
    fn what_a_go_program_prints_besides_is_no_record() {
        for line in [
            "",
            "panic: x",
            "goroutine 1 [running]:",
            "\t/usr/x.go:1",
            "Usage:",
            "7 apples",
            "E[x",
            "failed to",
        ] {
            assert!(Record::read(line.as_bytes()).is_none(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..200), form in 0..4_usize) {
            let begin = [&b""[..], b"{\"level\":\"error\",", b"7:31AM ERR ", b"E[2026-11-22|07:43:16.539] "][form];
            let line = [begin, &line].concat();
            if let Some(record) = Record::read(&line) {
                let _ = (record.text(), record.error(), record.field("height"));
            }
        }

        #[test]
        fn what_a_json_string_says_is_read_back(text in ".*") {
            let line = format!("{{\"err\":{},\"message\":\"m\"}}", escaped(&text));
            let record = Record::read(line.as_bytes()).unwrap();
            prop_assert_eq!(record.error().unwrap(), text);
            prop_assert_eq!(record.message, b"m");
        }
    }

    fn escaped(text: &str) -> String {
        let mut out = String::from("\"");
        for unit in text.encode_utf16() {
            out += &format!("\\u{unit:04x}");
        }
        out + "\""
    }
}
