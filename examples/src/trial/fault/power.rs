//! Power: processes end, or stand still.
//!
//! * `kill`, `standby`, `sentry-kill`: kill -9 of pilot and node together, as when a machine loses power. It stays off a while and is
//!   started again.
//! * `freeze`, `sentry-freeze`: pilot and node stand still (SIGSTOP) and later go on (SIGCONT) as if no time had passed.
//! * `node`: kill -9 of the node; its pilot starts it again. `pilot`: kill -9 of the pilot; whoever watches over services starts it
//!   again.
//! * `both-at-once`: kill -9 of both machines at the same moment, both started again at once.
//!
//! Each may cost one block, if the owner had voted nil just before, or had released nothing of its vote yet written it down. A standby
//! or a sentry should cost none; one is allowed, since here everybody shares two cores and a disk with what starts again. With both
//! machines gone nobody is left to sign, so `both-at-once` has no promise but the judge's.

use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;

use super::{About, Kind, Need, Whom};
use crate::trial::scene::Scene;

/// What happens to a machine's processes.
#[derive(Clone, Copy)]
enum Blow {
    Machine,
    Freeze,
    Node,
    Pilot,
    Both,
}

pub(super) struct Power {
    about: About,
    blow: Blow,
}

const fn of(whom: Whom, blow: Blow, name: &'static str, describe: &'static str) -> Power {
    let need = if matches!(whom, Whom::Sentry) { Some(Need::Sentries) } else { None };
    let may_miss = if matches!(blow, Blow::Both) { None } else { Some(1) };
    let is_remembered = matches!((whom, blow), (Whom::Owner, Blow::Freeze | Blow::Node));
    Power { about: About { name, describe, whom, may_miss, is_remembered, need }, blow }
}

pub(super) static KILL: Power =
    of(Whom::Owner, Blow::Machine, "kill", "kill -9 of the owner's whole machine");
pub(super) static FREEZE: Power =
    of(Whom::Owner, Blow::Freeze, "freeze", "the owner's machine freezes (SIGSTOP)");
pub(super) static NODE: Power = of(Whom::Owner, Blow::Node, "node", "kill -9 of the owner's node only");
pub(super) static PILOT: Power = of(Whom::Owner, Blow::Pilot, "pilot", "kill -9 of the owner's pilot only");
pub(super) static BOTH_AT_ONCE: Power =
    of(Whom::Owner, Blow::Both, "both-at-once", "kill -9 of both machines at once");
pub(super) static STANDBY: Power =
    of(Whom::Standby, Blow::Machine, "standby", "kill -9 of the standby's whole machine");
pub(super) static SENTRY_KILL: Power =
    of(Whom::Sentry, Blow::Machine, "sentry-kill", "kill -9 of a sentry's whole machine");
pub(super) static SENTRY_FREEZE: Power =
    of(Whom::Sentry, Blow::Freeze, "sentry-freeze", "a sentry's machine freezes (SIGSTOP)");

#[async_trait]
impl Kind for Power {
    fn about(&self) -> &About {
        &self.about
    }

    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant> {
        scene.tell(format!("{}: {}", scene.machine, self.about.describe));
        match self.blow {
            Blow::Machine => Ok(scene.victim()?.kill_machine()),
            Blow::Freeze => Ok(scene.victim()?.freeze()),
            Blow::Node => {
                scene.notes.node = scene.victim()?.node_pid();
                scene.victim()?.kill_node()
            }
            Blow::Pilot => scene.victim()?.kill_pilot(),
            Blow::Both => {
                let at = Instant::now();
                for machine in &mut scene.lab.machines {
                    machine.kill_machine();
                }
                Ok(at)
            }
        }
    }

    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()> {
        let node = scene.notes.node;
        let victim = scene.victim()?;
        match self.blow {
            Blow::Machine => ensure!(!victim.anything_lives(), "the machine lives"),
            Blow::Pilot => ensure!(!victim.is_running(), "the pilot runs"),
            Blow::Both => {
                let lives = scene.lab.machines.iter_mut().any(|machine| machine.anything_lives());
                ensure!(!lives, "a machine lives");
            }
            Blow::Freeze => {
                let stands = || std::future::ready(Ok(victim.is_frozen().then_some(())));
                return Scene::shows("pilot and node stand still", stands).await;
            }
            Blow::Node => {
                ensure!(node.is_some(), "no node was struck");
                let gone = || std::future::ready(Ok((victim.node_pid() != node).then_some(())));
                return Scene::shows("the node is gone", gone).await;
            }
        }
        Ok(())
    }

    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()> {
        match self.blow {
            Blow::Machine => {
                scene.stay_down(&format!("{} stays off", scene.machine)).await;
                scene.start().await
            }
            Blow::Freeze => {
                scene.stay_down(&format!("{} stands still", scene.machine)).await;
                scene.tell(format!(
                    "{} goes on (SIGCONT), and does not know that time went by",
                    scene.machine
                ));
                scene.victim()?.thaw();
                Ok(())
            }
            Blow::Node => {
                scene.tell(format!("{}'s pilot starts its node again by itself", scene.machine));
                scene.node_answers().await
            }
            Blow::Pilot => {
                let after = scene.pace.restart_after;
                scene.tell(format!(
                    "{}'s pilot is started again after {after:?}, as systemd would",
                    scene.machine
                ));
                tokio::time::sleep(after).await;
                scene.start().await
            }
            Blow::Both => {
                scene.tell("both machines start again");
                for machine in &mut scene.lab.machines {
                    machine.start()?;
                }
                for name in scene.lab.names() {
                    scene.machine = name;
                    scene.node_answers().await?;
                }
                Ok(())
            }
        }
    }
}
