//! The doctor: what would hurt, found before it does.
//!
//! Facts are gathered by looking ([`mod@gather`]) and judged by a plain function ([`checks()`]). What could not be looked at is
//! `unknown` and never `fine`. Nothing is changed, but for a probe file in the pilot's home that is gone again, and nothing leaves the
//! machine but questions to the nodes that node.toml names.

mod checks;
mod facts;
mod gather;

use serde::Serialize;

pub(crate) use checks::checks;
pub(crate) use gather::gather;

/// How bad it is. In order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// As it should be.
    Fine,
    /// It could not be found out.
    Unknown,
    /// It works, and will hurt one day.
    Warn,
    /// It does not work, or is dangerous now.
    Fail,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Its fixed name.
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// What is there.
    pub(crate) found: String,
    /// What should be.
    pub(crate) limit: &'static str,
    /// What to do; empty if nothing.
    pub(crate) todo: String,
}

impl Finding {
    fn new(id: &'static str, severity: Severity, found: impl Into<String>, limit: &'static str) -> Self {
        Self { id, severity, found: found.into(), limit, todo: String::new() }
    }

    fn todo(mut self, todo: impl Into<String>) -> Self {
        if self.severity > Severity::Unknown {
            self.todo = todo.into();
        }
        self
    }
}
