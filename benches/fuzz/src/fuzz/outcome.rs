//! What libFuzzer says, taken apart, and the table that is made of it.

use std::fmt::Write as _;
use std::time::Duration;

/// The last lines are kept to be shown if something was found.
const LAST_LINES_MAX: usize = 40;

/// What a run has told so far.
#[derive(Debug, Default)]
pub(crate) struct Told {
    executions: u64,
    coverage: u64,
    corpus: u64,
    memory_mib: u64,
    artifact: Option<String>,
    last: Vec<String>,
}

/// What came of a target's run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) target: &'static str,
    pub(crate) executions: u64,
    pub(crate) took: Duration,
    /// Edges of the program that were passed.
    pub(crate) coverage: u64,
    /// Inputs that each pass one that no other does.
    pub(crate) corpus: u64,
    pub(crate) memory_mib: u64,
    /// What it found: where the input is, and what was said.
    pub(crate) found: Option<Finding>,
}

#[derive(Debug)]
pub(crate) struct Finding {
    input: Option<String>,
    said: Vec<String>,
}

impl Told {
    /// Takes in a line of libFuzzer's.
    pub(crate) fn line(&mut self, line: &str) {
        if let Some(rest) = line.strip_prefix('#') {
            // `#123 NEW cov: 45 ft: 67 corp: 8/90b …`
            let words: Vec<&str> = rest.split_whitespace().collect();
            let after = |key: &str| {
                let place = words.iter().position(|word| *word == key)?;
                words.get(place.checked_add(1)?)?.split('/').next()?.parse().ok()
            };
            self.executions = words.first().and_then(|word| word.parse().ok()).unwrap_or(self.executions);
            self.coverage = after("cov:").unwrap_or(self.coverage);
            self.corpus = after("corp:").unwrap_or(self.corpus);
        } else if let Some(rest) = line.strip_prefix("stat::") {
            let value = rest.rsplit(' ').next().and_then(|word| word.parse().ok());
            if rest.starts_with("number_of_executed_units") {
                self.executions = value.unwrap_or(self.executions);
            } else if rest.starts_with("peak_rss_mb") {
                self.memory_mib = value.unwrap_or(self.memory_mib);
            }
        } else {
            if let Some((_, path)) = line.split_once("Test unit written to ") {
                self.artifact = Some(path.to_owned());
            }
            self.last.push(line.to_owned());
            if self.last.len() > LAST_LINES_MAX {
                self.last.remove(0);
            }
        }
    }

    pub(crate) fn outcome(self, target: &'static str, took: Duration, good: bool) -> Outcome {
        let Self { executions, coverage, corpus, memory_mib, artifact, last } = self;
        let found = (!good).then_some(Finding { input: artifact, said: last });
        Outcome { target, executions, took, coverage, corpus, memory_mib, found }
    }
}

impl Outcome {
    fn per_second(&self) -> u64 {
        let ms = u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX).max(1);
        self.executions.saturating_mul(1000) / ms
    }

    /// In a line, as in the table.
    pub(crate) fn in_a_line(&self) -> String {
        let result = if self.found.is_some() { "FOUND SOMETHING" } else { "nothing found" };
        format!(
            "{:<15} {:>12} {:>8} {:>8} {:>8} {:>7} {:>7}  {result}",
            self.target,
            self.executions,
            self.took.as_secs(),
            self.per_second(),
            self.coverage,
            self.corpus,
            self.memory_mib,
        )
    }

    /// What was found and how to see it again.
    pub(crate) fn complaint(&self) -> String {
        let Some(Finding { input, said }) = &self.found else { return String::new() };
        let mut text = format!("\n{} has found something:\n  {}\n", self.target, said.join("\n  "));
        match input {
            Some(path) => {
                let _ =
                    writeln!(text, "Again, without libFuzzer: cargo fuzz-all --input {path} {}", self.target);
                let _ = writeln!(text, "Keep it: a line in benches/fuzz/cases/{}.txt", self.target);
            }
            None => text.push_str("It left no input.\n"),
        }
        text
    }
}

/// The table of all outcomes.
pub(crate) fn table(outcomes: &[Outcome]) -> String {
    let mut text = format!(
        "{:<15} {:>12} {:>8} {:>8} {:>8} {:>7} {:>7}  result\n",
        "target", "executions", "seconds", "exec/s", "edges", "corpus", "MiB"
    );
    for outcome in outcomes {
        let _ = writeln!(text, "{}", outcome.in_a_line());
    }
    let all = outcomes.iter().fold(0_u64, |sum, outcome| sum.saturating_add(outcome.executions));
    let seconds: u64 = outcomes.iter().map(|outcome| outcome.took.as_secs()).sum();
    let _ = writeln!(text, "{:<15} {all:>12} {seconds:>8}", "all");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(good: bool) -> Outcome {
        let mut told = Told::default();
        for line in [
            "INFO: Running with entropic power schedule (0xFF, 100).",
            "#2\tINITED cov: 12 ft: 13 corp: 1/1b exec/s: 0 rss: 30Mb",
            "#4096\tpulse  cov: 345 ft: 600 corp: 78/901b lim: 4 exec/s: 2048 rss: 31Mb",
            "artifact_prefix='/x/'; Test unit written to /x/crash-1",
            "stat::number_of_executed_units: 5000",
            "stat::peak_rss_mb:              33",
        ] {
            told.line(line);
        }
        told.outcome("record", Duration::from_millis(2500), good)
    }

    #[test]
    fn what_libfuzzer_says_is_taken_apart() {
        let outcome = told(true);
        assert_eq!(
            (outcome.executions, outcome.coverage, outcome.corpus, outcome.memory_mib, outcome.per_second()),
            (5000, 345, 78, 33, 2000)
        );
        assert!(table(&[outcome]).contains("nothing found"));
    }

    #[test]
    fn a_run_that_failed_says_how_to_see_it_again() {
        let outcome = told(false);
        assert!(outcome.in_a_line().contains("FOUND SOMETHING"));
        assert!(outcome.complaint().contains("cargo fuzz-all --input /x/crash-1 record"));
    }
}
