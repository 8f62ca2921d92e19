//! The register is out of reach, for all or for one.
//!
//! * `register-locked`: of a register in a file, another process holds the write lock: nobody can write, so nobody may sign. The pilots go
//!   on answering their nodes, with refusals. Later the lock is released.
//!
//! While nobody can write nobody may sign, however long that lasts, so there is no promise but the judge's and that signing goes on
//! when the register does.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;
use rusqlite::Connection;

use super::{About, Kind, Need, Whom};
use crate::trial::scene::{Scene, figure};

/// The lock is free between two writes, which take a millisecond.
const LOCKED_WITHIN: Duration = Duration::from_secs(10);
/// Operations that a pilot's register did not answer.
const FAILED: &str = "/signer/register/failed";

pub(super) struct Locked;

pub(super) static LOCKED: Locked = Locked;

static ABOUT: About = About {
    name: "register-locked",
    describe: "nobody can write the register",
    whom: Whom::Owner,
    may_miss: None,
    is_remembered: true,
    need: Some(Need::RegisterFile),
};

#[async_trait]
impl Kind for Locked {
    fn about(&self) -> &About {
        &ABOUT
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell("another process holds the register's write lock");
        for machine in &scene.lab.machines {
            let failed = figure(&machine.report().await?, FAILED);
            scene.notes.failed.push((machine.name().to_owned(), failed));
        }
        let register = Connection::open(scene.victim()?.register()).context("cannot open the register")?;
        register.busy_timeout(LOCKED_WITHIN)?;
        register.execute_batch("BEGIN IMMEDIATE").context("cannot lock the register")?;
        scene.notes.lock = Some(Mutex::new(register));
        Ok(Instant::now())
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        ensure!(!scene.notes.failed.is_empty(), "the register was not struck");
        for (name, before) in scene.notes.failed.clone() {
            let what = format!("{name} reports that the register does not answer");
            scene.reports(&name, &what, |report| figure(report, FAILED) > before).await?;
        }
        Ok(())
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.stay_down("the lock is held").await;
        let register = scene.notes.lock.take().context("the register is not locked")?;
        let register = register.into_inner().unwrap_or_else(PoisonError::into_inner);
        register.execute_batch("ROLLBACK").context("cannot release the register")?;
        scene.tell("the register can be written again");
        Ok(())
    }
}
