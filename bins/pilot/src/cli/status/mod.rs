//! `beam status`: the validator's machines. Who owns is the register's word and nobody else's; the details of each machine are its own
//! pilot's, asked over HTTP.

mod gather;
mod table;

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use self::gather::Status;
use super::{Ending, Output, output};
use crate::config::Config;
use crate::report::State;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  beam status -w\n  beam status --output json\nExit code 0: an owner signs and a standby is in step; 1: somebody should look, or no standby is in step; 2: nobody can sign."
)]
pub(super) struct Args {
    /// Go on showing it, every so many seconds, until Ctrl-C.
    #[arg(short, long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2",
          value_parser = clap::value_parser!(u32).range(1..))]
    watch: Option<u32>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let Some(every) = args.watch else {
        return show(&gather::status(&config).await?, args.output, "");
    };
    let begin = if args.output == Output::Text && std::io::stdout().is_terminal() { IN_PLACE } else { "" };
    loop {
        let ending = match gather::status(&config).await {
            Ok(status) => show(&status, args.output, begin)?,
            // A register that does not answer now may answer soon, and whoever watches wants to see it.
            Err(error) => {
                output::text(begin)?;
                eprintln!("beam: {error:#}");
                Ending::Down
            }
        };
        tokio::select! {
            () = sleep(Duration::from_secs(every.into())) => {}
            _ = tokio::signal::ctrl_c() => return Ok(ending),
        }
    }
}

/// Cursor home, then clear what is below: no flicker.
const IN_PLACE: &str = "\x1b[H\x1b[J";

fn show(status: &Status, format: Output, begin: &str) -> Result<Ending> {
    match format {
        Output::Json => output::json(status)?,
        Output::Text => output::text(&(begin.to_owned() + &table::render(status, output::width())))?,
    }
    Ok(match status.state {
        State::Fine => Ending::Fine,
        State::Degraded => Ending::Degraded,
        State::Down => Ending::Down,
    })
}
