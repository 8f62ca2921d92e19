//! `beam status`: the validator's machines. Who owns is the register's word and nobody else's; the details of each machine are its own
//! pilot's, asked over HTTP.

mod gather;
mod table;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep;

use super::{Ending, Output, output};
use crate::config::Config;
use crate::report::State;

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  beam status -w\n  beam status --output json\nExit code 0: an owner signs and a standby is in step; 1: somebody should look, or no standby is in step; 2: nobody can sign."
)]
pub(super) struct Args {
    /// Go on showing it, every so many seconds, until Ctrl-C.
    #[arg(short, long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2")]
    watch: Option<u64>,
    /// How to write it.
    #[arg(long, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let config = Config::load(home)?;
    let Some(every) = args.watch else {
        return show(&config, args.output, false).await;
    };
    ensure!(every > 0, "--watch 0: at least every second");
    let in_place = args.output == Output::Text && std::io::stdout().is_terminal();
    loop {
        let ending = show(&config, args.output, in_place).await?;
        tokio::select! {
            () = sleep(Duration::from_secs(every)) => {}
            _ = tokio::signal::ctrl_c() => return Ok(ending),
        }
    }
}

async fn show(config: &Config, format: Output, in_place: bool) -> Result<Ending> {
    let status = gather::status(config).await?;
    if format == Output::Json {
        output::json(&status)?;
    } else {
        let text = table::render(&status);
        // Cursor home, then clear what is below: no flicker.
        let begin = if in_place { "\x1b[H\x1b[J" } else { "" };
        let mut out = std::io::stdout().lock();
        write!(out, "{begin}{text}")?;
        out.flush()?;
    }
    Ok(match status.state {
        State::Fine => Ending::Fine,
        State::Degraded => Ending::Degraded,
        State::Down => Ending::Down,
    })
}
