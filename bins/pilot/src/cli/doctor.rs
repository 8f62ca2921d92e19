//! `beam doctor`: what would hurt, as a table or as JSON.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use super::output::push_line;
use super::{Ending, Output, output};
use crate::config::Config;
use crate::doctor::{Finding, Severity, checks, gather};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam doctor --output json\nExit code 0: nothing that would hurt was found; 1: warnings; 2: something fails or is dangerous.\nNothing is changed; what could not be found out is `unknown`. Takes some ten seconds while the pilot runs."
)]
pub(super) struct Args {
    /// Show what is fine as well.
    #[arg(long)]
    all: bool,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    name: String,
    state: &'static str,
    findings: Vec<Finding>,
}

pub(super) async fn run(home: &Path, args: &Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let findings = checks(&gather(&config).await);
    let (state, ending) = match findings.iter().map(|finding| finding.severity).max() {
        Some(Severity::Fail) => ("down", Ending::Down),
        Some(Severity::Warn) => ("degraded", Ending::Degraded),
        Some(Severity::Fine | Severity::Unknown) | None => ("fine", Ending::Fine),
    };
    let report = Report { schema: "beam.doctor/1", name: config.name, state, findings };
    match args.output {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&text(&report, args.all))?,
    }
    Ok(ending)
}

fn text(report: &Report, all: bool) -> String {
    let mut out = String::new();
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    for finding in &findings {
        if finding.severity == Severity::Fine && !all {
            continue;
        }
        push_line!(out, "{:<8} {:<26} {}", word(finding.severity), finding.id, finding.found);
        if finding.severity > Severity::Unknown {
            push_line!(out, "{:<8} {:<26} should be: {}", "", "", finding.limit);
            push_line!(out, "{:<8} {:<26} to do: {}", "", "", finding.todo);
        }
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    push_line!(
        out,
        "{}: {}, {} fail, {} warn, {} unknown, {} fine{}",
        report.name,
        report.state,
        count(Severity::Fail),
        count(Severity::Warn),
        count(Severity::Unknown),
        count(Severity::Fine),
        if all { "" } else { " (--all shows them)" }
    );
    out
}

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Fine => "fine",
        Severity::Unknown => "unknown",
        Severity::Warn => "WARN",
        Severity::Fail => "FAIL",
    }
}
