//! One fault after the other, on one network until it has had enough of them.

use std::time::Instant;

use anyhow::Context as _;

use beam_benches::random::Random;
use beam_examples::lab::Lab;
use beam_examples::trial::{self, CALM_HEIGHTS, Ledger, Outcome, Pace};
use serde_json::json;

use crate::Log;
use crate::args::Args;
use crate::bag::Bag;

/// What goes on over all networks.
pub(crate) struct Course {
    moments: Random,
    bag: Option<Bag>,
    began: Instant,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Course {
    pub(crate) fn new(args: &Args) -> Self {
        Self { moments: Random::from_seed(args.seed), bag: None, began: Instant::now(), outcomes: Vec::new() }
    }

    /// Whether all faults are done, or time is up.
    pub(crate) fn is_over(&self, args: &Args) -> bool {
        self.outcomes.len() >= usize::try_from(args.count).unwrap_or(usize::MAX)
            || self.began.elapsed() >= args.limit()
    }

    /// Runs faults on a network until there is an end to it, or to the network. What was measured is kept if one fails.
    pub(crate) async fn run(
        &mut self,
        args: &Args,
        lab: &mut Lab,
        ledger: &mut Ledger,
        log: &mut Log,
    ) -> anyhow::Result<()> {
        for _ in 0..args.fresh_after.max(1) {
            if self.is_over(args) {
                break;
            }
            self.one(args, lab, ledger, log).await?;
        }
        Ok(())
    }

    async fn one(
        &mut self,
        args: &Args,
        lab: &mut Lab,
        ledger: &mut Ledger,
        log: &mut Log,
    ) -> anyhow::Result<()> {
        let seed = args.seed.wrapping_add(1);
        let bag = self
            .bag
            .get_or_insert_with(|| Bag::new(Random::from_seed(seed), args.faults(|need| lab.offers(need))));
        let fault = bag.draw().context("the network can have none of these faults")?;
        // A block takes a little longer than timeout_commit: the votes.
        tokio::time::sleep(self.moments.moment_before(args.block_time.mul_f64(1.1))).await;
        let height = lab.chain.height().await?;
        let pace = Pace { down: args.down, ..Pace::quick() };
        let outcome = trial::run(lab, ledger, fault, pace, &|_| {}).await;
        let outcome = outcome.with_context(|| format!("{fault}, at height {height}"))?;
        let mut line = outcome.to_json();
        if let Some(line) = line.as_object_mut() {
            let block_time_ms = u64::try_from(args.block_time.as_millis())?;
            line.insert("block_time_ms".to_owned(), json!(block_time_ms));
            line.insert("load".to_owned(), json!(load()));
            if let Some(delay) = args.register_delay {
                line.insert("register_delay_ms".to_owned(), json!(u64::try_from(delay.as_millis())?));
            }
        }
        log.write(&line)?;
        self.outcomes.push(outcome);
        if let Some(outcome) = self.outcomes.last() {
            tell(self.outcomes.len(), outcome);
        }
        // Heights since the blow count as calm too: it is the takeover that is to be forgotten.
        let calm = args.calm.unwrap_or(if fault.is_remembered() { CALM_HEIGHTS } else { 0 });
        let now = lab.chain.height().await?;
        trial::let_heights_pass(lab, height.saturating_add(calm).saturating_sub(now)).await?;
        Ok(())
    }
}

/// How many processes wanted this machine's processors in the last minute: what is missed on a machine that is overrun is its own.
fn load() -> Option<f64> {
    std::fs::read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

fn tell(number: usize, outcome: &Outcome) {
    let at =
        if outcome.missed.is_empty() { String::new() } else { format!(" (heights {:?})", outcome.missed) };
    let more = if outcome.is_good() { "" } else { "  MORE THAN PROMISED" };
    println!(
        "{number:>4}  {} {}: missed {} of {}{at}, nil {}, next vote {} ms, epoch {} -> {}, {} owns, in step after {} ms{more}",
        outcome.fault,
        outcome.machine,
        outcome.missed.len(),
        outcome.blocks(),
        outcome.nil.len(),
        outcome.next_vote.as_millis(),
        outcome.epoch.0,
        outcome.epoch.1,
        outcome.owner,
        outcome.took.as_millis(),
    );
}
