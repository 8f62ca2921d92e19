//! `beam`: the pilot. It reads its configuration, puts the parts together and lets them run; it decides nothing.

mod ask_agent;
mod assemble;
mod capture;
mod cli;
mod clock;
mod config;
mod doctor;
mod http;
mod metrics;
mod monitor;
mod node_home;
mod node_runs;
mod report;
mod run;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
