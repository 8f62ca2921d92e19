//! The numbers of a run, and whether they are good enough.

use std::fmt;

use beam_examples::judge::{Outcome as Judgement, Verdict};
use beam_examples::trial::{Ledger, Outcome};
use serde_json::{Value, json};

use crate::args::{Args, What};
use crate::idle::Memory;
use crate::rows::{self, Cost, three};

/// A busy machine may make even a plain validator late once.
const MISSED_IDLE_MAX: usize = 1;

/// What was found on the networks of a run, one after the other.
#[derive(Default)]
pub(crate) struct Found {
    networks: u64,
    /// Whether each had a clean verdict of its own.
    not_clean: u64,
    verdict: Verdict,
    heights: u64,
    calm_missed: usize,
    calm_nil: usize,
    /// How often the epoch grew, planned switches included.
    changes: u64,
}

impl Found {
    /// Adds what one network showed.
    pub(crate) fn add(&mut self, verdict: Verdict, ledger: &Ledger, changes: u64) {
        let one = |more: bool| u64::from(more);
        self.networks = self.networks.saturating_add(1);
        self.not_clean = self.not_clean.saturating_add(one(verdict.outcome() != Judgement::Clean));
        self.verdict.add(verdict);
        self.heights = self.heights.saturating_add(ledger.heights());
        self.calm_missed = self.calm_missed.saturating_add(ledger.calm().absent.len());
        self.calm_nil = self.calm_nil.saturating_add(ledger.calm().nil.len());
        self.changes = self.changes.saturating_add(changes);
    }
}

/// A run.
pub(crate) struct Summary<'a> {
    args: &'a Args,
    outcomes: &'a [Outcome],
    costs: Vec<Cost>,
    memory: Option<Memory>,
    found: Found,
    /// Whether it came to its end.
    is_whole: bool,
}

impl<'a> Summary<'a> {
    /// # Errors
    /// Never in practice: outcomes are of the form that is read back here.
    pub(crate) fn new(
        args: &'a Args,
        outcomes: &'a [Outcome],
        memory: Option<Memory>,
        found: Found,
        is_whole: bool,
    ) -> anyhow::Result<Self> {
        let block_time = u64::try_from(args.block_time.as_millis())?;
        let costs: anyhow::Result<Vec<Option<Cost>>> =
            outcomes.iter().map(|outcome| Cost::of(&outcome.to_json(), block_time)).collect();
        Ok(Self { args, outcomes, costs: costs?.into_iter().flatten().collect(), memory, found, is_whole })
    }

    /// As good as promised: it came to its end, with no contradiction on any network, and no fault cost more than it may. A run without faults counts as one.
    pub(crate) fn is_good(&self) -> bool {
        let idle_is_good = self.args.fault != What::Idle || self.found.calm_missed <= MISSED_IDLE_MAX;
        self.is_whole
            && self.found.networks > 0
            && self.found.not_clean == 0
            && self.outcomes.iter().all(Outcome::is_good)
            && idle_is_good
    }

    pub(crate) fn to_json(&self) -> Value {
        let verdict = &self.found.verdict;
        let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let by_fault = rows::by_fault(&self.costs);
        let by_fault: Vec<_> = by_fault
            .iter()
            .map(|((_, fault), row)| json!({ "fault": fault, "cost": row.to_json() }))
            .collect();
        json!({
            "schema": "beam.measure/2",
            "fault": self.args.fault.to_string(),
            "block_time_ms": ms(self.args.block_time),
            "takeover_after_ms": ms(self.args.takeover_after()),
            "seed": self.args.seed,
            "cost": rows::all(&self.costs).to_json(),
            "by_fault": by_fault,
            "networks": self.found.networks,
            "heights": self.found.heights,
            "calm_missed": self.found.calm_missed,
            "calm_nil": self.found.calm_nil,
            "changes_of_owner": self.found.changes,
            "rss_max_kib": self.memory,
            "signatures": verdict.signatures,
            "votes": verdict.votes,
            "unaudited": verdict.unaudited,
            "interruptions": verdict.interruptions,
            "conflicts": verdict.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "evidence": verdict.evidence,
            "good": self.is_good(),
        })
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, found) = (rows::all(&self.costs), &self.found);
        if !self.costs.is_empty() {
            writeln!(f, "{}", rows::table(&self.costs))?;
        }
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22} {value}");
        row("fault", format!("{}, n = {}", self.args.fault, all.n()))?;
        if all.n() > 0 {
            row("missed a fault", format!("{} (median / p99 / max)", three(&all.missed())))?;
            row("nil", all.nil().to_string())?;
            row("next vote", format!("{} ms (median / p99 / max)", three(&all.next_votes())))?;
        }
        row("heights counted", format!("{}, on {} networks", found.heights, found.networks))?;
        row("in quiet times", format!("missed {}, nil {}", found.calm_missed, found.calm_nil))?;
        row("changes of owner", found.changes.to_string())?;
        if let Some(memory) = &self.memory {
            let used: Vec<_> = memory.iter().map(|(name, kib)| format!("{name} {kib} KiB")).collect();
            row("memory, at most", used.join(", "))?;
        }
        row("conflicts", found.verdict.conflicts.len().to_string())?;
        row("evidence", found.verdict.evidence.len().to_string())?;
        row("as promised", if self.is_good() { "yes" } else { "NO" }.to_owned())?;
        write!(f, "judge: {}", found.verdict)
    }
}
