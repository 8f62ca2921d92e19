//! The wall clock of one machine's pilot is an hour off, forward or backward, while it runs; later it is right again.
//!
//! Only the pilot's: a Go program asks the kernel without asking any library, so the node's clock cannot be set for it alone. A node
//! that is an hour off is a matter of CometBFT's own rules (its votes' times count in the median with which blocks are dated), with or
//! without Beam. What Beam signs does not depend on any clock, so this may cost no block.

use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;

use super::{About, Kind, Need, Whom};
use crate::trial::scene::{Scene, figure, wall_ms};

/// How far it is off.
const OFF: Duration = Duration::from_secs(3600);
/// A report may be some seconds old.
const NEARLY_MS: u64 = 3_000_000;
/// When a report was made, by the clock of the pilot that made it.
const UPDATED: &str = "/updated_ms";

pub(super) struct Clock {
    about: About,
    ahead: bool,
}

const fn of(ahead: bool, name: &'static str, describe: &'static str) -> Clock {
    let (whom, may_miss, need) = (Whom::Owner, Some(1), Some(Need::Clocks));
    Clock { about: About { name, describe, whom, may_miss, is_remembered: false, need }, ahead }
}

pub(super) static AHEAD: Clock =
    of(true, "clock-ahead", "the clock of the owner's pilot jumps an hour ahead");
pub(super) static BEHIND: Clock =
    of(false, "clock-behind", "the clock of the owner's pilot jumps an hour back");

#[async_trait]
impl Kind for Clock {
    fn about(&self) -> &About {
        &self.about
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: {}", scene.machine, self.about.describe));
        let ahead = self.ahead;
        scene.victim()?.set_clock(if ahead { '+' } else { '-' }, OFF)?;
        Ok(Instant::now())
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        let (name, ahead) = (scene.machine.clone(), self.ahead);
        let is_off = |report: &serde_json::Value| {
            let (theirs, ours) = (figure(report, UPDATED), wall_ms(Instant::now()));
            let (more, less) = if ahead { (theirs, ours) } else { (ours, theirs) };
            theirs > 0 && more.saturating_sub(less) > NEARLY_MS
        };
        scene.reports(&name, &format!("{name} reports another time"), is_off).await
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.stay_down("the clock stays wrong").await;
        scene.victim()?.set_clock('+', Duration::ZERO)
    }
}
