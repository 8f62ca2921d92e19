//! What can happen to a machine, and how it is put right again.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::Serialize;

use super::Pace;
use crate::lab::Lab;
use crate::network::MACHINES;

/// From a pilot's start to its node's answer. It replays the chain first.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// What happens, to the owner unless it says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// kill -9 of pilot and node together, as when the machine loses power.
    Kill,
    /// Pilot and node stand still (SIGSTOP) and later go on (SIGCONT) as if no time had passed.
    Freeze,
    /// kill -9 of the node; its pilot starts it again.
    Node,
    /// kill -9 of the pilot; whoever watches over services starts it again.
    Pilot,
    /// No fault: the validator is handed over as planned.
    Switchover,
    /// kill -9 of both machines at the same moment, both started again at once. Nobody is left to sign meanwhile.
    BothAtOnce,
    /// As [`Kill`](Self::Kill), to the standby.
    Standby,
    /// As [`Kill`](Self::Kill), to a sentry.
    SentryKill,
    /// As [`Freeze`](Self::Freeze), to a sentry.
    SentryFreeze,
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 9] = [
        Self::Kill,
        Self::Freeze,
        Self::Node,
        Self::Pilot,
        Self::Switchover,
        Self::BothAtOnce,
        Self::Standby,
        Self::SentryKill,
        Self::SentryFreeze,
    ];

    /// Whether it needs a sentry.
    pub fn strikes_a_sentry(self) -> bool {
        matches!(self, Self::SentryKill | Self::SentryFreeze)
    }

    /// Whom it strikes, the owner being `owner`. Of several sentries, each in its turn.
    pub(super) fn victim(self, lab: &Lab, owner: &str, height: u64) -> Result<String> {
        match self {
            Self::Standby => Ok(other(owner).to_owned()),
            Self::SentryKill | Self::SentryFreeze => {
                let count = u64::try_from(lab.sentries.len())?;
                let turn = height.checked_rem(count).context("the network has no sentries")?;
                let sentry = lab.sentries.get(usize::try_from(turn)?);
                Ok(sentry.context("the network has no such sentry")?.name().to_owned())
            }
            _ => Ok(owner.to_owned()),
        }
    }

    /// In a word, as on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Node => "node",
            Self::Pilot => "pilot",
            Self::Switchover => "switchover",
            Self::BothAtOnce => "both-at-once",
            Self::Standby => "standby",
            Self::SentryKill => "sentry-kill",
            Self::SentryFreeze => "sentry-freeze",
        }
    }

    /// In words, as a heading.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Kill => "kill -9 of the owner's whole machine",
            Self::Freeze => "the owner's machine freezes (SIGSTOP)",
            Self::Node => "kill -9 of the owner's node only",
            Self::Pilot => "kill -9 of the owner's pilot only",
            Self::Switchover => "planned switch",
            Self::BothAtOnce => "kill -9 of both machines at once",
            Self::Standby => "kill -9 of the standby's whole machine",
            Self::SentryKill => "kill -9 of a sentry's whole machine",
            Self::SentryFreeze => "a sentry's machine freezes (SIGSTOP)",
        }
    }

    /// How many blocks it may cost at most; `None` where nobody is left to sign, so that no number can be promised.
    pub fn may_miss(self) -> Option<usize> {
        match self {
            Self::Kill | Self::Freeze | Self::Node | Self::Pilot => Some(1),
            Self::Standby | Self::SentryKill | Self::SentryFreeze => Some(1),
            Self::Switchover => Some(0),
            Self::BothAtOnce => None,
        }
    }

    /// Whether both machines live on with what they remember of the takeover.
    pub fn is_remembered(self) -> bool {
        match self {
            Self::Freeze | Self::Node => true,
            Self::Kill | Self::Pilot | Self::Switchover | Self::BothAtOnce => false,
            Self::Standby | Self::SentryKill | Self::SentryFreeze => false,
        }
    }

    /// Whether no vote can follow before the repair.
    pub(super) fn needs_us_first(self) -> bool {
        self == Self::BothAtOnce
    }

    pub(super) fn striking(self, machine: &str) -> String {
        match self {
            Self::Kill => format!("{machine} owns; kill -9 of its pilot and node"),
            Self::Freeze => format!("{machine} owns; its pilot and node are stopped where they stand"),
            Self::Node => format!("{machine} owns; kill -9 of its node"),
            Self::Pilot => format!("{machine} owns; kill -9 of its pilot"),
            Self::Switchover => format!("{machine} owns; `beam switchover --to {}`", other(machine)),
            Self::BothAtOnce => "kill -9 of both pilots and both nodes".to_owned(),
            Self::Standby => format!("{machine} is the standby; kill -9 of its pilot and node"),
            Self::SentryKill => format!("{machine} is a sentry; kill -9 of its pilot and node"),
            Self::SentryFreeze => {
                format!("{machine} is a sentry; its pilot and node are stopped where they stand")
            }
        }
    }

    /// Does it, and returns when.
    pub(super) async fn strike(self, lab: &mut Lab, machine: &str) -> Result<Instant> {
        match self {
            Self::Kill | Self::Standby | Self::SentryKill => Ok(lab.machine(machine)?.kill_machine()),
            Self::Freeze | Self::SentryFreeze => Ok(lab.machine(machine)?.freeze()),
            Self::Node => lab.machine(machine)?.kill_node(),
            Self::Pilot => lab.machine(machine)?.kill_pilot(),
            Self::Switchover => {
                let at = Instant::now();
                lab.machine(machine)?.switchover(Some(other(machine))).await?;
                Ok(at)
            }
            Self::BothAtOnce => {
                let at = Instant::now();
                for machine in &mut lab.machines {
                    machine.kill_machine();
                }
                Ok(at)
            }
        }
    }

    /// Puts it right again. What Beam repairs by itself is left to Beam.
    pub(super) async fn repair(
        self,
        lab: &mut Lab,
        machine: &str,
        pace: Pace,
        tell: &(dyn Fn(String) + Sync),
    ) -> Result<()> {
        match self {
            Self::Kill | Self::Standby | Self::SentryKill => {
                tell(format!("{machine} stays off for {:?}", pace.down));
                tokio::time::sleep(pace.down).await;
                tell(format!("{machine} starts again"));
                start(lab, machine).await
            }
            Self::Freeze | Self::SentryFreeze => {
                tell(format!("{machine} stands still for {:?}", pace.down));
                tokio::time::sleep(pace.down).await;
                tell(format!("{machine} goes on (SIGCONT), and does not know that time went by"));
                lab.machine(machine)?.thaw();
                Ok(())
            }
            Self::Node => {
                tell(format!("{machine}'s pilot starts its node again by itself"));
                let machine = lab.machine(machine)?;
                machine.wait_ready(READY_WITHIN).await
            }
            Self::Pilot => {
                tell(format!(
                    "{machine}'s pilot is started again after {:?}, as systemd would",
                    pace.restart_after
                ));
                tokio::time::sleep(pace.restart_after).await;
                start(lab, machine).await
            }
            Self::Switchover => Ok(()),
            Self::BothAtOnce => {
                tell("both machines start again".to_owned());
                for machine in &mut lab.machines {
                    machine.start()?;
                }
                for machine in &mut lab.machines {
                    machine.wait_ready(READY_WITHIN).await?;
                }
                Ok(())
            }
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl std::str::FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|fault| fault.name() == text);
        found.with_context(|| format!("no such fault; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

async fn start(lab: &mut Lab, machine: &str) -> Result<()> {
    let machine = lab.machine(machine)?;
    machine.start()?;
    machine.wait_ready(READY_WITHIN).await
}

/// The machine that is not this one.
fn other(machine: &str) -> &'static str {
    let [a, b] = MACHINES;
    if machine == a { b } else { a }
}
