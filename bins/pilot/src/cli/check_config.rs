//! `beam check-config`: everything that is wrong with node.toml, and what the node would pass over in its own files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use beam_gaia::config::{KNOWN_APP, KNOWN_CLIENT, KNOWN_CONFIG};
use serde::Serialize;
use toml::de::DeTable;

use super::output::push_line;
use super::{Ending, Output, output};
use crate::config::{self, FILE_NAME, Keys, StrangeTables};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: beam check-config --output json\nExit code 0: all is well; 1: the node would pass over a setting; 64: node.toml is wrong."
)]
pub(super) struct Args {
    /// Look at node.toml alone, and not at the node's config.toml, app.toml and client.toml.
    #[arg(long)]
    no_node: bool,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

#[derive(Serialize)]
struct Report {
    schema: &'static str,
    state: &'static str,
    file: PathBuf,
    findings: Vec<Finding>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Finding {
    /// `error`: Beam will not start. `warning`: the node passes over it.
    severity: &'static str,
    file: PathBuf,
    line: Option<usize>,
    text: String,
    nearest: Option<String>,
}

pub(super) fn run(home: &Path, args: &Args) -> Result<Ending> {
    let file = std::path::absolute(home)?.join(FILE_NAME);
    let mut findings = Vec::new();
    let mut node_home = None;
    match config::text_of(&file) {
        Ok(text) => match config::read(&text) {
            Ok(config) => node_home = Some(file.with_file_name("").join(config.node.home)),
            Err(mistakes) => findings.extend(mistakes.into_iter().map(|mistake| Finding {
                severity: "error",
                file: file.clone(),
                line: mistake.line,
                text: mistake.text,
                nearest: mistake.nearest,
            })),
        },
        Err(error) => findings.push(error_in(&file, format!("{error:#}"))),
    }
    if let Some(node_home) = node_home.filter(|_| !args.no_node) {
        for (name, known, strange) in [
            ("config.toml", KNOWN_CONFIG, StrangeTables::Refused),
            ("app.toml", KNOWN_APP, StrangeTables::Left),
            ("client.toml", KNOWN_CLIENT, StrangeTables::Refused),
        ] {
            findings.extend(unknown_keys(&node_home.join("config").join(name), known, strange));
        }
    }
    let wrong = findings.iter().any(|finding| finding.severity == "error");
    let (state, ending) = match (wrong, findings.is_empty()) {
        (true, _) => ("wrong", Ending::WrongUse),
        (false, false) => ("degraded", Ending::Degraded),
        (false, true) => ("fine", Ending::Fine),
    };
    let report = Report { schema: "beam.check-config/1", state, file, findings };
    match args.output {
        Output::Json => output::json(&report)?,
        Output::Text => output::text(&text(&report))?,
    }
    Ok(ending)
}

/// What the node would pass over. A file that is not there is none of ours to miss: the node makes it.
fn unknown_keys(file: &Path, known: &str, strange: StrangeTables) -> Vec<Finding> {
    let Ok(text) = fs::read_to_string(file) else { return Vec::new() };
    let mut table = match DeTable::parse(&text) {
        Ok(table) => table.into_inner(),
        Err(error) => return vec![error_in(file, format!("is not TOML: {}", error.message()))],
    };
    let unknown = Keys::in_file(known).take_unknown(&mut table, &text, strange);
    let finding = |key: config::UnknownKey| Finding {
        severity: "warning",
        file: file.to_owned(),
        line: Some(key.line),
        text: format!(
            "{:?} is no key that CometBFT 0.38 or the Cosmos SDK knows: the node passes over it",
            key.path
        ),
        nearest: key.nearest,
    };
    unknown.into_iter().map(finding).collect()
}

fn error_in(file: &Path, text: String) -> Finding {
    Finding { severity: "error", file: file.to_owned(), line: None, text, nearest: None }
}

fn text(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let at = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
        let nearest =
            finding.nearest.as_ref().map(|key| format!("; did you mean {key:?}?")).unwrap_or_default();
        push_line!(out, "{} {}{at}: {}{nearest}", finding.severity, finding.file.display(), finding.text);
    }
    push_line!(out, "{}: {}", report.file.display(), report.state);
    out
}
