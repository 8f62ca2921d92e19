//! The stage: everything that must stand before the first act, and be gone after the last.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use beam_examples::install;
use beam_examples::lab::Lab;
use beam_examples::machine::MachinePlan;
use beam_examples::network::NetworkPlan;
use beam_examples::trial::{self, Ledger};
use tokio::task::JoinSet;

use crate::args::Args;
use crate::feed::Feed;
use crate::screen::Screen;

/// How often the clock beside a long step moves.
const TICK: Duration = Duration::from_millis(200);
/// How many blocks are shown before the first act.
const PROLOGUE_BLOCKS: u64 = 3;

/// A running network and what is counted about it. Dropping it kills everything and removes its files, in this order.
pub(crate) struct Stage {
    pub(crate) feed: Feed,
    pub(crate) lab: Lab,
    pub(crate) ledger: Ledger,
    files: Files,
}

/// The folder of everything. It goes when this is dropped, unless somebody may want to look into it.
struct Files {
    dir: PathBuf,
    stay: bool,
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.stay {
            // Left behind it would be a few megabytes in the temporary directory, no more.
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

impl Stage {
    /// Builds, starts, and waits until both machines sign in step.
    pub(crate) async fn set(args: &Args, screen: &Screen) -> Result<Self> {
        let mut clock = JoinSet::new();
        clock.spawn(tick(screen.clone()));
        screen.say("Beam: two machines, one validator. A demonstration on a real network.");
        screen.say("");
        install::cometbft(|line| screen.doing(line)).await?;
        screen.doing("building beam (some minutes when cold)");
        let beam = install::beam_binary().await?;

        let dir = std::env::temp_dir().join(format!("beam-demo-{}", std::process::id()));
        let mut files = Files { dir, stay: false };
        let started = start(args, screen, &files.dir, &beam).await;
        clock.shutdown().await;
        match started {
            Ok((lab, feed, first)) => Ok(Self { feed, lab, ledger: Ledger::from(first), files }),
            Err(error) => {
                files.stay = true;
                Err(error).with_context(|| format!("what it did is in {}", files.dir.display()))
            }
        }
    }

    /// Ends everything, and says where its files are.
    pub(crate) fn leave_files(mut self, screen: &Screen) {
        screen.close();
        self.files.stay = true;
        eprintln!("demo: the logs of all nodes and machines are in {}", self.files.dir.display());
    }
}

async fn start(args: &Args, screen: &Screen, dir: &Path, beam: &Path) -> Result<(Lab, Feed, u64)> {
    screen.doing("starting validators v1, v2 and v3, then machines a and b as the fourth");
    let chain = NetworkPlan { block_time: args.block_time, ..NetworkPlan::default() };
    let plan =
        MachinePlan { takeover_after: trial::takeover_after(args.block_time), ..MachinePlan::default() };
    let lab = Lab::start(dir, beam, chain, plan).await?;
    let audits = lab.machines.iter().map(beam_examples::machine::Machine::audit).collect();
    let feed = Feed::start(screen, lab.watcher.listen(), audits);
    screen.doing("waiting until both machines sign in step");
    let first = lab.wait_in_step(0).await?;
    let standing = lab.standing().await?;
    screen.say(&format!(
        "Validators v1, v2, v3 are plain CometBFT {}. The fourth is machines a and b",
        install::COMETBFT_VERSION
    ));
    screen.say("under Beam: both follow the chain, both can reach the key, one register");
    screen.say(&format!(
        "decides who signs. Now it is {} (epoch {}).",
        standing.owner.as_deref().unwrap_or("nobody"),
        standing.epoch
    ));
    screen.doing("everything runs; a few quiet blocks first");
    trial::let_heights_pass(&lab, PROLOGUE_BLOCKS).await?;
    Ok((lab, feed, first))
}

/// Keeps the clock beside the current step moving.
async fn tick(screen: Screen) {
    let mut ticks = tokio::time::interval(TICK);
    loop {
        ticks.tick().await;
        screen.draw();
    }
}
