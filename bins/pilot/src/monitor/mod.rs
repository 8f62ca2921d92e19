//! What a running pilot knows of its machine: looked at again and again, and put together as one [`Report`].
//!
//! | task | looks at | gives |
//! |---|---|---|
//! | [`chain`] | each block's commit | what the chain shows of our votes; strangers' signatures go to the signer |
//! | [`notes`] | the roster and the pause, in the register | where the other machines are; a pause goes to the signer |
//! | [`node`] | the node: its RPC, its disk, other nodes | what it suffers from; restarts it where that heals |
//! | [`history`] | the signer's notices | an entry in the register for each epoch that this machine comes to own |
//! | [`reporter`] | all of these | the [`Report`], every second |
//!
//! Nothing here is in the way of a signature. A task that hangs on the outside has a bound on every question.

mod chain;
mod history;
mod judge;
mod node;
mod notes;
mod reporter;
mod story;
mod tally;

use std::sync::Arc;

use anyhow::Result;
use beam_gaia::process::GaiaProcess;
use beam_gaia::rpc::{NodeRpc, ValidatorAddress};
use tokio::sync::watch;

use crate::clock::now_ms;
use crate::report::Report;
use crate::run::{Live, Signing, Tasks};

pub(crate) use tally::Tally;

/// Begins to look, and gives the report as it changes.
///
/// # Errors
/// If the configuration is not what it was checked to be.
pub(crate) fn begin(
    tasks: &mut Tasks,
    live: &Live,
    process: Arc<GaiaProcess>,
    clues: node::Clues,
    signing: Option<&Signing>,
) -> Result<watch::Receiver<Report>> {
    let config = Arc::clone(&live.config.borrow());
    let rpc = NodeRpc::new(config.rpc()?);
    let (votes, seen) = watch::channel(chain::Seen::default());
    if let Some(Signing { signer, link, .. }) = signing {
        let key = signer.key.public();
        let (height, heights) = watch::channel(None);
        let chain = chain::ChainTask {
            rpc,
            key,
            validator: ValidatorAddress::of(&key),
            live: live.clone(),
            signer: signer.handle.clone(),
            tally: signer.tally.clone(),
            height,
            seen: votes.clone(),
        };
        tasks.spawn("chain", chain.run(link.clone()));
        let notes = notes::NotesTask {
            live: live.clone(),
            signer: signer.handle.clone(),
            me: signer.me,
            roster: signer.shared.roster(),
            pause: signer.shared.pause(),
            seen: votes,
        };
        tasks.spawn("notes", notes.run(heights));
        let history = history::HistoryTask {
            name: config.name.clone(),
            rpc,
            validator: ValidatorAddress::of(&key),
            tally: signer.tally.clone(),
            roster: signer.shared.roster(),
            history: signer.shared.history(),
        };
        tasks.spawn("history", history.run(signer.handle.notices()));
    }
    let signer = signing.map(|signing| (signing.signer.handle.state(), signing.link.clone()));
    let (node, health) = node::begin(tasks, live, process, clues, signer, seen.clone())?;
    let begin = Report::begin(&config.name, config.role, config.chain.id.as_str(), now_ms());
    let (report, reports) = watch::channel(begin);
    let reporter = reporter::Reporter {
        live: live.clone(),
        node,
        health,
        seen,
        signer: signing.map(reporter::SignerSide::of),
        report,
    };
    tasks.spawn("report", reporter.run());
    Ok(reports)
}
