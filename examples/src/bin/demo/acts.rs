//! The acts, in an order that tells a story: each finds the validator where the one before left it.
//!
//! It is also an order in which no standby has to be patient: a pilot that was killed remembers no takeover, and the
//! planned switch hands the validator to the machine that has seen fewer of them (see [`trial::CALM_HEIGHTS`]).

use std::time::Duration;

use anyhow::Result;
use beam_examples::trial::{self, Fault, Outcome, Pace};

use crate::args::Args;
use crate::paint::{Ink, Paint};
use crate::screen::{Screen, WIDTH};
use crate::stage::Stage;

/// What is played.
const ACTS: [Fault; 6] =
    [Fault::Kill, Fault::Pilot, Fault::Node, Fault::Switchover, Fault::Freeze, Fault::Switchover];

/// Long enough to see what is going on, short enough to stay seated.
const PACE: Pace = Pace { down: Duration::from_secs(3), restart_after: Duration::from_secs(2), settle: 4 };

/// Plays all acts as often as asked, telling each one's outcome.
pub(crate) async fn play(args: &Args, screen: &Screen, stage: &mut Stage) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for round in 1..=args.rounds {
        if round > 1 {
            screen.doing("a few quiet blocks, so that the standby is as quick again as at the start");
            trial::let_heights_pass(&stage.lab, trial::CALM_HEIGHTS).await?;
        }
        for fault in ACTS {
            let number = outcomes.len().saturating_add(1);
            screen.say("");
            let heading = format!("{number}. {}", sentence(fault.describe()));
            screen.say(&screen.paint().ink(Ink::Strong, &heading));
            let outcome = act(args, screen, stage, fault).await?;
            stage.feed.wait_for(outcome.heights.1).await;
            tell(screen, stage, &outcome);
            outcomes.push(outcome);
        }
    }
    screen.say("");
    Ok(outcomes)
}

async fn act(args: &Args, screen: &Screen, stage: &mut Stage, fault: Fault) -> Result<Outcome> {
    // Half way to the next block: that is where most blows fall.
    tokio::time::sleep(args.block_time.div_f64(2.0)).await;
    let tell = |what: String| screen.doing(&what);
    trial::run(&mut stage.lab, &mut stage.ledger, fault, PACE, &tell).await
}

/// The outcome in two lines: the act's own blocks, then its numbers.
fn tell(screen: &Screen, stage: &Stage, outcome: &Outcome) {
    let (from, to) = outcome.heights;
    let paint = screen.paint();
    screen.say(&format!("   {}", stage.feed.strip().draw(from, to, WIDTH.saturating_sub(3), paint)));
    screen.say(&format!(
        "   {}, {} nil; next vote after {} ms; epoch {} -> {}; {} signs",
        missed(outcome, paint),
        outcome.nil.len(),
        outcome.next_vote.as_millis(),
        outcome.epoch.0,
        outcome.epoch.1,
        outcome.owner,
    ));
}

fn missed(outcome: &Outcome, paint: Paint) -> String {
    let text = format!("missed {} of {} blocks", outcome.missed.len(), outcome.blocks());
    match outcome.missed.len() {
        0 => paint.ink(Ink::Good, &text),
        1 => paint.ink(Ink::Odd, &text),
        _ => paint.ink(Ink::Bad, &text),
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        // "kill -9" is a command, and commands are not capitalised.
        if text.starts_with("kill") { text.to_owned() } else { first.to_uppercase().chain(letters).collect() }
    })
}
