//! `beam start`: the signer, the node, and what looks after both, until told to stop.

use std::path::Path;

use anyhow::Result;

use super::Ending;
use super::output::LogLevel;
use crate::run;

pub(super) async fn run(home: &Path, log_level: LogLevel) -> Result<Ending> {
    run::run(home, log_level).await?;
    Ok(Ending::Fine)
}
