//! Writing results and logs.

use std::io::IsTerminal;

use anyhow::Result;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::Ending;

/// Logs to stderr, at `info` unless `BEAM_LOG` says otherwise.
pub(crate) fn start_logging() {
    let filter = EnvFilter::try_from_env("BEAM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
}

/// Says what is wrong with the command, in one line.
pub(crate) fn wrong_use(what: &str) -> Ending {
    eprintln!("beam: {what}");
    Ending::WrongUse
}

/// Prints one JSON object.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
