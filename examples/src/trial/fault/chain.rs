//! The chain: what a machine's node sends to its peers and hears from them.
//!
//! * `cut`, `cut-standby`: every connection of the node is reset and none comes up; it has no peers at all. Its register and its pilot
//!   are fine. Later the wires are whole, and it finds its peers by itself.
//! * `black-hole`: the same to the owner as a firewall does it: connections stay and nothing comes through.
//! * `regions`: 80 ms each way, give or take 20, and one packet in a hundred lost, on all wires of both machines, for a while.
//!   `regions-kill`: in the middle of that, kill -9 of the owner's machine; the weather stays until it is back.
//!
//! An owner that is cut off may vote nil where it stands, since it hears nobody, before the standby asks for the block: that height is
//! lost, and one may be. A standby that is cut off, and distance alone, should cost none; one is allowed for a machine that is busy.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;

use super::{About, Kind, Need, Whom};
use crate::lab::Lab;
use crate::proxy::Weather;
use crate::trial::scene::Scene;

/// How far the chain must get ahead of a node before that counts as not hearing it.
const AHEAD: u64 = 2;
/// How long distance lasts before anything else happens: a few blocks' votes.
const FAR_FOR: Duration = Duration::from_secs(3);

/// What is done to a machine's wires.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Damage {
    Cut,
    BlackHole,
    Regions { kill: bool },
}

pub(super) struct Wire {
    about: About,
    damage: Damage,
}

const fn of(whom: Whom, damage: Damage, name: &'static str, describe: &'static str) -> Wire {
    // A machine that was killed remembers nothing, and a standby that is cut off sees no takeover.
    let is_remembered = !matches!(damage, Damage::Regions { kill: true }) && matches!(whom, Whom::Owner);
    Wire {
        about: About { name, describe, whom, may_miss: Some(1), is_remembered, need: Some(Need::Wires) },
        damage,
    }
}

pub(super) static CUT: Wire =
    of(Whom::Owner, Damage::Cut, "cut", "the owner's node is cut off from the chain, connections reset");
pub(super) static CUT_STANDBY: Wire =
    of(Whom::Standby, Damage::Cut, "cut-standby", "the standby's node is cut off from the chain");
pub(super) static BLACK_HOLE: Wire = of(
    Whom::Owner,
    Damage::BlackHole,
    "black-hole",
    "nothing reaches or leaves the owner's node, connections stay",
);
pub(super) static REGIONS: Wire = of(
    Whom::Owner,
    Damage::Regions { kill: false },
    "regions",
    "both machines are 80 ms away and lose one packet in a hundred",
);
pub(super) static REGIONS_KILL: Wire = of(
    Whom::Owner,
    Damage::Regions { kill: true },
    "regions-kill",
    "the same, and in it kill -9 of the owner's whole machine",
);

fn both(lab: &Lab, weather: Weather) -> Result<()> {
    for machine in &lab.machines {
        lab.network.wires()?.set(machine.name(), weather);
    }
    Ok(())
}

#[async_trait]
impl Kind for Wire {
    fn about(&self) -> &About {
        &self.about
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: {}", scene.machine, self.about.describe));
        let at = Instant::now();
        let set = |weather| scene.lab.network.wires().map(|wires| wires.set(&scene.machine, weather));
        match self.damage {
            Damage::Cut => set(Weather::CUT)?,
            Damage::BlackHole => set(Weather::BLACK_HOLE)?,
            Damage::Regions { .. } => both(scene.lab, Weather::REGIONS)?,
        }
        if self.damage == (Damage::Regions { kill: true }) {
            far_away(scene).await?;
            return Ok(scene.victim()?.kill_machine());
        }
        Ok(at)
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        match self.damage {
            Damage::Cut => {
                let victim = scene.victim()?;
                let alone = || async { Ok((victim.peers().await? == 0).then_some(())) };
                Scene::shows("the node has no peers", alone).await
            }
            Damage::BlackHole => {
                let (chain, rpc) = (scene.lab.chain.clone(), scene.victim()?.rpc());
                let deaf = || async {
                    let (chain, own) = (chain.height().await?, rpc.height().await?);
                    Ok((chain >= own.saturating_add(AHEAD)).then_some(()))
                };
                Scene::shows("the node falls behind the chain", deaf).await
            }
            Damage::Regions { kill: false } => far_away(scene).await,
            Damage::Regions { kill: true } => {
                ensure!(!scene.victim()?.anything_lives(), "the machine lives");
                Ok(())
            }
        }
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.stay_down("the wires stay as they are").await;
        match self.damage {
            Damage::Cut | Damage::BlackHole => {
                scene.lab.network.wires()?.set(&scene.machine, Weather::FINE);
                scene.tell(format!("the wires of {} are whole again", scene.machine));
            }
            Damage::Regions { kill } => {
                if kill {
                    scene.start().await?;
                }
                both(scene.lab, Weather::FINE)?;
                scene.tell("the distance is gone");
            }
        }
        Ok(())
    }
}

/// Waits until the distance was felt: votes went over the wires, and packets were lost on them.
async fn far_away(scene: &mut Scene<'_>) -> Result<()> {
    let began = Instant::now();
    let (lab, machine) = (&scene.lab, &scene.machine);
    let wires = lab.network.wires()?;
    let (bytes, paused) = (wires.bytes(machine), wires.paused(machine));
    let felt = || {
        let felt =
            began.elapsed() >= FAR_FOR && wires.bytes(machine) > bytes && wires.paused(machine) > paused;
        std::future::ready(Ok(felt.then_some(())))
    };
    Scene::shows("packets are lost", felt).await
}
