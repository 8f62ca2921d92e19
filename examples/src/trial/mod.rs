//! One fault, from the blow to both machines in step again, and what it cost.
//!
//! The demo plays a few of these; the measuring program plays hundreds. What they count must be the same, so it is
//! counted here:
//!
//! * **Missed and nil** are read from the commits in the blocks, over windows of heights that neither overlap nor leave
//!   a gap ([`Ledger`]): what one fault does not answer for, the quiet time before it does.
//! * **The next vote** is the first vote that no machine had let out yet when the blow fell, at the moment in which a
//!   plain validator received it. A vote already on its way does not count.
//! * **In step** means that both machines let out their signatures for the same heights, twice ([`Standing`] alone
//!   would also be content with a machine that only follows the chain).

mod fault;
mod in_step;
mod ledger;
mod outcome;
mod phases;
mod scene;
mod standing;
mod stranger;

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::chain::VoteKind;
use crate::judge::audit;
use crate::judge::canonical::{Position, Step};
use crate::lab::Lab;

use scene::{Notes, Scene};

pub use fault::{Fault, Need};
pub use ledger::Ledger;
pub use outcome::Outcome;
pub use phases::Phases;
pub use standing::{Standing, is_well};
pub use stranger::{Stopped, stranger};

/// From the blow to the next vote. Far longer than any vote should take: a slow one is measured, not an error.
const NEXT_VOTE_WITHIN: Duration = Duration::from_secs(60);

/// A standby's patience doubles with every takeover, against ping-pong, and is forgotten after as many calm heights
/// (`TakeoverConfig::calm_heights`, 5 unless configured). Faults closer together than this measure patience too.
pub const CALM_HEIGHTS: u64 = 6;

/// The wait for the owner that suits blocks of this length: 300 ms at 1 s, and never more than 1 s.
pub fn takeover_after(block_time: Duration) -> Duration {
    const SHORTEST: Duration = Duration::from_millis(150);
    const LONGEST: Duration = Duration::from_secs(1);
    block_time.mul_f64(0.3).clamp(SHORTEST, LONGEST)
}

/// How long the parts of a trial take, as far as that is up to us.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How long a killed machine stays off and a frozen one stands still, from the next vote on.
    pub down: Duration,
    /// How long after its death a pilot is started again: systemd's `RestartSec`.
    pub restart_after: Duration,
    /// How many more heights a trial answers for once both machines are in step.
    pub settle: u64,
}

impl Pace {
    /// As short as is honest, for many faults: what is struck stays so for a block more than it takes until somebody votes again.
    pub fn quick() -> Self {
        let second = Duration::from_secs(1);
        Self { down: second, restart_after: second, settle: 1 }
    }
}

impl Default for Pace {
    /// Three seconds down; a pilot comes back after two; two heights more.
    fn default() -> Self {
        Self { down: Duration::from_secs(3), restart_after: Duration::from_secs(2), settle: 2 }
    }
}

/// Does `fault`, to the machine that owns now unless it says otherwise, repairs it, and waits until both machines are in step again.
///
/// Heights up to the blow that nobody answered for yet go to `calm`; `tell` hears what is being done.
///
/// # Errors
/// When nobody owns, no vote follows, or the machines do not come back in step in time.
pub async fn run(
    lab: &mut Lab,
    ledger: &mut Ledger,
    fault: Fault,
    pace: Pace,
    tell: &(dyn Fn(String) + Sync),
) -> Result<Outcome> {
    let before = lab.standing().await?;
    let owner = before.owner.context("nobody owns, so there is nobody to strike")?;
    let last = lab.last_position()?;
    let struck_at_height = lab.chain.height().await?;
    let machine = fault.victim(lab, &owner, struck_at_height)?;
    ledger.leave_calm(struck_at_height);

    let mut scene = Scene { lab, machine: machine.clone(), pace, tell, notes: Notes::default() };
    let at = fault.kind().strike(&mut scene).await?;
    let reach = Reach { at, last, fault };
    fault.kind().took_effect(&mut scene).await?;
    let next_vote = if fault.needs_us_first() {
        fault.kind().repair(&mut scene).await?;
        reach.next_vote(scene.lab).await?
    } else {
        let next_vote = reach.next_vote(scene.lab).await?;
        fault.kind().repair(&mut scene).await?;
        next_vote
    };
    drop(scene);
    let repaired = lab.chain.height().await?;
    tell("waiting until both machines sign in step".to_owned());
    lab.wait_in_step(repaired).await?;
    let took = at.elapsed();
    tell("both sign in step; a few quiet blocks".to_owned());
    let_heights_pass(lab, pace.settle).await?;

    let after = lab.standing().await?;
    let phases = Phases::read(lab, before.epoch, at, next_vote).await?;
    let (heights, missed) = ledger.close(&lab.chain).await?;
    Ok(Outcome {
        fault,
        machine,
        heights,
        missed: missed.absent,
        nil: missed.nil,
        next_vote,
        epoch: (before.epoch, after.epoch),
        owner: after.owner.context("nobody owns after the fault")?,
        took,
        phases,
    })
}

/// Asks of a lab that nothing was done to whether a fault has struck its owner. Any that says so proves nothing when it is done.
///
/// # Errors
/// When it has not: as it should be.
pub async fn has_struck(lab: &mut Lab, fault: Fault, within: Duration) -> Result<()> {
    let owner = lab.standing().await?.owner.context("nobody owns")?;
    let machine = fault.victim(lab, &owner, 0)?;
    let pace = Pace::quick();
    let mut scene = Scene { lab, machine, pace, tell: &|_| {}, notes: Notes::default() };
    let shown = tokio::time::timeout(within, fault.kind().took_effect(&mut scene)).await;
    shown.with_context(|| format!("{fault} did not strike: nothing shows within {within:?}"))?
}

struct Reach {
    at: Instant,
    last: Position,
    fault: Fault,
}

impl Lab {
    /// The highest position for which a machine has let out a signature.
    fn last_position(&self) -> Result<Position> {
        let positions = audit::read_all(&self.audits())?.into_iter().map(|entry| Position {
            height: entry.height,
            round: entry.round,
            step: entry.step,
        });
        positions.max().context("no machine has signed anything yet")
    }
}

impl Reach {
    async fn next_vote(&self, lab: &Lab) -> Result<Duration> {
        let what = format!("a vote after the fault ({})", self.fault);
        let vote = lab.watcher.wait_for_vote(&what, NEXT_VOTE_WITHIN, |vote| {
            let step = match vote.kind {
                VoteKind::Prevote => Step::Prevote,
                VoteKind::Precommit => Step::Precommit,
            };
            let (height, round) = (vote.height, vote.round);
            Position { height, round, step } > self.last && vote.arrived >= self.at
        });
        Ok(vote.await?.arrived.saturating_duration_since(self.at))
    }
}

/// Waits until the chain has grown by `heights`, however long its blocks take.
///
/// # Errors
/// When it stands still.
pub async fn let_heights_pass(lab: &Lab, heights: u64) -> Result<u64> {
    /// More than any block of a lab takes, two failed rounds included.
    const ONE_WITHIN: Duration = Duration::from_secs(30);
    let mut height = lab.chain.height().await?;
    let goal = height.saturating_add(heights);
    while height < goal {
        height = lab.chain.wait_height(height.saturating_add(1), ONE_WITHIN).await?;
    }
    Ok(height)
}
