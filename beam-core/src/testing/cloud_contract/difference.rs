//! What a backend is known to get wrong.

use super::clause::{Clause, Verdict};
use super::clauses;
use crate::testing::Breach;

/// One clause that a backend does not keep, known and put up with. An emulator's, never a real cloud's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The clause, by its name.
    pub clause: &'static str,
    /// A part of the breach's text: how the difference shows. Anything else that breaks the same clause is no excuse.
    pub shows: &'static str,
    /// Why it is so, and what of ours goes unchecked with it.
    pub reason: &'static str,
}

/// What a check came to, in the light of the list.
pub(super) enum Judged {
    Kept,
    NotStaged(&'static str),
    Different(Difference),
    Breach(Breach),
}

pub(super) fn judged(clause: &Clause, seen: Result<Verdict, Breach>, differences: &[Difference]) -> Judged {
    let listed = differences.iter().find(|difference| difference.clause == clause.name);
    let stale = |what: String| Judged::Breach(Breach { statement: clause.name, what });
    match (seen, listed) {
        (Ok(Verdict::Kept), None) => Judged::Kept,
        (Ok(Verdict::NotStaged(what)), None) => Judged::NotStaged(what),
        (Err(breach), None) => Judged::Breach(breach),
        (Err(breach), Some(listed)) if breach.what.contains(listed.shows) => Judged::Different(*listed),
        (Err(breach), Some(listed)) => stale(format!(
            "is listed as different, but not like this: \"{}\" is not in \"{}\"",
            listed.shows, breach.what
        )),
        (Ok(Verdict::Kept), Some(listed)) => stale(format!(
            "is kept; strike it off the differences, where it stands because {}",
            listed.reason
        )),
        (Ok(Verdict::NotStaged(what)), Some(_)) => {
            stale(format!("is listed as different, but nothing shows it: the harness cannot {what}"))
        }
    }
}

/// Entries that name no clause, or one that another names too.
pub(super) fn wrongly_listed(differences: &[Difference]) -> impl Iterator<Item = Breach> {
    differences.iter().enumerate().filter_map(|(number, difference)| {
        let name = difference.clause;
        let again = differences.iter().take(number).any(|earlier| earlier.clause == name);
        let what = if again {
            "is listed twice"
        } else if !clauses().any(|clause| clause.name == name) {
            "is listed as different, but there is no such clause"
        } else if difference.shows.is_empty() {
            "is listed without what shows the difference"
        } else {
            return None;
        };
        Some(Breach { statement: name, what: what.to_owned() })
    })
}
