//! What the faults of each kind cost: a row a kind, from results that were just measured or kept.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result};
use beam_benches::stats::Sorted;
use beam_examples::trial::Phases;
use serde_json::{Value, json};

/// Costs of this many blocks and more stand in one column of the histogram.
const MANY: usize = 3;

/// What is counted of one fault.
#[derive(Debug, Clone)]
pub(crate) struct Cost {
    pub(crate) fault: String,
    pub(crate) block_time_ms: u64,
    missed: usize,
    nil: usize,
    next_vote_ms: u64,
    phases: Option<Phases>,
}

impl Cost {
    /// Of a line of results; `None` if the line is about something else than a fault.
    ///
    /// # Errors
    /// When it is about a fault and something is missing.
    pub(crate) fn of(line: &Value, block_time_ms: u64) -> Result<Option<Self>> {
        // A summary names the fault too, and has a schema.
        let (Some(fault), None) = (line.get("fault").and_then(Value::as_str), line.get("schema")) else {
            return Ok(None);
        };
        let heights = |key: &str| {
            let list = line.get(key).and_then(Value::as_array);
            list.map(Vec::len).with_context(|| format!("a fault without `{key}`"))
        };
        let phases = line.get("phases").cloned().unwrap_or_default();
        Ok(Some(Self {
            fault: fault.to_owned(),
            block_time_ms: line.get("block_time_ms").and_then(Value::as_u64).unwrap_or(block_time_ms),
            missed: heights("missed")?,
            nil: heights("nil")?,
            next_vote_ms: line.get("next_vote_ms").and_then(Value::as_u64).context("no `next_vote_ms`")?,
            phases: serde_json::from_value(phases).context("phases of another form")?,
        }))
    }
}

/// The faults of one kind, or several taken together.
#[derive(Debug, Default)]
pub(crate) struct Row<'a>(Vec<&'a Cost>);

/// The kinds by name, each at its block time.
pub(crate) fn by_fault(costs: &[Cost]) -> BTreeMap<(u64, &str), Row<'_>> {
    let mut rows = BTreeMap::<_, Row<'_>>::new();
    for cost in costs {
        rows.entry((cost.block_time_ms, cost.fault.as_str())).or_default().0.push(cost);
    }
    rows
}

/// All of them in one row.
pub(crate) fn all(costs: &[Cost]) -> Row<'_> {
    Row(costs.iter().collect())
}

impl Row<'_> {
    pub(crate) fn n(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn missed(&self) -> Sorted<usize> {
        Sorted::new(self.0.iter().map(|cost| cost.missed))
    }

    pub(crate) fn next_votes(&self) -> Sorted<u64> {
        Sorted::new(self.0.iter().map(|cost| cost.next_vote_ms))
    }

    pub(crate) fn nil(&self) -> usize {
        self.0.iter().map(|cost| cost.nil).sum()
    }

    /// How many cost 0, 1, 2 and more blocks.
    fn histogram(&self) -> [usize; MANY.saturating_add(1)] {
        let mut counts = [0_usize; MANY.saturating_add(1)];
        for cost in &self.0 {
            if let Some(count) = counts.get_mut(cost.missed.min(MANY)) {
                *count = count.saturating_add(1);
            }
        }
        counts
    }

    /// How long each part of a takeover took, and of how many.
    pub(crate) fn phases(&self) -> (usize, Vec<(&'static str, Sorted<u64>)>) {
        let known: Vec<_> = self.0.iter().filter_map(|cost| cost.phases).collect();
        let mut parts = Vec::<(&'static str, Vec<u64>)>::new();
        for phases in &known {
            for (name, ms) in phases.parts() {
                match parts.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, times)) => times.push(ms),
                    None => parts.push((name, vec![ms])),
                }
            }
        }
        (known.len(), parts.into_iter().map(|(name, times)| (name, Sorted::new(times))).collect())
    }

    pub(crate) fn to_json(&self) -> Value {
        let (missed, votes, (takeovers, phases)) = (self.missed(), self.next_votes(), self.phases());
        let phases: BTreeMap<_, _> = phases
            .into_iter()
            .map(|(name, times)| {
                (name, json!({ "median_ms": times.median(), "p99_ms": times.percentile(99), "max_ms": times.max() }))
            })
            .collect();
        json!({
            "n": self.n(),
            "missed_median": missed.median(),
            "missed_p99": missed.percentile(99),
            "missed_max": missed.max(),
            "missed_histogram": self.histogram(),
            "nil": self.nil(),
            "next_vote_median_ms": votes.median(),
            "next_vote_p99_ms": votes.percentile(99),
            "next_vote_max_ms": votes.max(),
            "takeovers": takeovers,
            "phases": phases,
        })
    }
}

/// Median, p99 and the largest.
pub(crate) fn three<T: Ord + Copy + std::fmt::Display>(values: &Sorted<T>) -> String {
    match (values.median(), values.percentile(99), values.max()) {
        (Some(median), Some(p99), Some(max)) => format!("{median} / {p99} / {max}"),
        _ => "-".to_owned(),
    }
}

/// The rows as a table in Markdown, which is readable as it is.
pub(crate) fn table(costs: &[Cost]) -> String {
    let mut heads = vec!["fault", "blocks of", "n", "missed: median / p99 / max", "0", "1", "2", "3+", "nil"];
    heads.push("next vote, ms: median / p99 / max");
    let mut lines = vec![heads.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    for ((block_time, fault), row) in by_fault(costs) {
        let mut line = vec![fault.to_owned(), format!("{} s", in_seconds(block_time)), row.n().to_string()];
        line.push(three(&row.missed()));
        line.extend(row.histogram().map(|count| count.to_string()));
        line.extend([row.nil().to_string(), three(&row.next_votes())]);
        lines.push(line);
    }
    let mut out = markdown(&lines);
    let block_times: BTreeSet<_> = costs.iter().map(|cost| cost.block_time_ms).collect();
    for block_time in block_times {
        let these = Row(costs.iter().filter(|cost| cost.block_time_ms == block_time).collect());
        out.push_str(&by_phase(&these, block_time));
    }
    out
}

/// The parts of the takeovers among some faults, if there are any.
fn by_phase(row: &Row<'_>, block_time_ms: u64) -> String {
    let (takeovers, phases) = row.phases();
    if takeovers == 0 {
        return String::new();
    }
    let mut lines = vec![["phase", "ms: median / p99 / max"].map(str::to_owned).to_vec()];
    lines.extend(phases.iter().map(|(name, times)| vec![(*name).to_owned(), three(times)]));
    let seconds = in_seconds(block_time_ms);
    format!("\n{takeovers} takeovers at blocks of {seconds} s, by phase:\n\n{}", markdown(&lines))
}

fn in_seconds(ms: u64) -> f64 {
    std::time::Duration::from_millis(ms).as_secs_f64()
}

/// Lines of a table, the first of them its head, each column as wide as its widest cell.
fn markdown(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<_> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let cells: Vec<_> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
        if number == 0 {
            let rules: Vec<_> = widths.iter().map(|width| "-".repeat(width.saturating_add(2))).collect();
            let _ = writeln!(out, "|{}|", rules.join("|"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(fault: &str, missed: &[u64]) -> Cost {
        let line = json!({ "fault": fault, "missed": missed, "nil": [], "next_vote_ms": 900, "phases": {
            "noticed_ms": 1, "decided_ms": 300, "swapped_ms": 2, "signed_ms": 3, "seen_ms": 4 } });
        Cost::of(&line, 1_000).unwrap().unwrap()
    }

    #[test]
    fn each_kind_has_its_row_with_its_histogram_and_the_takeovers_their_phases() {
        let costs =
            [cost("kill", &[]), cost("kill", &[7]), cost("kill", &[7, 8, 9, 10]), cost("freeze", &[])];
        let text = table(&costs);
        let kill = text.lines().find(|line| line.starts_with("| kill")).unwrap();
        let cells: Vec<_> = kill.split('|').map(str::trim).collect();
        assert_eq!(cells[2..10], ["1 s", "3", "1 / 4 / 4", "1", "1", "0", "1", "0"], "{text}");
        assert!(
            text.contains("4 takeovers at blocks of 1 s")
                && text.contains("| decided | 300 / 300 / 300        |"),
            "{text}"
        );
    }

    #[test]
    fn a_summary_is_no_fault_and_half_a_fault_is_an_error() {
        let summary = json!({ "schema": "beam.measure/2", "fault": "any" });
        assert!(Cost::of(&summary, 1).unwrap().is_none());
        assert!(Cost::of(&json!({ "fault": "kill", "missed": [] }), 1).is_err());
    }
}
