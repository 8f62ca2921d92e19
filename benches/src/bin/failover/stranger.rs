//! The key signs elsewhere, again and again, each time on a network of its own: whether Beam stopped and said so, and how soon.

use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use beam_benches::stats::Sorted;
use beam_examples::lab::Lab;
use beam_examples::machine::MachinePlan;
use beam_examples::trial::{self, Stopped};
use serde_json::json;

use crate::Log;
use crate::args::Args;
use crate::rows::three;

/// What it has to say, among other things.
const SAYS: &str = "somebody else";

/// Runs all of them, and says whether Beam stopped and said so each time, and added no contradiction.
pub(crate) async fn run(args: &Args, dir: &Path, beam: &Path) -> Result<bool> {
    let mut log = Log::open(args.output.as_ref())?;
    let (began, mut took, mut is_good) = (Instant::now(), Vec::new(), true);
    for number in 1..=args.count {
        if began.elapsed() >= args.limit() {
            break;
        }
        let home = dir.join(number.to_string());
        let plan = MachinePlan { takeover_after: args.takeover_after(), ..MachinePlan::default() };
        let mut lab = Lab::prepare(&home, beam, args.network(), plan).await?;
        let stopped = trial::stranger(&mut lab).await?;
        drop(lab);
        let good = is_as_promised(&stopped);
        is_good &= good;
        let ms = u64::try_from(stopped.took.as_millis())?;
        took.push(ms);
        log.write(&json!({
            "schema": "beam.measure.stranger/1",
            "fault": "stranger",
            "stopped_ms": ms,
            "said": stopped.said,
            "signatures": stopped.verdict.signatures,
            "conflicts": stopped.verdict.conflicts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "evidence": stopped.verdict.evidence,
            "good": good,
        }))?;
        println!("{number:>4}  stranger: stopped after {ms} ms and said: {}", stopped.said);
        if good {
            let _ = std::fs::remove_dir_all(&home);
        }
    }
    let took = Sorted::new(took);
    println!(
        "\nstranger: n = {}, stopped and said so after {} ms (median / p99 / max)",
        took.len(),
        three(&took)
    );
    println!("as promised: {}", if is_good { "yes" } else { "NO" });
    Ok(is_good)
}

fn is_as_promised(stopped: &Stopped) -> bool {
    stopped.said.contains(SAYS) && stopped.verdict.conflicts.is_empty() && stopped.verdict.evidence.is_empty()
}
