//! The command line: what people type, and what they read.

mod check_config;
mod completions;
mod doctor;
mod explain;
mod history;
mod init;
mod logs;
mod output;
mod pause;
mod start;
mod status;
mod switchover;
mod version;
mod watermark;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};

use crate::config::WrongConfig;

pub(crate) use output::LogLevel;

/// How a command ended, as an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All is well.
    Fine = 0,
    /// It works, but somebody should look.
    Degraded = 1,
    /// It does not work, or was not done.
    Down = 2,
    /// The command, or its configuration, was wrong.
    WrongUse = 64,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// Two machines, one validator: never signs twice, and given that, misses nothing.
#[derive(Debug, Parser)]
#[command(name = "beam", version, after_help = AFTER_HELP, max_term_width = 110)]
struct Cli {
    /// The pilot's home, with node.toml in it.
    #[arg(long, global = true, env = "BEAM_HOME", value_name = "DIR")]
    home: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 fine, 1 degraded, 2 down or not done, 64 wrong use.
Logs go to stderr (BEAM_LOG=debug for more), results to stdout.

A validator's first machine, then its second:
  beam init --node-home ~/.gaia --key ~/validator_key.json --register /var/lib/beam/register.db
  beam watermark init --height 12345678     once for the validator, not once a machine
  beam start";

const START_HELP: &str = "\
Signals:
  SIGTERM, SIGINT  the node ends, then the pilot
  SIGHUP           node.toml is read again; each changed key is told with what it needs, and no node is restarted
  SIGUSR2          the installed program takes this one's place; the node runs on and does not notice
  SIGKILL          the node runs on without a signer, until the next `beam start` adopts it";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Writes node.toml for this machine, or moves a validator in.
    Init(Box<init::Args>),
    /// Finds what would hurt: on this machine, in its node's files, in the register.
    Doctor(doctor::Args),
    /// Looks node.toml over, and the node's own files: every mistake, with its line and what was meant.
    CheckConfig(check_config::Args),
    /// Runs the node, and on a validator its signer, until told to stop.
    #[command(after_help = START_HELP)]
    Start,
    /// Shows the validator's machines and where each stands.
    Status(status::Args),
    /// Hands the validator to another machine, without missing a block.
    Switchover(switchover::Args),
    /// Hands the validator to another machine by force, ready or not.
    Failover(switchover::FailoverArgs),
    /// Keeps every standby from taking over, for a while.
    Pause(pause::PauseArgs),
    /// Ends a pause before its time.
    Resume(pause::ResumeArgs),
    /// Tells why this machine signs, or does not, guard by guard.
    Explain(explain::Args),
    /// Tells each change of owner, its cause and its cost.
    History(history::Args),
    /// The register's record: the highest position that anyone may have signed.
    #[command(subcommand)]
    Watermark(watermark::Verb),
    /// Shows what the node says, and names what is wrong with it.
    Logs(logs::Args),
    /// Shows what this program is, and which forms of what machines share it knows.
    Version(version::Args),
    /// Prints what a shell needs to complete this program's arguments.
    Completions(completions::CompletionsArgs),
    /// Writes the manual pages into a folder.
    Man(completions::ManArgs),
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object with a `schema` field.
    Json,
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done if even the message cannot be written.
            let _ = error.print();
            return if error.use_stderr() { Ending::WrongUse } else { Ending::Fine }.into();
        }
    };
    let log_level = output::start_logging();
    match dispatch(cli, log_level) {
        Ok(ending) => ending.into(),
        Err(error) => {
            eprintln!("beam: {error:#}");
            let wrong_use = error.is::<WrongConfig>();
            if wrong_use { Ending::WrongUse } else { Ending::Down }.into()
        }
    }
}

fn dispatch(cli: Cli, log_level: LogLevel) -> Result<Ending> {
    let home = match cli.home {
        Some(home) => home,
        None => std::env::home_dir().context("there is no home directory; say --home")?.join(".beam"),
    };
    // One thread is plenty for a vote every few seconds, and keeps the pilot small.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match cli.verb {
            Verb::Init(args) => init::run(&home, &args),
            Verb::Doctor(args) => doctor::run(&home, &args).await,
            Verb::CheckConfig(args) => check_config::run(&home, &args),
            Verb::Start => start::run(&home, log_level).await,
            Verb::Status(args) => status::run(&home, args).await,
            Verb::Switchover(args) => switchover::switchover(&home, args).await,
            Verb::Failover(args) => switchover::failover(&home, args).await,
            Verb::Pause(args) => pause::pause(&home, args).await,
            Verb::Resume(args) => pause::resume(&home, args).await,
            Verb::Explain(args) => explain::run(&home, args).await,
            Verb::History(args) => history::run(&home, args).await,
            Verb::Watermark(verb) => watermark::run(&home, verb).await,
            Verb::Logs(args) => logs::run(&home, args).await,
            Verb::Version(args) => version::run(&args),
            Verb::Completions(args) => Ok(completions::completions(&args)),
            Verb::Man(args) => completions::man(&args),
        }
    })
}
