//! What feeds the strip: blocks as the watcher tells them, signatures as the machines write them down.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use beam_examples::chain::Event;
use beam_examples::judge::audit::Tail;
use beam_examples::wait;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;
use tokio::task::JoinSet;

use crate::paint::{Ink, Paint};
use crate::screen::{Screen, WIDTH};
use crate::strip::{Strip, legend};

/// How often the screen is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// How far the strip may be behind the chain.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(2);
/// Columns before and after the blocks.
const MARGIN: usize = 4;

/// A strip that grows by itself. Dropping it ends that.
pub(crate) struct Feed {
    strip: Arc<Mutex<Strip>>,
    tasks: JoinSet<()>,
}

impl Feed {
    /// Follows the network from now on, and shows it on `screen` until [`quiet`](Self::quiet).
    pub(crate) fn start(screen: &Screen, events: Receiver<Event>, audits: Vec<PathBuf>) -> Self {
        let strip = Arc::new(Mutex::new(Strip::default()));
        let mut tasks = JoinSet::new();
        let tails = audits.iter().map(|path| Tail::new(path)).collect();
        tasks.spawn(follow(screen.clone(), events, tails, Arc::clone(&strip)));
        Self { strip, tasks }
    }

    /// The strip now.
    pub(crate) fn strip(&self) -> MutexGuard<'_, Strip> {
        lock(&self.strip)
    }

    /// Waits until the strip has come to a height that the chain has. The strip only shows: its absence is no error.
    pub(crate) async fn wait_for(&self, height: u64) {
        let come = || std::future::ready(Ok((self.strip().height() >= height).then_some(())));
        let _ = wait::until("the strip", CATCHES_UP_WITHIN, come).await;
    }

    /// Stops drawing.
    pub(crate) async fn quiet(&mut self, screen: &Screen) {
        self.tasks.shutdown().await;
        screen.close();
    }
}

async fn follow(screen: Screen, mut events: Receiver<Event>, mut tails: Vec<Tail>, strip: Arc<Mutex<Strip>>) {
    let mut ticks = tokio::time::interval(DRAW_EVERY);
    loop {
        ticks.tick().await;
        {
            let mut strip = lock(&strip);
            take_blocks(&mut events, &mut strip);
            for tail in &mut tails {
                // A file that cannot be read now is read the next time; the judge will not be that kind.
                for entry in tail.poll().unwrap_or_default() {
                    strip.signed(&entry);
                }
            }
            screen.show(lines(&strip, screen.paint()));
        }
    }
}

fn take_blocks(events: &mut Receiver<Event>, strip: &mut Strip) {
    loop {
        match events.try_recv() {
            Ok(Event::Block { block, .. }) => {
                if let (Some(flag), Some(before)) = (block.last_commit, block.height.checked_sub(1)) {
                    strip.committed(before, flag);
                }
            }
            Ok(Event::Vote(_)) | Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

fn lines(strip: &Strip, paint: Paint) -> Vec<String> {
    let height = strip.height();
    let signer = strip.signer().unwrap_or("nobody");
    vec![
        String::new(),
        format!("    {}", strip.draw(1, height, WIDTH.saturating_sub(MARGIN), paint)),
        format!(
            "    height {}   epoch {}   signing: {}",
            paint.ink(Ink::Strong, &height.to_string()),
            paint.ink(Ink::Strong, &strip.epoch().to_string()),
            paint.ink(if signer == "b" { Ink::B } else { Ink::A }, signer),
        ),
        format!("    {}", paint.ink(Ink::Faint, "the blocks, oldest first: ") + &legend(paint)),
    ]
}

fn lock(strip: &Mutex<Strip>) -> MutexGuard<'_, Strip> {
    strip.lock().unwrap_or_else(PoisonError::into_inner)
}
