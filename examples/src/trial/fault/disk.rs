//! The disk of a machine: everything it has, of its node and of Beam, is on it.
//!
//! * `disk-full`: no block is free. Beam's floor was made in full when it began and goes on being kept; its audit log does not, and costs
//!   no signature; the node's consensus ends when it cannot write its log. Later somebody frees the disk and starts the machine again.
//! * `disk-hangs`: no write ends until the disk goes on, as when a network volume stalls. Whoever writes waits, and does not know it.
//! * `floor-refused`: the kernel refuses every write to the floor, as a failing disk does, or a full one that copies on write. The owner
//!   has written the register when it finds that it cannot keep its floor, and lets no signature out; the standby finds the owner's very
//!   vote in the register and lets that out.
//!
//! Each strikes the owner, who may have written a vote and be stopped before it lets it out, or voted nil before: one block.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::{About, Kind, Need, Whom};
use crate::trial::scene::{Scene, figure};

/// A write to a disk that does not hang is done long before.
const HANGS_FOR: Duration = Duration::from_millis(300);
/// Requests that the signer refused.
const REFUSED: &str = "/signer/refused";

/// What is wrong with the disk.
#[derive(Clone, Copy)]
enum Trouble {
    Full,
    Hangs,
    FloorRefused,
}

pub(super) struct Disk {
    about: About,
    trouble: Trouble,
}

const fn of(trouble: Trouble, is_remembered: bool, name: &'static str, describe: &'static str) -> Disk {
    let (whom, may_miss, need) = (Whom::Owner, Some(1), Some(Need::Disks));
    Disk { about: About { name, describe, whom, may_miss, is_remembered, need }, trouble }
}

pub(super) static FULL: Disk = of(Trouble::Full, false, "disk-full", "the owner's disk is full");
pub(super) static HANGS: Disk =
    of(Trouble::Hangs, true, "disk-hangs", "the owner's disk takes no write and says nothing");
pub(super) static FLOOR_REFUSED: Disk =
    of(Trouble::FloorRefused, true, "floor-refused", "the owner's disk refuses its floor");

#[async_trait]
impl Kind for Disk {
    fn about(&self) -> &About {
        &self.about
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: {}", scene.machine, self.about.describe));
        scene.notes.refused = Some(figure(&scene.victim()?.report().await?, REFUSED));
        let victim = scene.victim()?;
        let at = Instant::now();
        match self.trouble {
            Trouble::Full => victim.disk()?.fill()?,
            Trouble::Hangs => victim.disk()?.hang()?,
            Trouble::FloorRefused => victim.disk()?.refuse(&victim.floor())?,
        }
        Ok(at)
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        match self.trouble {
            Trouble::Full => ensure!(scene.victim()?.disk()?.is_full()?, "the disk is not full"),
            Trouble::Hangs => {
                let file = scene.victim()?.home().join("probe");
                // It ends when the disk goes on.
                let written = tokio::task::spawn_blocking(move || std::fs::write(file, "probe"));
                ensure!(tokio::time::timeout(HANGS_FOR, written).await.is_err(), "the disk takes writes");
            }
            Trouble::FloorRefused => {
                let before = scene.notes.refused.context("the disk was not struck")?;
                let name = scene.machine.clone();
                let what = format!("{name} reports refusals");
                return scene.reports(&name, &what, |report| figure(report, REFUSED) > before).await;
            }
        }
        Ok(())
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.stay_down("the disk stays as it is").await;
        let victim = scene.victim()?;
        match self.trouble {
            Trouble::Full => {
                // Blocks that came free meanwhile were taken by what still writes: it stayed full.
                victim.disk()?.free()?;
                victim.kill_machine();
                scene.tell("somebody frees the disk and starts the machine again");
                scene.start().await?;
            }
            Trouble::Hangs => victim.disk()?.go_on()?,
            Trouble::FloorRefused => victim.disk()?.allow(&victim.floor())?,
        }
        Ok(())
    }
}
