//! The command line: what people type, and what they read.

mod check_config;
mod completions;
mod doctor;
mod explain;
mod help;
mod history;
mod init;
mod logs;
mod output;
mod pause;
mod start;
mod status;
mod switchover;
mod table;
mod version;
mod watermark;
mod who;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

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

/// The command was said wrongly, so that nothing was done. The text says what to say instead.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct WrongUse(String);

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
`beam help VERB` shows examples and what its exit codes mean.

A validator's machines, each:
  beam init --key ~/validator_key.json --register /var/lib/beam/register.db
  beam watermark init --height 12345678    once for the validator, not on each
  beam start
At night:
  beam status        who owns, who stands by, what is wrong
  beam explain       why this machine does not sign";

/// In the order in which they are shown: see [`help`].
#[derive(Debug, Subcommand)]
enum Verb {
    /// Writes node.toml for this machine, or moves a validator in.
    Init(Box<init::Args>),
    /// Makes the register's record, shows it, adopts one put back.
    #[command(subcommand)]
    Watermark(watermark::Verb),
    /// Tells every mistake in node.toml and the node's own files.
    CheckConfig(check_config::Args),
    /// Finds what would hurt: machine, node, register.
    Doctor(doctor::Args),
    /// Runs the node, and a validator's signer, until told to stop.
    #[command(after_help = start::AFTER_HELP)]
    Start,
    /// Shows the validator's machines and where each stands.
    Status(status::Args),
    /// Tells why this machine signs, or does not, guard by guard.
    Explain(explain::Args),
    /// Tells each change of owner, its cause and its cost.
    History(history::Args),
    /// Shows what the node says, and names what is wrong with it.
    Logs(logs::Args),
    /// Hands the validator over without missing a block.
    Switchover(switchover::Args),
    /// Hands the validator over by force, ready or not.
    Failover(switchover::FailoverArgs),
    /// Keeps every standby from taking over, for a while.
    Pause(pause::PauseArgs),
    /// Ends a pause before its time.
    Resume(pause::ResumeArgs),
    /// Shows what this program is, and which forms it reads.
    Version(version::Args),
    /// Prints what a shell needs to complete arguments.
    Completions(completions::CompletionsArgs),
    /// Writes the manual pages into a folder.
    Man(completions::ManArgs),
}

impl Verb {
    /// Whether it tells of the validator as a whole or changes it, and does not tell of a pause by itself.
    fn is_of_the_validator(&self) -> bool {
        match self {
            Self::Doctor(_)
            | Self::Switchover(_)
            | Self::Failover(_)
            | Self::History(_)
            | Self::Watermark(_) => true,
            // The first four have it in what they print.
            Self::Status(_)
            | Self::Explain(_)
            | Self::Pause(_)
            | Self::Resume(_)
            | Self::Init(_)
            | Self::CheckConfig(_)
            | Self::Start
            | Self::Logs(_)
            | Self::Version(_)
            | Self::Completions(_)
            | Self::Man(_) => false,
        }
    }
}

/// How results are written. (Doc comments on the values would make every help text twice as long.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    // For people.
    #[default]
    Text,
    // For programs: one object with a `schema` field.
    Json,
}

/// Runs the program.
pub(crate) fn run() -> ExitCode {
    let cli =
        match help::grouped(Cli::command()).try_get_matches().and_then(|words| Cli::from_arg_matches(&words))
        {
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
            let wrong_use = error.is::<WrongConfig>() || error.is::<WrongUse>();
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
        if cli.verb.is_of_the_validator() {
            pause::remind(&home).await;
        }
        match cli.verb {
            Verb::Init(args) => init::run(&home, &args).await,
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
            Verb::Completions(args) => completions::completions(&args),
            Verb::Man(args) => completions::man(&args),
        }
    })
}
