//! The screen: lines that stay, and below them a few that are drawn again and again.
//!
//! On a terminal the live lines show what is going on. Elsewhere there are none: what would stand in them is told once,
//! when it changes, as a plain line. No cursor is hidden and no mode is set, so there is nothing to put back.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::args::Output;
use crate::paint::{Ink, Paint};

/// The width that everything fits into.
pub(crate) const WIDTH: usize = 78;

/// Where the demo is shown. Clones show on the same one.
#[derive(Clone)]
pub(crate) struct Screen {
    inner: Arc<Mutex<Inner>>,
    paint: Paint,
    is_live: bool,
}

struct Inner {
    to_stderr: bool,
    /// How many live lines stand there now.
    drawn: usize,
    /// What is being done, and since when.
    doing: Option<(String, Instant)>,
    /// Live lines above it.
    above: Vec<String>,
    /// What stands there now.
    standing: String,
}

impl Screen {
    /// The standard output; for JSON the standard error, because the result alone goes to the output.
    pub(crate) fn new(output: Output) -> Self {
        let to_stderr = output == Output::Json;
        let terminal =
            if to_stderr { std::io::stderr().is_terminal() } else { std::io::stdout().is_terminal() };
        let is_live = terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let inner = Inner { to_stderr, drawn: 0, doing: None, above: Vec::new(), standing: String::new() };
        Self { inner: Arc::new(Mutex::new(inner)), paint: Paint::new(is_live), is_live }
    }

    /// The colours that suit it.
    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// A line that stays.
    pub(crate) fn say(&self, line: &str) {
        let mut inner = self.lock();
        let mut text = inner.erase();
        text.push_str(line);
        text.push('\n');
        text.push_str(&inner.live(self.is_live, self.paint));
        inner.write(&text);
    }

    /// What is being done from now on.
    pub(crate) fn doing(&self, what: &str) {
        let mut inner = self.lock();
        inner.doing = Some((what.to_owned(), Instant::now()));
        if self.is_live {
            drop(inner);
            self.draw();
        } else {
            inner.write(&format!("  {what}\n"));
        }
    }

    /// Other live lines from now on; nowhere but on a terminal.
    pub(crate) fn show(&self, above: Vec<String>) {
        self.lock().above = above;
        self.draw();
    }

    /// Draws the live lines anew: the clock in them has moved on.
    pub(crate) fn draw(&self) {
        if self.is_live {
            let mut inner = self.lock();
            let erase = inner.erase();
            let before = std::mem::take(&mut inner.standing);
            let live = inner.live(true, self.paint);
            if live != before {
                inner.write(&(erase + &live));
            }
        }
    }

    /// Takes the live lines away, for good.
    pub(crate) fn close(&self) {
        let mut inner = self.lock();
        (inner.doing, inner.above) = (None, Vec::new());
        let text = inner.erase();
        inner.write(&text);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What removes the live lines.
    fn erase(&mut self) -> String {
        let lines = std::mem::take(&mut self.drawn);
        // To the first of them, then clear to the end of the screen.
        if lines == 0 { String::new() } else { format!("\x1b[{lines}A\r\x1b[J") }
    }

    /// What draws the live lines.
    fn live(&mut self, is_live: bool, paint: Paint) -> String {
        if !is_live {
            return String::new();
        }
        let mut text = String::new();
        for line in &self.above {
            text.push_str(line);
            text.push('\n');
            self.drawn = self.drawn.saturating_add(1);
        }
        if let Some((what, since)) = &self.doing {
            let clock = format!("{:>3} s", since.elapsed().as_secs());
            let what: String = what.chars().take(WIDTH.saturating_sub(8)).collect();
            text.push_str(&format!("  {} {what}\n", paint.ink(Ink::Faint, &clock)));
            self.drawn = self.drawn.saturating_add(1);
        }
        self.standing.clone_from(&text);
        text
    }

    /// A reader that has gone away is no reason to stop: what was started must still be put away.
    fn write(&self, text: &str) {
        if self.to_stderr {
            let mut stderr = std::io::stderr().lock();
            let _ = stderr.write_all(text.as_bytes());
            let _ = stderr.flush();
        } else {
            let mut stdout = std::io::stdout().lock();
            let _ = stdout.write_all(text.as_bytes());
            let _ = stdout.flush();
        }
    }
}
