//! What a run of the suite saw.

use std::fmt;

use super::clause::Clause;
use super::difference::{Difference, Judged};
use crate::testing::Breach;

/// What a run of the suite saw. Its text is a table for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The clauses that are kept, by name.
    pub kept: Vec<&'static str>,
    /// The clauses that nothing was seen of, by name, with what the harness could not do.
    pub not_staged: Vec<(&'static str, &'static str)>,
    /// The differences that showed.
    pub different: Vec<Difference>,
    /// The clauses that are broken, and what is wrong with the list of differences.
    pub breaches: Vec<Breach>,
}

impl Report {
    pub(super) fn add(&mut self, clause: &Clause, judged: Judged) {
        match judged {
            Judged::Kept => self.kept.push(clause.name),
            Judged::NotStaged(what) => self.not_staged.push((clause.name, what)),
            Judged::Different(difference) => self.different.push(difference),
            Judged::Breach(breach) => self.breaches.push(breach),
        }
    }

    /// Whether a clause is broken.
    #[must_use]
    pub fn breaks(&self, clause: &str) -> bool {
        self.breaches.iter().any(|breach| breach.statement == clause)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kept, not_staged, different, breaches } = self;
        writeln!(
            f,
            "{} kept, {} different, {} not staged, {} broken",
            kept.len(),
            different.len(),
            not_staged.len(),
            breaches.len()
        )?;
        for Difference { clause, reason, .. } in different {
            writeln!(f, "different   {clause}: {reason}")?;
        }
        for (clause, what) in not_staged {
            writeln!(f, "not staged  {clause}: the harness cannot {what}")?;
        }
        for breach in breaches {
            writeln!(f, "broken      {breach}")?;
        }
        Ok(())
    }
}
