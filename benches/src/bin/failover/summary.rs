//! The numbers of a run, and whether they are good enough.

use std::collections::BTreeMap;
use std::fmt;

use beam_benches::stats::Sorted;
use beam_examples::judge::{Outcome as Judgement, Verdict};
use beam_examples::trial::{Fault, Ledger, Outcome};
use serde_json::{Value, json};

use crate::args::{Args, What};
use crate::idle::Memory;

/// A busy machine may make even a plain validator late once.
const MISSED_IDLE_MAX: usize = 1;

/// A run.
pub(crate) struct Summary<'a> {
    pub(crate) args: &'a Args,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) memory: Option<Memory>,
    pub(crate) ledger: Ledger,
    /// How often the epoch grew, planned switches included.
    pub(crate) takeovers: u64,
    pub(crate) verdict: Verdict,
}

impl Summary<'_> {
    /// As good as promised: no contradiction, and no fault cost more than it may. A run without faults counts as one.
    pub(crate) fn is_good(&self) -> bool {
        let idle_is_good =
            self.args.fault != What::Idle || self.ledger.calm().absent.len() <= MISSED_IDLE_MAX;
        self.verdict.outcome() == Judgement::Clean
            && self.outcomes.iter().all(Outcome::is_good)
            && idle_is_good
    }

    fn missed(&self) -> Sorted<usize> {
        Sorted::new(self.outcomes.iter().map(|outcome| outcome.missed.len()))
    }

    fn next_votes(&self) -> Sorted<u128> {
        Sorted::new(self.outcomes.iter().map(|outcome| outcome.next_vote.as_millis()))
    }

    fn nil(&self) -> usize {
        self.outcomes.iter().map(|outcome| outcome.nil.len()).sum()
    }

    /// The outcomes of each kind of fault, if there is more than one kind.
    fn by_fault(&self) -> BTreeMap<Fault, Vec<&Outcome>> {
        let mut by_fault: BTreeMap<Fault, Vec<&Outcome>> = BTreeMap::new();
        for outcome in &self.outcomes {
            by_fault.entry(outcome.fault).or_default().push(outcome);
        }
        if by_fault.len() > 1 { by_fault } else { BTreeMap::new() }
    }

    pub(crate) fn to_json(&self) -> Value {
        let (missed, votes) = (self.missed(), self.next_votes());
        let ms = |time: Option<u128>| time.and_then(|time| u64::try_from(time).ok());
        let verdict = &self.verdict;
        json!({
            "schema": "beam.measure/1",
            "fault": self.args.fault.to_string(),
            "block_time_ms": ms(Some(self.args.block_time.as_millis())),
            "takeover_after_ms": ms(Some(self.args.takeover_after().as_millis())),
            "seed": self.args.seed,
            "n": self.outcomes.len(),
            "missed_median": missed.median(),
            "missed_max": missed.max(),
            "missed_histogram": missed.histogram().into_iter().collect::<Vec<_>>(),
            "nil": self.nil(),
            "next_vote_median_ms": ms(votes.median()),
            "next_vote_p99_ms": ms(votes.percentile(99)),
            "next_vote_max_ms": ms(votes.max()),
            "heights": self.ledger.heights(),
            "calm_missed": self.ledger.calm().absent,
            "calm_nil": self.ledger.calm().nil,
            "takeovers": self.takeovers,
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
        let (missed, votes) = (self.missed(), self.next_votes());
        let calm = self.ledger.calm();
        let mut row = |name: &str, value: String| writeln!(f, "{name:<22} {value}");
        row("fault", format!("{}, n = {}", self.args.fault, self.outcomes.len()))?;
        if let (Some(median), Some(max)) = (missed.median(), missed.max()) {
            let counts: Vec<_> = missed.histogram().iter().map(|(cost, n)| format!("{n} x {cost}")).collect();
            row("missed a fault", format!("median {median}, max {max} ({})", counts.join(", ")))?;
            row("nil", self.nil().to_string())?;
        }
        for (fault, outcomes) in self.by_fault() {
            let missed: usize = outcomes.iter().map(|outcome| outcome.missed.len()).sum();
            let votes = Sorted::new(outcomes.iter().map(|outcome| outcome.next_vote.as_millis()));
            let (median, max) = (votes.median().unwrap_or_default(), votes.max().unwrap_or_default());
            row(
                &format!("  {fault}"),
                format!(
                    "n = {}, missed {missed}, next vote median {median} ms, max {max} ms",
                    outcomes.len()
                ),
            )?;
        }
        if let (Some(median), Some(p99), Some(max)) = (votes.median(), votes.percentile(99), votes.max()) {
            row("next vote", format!("median {median} ms, p99 {p99} ms, max {max} ms"))?;
        }
        row("heights counted", self.ledger.heights().to_string())?;
        row("in quiet times", format!("missed {}, nil {}", calm.absent.len(), calm.nil.len()))?;
        row("changes of owner", self.takeovers.to_string())?;
        if let Some(memory) = &self.memory {
            let used: Vec<_> = memory.iter().map(|(name, kib)| format!("{name} {kib} KiB")).collect();
            row("memory, at most", used.join(", "))?;
        }
        row("conflicts", self.verdict.conflicts.len().to_string())?;
        row("evidence", self.verdict.evidence.len().to_string())?;
        row("as promised", if self.is_good() { "yes" } else { "NO" }.to_owned())?;
        write!(f, "judge: {}", self.verdict)
    }
}
