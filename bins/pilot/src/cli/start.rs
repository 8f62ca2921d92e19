//! `beam start`: the signer, the node, and what looks after both, until told to stop.

use std::path::Path;

use anyhow::Result;

use super::Ending;
use super::output::LogLevel;
use crate::run;

pub(super) const AFTER_HELP: &str = "\
Signals:
  SIGTERM, SIGINT  the node ends, then the pilot
  SIGHUP           node.toml is read again; each changed key is told with what it needs, and no node is restarted
  SIGUSR2          the installed program takes this one's place; the node runs on and does not notice
  SIGKILL          the node runs on without a signer, until the next `beam start` adopts it

Example: beam start --home /var/lib/beam
Exit code 0: it was told to stop, and the node has ended; 2: it could not start, or had to end; 64: node.toml is wrong.";

pub(super) async fn run(home: &Path, log_level: LogLevel) -> Result<Ending> {
    run::run(home, log_level).await?;
    Ok(Ending::Fine)
}
