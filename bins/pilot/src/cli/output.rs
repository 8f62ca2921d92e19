//! Writing results and logs.

use std::env;
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context, Result};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

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

/// Appends a line to a string, as `writeln!` does. Writing to a string cannot fail.
macro_rules! push_line {
    ($out:expr, $($arg:tt)*) => {{
        let _ = std::fmt::Write::write_fmt(&mut $out, format_args!($($arg)*));
        $out.push('\n');
    }};
}
pub(crate) use push_line;

/// Writes a whole result to stdout. Whoever closed it, as `head` does, has seen enough: the command ends as it would have.
///
/// # Errors
/// When it could not be written, such as to a full disk. What the command did is done all the same.
pub(crate) fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("the result could not be written to stdout; what the command did is done")
        }
        _ => Ok(()),
    }
}

/// How many characters a line of stdout may have: a terminal's width, and any number elsewhere.
pub(crate) fn width() -> usize {
    // What is no terminal has no size.
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    size.filter(|size| size.ws_col > 0).map_or(usize::MAX, |size| size.ws_col.into())
}

/// Writes one JSON object to stdout, as [`text`] does.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    text(&(serde_json::to_string_pretty(value)? + "\n"))
}
