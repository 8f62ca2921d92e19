//! The status as people read it.

use std::fmt::Write as _;
use std::time::Duration;

use super::gather::{Machine, Status, Validator};
use crate::clock::length;
use crate::report::{Report, State};

/// A column's head, and what a machine has in it.
type Column = (&'static str, fn(&Machine) -> String);

const COLUMNS: [Column; 12] = [
    ("NODE", |machine| format!("{}{}", if machine.here { "*" } else { " " }, machine.name)),
    ("ROLE", |machine| machine.role.to_owned()),
    ("STATE", state),
    ("HEIGHT", |machine| machine.height.to_string()),
    ("LAG", |machine| told(machine, |report| report.node.lag_blocks)),
    ("SIGNED", |machine| told(machine, |report| report.signer.as_ref()?.signed)),
    ("MISSED", missed),
    ("PEERS", peers),
    ("REGISTER", |machine| {
        told(machine, |report| report.signer.as_ref()?.register.p99_ms.map(|ms| format!("{ms:.1} ms")))
    }),
    ("DISK", disk),
    ("NODE VERSION", |machine| told(machine, |report| report.node.version.clone())),
    ("SEEN", |machine| length(Duration::from_secs(machine.seen_seconds_ago))),
];

/// The whole status, with a line end.
pub(super) fn render(status: &Status) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = match &status.validator {
        Some(validator) => head(&mut out, status, validator),
        None => writeln!(out, "sentry on {}: {}", status.chain_id, word(status.state)),
    };
    out.push('\n');
    table(&mut out, &status.machines);
    if !status.reasons.is_empty() {
        out.push('\n');
    }
    for reason in &status.reasons {
        let _ = writeln!(out, "! {reason}");
    }
    for machine in &status.machines {
        if let Some(silent) = &machine.silent {
            let _ = writeln!(out, "  {}: no details, {silent}", machine.name);
        }
    }
    out
}

fn head(out: &mut String, status: &Status, validator: &Validator) -> std::fmt::Result {
    let Validator { validator, mark, epoch, since, handover, .. } = validator;
    writeln!(out, "{validator} on {}: {}", status.chain_id, word(status.state))?;
    writeln!(out, "last signed {}   epoch {epoch} since {} ({handover})", mark.in_words(), since.in_words())
}

fn table(out: &mut String, machines: &[Machine]) {
    let rows: Vec<Vec<String>> =
        machines.iter().map(|machine| COLUMNS.iter().map(|(_, cell)| cell(machine)).collect()).collect();
    let heads: Vec<String> = COLUMNS.iter().map(|(head, _)| (*head).to_owned()).collect();
    let widths: Vec<usize> = (0..COLUMNS.len())
        .map(|column| {
            let cells = std::iter::once(&heads).chain(&rows).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        })
        .collect();
    for row in std::iter::once(&heads).chain(&rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Fine => "fine",
        State::Degraded => "degraded",
        State::Down => "down",
    }
}

fn told<T: ToString>(machine: &Machine, what: impl FnOnce(&Report) -> Option<T>) -> String {
    machine.report.as_ref().and_then(what).map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn state(machine: &Machine) -> String {
    let report = machine.report.as_ref();
    if report.is_some_and(|report| report.signer.as_ref().is_some_and(|signer| signer.halted.is_some())) {
        return "halted".to_owned();
    }
    if let Some(condition) = report.and_then(|report| report.node.condition.clone()) {
        return condition;
    }
    let word = match (machine.in_step, report) {
        (true, Some(report)) => word(report.state),
        (true, None) => "in step",
        (false, _) => "out of step",
    };
    word.to_owned()
}

/// Missed of the last hundred heights, then of the chain's own window.
fn missed(machine: &Machine) -> String {
    told(machine, |report| {
        let votes = report.votes.as_ref()?;
        let window = votes.missed_in_window.zip(votes.window);
        let window = window.map(|(missed, window)| format!(" {missed}/{window}")).unwrap_or_default();
        Some(format!("{}/100{window}", votes.missed_last_100))
    })
}

fn peers(machine: &Machine) -> String {
    told(machine, |report| {
        let (inbound, outbound) = report.node.peers_inbound.zip(report.node.peers_outbound)?;
        Some(format!("{inbound}/{outbound}"))
    })
}

/// How much is free.
fn disk(machine: &Machine) -> String {
    told(machine, |report| {
        let disk = report.disk.as_ref()?;
        let percent = disk.free_bytes.saturating_mul(100).checked_div(disk.total_bytes)?;
        Some(format!("{percent}%"))
    })
}
