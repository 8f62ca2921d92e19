//! Copies: what people do with disks, and what double signs are made of.
//!
//! * `copied-home`: the owner's disk as it is now is started as a third machine, with the key, the floor and the register's address on it.
//!   It runs until its node has asked its pilot for votes for a few heights; then it is switched off for good.
//! * `old-home`: the owner's machine is killed and comes back with its disk as it was at least ten heights ago: an older floor, an
//!   older node.
//!
//! A copy is one more standby, since nothing on a disk says who owns; it should cost nothing. While the disk is copied the owner
//! stands still for a moment, which may look like a freeze: one block, and one for the kill.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use async_trait::async_trait;

use super::{About, Kind, Need, Whom};
use crate::machine::Machine;
use crate::trial::let_heights_pass;
use crate::trial::scene::{Scene, figure};
use crate::wait;

/// How old a home is put back at least.
const HEIGHTS_OLD: u64 = 10;
/// The copy's node starts, replays and catches up before it asks for votes.
const ASKED_WITHIN: Duration = Duration::from_secs(60);
/// How many answers to its node show that the copy takes part: more than it gives while it catches up.
const ANSWERS: u64 = 9;

pub(super) struct CopiedHome;
pub(super) struct OldHome;

pub(super) static COPIED_HOME: CopiedHome = CopiedHome;
pub(super) static OLD_HOME: OldHome = OldHome;

static ABOUT_COPIED: About = About {
    name: "copied-home",
    describe: "the owner's disk is copied and started as a third machine",
    whom: Whom::Owner,
    may_miss: Some(1),
    is_remembered: true,
    need: Some(Need::Disks),
};

static ABOUT_OLD: About = About {
    name: "old-home",
    describe: "the owner's machine is killed and comes back with an old disk",
    whom: Whom::Owner,
    may_miss: Some(1),
    is_remembered: false,
    need: Some(Need::Disks),
};

#[async_trait]
impl Kind for CopiedHome {
    fn about(&self) -> &About {
        &ABOUT_COPIED
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}'s disk is copied and started as a third machine", scene.machine));
        let name = format!("copy-{}", scene.lab.kept_audits.len());
        let at = Instant::now();
        let mut copy = scene.lab.copy_machine(&scene.machine, &name)?;
        scene.lab.kept_audits.push(copy.audit());
        copy.start()?;
        scene.notes.third = Some(copy);
        Ok(at)
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        let third = scene.notes.third.as_mut().context("there is no third machine")?;
        let asked = wait::until("the copy to answer its node", ASKED_WITHIN, || async {
            Ok(third.report().await.is_ok_and(|report| answers(&report) >= ANSWERS).then_some(()))
        })
        .await;
        asked.with_context(|| format!("the copy did not take part; its log ends:\n{}", third.log_tail()))
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        scene.tell("the copy is switched off for good");
        let mut third: Machine = scene.notes.third.take().context("there is no third machine")?;
        ensure!(third.is_running(), "the copy ended by itself:\n{}", third.log_tail());
        third.kill_machine();
        let home = third.node().home.clone();
        let audit = third.audit();
        drop(third);
        // The judge's file stays, the rest would fill the host's disk.
        for entry in std::fs::read_dir(&home)?.flatten() {
            if entry.path().is_dir() && !audit.starts_with(entry.path()) {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }
}

/// How often the pilot answered its node with a signature or a refusal.
fn answers(report: &serde_json::Value) -> u64 {
    figure(report, "/signer/released").saturating_add(figure(report, "/signer/refused"))
}

#[async_trait]
impl Kind for OldHome {
    fn about(&self) -> &About {
        &ABOUT_OLD
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: kill -9, and an old disk is put in", scene.machine));
        Ok(scene.victim()?.kill_machine())
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        let victim = scene.victim()?;
        ensure!(!victim.anything_lives(), "the machine lives");
        Ok(())
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        let height = scene.lab.chain.height().await?;
        let machine = scene.machine.clone();
        let known =
            scene.lab.old_homes.get(&machine).filter(|old| old.height.saturating_add(HEIGHTS_OLD) <= height);
        let known = known.cloned();
        let folder = scene.lab.network.dir().join(format!("old-{machine}-{height}"));
        let now = scene.victim()?.put_aside(&folder, height)?;
        let old = match known {
            Some(old) => old,
            None => {
                // There is none old enough yet: this one grows old while the machine runs on.
                scene.tell(format!(
                    "{machine} runs for {HEIGHTS_OLD} heights more, so that the disk put aside grows old"
                ));
                scene.start().await?;
                let_heights_pass(scene.lab, HEIGHTS_OLD).await?;
                scene.victim()?.kill_machine();
                now.clone()
            }
        };
        let kept = scene.lab.network.dir().join(format!("audit-{machine}-{height}.jsonl"));
        let floor = scene.victim()?.floor();
        let newer = std::fs::read(&floor)?;
        scene.victim()?.put_back(&old, &kept)?;
        scene.lab.kept_audits.push(kept);
        ensure!(std::fs::read(&floor)? != newer, "the old home has the same floor as the new one");
        scene.lab.old_homes.insert(machine.clone(), now);
        scene.start().await
    }
}
