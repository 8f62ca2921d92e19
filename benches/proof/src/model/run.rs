//! Running one configuration, and what came of it.

use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;
use stateright::{Checker as _, HasDiscoveries, Model as _};

use super::Signing;
use super::bounds::Bounds;
use super::tally::{Tally, What};

/// What came of one configuration.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Distinct states.
    pub states: usize,
    /// Steps that were tried, to states new and old.
    pub steps: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// How long it took.
    pub seconds: f64,
    /// Whether all states within the bounds were seen.
    pub whole: bool,
    /// What happened on the way, and how often.
    pub happened: Vec<(&'static str, u64)>,
    /// What was broken, if anything was.
    pub broken: Option<Broken>,
}

/// A rule that was broken, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Broken {
    /// The rule; with the one that was broken by going on, if that is why a machine does not.
    pub rule: String,
    /// What happened, in order.
    pub path: Vec<String>,
    /// If a machine did not go on: what happened when it was left alone.
    pub alone: Vec<String>,
}

const LOOK_EVERY: Duration = Duration::from_millis(50);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// Explores all states within these bounds, or until something is broken. `tell` hears of the progress.
pub fn run(bounds: &Bounds, threads: usize, mut tell: impl FnMut(usize, Duration)) -> Outcome {
    let tally = Arc::new(Tally::default());
    let begun = Instant::now();
    let checker = Signing::new(bounds.clone(), tally.clone()).checker().threads(threads);
    let checker = checker.finish_when(HasDiscoveries::AnyFailures).spawn_bfs();
    let mut told = begun;
    while !checker.is_done() {
        sleep(LOOK_EVERY);
        if told.elapsed() >= TELL_EVERY {
            told = Instant::now();
            tell(checker.unique_state_count(), begun.elapsed());
        }
    }
    let checker = checker.join();
    let broken = checker.discoveries().into_iter().min_by_key(|(rule, _)| *rule).map(|(rule, path)| {
        let model = checker.model();
        let alone = model.tell_alone(path.last_state());
        let on_the_way = alone.last().and_then(|last| last.strip_prefix("broken: "));
        let rule = on_the_way.map_or_else(|| rule.to_owned(), |broken| format!("{broken}, while going on"));
        let steps = path.into_vec().into_iter();
        let path =
            steps.filter_map(|(world, happening)| Some(happening?.tell(&world, model.votes()))).collect();
        Broken { rule, path, alone }
    });
    Outcome {
        states: checker.unique_state_count(),
        steps: checker.state_count(),
        depth: checker.max_depth(),
        seconds: begun.elapsed().as_secs_f64(),
        whole: broken.is_none(),
        happened: What::ALL.iter().map(|(what, name)| (*name, tally.count(*what))).collect(),
        broken,
    }
}
