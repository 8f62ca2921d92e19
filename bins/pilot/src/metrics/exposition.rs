//! Prometheus' text format: `# HELP`, `# TYPE`, and a line a value.

use std::fmt::{self, Write as _};

use crate::report::Report;

/// One metric: all that has its name.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What it means, for the reader of a graph who knows nothing else.
    pub(super) help: &'static str,
    read: fn(&Report, &mut Values<'_>),
}

/// What a metric's values do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// They only grow, until the pilot starts again.
    Counter,
    /// They are what they are.
    Gauge,
}

impl Family {
    pub(super) const fn counter(
        name: &'static str,
        help: &'static str,
        read: fn(&Report, &mut Values<'_>),
    ) -> Self {
        Self { name, kind: Kind::Counter, help, read }
    }

    pub(super) const fn gauge(
        name: &'static str,
        help: &'static str,
        read: fn(&Report, &mut Values<'_>),
    ) -> Self {
        Self { name, kind: Kind::Gauge, help, read }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        })
    }
}

/// A value, in the unit of its metric's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    Count(u64),
    /// Yes is 1, no is 0.
    Flag(bool),
    /// Milliseconds, as a length or since 1970; written as seconds.
    Millis(u64),
    /// The same where parts of one matter.
    FineMillis(f64),
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for Value {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Flag(flag) => u8::from(*flag).fmt(f),
            Self::Millis(millis) => write!(f, "{}.{:03}", millis / 1000, millis % 1000),
            Self::FineMillis(millis) => (millis / 1000.0).fmt(f),
        }
    }
}

/// Where a metric puts its values.
#[derive(Debug)]
pub(super) struct Values<'a> {
    text: &'a mut String,
    name: &'static str,
    /// The labels that every value of this machine has, written out.
    common: &'a str,
}

impl Values<'_> {
    /// The only value of its metric; nothing if it is not known.
    pub(super) fn one(&mut self, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.labelled(&[], value);
        }
    }

    /// One of several values.
    pub(super) fn labelled(&mut self, labels: &[(&str, &str)], value: impl Into<Value>) {
        self.text.push_str(self.name);
        self.text.push('{');
        self.text.push_str(self.common);
        for (name, value) in labels {
            self.text.push(',');
            push_label(self.text, name, value);
        }
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "}} {}", value.into());
    }

    /// One value for each state there is: 1 for the one that is, 0 for the others.
    pub(super) fn states<'s>(
        &mut self,
        label: &str,
        all: impl IntoIterator<Item = &'s str>,
        is: Option<&str>,
    ) {
        let mut found = false;
        for state in all {
            found |= is == Some(state);
            self.labelled(&[(label, state)], is == Some(state));
        }
        // A state that this table does not know yet must not be lost.
        if let Some(state) = is.filter(|_| !found) {
            self.labelled(&[(label, state)], true);
        }
    }
}

/// A text in the making.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    common: String,
}

impl Text {
    /// About the size of a full one.
    const CAPACITY: usize = 16 * 1024;

    pub(super) fn new(report: &Report) -> Self {
        let mut common = String::new();
        push_label(&mut common, "chain", &report.chain_id);
        common.push(',');
        push_label(&mut common, "machine", &report.name);
        if let Some(signer) = &report.signer {
            common.push(',');
            push_label(&mut common, "validator", &signer.validator);
        }
        Self { text: String::with_capacity(Self::CAPACITY), common }
    }

    pub(super) fn write(&mut self, family: &Family, report: &Report) {
        let Family { name, kind, help, read } = family;
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        read(report, &mut Values { text: &mut self.text, name, common: &self.common });
    }

    pub(super) fn into_string(self) -> String {
        self.text
    }
}

/// `name="value"`, with what would end the value early, or the line, written otherwise.
fn push_label(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str("=\"");
    for character in value.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        let mut text = String::new();
        push_label(&mut text, "name", "a\"} 1\nevil 2\\");
        assert_eq!(text, r#"name="a\"} 1\nevil 2\\""#);
    }

    #[test]
    fn values_are_in_base_units() {
        let written =
            [Value::Millis(1_700_000_000_042), Value::FineMillis(1.5), true.into(), u64::MAX.into()];
        assert_eq!(
            written.map(|value| value.to_string()),
            ["1700000000.042", "0.0015", "1", "18446744073709551615"]
        );
    }

    #[test]
    fn a_state_that_nobody_knew_of_is_told_as_well() {
        let (mut text, common) = (String::new(), r#"m="a""#);
        let mut values = Values { text: &mut text, name: "x", common };
        values.states("state", ["on", "off"], Some("broken"));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [r#"x{m="a",state="on"} 0"#, r#"x{m="a",state="off"} 0"#, r#"x{m="a",state="broken"} 1"#]
        );
    }
}
