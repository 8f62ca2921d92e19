//! Writing results and logs.

use std::env;
use std::io::IsTerminal;

use anyhow::Result;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

use super::Ending;

/// Which log lines are written unless told otherwise.
const DEFAULT: &str = "info";
/// The variable that tells otherwise.
const VARIABLE: &str = "BEAM_LOG";

/// Changes which log lines are written while the program runs.
pub(crate) struct LogLevel(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl LogLevel {
    /// From now on this level, or list such as `info,beam_core=debug`, unless the environment has said one: that wins.
    pub(crate) fn set(&self, level: &str) {
        if env::var_os(VARIABLE).is_none()
            && let Ok(filter) = level.parse()
        {
            (self.0)(filter);
        }
    }
}

/// Logs to stderr, at `info` unless `BEAM_LOG` says otherwise.
pub(crate) fn start_logging() -> LogLevel {
    let filter = EnvFilter::try_from_env(VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .with_filter_reloading();
    let handle = logging.reload_handle();
    logging.init();
    LogLevel(Box::new(move |filter| {
        // An error means that nobody logs any more.
        let _ = handle.reload(filter);
    }))
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
