//! The status as people read it.

use std::time::Duration;

use beam_core::shared::one_line;

use super::gather::{Machine, Status, Validator};
use crate::cli::output::push_line;
use crate::cli::table;
use crate::clock::length;
use crate::report::{Report, State};

/// A column's head, and what a machine has in it.
type Column = (&'static str, fn(&Machine) -> String);

/// A sentence that is longer, in bytes, is cut.
const TEXT_LEN_MAX: usize = 1024;

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
    ("NODE VERSION", version),
    ("SEEN", |machine| length(Duration::from_secs(machine.seen_seconds_ago))),
];

/// What a narrow terminal goes without, the first one first.
const GIVES_WAY: [&str; 7] = ["NODE VERSION", "REGISTER", "DISK", "LAG", "PEERS", "SEEN", "SIGNED"];

/// The whole status, with a line end; its table no wider than `width` characters, if that can be.
pub(super) fn render(status: &Status, width: usize) -> String {
    let mut out = String::new();
    match &status.validator {
        Some(validator) => out += &head(status, validator),
        None => push_line!(out, "sentry on {}: {}", status.chain_id, word(status.state)),
    }
    out.push('\n');
    out += &table(&status.machines, width);
    if !status.reasons.is_empty() {
        out.push('\n');
    }
    for reason in &status.reasons {
        push_line!(out, "! {}", plain(reason));
    }
    for machine in &status.machines {
        if let Some(silent) = &machine.silent {
            push_line!(out, "  {}: no details, {}", machine.name, plain(silent));
        }
    }
    out
}

fn head(status: &Status, validator: &Validator) -> String {
    let Validator { validator, mark, epoch, since, handover, .. } = validator;
    format!(
        "{validator} on {}: {}\nlast signed {}   epoch {epoch} since {} ({handover})\n",
        status.chain_id,
        word(status.state),
        mark.in_words(),
        since.in_words()
    )
}

fn table(machines: &[Machine], width: usize) -> String {
    let mut columns = COLUMNS.to_vec();
    let mut left_out = Vec::new();
    let mut rows = rows(&columns, machines);
    for gives_way in GIVES_WAY {
        if table::width(&rows) <= width {
            break;
        }
        columns.retain(|(head, _)| *head != gives_way);
        left_out.push(gives_way);
        rows = self::rows(&columns, machines);
    }
    let mut out = table::aligned(&rows);
    if !left_out.is_empty() {
        push_line!(out, "(a wider terminal shows {})", left_out.join(", "));
    }
    out
}

fn rows(columns: &[Column], machines: &[Machine]) -> Vec<Vec<String>> {
    let heads = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
    let row = |machine| columns.iter().map(|(_, cell)| cell(machine)).collect();
    std::iter::once(heads).chain(machines.iter().map(row)).collect()
}

/// What another machine says may be anything, and a terminal obeys control characters.
fn plain(text: &str) -> String {
    one_line(text, TEXT_LEN_MAX)
}

fn word(state: State) -> &'static str {
    match state {
        State::Fine => "fine",
        State::Degraded => "degraded",
        State::Down => "down",
    }
}

fn told<T: ToString>(machine: &Machine, what: impl FnOnce(&Report) -> Option<T>) -> String {
    machine.report.as_ref().and_then(what).map_or_else(|| "-".to_owned(), |value| plain(&value.to_string()))
}

fn state(machine: &Machine) -> String {
    let report = machine.report.as_ref();
    if report.is_some_and(|report| report.signer.as_ref().is_some_and(|signer| signer.halted.is_some())) {
        return "halted".to_owned();
    }
    if let Some(condition) = report.and_then(|report| report.node.condition.clone()) {
        return plain(&condition);
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

/// What runs, and what the chain has planned to run next.
fn version(machine: &Machine) -> String {
    told(machine, |report| {
        let next = report.node.upgrade.as_ref();
        let next = next.map(|upgrade| format!(" -> {}@{}", upgrade.name, upgrade.height)).unwrap_or_default();
        Some(format!("{}{next}", report.node.version.as_deref().unwrap_or("?")))
    })
}

/// How much is free.
fn disk(machine: &Machine) -> String {
    told(machine, |report| Some(format!("{}%", report.disk.as_ref()?.free_percent()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn status() -> Status {
        let report = samples::validator();
        let machine = |name: &str, role| Machine {
            name: name.to_owned(),
            role,
            here: role == "owner",
            height: 24_567_890,
            seen_seconds_ago: 1,
            in_step: true,
            agent: None,
            report: Some(report.clone()),
            silent: None,
        };
        Status {
            schema: "beam.status/1",
            chain_id: "test-1".to_owned(),
            state: State::Fine,
            reasons: Vec::new(),
            validator: None,
            machines: vec![machine("validator-a", "owner"), machine("validator-b", "standby")],
        }
    }

    #[test]
    fn a_table_fits_into_a_terminal_and_says_what_it_goes_without() {
        let widest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or_default();
        let whole = render(&status(), usize::MAX);
        assert!(COLUMNS.iter().all(|(head, _)| whole.contains(head)), "{whole}");
        assert!(whole.contains(" -> v29@5000"), "the upgrade that is planned: {whole}");
        assert!(widest(&whole) > 80 && !whole.contains("wider"), "{whole}");
        let narrow = render(&status(), 80);
        assert!(widest(&narrow) <= 80 && narrow.contains("a wider terminal shows NODE VERSION"), "{narrow}");
        assert!(["NODE", "STATE", "HEIGHT", "MISSED"].iter().all(|head| narrow.contains(head)), "{narrow}");
        // What cannot be left out stays, however narrow it is.
        assert!(render(&status(), 1).contains("HEIGHT"));
    }

    #[test]
    fn what_another_machine_says_cannot_steer_the_terminal() {
        let mut status = status();
        status.reasons.push("b: \u{1b}[2Jall is well\nreally".to_owned());
        status.machines[1].silent = Some("x".repeat(5000));
        status.machines[1].report = None;
        status.machines[0].report.as_mut().unwrap().node.version = Some("\u{9b}1m".to_owned());
        status.machines[0].report.as_mut().unwrap().node.condition = Some("odd\u{7}".to_owned());
        let text = render(&status, usize::MAX);
        assert!(
            !text.contains(['\u{1b}', '\u{9b}', '\u{7}']) && text.contains("all is well really"),
            "{text}"
        );
        assert!(text.lines().all(|line| line.len() < 1200), "{text}");
        assert!(text.contains("\n*validator-a") && text.contains("\n validator-b"), "{text}");
    }
}
