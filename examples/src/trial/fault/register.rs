//! The register is out of reach, for all or for one, or nearly so.
//!
//! * `register-locked`: of a register in a file, another process holds the write lock: nobody can write it.
//! * `register-out`: nobody reaches the register. `register-cut`, `register-cut-standby`: one machine does not; its connections are reset.
//! * `register-loses-answers`: what the owner writes arrives, and the answer is lost: it cannot tell this from a write that was lost.
//! * `register-slow`: every operation of both machines takes 200 ms more, as from another continent.
//! * `register-and-chain`: the owner reaches neither the register nor the chain.
//!
//! Each pilot goes on answering its node, with refusals. Later everything is whole again.
//!
//! While nobody can write nobody may sign, however long that lasts: no promise there but the judge's, and that signing goes on when the
//! register does. Where one machine is cut off the other signs; the owner may have voted nil before, so one block.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use rusqlite::Connection;

use super::{About, Kind, Need, Whom};
use crate::proxy::Weather;
use crate::trial::scene::{Scene, figure};

/// The lock is free between two writes, which take a millisecond.
const LOCKED_WITHIN: Duration = Duration::from_secs(10);
/// How much longer a slow register takes.
const SLOWER_BY: Duration = Duration::from_millis(200);
/// How many operations must have been slow before that counts: a vote each.
const SLOW_OPERATIONS: u64 = 6;
/// Operations that a pilot's register did not answer, and that it did.
const FAILED: &str = "/signer/register/failed";
const ANSWERED: &str = "/signer/register/answered";
/// What 99 of 100 of a pilot's last operations took at most.
const P99_MS: &str = "/signer/register/p99_ms";

/// What is done to the register, or on the way to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    Locked,
    Cut,
    LosesAnswers,
    Slow,
}

/// To whom.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Victim,
    Both,
    /// And the victim's node is cut off from the chain.
    VictimAndChain,
}

pub(super) struct Register {
    about: About,
    damage: Damage,
    reach: Reach,
}

const fn of(
    whom: Whom,
    damage: Damage,
    reach: Reach,
    name: &'static str,
    describe: &'static str,
) -> Register {
    let nobody_signs = matches!((damage, reach), (Damage::Locked, _) | (Damage::Cut, Reach::Both));
    let may_miss = if nobody_signs { None } else { Some(1) };
    let need = match (damage, reach) {
        (Damage::Locked, _) => Need::RegisterFile,
        (_, Reach::VictimAndChain) => Need::AllWires,
        _ => Need::RegisterWires,
    };
    let is_remembered = matches!(whom, Whom::Owner);
    Register {
        about: About { name, describe, whom, may_miss, is_remembered, need: Some(need) },
        damage,
        reach,
    }
}

pub(super) static LOCKED: Register =
    of(Whom::Owner, Damage::Locked, Reach::Both, "register-locked", "nobody can write the register");
pub(super) static OUT: Register =
    of(Whom::Owner, Damage::Cut, Reach::Both, "register-out", "nobody reaches the register");
pub(super) static CUT: Register =
    of(Whom::Owner, Damage::Cut, Reach::Victim, "register-cut", "the owner does not reach the register");
pub(super) static CUT_STANDBY: Register = of(
    Whom::Standby,
    Damage::Cut,
    Reach::Victim,
    "register-cut-standby",
    "the standby does not reach the register",
);
pub(super) static SLOW: Register = of(
    Whom::Owner,
    Damage::Slow,
    Reach::Both,
    "register-slow",
    "the register takes 200 ms more for everybody",
);
pub(super) static LOSES_ANSWERS: Register = of(
    Whom::Owner,
    Damage::LosesAnswers,
    Reach::Victim,
    "register-loses-answers",
    "what the owner writes arrives, and the answers are lost",
);
pub(super) static AND_CHAIN: Register = of(
    Whom::Owner,
    Damage::Cut,
    Reach::VictimAndChain,
    "register-and-chain",
    "the owner reaches neither the register nor the chain",
);

impl Register {
    /// Whose register it is, by name.
    fn struck(&self, scene: &Scene<'_>) -> Vec<String> {
        match self.reach {
            Reach::Both => scene.lab.names(),
            Reach::Victim | Reach::VictimAndChain => vec![scene.machine.clone()],
        }
    }

    fn set(&self, scene: &mut Scene<'_>, weather: Weather) -> Result<()> {
        for name in self.struck(scene) {
            scene.lab.machine(&name)?.register_wire()?.set(weather);
        }
        if self.reach == Reach::VictimAndChain {
            scene.lab.network.wires()?.set(&scene.machine, weather);
        }
        Ok(())
    }

    /// What shows that it is so: an operation that fails, or enough of them that were slow.
    fn counter(&self) -> &'static str {
        if self.damage == Damage::Slow { ANSWERED } else { FAILED }
    }
}

#[async_trait]
impl Kind for Register {
    fn about(&self) -> &About {
        &self.about
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: {}", scene.machine, self.about.describe));
        for name in self.struck(scene) {
            let report = scene.lab.machine(&name)?.report().await?;
            scene.notes.counted.push((name, figure(&report, self.counter())));
        }
        let at = Instant::now();
        match self.damage {
            Damage::Locked => {
                let register = lock(scene)?;
                scene.notes.lock = Some(register);
                // Waiting for the lock is not yet having it.
                return Ok(Instant::now());
            }
            Damage::Cut => self.set(scene, Weather::CUT)?,
            Damage::LosesAnswers => self.set(scene, Weather::LOSES_ANSWERS)?,
            Damage::Slow => self.set(scene, Weather::slower_by(SLOWER_BY))?,
        }
        Ok(at)
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        ensure!(!scene.notes.counted.is_empty(), "the register was not struck");
        let (counter, slow) = (self.counter(), self.damage == Damage::Slow);
        for (name, before) in scene.notes.counted.clone() {
            let what = format!("{name} reports it of its register");
            let shows = |report: &serde_json::Value| {
                let more = figure(report, counter).saturating_sub(before);
                let p99_ms = report.pointer(P99_MS).and_then(serde_json::Value::as_f64).unwrap_or(0.0);
                if slow {
                    more >= SLOW_OPERATIONS && p99_ms >= SLOWER_BY.as_secs_f64() * 1e3
                } else {
                    more > 0
                }
            };
            scene.reports(&name, &what, shows).await?;
        }
        if self.reach == Reach::VictimAndChain {
            let victim = scene.victim()?;
            let alone = || async { Ok((victim.peers().await? == 0).then_some(())) };
            Scene::shows("the node has no peers", alone).await?;
        }
        Ok(())
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.stay_down("the register stays so").await;
        if self.damage == Damage::Locked {
            let lock = scene.notes.lock.take().context("the register is not locked")?;
            let register = lock.into_inner().unwrap_or_else(PoisonError::into_inner);
            register.execute_batch("ROLLBACK").context("cannot release the register")?;
        } else {
            self.set(scene, Weather::FINE)?;
        }
        scene.tell("the register answers again");
        Ok(())
    }
}

fn lock(scene: &mut Scene<'_>) -> Result<Mutex<Connection>> {
    let register = Connection::open(scene.victim()?.register_file()?).context("cannot open the register")?;
    register.busy_timeout(LOCKED_WITHIN)?;
    register.execute_batch("BEGIN IMMEDIATE").context("cannot lock the register")?;
    Ok(Mutex::new(register))
}
