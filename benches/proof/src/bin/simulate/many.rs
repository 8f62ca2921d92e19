//! Many runs on a few threads. What comes out does not depend on how many.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use beam_core::sim::{Faults, Settings, Strike, Summary, simulate};

/// One run to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Task<'a> {
    pub(crate) seed: u64,
    /// Instead of what the settings say.
    pub(crate) strike: Option<Strike>,
    pub(crate) settings: &'a Settings,
}

impl Task<'_> {
    pub(crate) fn settings(&self) -> Settings {
        let settings = self.settings.clone();
        match self.strike {
            Some(strike) => Settings { faults: Faults::Given(vec![strike]), ..settings },
            None => settings,
        }
    }
}

/// How many runs a thread takes at a time.
const CHUNK: usize = 200;

/// How often progress is told.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// Does them all; gives the summary, and those that went wrong in order.
pub(crate) fn run<'a>(tasks: &[Task<'a>], threads: NonZeroUsize) -> (Summary, Vec<Task<'a>>) {
    let next = AtomicUsize::new(0);
    let done: Vec<(Summary, Vec<usize>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.get())
            .map(|place| {
                scope.spawn({
                    let next = &next;
                    move || work(tasks, next, place == 0)
                })
            })
            .collect();
        // A worker that panicked takes the program down with it.
        workers
            .into_iter()
            .filter_map(|worker| worker.join().map_err(|panic| std::panic::resume_unwind(panic)).ok())
            .collect()
    });
    let mut summary = Summary::default();
    let mut wrong = Vec::new();
    for (part, places) in done {
        summary.merge(part);
        wrong.extend(places);
    }
    wrong.sort_unstable();
    (summary, wrong.into_iter().filter_map(|place| tasks.get(place).copied()).collect())
}

fn work(tasks: &[Task<'_>], next: &AtomicUsize, tells: bool) -> (Summary, Vec<usize>) {
    let (mut summary, mut wrong) = (Summary::default(), Vec::new());
    let began = Instant::now();
    let mut told = began;
    loop {
        let from = next.fetch_add(CHUNK, Ordering::Relaxed);
        let chunk = tasks.iter().enumerate().skip(from).take(CHUNK);
        if from >= tasks.len() {
            break;
        }
        for (place, task) in chunk {
            let run = simulate(task.seed, &task.settings());
            if run.violation.is_some() {
                wrong.push(place);
            }
            summary.add(&run);
        }
        if tells && told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(from.saturating_add(CHUNK).min(tasks.len()), tasks.len(), wrong.len(), began.elapsed());
        }
    }
    (summary, wrong)
}

/// `wrong` is of the thread that tells.
fn tell(done: usize, of: usize, wrong: usize, took: Duration) {
    let mut out = stderr().lock();
    let (start, end) = if out.is_terminal() { ("\r", "") } else { ("", "\n") };
    // Nobody reads it if it cannot be written.
    let _ = write!(out, "{start}{done} of {of} runs in {} s, {wrong} wrong so far{end}", took.as_secs());
}
