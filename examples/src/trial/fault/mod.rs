//! What can happen, and how it is put right again: one file a family, which says at its head what each fault is, how it is put right
//! and what it may cost.
//!
//! A fault that did not strike proves nothing. So each one shows that it took effect ([`Kind::took_effect`]), by something else than the
//! call that was to do it: a process that is gone, a node without peers, a disk without a block, a pilot that reports it. One that
//! cannot show it is an error, and never a fault that cost nothing.

mod chain;
mod clock;
mod copies;
mod disk;
mod planned;
mod power;
mod register;

use std::fmt;
use std::time::Instant;

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde::Serialize;

use super::scene::Scene;
use crate::lab::Lab;
use crate::network::MACHINES;

/// What happens. [`Fault::describe`] says it in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each is described where it is done")]
pub enum Fault {
    Kill,
    Freeze,
    Node,
    Pilot,
    BothAtOnce,
    Standby,
    SentryKill,
    SentryFreeze,
    Switchover,
    Cut,
    CutStandby,
    BlackHole,
    Regions,
    RegionsKill,
    RegisterLocked,
    RegisterCut,
    RegisterCutStandby,
    RegisterOut,
    RegisterSlow,
    RegisterLosesAnswers,
    RegisterAndChain,
    DiskFull,
    DiskHangs,
    FloorRefused,
    CopiedHome,
    OldHome,
    ClockAhead,
    ClockBehind,
}

/// Whom a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whom {
    Owner,
    Standby,
    Sentry,
}

/// What a lab must have for a fault to be possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// Sentries.
    Sentries,
    /// Wires that can be damaged.
    Wires,
    /// Machines with a disk of their own.
    Disks,
    /// A register in a file.
    RegisterFile,
    /// A register that is reached over wires.
    RegisterWires,
    /// Both kinds of wires.
    AllWires,
    /// Machines whose pilots have a clock that can be set.
    Clocks,
}

impl Need {
    /// Whether who has this must have `other`.
    pub fn includes(self, other: Self) -> bool {
        self == other || (self == Self::AllWires && matches!(other, Self::Wires | Self::RegisterWires))
    }
}

/// What is known of a fault beforehand.
pub(super) struct About {
    /// In a word, as on a command line.
    pub(super) name: &'static str,
    /// In words, as a heading.
    pub(super) describe: &'static str,
    pub(super) whom: Whom,
    /// How many blocks it may cost at most; `None` where nobody is left to sign, so that no number can be promised.
    pub(super) may_miss: Option<usize>,
    /// Whether both machines live on with what they remember of a takeover.
    pub(super) is_remembered: bool,
    pub(super) need: Option<Need>,
}

/// One kind of fault.
#[async_trait]
pub(super) trait Kind: Sync {
    fn about(&self) -> &About;

    /// Does it, and returns when.
    async fn strike(&self, scene: &mut Scene<'_>) -> Result<Instant>;

    /// Shows that it took effect, or fails.
    async fn took_effect(&self, scene: &mut Scene<'_>) -> Result<()>;

    /// Puts it right again. What Beam repairs by itself is left to Beam.
    async fn repair(&self, scene: &mut Scene<'_>) -> Result<()>;
}

impl Fault {
    /// All there are.
    pub const ALL: [Self; 28] = [
        Self::Kill,
        Self::Freeze,
        Self::Node,
        Self::Pilot,
        Self::BothAtOnce,
        Self::Standby,
        Self::SentryKill,
        Self::SentryFreeze,
        Self::Switchover,
        Self::Cut,
        Self::CutStandby,
        Self::BlackHole,
        Self::Regions,
        Self::RegionsKill,
        Self::RegisterLocked,
        Self::RegisterCut,
        Self::RegisterCutStandby,
        Self::RegisterOut,
        Self::RegisterSlow,
        Self::RegisterLosesAnswers,
        Self::RegisterAndChain,
        Self::DiskFull,
        Self::DiskHangs,
        Self::FloorRefused,
        Self::CopiedHome,
        Self::OldHome,
        Self::ClockAhead,
        Self::ClockBehind,
    ];

    pub(super) fn kind(self) -> &'static dyn Kind {
        match self {
            Self::Kill => &power::KILL,
            Self::Freeze => &power::FREEZE,
            Self::Node => &power::NODE,
            Self::Pilot => &power::PILOT,
            Self::BothAtOnce => &power::BOTH_AT_ONCE,
            Self::Standby => &power::STANDBY,
            Self::SentryKill => &power::SENTRY_KILL,
            Self::SentryFreeze => &power::SENTRY_FREEZE,
            Self::Switchover => &planned::SWITCHOVER,
            Self::Cut => &chain::CUT,
            Self::CutStandby => &chain::CUT_STANDBY,
            Self::BlackHole => &chain::BLACK_HOLE,
            Self::Regions => &chain::REGIONS,
            Self::RegionsKill => &chain::REGIONS_KILL,
            Self::RegisterLocked => &register::LOCKED,
            Self::RegisterCut => &register::CUT,
            Self::RegisterCutStandby => &register::CUT_STANDBY,
            Self::RegisterOut => &register::OUT,
            Self::RegisterSlow => &register::SLOW,
            Self::RegisterLosesAnswers => &register::LOSES_ANSWERS,
            Self::RegisterAndChain => &register::AND_CHAIN,
            Self::DiskFull => &disk::FULL,
            Self::DiskHangs => &disk::HANGS,
            Self::FloorRefused => &disk::FLOOR_REFUSED,
            Self::CopiedHome => &copies::COPIED_HOME,
            Self::OldHome => &copies::OLD_HOME,
            Self::ClockAhead => &clock::AHEAD,
            Self::ClockBehind => &clock::BEHIND,
        }
    }

    /// In a word, as on a command line.
    pub fn name(self) -> &'static str {
        self.kind().about().name
    }

    /// In words, as a heading.
    pub fn describe(self) -> &'static str {
        self.kind().about().describe
    }

    /// How many blocks it may cost at most; `None` where nobody is left to sign, so that no number can be promised.
    pub fn may_miss(self) -> Option<usize> {
        self.kind().about().may_miss
    }

    /// Whether both machines live on with what they remember of the takeover.
    pub fn is_remembered(self) -> bool {
        self.kind().about().is_remembered
    }

    /// What a lab must have for it.
    pub fn need(self) -> Option<Need> {
        self.kind().about().need
    }

    /// Whom it strikes, the owner being `owner`. Of several sentries, each in its turn.
    pub(super) fn victim(self, lab: &Lab, owner: &str, height: u64) -> Result<String> {
        match self.kind().about().whom {
            Whom::Owner => Ok(owner.to_owned()),
            Whom::Standby => Ok(other(owner).to_owned()),
            Whom::Sentry => {
                let count = u64::try_from(lab.sentries.len())?;
                let turn = height.checked_rem(count).context("the network has no sentries")?;
                let sentry = lab.sentries.get(usize::try_from(turn)?);
                Ok(sentry.context("the network has no such sentry")?.name().to_owned())
            }
        }
    }

    /// Whether no vote can follow before the repair.
    pub(super) fn needs_us_first(self) -> bool {
        self.may_miss().is_none()
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

/// The other one of the two machines.
pub(super) fn other(machine: &str) -> &'static str {
    MACHINES.into_iter().find(|name| *name != machine).unwrap_or(machine_by_default())
}

fn machine_by_default() -> &'static str {
    let [first, _] = MACHINES;
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_is_found_by_it() {
        let names: std::collections::BTreeSet<_> = Fault::ALL.map(Fault::name).into();
        assert_eq!(names.len(), Fault::ALL.len());
        for fault in Fault::ALL {
            assert_eq!(fault.name().parse::<Fault>().unwrap(), fault);
            assert_eq!(
                serde_json::to_value(fault).unwrap(),
                fault.name(),
                "results name it as the command line does"
            );
        }
        assert!("earthquake".parse::<Fault>().unwrap_err().to_string().contains("both-at-once"));
    }

    #[test]
    fn the_other_machine_is_never_the_same() {
        assert_eq!((other("a"), other("b")), ("b", "a"));
    }
}
