//! The end: a table of all acts, and the judge's verdict.

use anyhow::Result;
use beam_examples::judge::{Outcome as Judgement, Verdict};
use beam_examples::trial::Outcome;
use serde_json::{Value, json};

use crate::args::Output;
use crate::paint::{Ink, Paint};
use crate::screen::Screen;
use crate::stage::Stage;

/// What happened, all in all.
pub(crate) struct Report {
    outcomes: Vec<Outcome>,
    verdict: Verdict,
    heights: u64,
    calm_missed: usize,
}

impl Report {
    /// Closes the books and calls the judge.
    pub(crate) async fn new(outcomes: Vec<Outcome>, stage: &mut Stage) -> Result<Self> {
        let calm_missed = stage.ledger.finish(&stage.lab.chain).await?.absent.len();
        Ok(Self {
            outcomes,
            verdict: stage.lab.verdict().await?,
            heights: stage.ledger.heights(),
            calm_missed,
        })
    }

    /// Whether Beam kept what it promises.
    pub(crate) fn is_good(&self) -> bool {
        let few_missed = self.outcomes.iter().all(Outcome::is_good);
        few_missed && self.verdict.outcome() == Judgement::Clean
    }

    /// Shows it.
    pub(crate) fn show(&self, output: Output, screen: &Screen) -> Result<()> {
        match output {
            Output::Json => println!("{}", serde_json::to_string_pretty(&self.json())?),
            Output::Text => {
                for line in self.lines(screen.paint()) {
                    screen.say(&line);
                }
            }
        }
        Ok(())
    }

    fn missed(&self) -> usize {
        let in_acts: usize = self.outcomes.iter().map(|outcome| outcome.missed.len()).sum();
        in_acts.saturating_add(self.calm_missed)
    }

    fn lines(&self, paint: Paint) -> Vec<String> {
        let heading = format!(
            "{:<40} {:>6} {:>4} {:>10} {:>8}  {}",
            "ACT", "MISSED", "NIL", "NEXT VOTE", "EPOCH", "SIGNS"
        );
        let mut lines = vec![paint.ink(Ink::Strong, &heading)];
        for (number, outcome) in (1..).zip(&self.outcomes) {
            lines.push(format!(
                "{:<40} {:>6} {:>4} {:>7} ms {:>8}  {}",
                format!("{number}. {}", outcome.fault.describe()),
                format!("{}/{}", outcome.missed.len(), outcome.blocks()),
                outcome.nil.len(),
                outcome.next_vote.as_millis(),
                format!("{}->{}", outcome.epoch.0, outcome.epoch.1),
                outcome.owner,
            ));
        }
        let verdict = &self.verdict;
        let votes: u64 = verdict.votes.values().sum();
        let signatures: Vec<_> =
            verdict.signatures.iter().map(|(machine, count)| format!("{count} by {machine}")).collect();
        lines.extend([
            String::new(),
            format!(
                "{} blocks missed of {}, the quiet times between the acts included.",
                self.missed(),
                self.heights
            ),
            String::new(),
            "The judge compared every signature and vote with every other:".to_owned(),
            format!(
                "  {} signatures examined ({})",
                verdict.signatures.values().sum::<u64>(),
                signatures.join(", ")
            ),
            format!("  {votes} votes received by v1, v2 and v3"),
            format!("  {} blocks looked through for evidence", verdict.blocks),
            format!("  {} conflicts, {} pieces of evidence", verdict.conflicts.len(), verdict.evidence.len()),
        ]);
        lines.extend(self.doubts());
        lines.extend([String::new(), self.last_word(paint)]);
        lines
    }

    /// What the judge could not see or did not expect.
    fn doubts(&self) -> Vec<String> {
        let verdict = &self.verdict;
        let mut doubts = Vec::new();
        if verdict.unaudited > 0 {
            doubts.push(format!("  {} votes that no machine wrote down", verdict.unaudited));
        }
        if verdict.interruptions > 0 {
            doubts.push(format!("  {} interruptions of the watch", verdict.interruptions));
        }
        doubts.extend(verdict.conflicts.iter().map(|conflict| format!("  conflict at {conflict}")));
        doubts.extend(verdict.evidence.iter().map(|evidence| format!("  {evidence}")));
        doubts
    }

    fn last_word(&self, paint: Paint) -> String {
        match self.verdict.outcome() {
            Judgement::Guilty => {
                paint.ink(Ink::Bad, "THE VALIDATOR CONTRADICTED ITSELF. Please report this.")
            }
            Judgement::Jailed => {
                paint.ink(Ink::Bad, "Never signed twice, but the chain put the validator in jail.")
            }
            Judgement::NothingSeen => paint.ink(Ink::Bad, "Nothing was seen, so nothing is proved."),
            Judgement::Clean if self.is_good() => {
                paint.ink(Ink::Good, "Never signed twice, and the validator went on signing.")
            }
            Judgement::Clean => {
                paint.ink(Ink::Odd, "Never signed twice, but more blocks were missed than promised.")
            }
        }
    }

    fn json(&self) -> Value {
        let verdict = &self.verdict;
        json!({
            "schema": "beam.demo/1",
            "acts": self.outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
            "heights": self.heights,
            "missed": self.missed(),
            "verdict": {
                "signatures": verdict.signatures,
                "votes": verdict.votes,
                "blocks": verdict.blocks,
                "conflicts": verdict.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "evidence": verdict.evidence,
                "unaudited": verdict.unaudited,
                "interruptions": verdict.interruptions,
            },
            "good": self.is_good(),
        })
    }
}
