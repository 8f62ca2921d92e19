//! `beam logs`: what this machine's node says, and why it does not do what it should.

mod analyze;
mod select;
mod show;

use std::path::Path;

use anyhow::Result;
use beam_core::logs::Stamp;
use beam_gaia::logs::{LogFolder, now};
use jiff::Timestamp;

use super::Ending;

#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
pub(super) struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    show: show::Wanted,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Names what is wrong: reads whole logs and says the causes, the most serious first.
    Analyze(analyze::Args),
}

const AFTER_HELP: &str = "\
Each line has the moment at which the pilot read it (UTC) and a mark: | said then; ~ found when the pilot came, said some time \
before; + the rest of the line above; # the pilot's own note.

Examples:
  beam logs -f --level warn              follow, and only what is loud
  beam logs --since 2h --grep p2p        the last two hours, the lines with \"p2p\"
  beam logs analyze --since 24h          what was wrong today
  beam logs analyze gaiad.log old.log.gz any node's log, without a node.toml
Exit code 0: shown; 2: nothing is captured, or it cannot be read; 64: wrong use.";

pub(super) async fn run(home: &Path, args: Args) -> Result<Ending> {
    let folder = LogFolder::new(home.join("logs"));
    match args.verb {
        Some(Verb::Analyze(args)) => analyze::run(&folder, &args),
        None => show::run(folder, args.show).await,
    }
}

/// Reads `2h` as two hours ago, or a moment such as `2026-11-24T11:00:00Z`.
fn moment(text: &str) -> Result<Stamp, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let ago = u64::try_from(ago.as_millis()).unwrap_or(u64::MAX);
        return Ok(Stamp::at_ms(now().ms().saturating_sub(ago)));
    }
    let moment: Timestamp =
        text.parse().map_err(|_| "say how long ago (2h, 30m) or when (2026-11-24T11:00:00Z)".to_owned())?;
    Ok(Stamp::at_ms(u64::try_from(moment.as_millisecond()).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_so_long_ago_or_then() {
        assert_eq!(moment("2026-11-22T08:33:20.123+01:00").unwrap(), Stamp::at_ms(1_795_332_800_123));
        let hour = now().ms() - moment("1h").unwrap().ms();
        assert!((3_600_000..3_700_000).contains(&hour), "{hour}");
        assert!(moment("yesterday").unwrap_err().contains("2h"));
    }
}
