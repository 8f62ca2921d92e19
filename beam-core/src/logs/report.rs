//! What an analysis ends in: the findings, the most serious first, and what was read.

use std::cmp::Reverse;

use serde::Serialize;

use super::analysis::Analysis;
use super::tally::Tally;
use super::{Cause, Stamp};
use crate::alert_sink::Severity;

/// From how many rounds on a block's lateness is worth a look.
const ROUNDS_MANY: u64 = 3;
/// From how many blocks on their share is.
const BLOCKS_ENOUGH: u64 = 50;
/// One late block in so many is.
const LATE_ONE_IN: u64 = 10;

/// How many lines there were, and of what kind. All but the first and the last two add up to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// All of them.
    pub all: u64,
    /// Records in one of the known forms.
    pub records: u64,
    /// Panics, usage texts, second lines of a message.
    pub texts: u64,
    /// The pilot's notes.
    pub notes: u64,
    /// Ends of lines that were cut by the capture.
    pub rests: u64,
    /// Before or after what was asked for.
    pub outside: u64,
    /// Those that carried a time that can be believed.
    pub timed: u64,
    /// Bytes, newlines included.
    pub bytes: u64,
}

/// One cause that was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Which.
    #[serde(rename = "code")]
    pub cause: Cause,
    /// How bad it is, now: a step less once it is over.
    pub severity: Severity,
    /// Whether it was over before the log ended.
    pub over: bool,
    /// How many lines told it.
    pub count: u64,
    /// When it was first seen, if the log has times.
    pub first: Option<Stamp>,
    /// When it was last seen.
    pub last: Option<Stamp>,
    /// At which height first, if the line names one.
    pub first_height: Option<u64>,
    /// At which height last.
    pub last_height: Option<u64>,
    /// What it is.
    pub what: &'static str,
    /// What to do.
    pub advice: &'static str,
    /// Whom or what it was about, the most frequent first.
    pub subjects: Vec<Subject>,
    /// How often it was about somebody else.
    pub other_subjects: u64,
    /// The first line that told it.
    pub example: String,
}

/// A peer, a validator, a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// How often.
    pub count: u64,
}

/// What a log tells.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was read.
    pub lines: Lines,
    /// The first time that was seen.
    pub from: Option<Stamp>,
    /// The last.
    pub until: Option<Stamp>,
    /// The first height that this node committed.
    pub first_height: Option<u64>,
    /// The last.
    pub last_height: Option<u64>,
    /// How many blocks it committed.
    pub blocks: u64,
    /// How many of its heights needed more than one round.
    pub late_blocks: u64,
    /// The highest round that was needed.
    pub round_max: u64,
    /// How often the node was started.
    pub starts: u64,
    /// Whether it called itself a validator at its last start.
    pub validator: Option<bool>,
    /// The most serious first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// How bad the worst is; `None` if nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }
}

impl Analysis {
    /// Ends the analysis.
    #[must_use]
    pub fn report(mut self) -> Report {
        self.end();
        let mut findings: Vec<Finding> = std::mem::take(&mut self.tallies)
            .into_iter()
            .map(|(cause, tally)| self.finding(cause, tally))
            .collect();
        findings.sort_by_key(|finding| (Reverse(finding.severity), finding.over, finding.cause));
        Report {
            lines: self.lines,
            from: self.from,
            until: self.now,
            first_height: self.chain.first_height,
            last_height: self.chain.last_height,
            blocks: self.chain.blocks,
            late_blocks: self.chain.late_blocks,
            round_max: self.chain.round_max,
            starts: self.chain.starts,
            validator: self.chain.validator,
            findings,
        }
    }

    fn finding(&self, cause: Cause, tally: Tally) -> Finding {
        let over = tally.over(cause);
        let mut subjects: Vec<Subject> =
            tally.subjects.into_iter().map(|(name, count)| Subject { name, count }).collect();
        subjects.sort_by_key(|subject| Reverse(subject.count));
        Finding {
            cause,
            severity: self.severity(cause, over),
            over,
            count: tally.count,
            first: tally.first,
            last: tally.last,
            first_height: tally.first_height,
            last_height: tally.last_height,
            what: cause.what(),
            advice: cause.advice(),
            subjects,
            other_subjects: tally.others,
            example: tally.example,
        }
    }

    fn severity(&self, cause: Cause, over: bool) -> Severity {
        let many = self.chain.round_max >= ROUNDS_MANY
            || (self.chain.blocks >= BLOCKS_ENOUGH
                && self.chain.late_blocks.saturating_mul(LATE_ONE_IN) > self.chain.blocks);
        match (cause, cause.severity()) {
            (Cause::Rounds, _) if many => Severity::Warning,
            (_, Severity::Critical) if over => Severity::Warning,
            (_, _) if over => Severity::Info,
            (_, severity) => severity,
        }
    }
}
