//! The agent: a little HTTP server that tells how this machine does, and a file with the same metrics.
//!
//! | path | answer |
//! |---|---|
//! | `/livez` | 200 while the pilot's loops turn, else 503 |
//! | `/readyz` | 200 while this machine could do its work, else 503; `?lag=N` allows its node N blocks |
//! | `/status` | the [`Report`], as JSON |
//! | `/metrics` | the same for Prometheus |
//!
//! What must always hold: **nobody who talks to the agent delays a vote.** So it lives on a thread of its own with a runtime
//! of its own, less important to the scheduler than the signer's; it knows nothing but the last report and asks nobody
//! anything; it waits for no one longer than [`limits`] says; and if it cannot listen, or dies, the signer does not notice.
//! (The tests in `tests/flood.rs` would break.)

mod address;
mod limits;
mod listen;
mod pace;
mod page;
mod probe;
mod route;
mod seats;
mod serve;

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

pub(crate) use address::is_private;

use crate::config::{AgentSection, Config};
use crate::metrics::{MetricsFile, keep_file};
use crate::report::Report;
use limits::ENDS_WITHIN;
use page::Page;
use serve::{Answers, serve};

/// The file with the metrics, in the pilot's home.
const METRICS_FILE: &str = "metrics.prom";

/// How much less important the agent's thread is than the others: a nice value. The signer goes first wherever both could run.
const NICE: i32 = 10;

/// A running agent. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Agent {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<()>,
    lag_blocks_max: watch::Sender<u64>,
}

/// What the agent's thread needs.
struct Parts {
    section: AgentSection,
    lag_blocks_max: watch::Receiver<u64>,
    metrics_file: PathBuf,
    reports: watch::Receiver<Report>,
}

impl Agent {
    /// Starts the agent of this machine on a thread of its own, telling what comes by `reports`. Each change of `reports`
    /// counts as a sign of life, so send one even if nothing in it has changed.
    ///
    /// Nothing that goes wrong with it is a reason not to sign: it is logged.
    pub(crate) fn start(config: &Config, reports: watch::Receiver<Report>) -> Self {
        let (lag_blocks_max, in_force) = watch::channel(config.health.lag_blocks_max);
        let parts = Parts {
            section: config.agent.clone(),
            lag_blocks_max: in_force,
            metrics_file: config.own(METRICS_FILE),
            reports,
        };
        let (stop, stopping) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        let body = move || {
            run(parts, stopping);
            // Nobody may be waiting any more.
            let _ = ending.send(());
        };
        if let Err(error) = thread::Builder::new().name("agent".to_owned()).spawn(body) {
            tracing::error!(
                error = &error as &dyn Error,
                "the agent has no thread; there is no HTTP and no metrics"
            );
        }
        Self { stop, ended, lag_blocks_max }
    }

    /// How many blocks `/readyz` allows a node from now on.
    pub(crate) fn allow_lag(&self, blocks_max: u64) {
        self.lag_blocks_max.send_replace(blocks_max);
    }

    /// Ends the agent, whatever it is doing.
    pub(crate) async fn stop(self) {
        // An error means that it has ended.
        let _ = self.stop.send(());
        if timeout(ENDS_WITHIN, self.ended).await.is_err() {
            tracing::warn!(within = ?ENDS_WITHIN, "the agent did not end");
        }
    }
}

/// The agent's thread.
fn run(parts: Parts, stopping: oneshot::Receiver<()>) {
    // On Linux this is about the calling thread, and the threads that it starts.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%error, "the agent is as important as the signer");
    }
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(
                error = &error as &dyn Error,
                "the agent does not run; there is no HTTP and no metrics"
            );
            return;
        }
    };
    runtime.block_on(async {
        tokio::select! {
            () = work(parts) => {}
            // An error means that the agent was dropped, which ends it as well.
            _ = stopping => {}
        }
    });
    // A disk that stands still must not keep anybody waiting.
    runtime.shutdown_timeout(Duration::ZERO);
}

async fn work(parts: Parts) {
    let Parts { section, lag_blocks_max, metrics_file, mut reports } = parts;
    let first = reports.borrow_and_update().clone();
    let (page, pages) = watch::channel(Arc::new(Page::new(first, Instant::now())));
    let answers = Answers { pages: pages.clone(), lag_blocks_max };
    let text = move || pages.borrow().metrics.clone();
    tokio::join!(
        follow(reports, page),
        keep_file(MetricsFile::new(metrics_file), section.metrics_every, text),
        async {
            if section.enabled {
                serve(listen::listen(section.listen).await, answers).await;
            }
        },
    );
}

/// Makes a page of each report. Once nobody makes reports the last one stays, and grows old.
async fn follow(mut reports: watch::Receiver<Report>, page: watch::Sender<Arc<Page>>) {
    while reports.changed().await.is_ok() {
        let report = reports.borrow_and_update().clone();
        page.send_replace(Arc::new(Page::new(report, Instant::now())));
    }
}
