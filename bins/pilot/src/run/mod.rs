//! `beam start` as a service: what runs, who owns it, and how it is told.
//!
//! * [`pilot`] begins and ends everything in the right order; [`side_tasks`] is where one more task is added.
//! * [`orders`] are signals: SIGTERM ends the node and then us, SIGHUP reads `node.toml` again ([`reload`]), SIGUSR2 replaces
//!   this program by the installed one while the node runs on ([`replace`]).
//! * [`notify`] and [`watchdog`] speak with the service manager; [`pulse`] is what the watchdog is fed with.
//!
//! What must always hold: a node that signs is not restarted because a setting changed. That is told, and left to a person.

mod lock;
mod node;
pub(crate) mod node_settings;
mod notify;
mod orders;
mod pilot;
mod pulse;
mod reload;
mod replace;
mod signing;
mod standing;
mod tasks;
mod tell;
mod watchdog;

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use beam_gaia::keys::harden_process;
use beam_gaia::logs::CaptureThread;
use beam_gaia::process::GaiaProcess;
use tokio::sync::watch;

use crate::capture;
use crate::cli::LogLevel;
use crate::config::Config;
use crate::monitor;
use crate::report::Report;

pub(crate) use node::NodeRun;
use orders::Orders;
use pilot::Pilot;
pub(crate) use pulse::Pulses;
use replace::Successor;
pub(crate) use signing::Signing;
pub(crate) use tasks::Tasks;

/// What any task may want to know, as it changes. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Live {
    /// The configuration in force: a reload changes it.
    pub(crate) config: watch::Receiver<Arc<Config>>,
    /// The node's run.
    pub(crate) node: watch::Receiver<NodeRun>,
    /// For a task that is a loop: if it hangs, the service manager's watchdog starts the pilot anew.
    pub(crate) pulses: Pulses,
}

/// Why a pilot ends.
enum Outcome {
    /// Told to, by this signal: the node ends as well.
    Stopped(&'static str),
    /// This version takes its place: the node runs on.
    Replaced(String),
    /// This part has ended by itself: the node runs on.
    Broken(&'static str),
}

/// Runs until told to stop.
///
/// # Errors
/// If it cannot begin, or a part of it ended by itself.
pub(crate) async fn run(home: &Path, log_level: LogLevel) -> Result<()> {
    let mut orders = Orders::listen()?;
    let successor = Successor::of_this_process()?;
    // Before anything is read: a core dump must never hold the key.
    for trouble in harden_process() {
        tracing::warn!("{trouble}");
    }
    let config = Config::load(home)?;
    log_level.set(&config.logs.level);
    let _home = lock::hold(&config.home)?;
    let mut pilot = Pilot::begin(config, log_level, successor.clone()).await?;
    let outcome = pilot.run(&mut orders).await;
    pilot.end(&outcome).await;
    match outcome {
        Outcome::Stopped(_) => Ok(()),
        Outcome::Replaced(_) => Err(successor.take_over()).context("the installed program cannot be run"),
        Outcome::Broken(part) => bail!("{part} has ended by itself; start the pilot again"),
    }
}

/// All that looks and tells beside the signer and the node. **One more task is one more `spawn` here**: the owner awaits it, ends
/// it and tells if it ends early. Gives the machine's report as it changes.
fn side_tasks(
    tasks: &mut Tasks,
    live: &Live,
    node: Arc<GaiaProcess>,
    logs: &CaptureThread,
    signing: Option<&Signing>,
) -> Result<watch::Receiver<Report>> {
    let signer = signing.map(|signing| signing.signer.handle.clone());
    tasks.spawn("watchdog", watchdog::feed(live.pulses.clone(), signer.clone()));
    tasks.spawn("standing", standing::tell(live.clone(), signer));
    if let Some(Signing { signer, link, .. }) = signing {
        tasks.spawn("notices", tell::tell_notices(signer.handle.notices()));
        tasks.spawn("link", tell::tell_link(link.clone()));
    }
    tasks.spawn("node log", capture::tell(logs.state()));
    monitor::begin(tasks, live, node, logs.clues(), signing)
}
