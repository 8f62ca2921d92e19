//! `beam`: the pilot. It reads its configuration, puts the parts together and lets them run; it decides nothing.

mod assemble;
mod cli;
mod config;
mod report;
mod run;
mod watch_chain;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
