//! Planned: no fault. The validator is handed over with `beam switchover`, which may cost no block at all.

use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;

use super::{About, Kind, Whom, other};
use crate::trial::scene::Scene;

pub(super) struct Switchover;

pub(super) static SWITCHOVER: Switchover = Switchover;

static ABOUT: About = About {
    name: "switchover",
    describe: "planned switch",
    whom: Whom::Owner,
    may_miss: Some(0),
    is_remembered: false,
    need: None,
};

#[async_trait]
impl Kind for Switchover {
    fn about(&self) -> &About {
        &ABOUT
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        let to = other(&scene.machine);
        scene.tell(format!("{} owns; `beam switchover --to {to}`", scene.machine));
        let at = Instant::now();
        scene.victim()?.switchover(Some(to)).await?;
        Ok(at)
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        let owner = scene.lab.standing().await?.owner;
        ensure!(owner.as_deref() == Some(other(&scene.machine)), "{owner:?} owns after the switch");
        Ok(())
    }

    async fn repair(&self, _scene: &mut Scene<'_>) -> Result<()> {
        Ok(())
    }
}
