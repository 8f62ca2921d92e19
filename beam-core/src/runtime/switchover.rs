//! The planned switch: handing the validator to another machine that is there and ready.
//!
//! It is one swap: epoch + 1, the new owner. From that instant the old owner is refused and the new one no longer waits, so
//! nothing is missed if the new owner's node is in step. Whether it is, is looked at before; whether it then really
//! signs, is looked at after.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{RosterError, read_roster};
use crate::id::ParseError;
use crate::register::{Register, RegisterError, RegisterKey, SwapError, Version};
use crate::roster::{Member, Roster};
use crate::signing::{Epoch, Handover, Mark, Record};

/// Hands a validator over.
#[derive(Clone)]
pub struct Switchover {
    /// The shared register.
    pub register: Arc<dyn Register>,
    /// The record's cell.
    pub signing: RegisterKey,
    /// The roster's cell.
    pub roster: RegisterKey,
}

/// What a switch would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchPlan {
    /// The machine that owns now; `None` if nobody does, or nobody in the roster.
    pub from: Option<String>,
    /// The machine that shall.
    pub to: String,
    /// The epoch now.
    pub epoch: Epoch,
    /// The mark now.
    pub mark: Mark,
    target: Member,
}

/// What a switch did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchReport {
    /// The machine that owned before.
    pub from: Option<String>,
    /// The machine that owns now.
    pub to: String,
    /// The new epoch.
    pub epoch: Epoch,
    /// The mark at which it began.
    pub since: Mark,
    /// The first mark that the new owner signed.
    pub first_signed: Mark,
    /// From the swap to that signature's entry in the register.
    pub took: Duration,
}

/// A switch that was not made, or did not go well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// The register could not be asked. Nothing was changed.
    #[error("the register could not be read; nothing was changed")]
    Read(#[from] RegisterError),
    /// The roster could not be read. Nothing was changed.
    #[error("the roster could not be read; nothing was changed")]
    Roster(#[from] RosterError),
    /// There is no record.
    #[error("the register has no record; make one with `beam watermark init`")]
    NoRecord,
    /// The record is damaged.
    #[error("the register's record is damaged; nothing was changed")]
    Damaged(#[from] ParseError),
    /// No machine of that name was ever there.
    #[error("no machine named {name:?} is in the roster; there are: {known}")]
    UnknownMachine {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// There is not exactly one other machine, so the target must be named.
    #[error("which machine? say `--to` with one of: {0}")]
    Ambiguous(String),
    /// The target owns already.
    #[error("{0} is the owner already; nothing was changed")]
    AlreadyOwner(String),
    /// The target does not follow the chain, so a switch would miss blocks. Nothing was changed.
    #[error(
        "{name} is not ready: it was last seen at height {seen}, the register is at {register}; nothing was changed"
    )]
    NotReady {
        /// The target.
        name: String,
        /// The last height it noted.
        seen: u64,
        /// Where the register is.
        register: Mark,
    },
    /// The register was not written. Nothing was changed.
    #[error("the register could not be written; nothing was changed")]
    Write(#[source] SwapError),
    /// The register did not say whether it was written. `beam status` tells who owns.
    #[error("whether the switch was made is unknown; `beam status` tells who owns")]
    OutcomeUnknown(#[source] SwapError),
    /// The switch was made, and the new owner did not sign in time. The old one takes over again by itself.
    #[error("{to} owns epoch {epoch} but signed nothing within {waited:?}; the standby takes over by itself")]
    NotSigning {
        /// The new owner.
        to: String,
        /// The new epoch.
        epoch: Epoch,
        /// How long was waited.
        waited: Duration,
    },
    /// The switch was made, but ownership has moved on since.
    #[error("{to} was given epoch {epoch}, but another machine has taken over since (epoch {now})")]
    Overtaken {
        /// The new owner.
        to: String,
        /// The epoch it was given.
        epoch: Epoch,
        /// The epoch now.
        now: Epoch,
    },
}

impl Switchover {
    /// How long the target is given to be seen at the register's height.
    pub const READY_WITHIN: Duration = Duration::from_secs(10);
    /// How long the new owner is given to sign.
    pub const SIGNS_WITHIN: Duration = Duration::from_secs(30);
    /// How often the register is read while waiting.
    pub const POLL_EVERY: Duration = Duration::from_millis(50);
    /// How often the swap is tried while the owner goes on signing.
    pub const SWAPS_MAX: u32 = 20;

    /// Finds the target and makes sure that it is there: it must have noted a height just below or at the register's,
    /// and note a new one, or stand at the register's very height, while we look.
    ///
    /// # Errors
    /// [`SwitchError`]; nothing is changed by planning.
    pub async fn plan(&self, to: Option<&str>) -> Result<SwitchPlan, SwitchError> {
        let deadline = Instant::now() + Self::READY_WITHIN;
        let (to, first) = self.choose(to).await?;
        loop {
            let (_, record) = self.record().await?;
            let roster = read_roster(&*self.register, &self.roster).await?;
            let target = roster.members.get(&to).unwrap_or(&first).clone();
            let from = record.owner.and_then(|owner| roster.name_of(owner)).map(str::to_owned);
            if record.owner == Some(target.signer) {
                return Err(SwitchError::AlreadyOwner(to));
            }
            // A note written since we began to look comes from a process that is alive now.
            let alive = target != first;
            let in_step = target.height.0.saturating_add(1) >= record.mark.height.0;
            if alive && in_step {
                return Ok(SwitchPlan { from, to, epoch: record.epoch, mark: record.mark, target });
            }
            if Instant::now() >= deadline {
                return Err(SwitchError::NotReady { name: to, seen: target.height.0, register: record.mark });
            }
            sleep(Self::POLL_EVERY).await;
        }
    }

    async fn choose(&self, to: Option<&str>) -> Result<(String, Member), SwitchError> {
        let (_, record) = self.record().await?;
        let roster = read_roster(&*self.register, &self.roster).await?;
        let known = || roster.members.keys().cloned().collect::<Vec<_>>().join(", ");
        if let Some(name) = to {
            let member = roster.members.get(name);
            let unknown = || SwitchError::UnknownMachine { name: name.to_owned(), known: known() };
            return Ok((name.to_owned(), member.ok_or_else(unknown)?.clone()));
        }
        let others = |roster: &Roster| -> Vec<(String, Member)> {
            let other = |(_, member): &(&String, &Member)| Some(member.signer) != record.owner;
            roster.members.iter().filter(other).map(|(name, member)| (name.clone(), member.clone())).collect()
        };
        match <[_; 1]>::try_from(others(&roster)) {
            Ok([only]) => Ok(only),
            Err(_) => Err(SwitchError::Ambiguous(known())),
        }
    }

    /// Makes the switch, and waits until the new owner has signed.
    ///
    /// # Errors
    /// [`SwitchError`], which says whether anything was changed.
    pub async fn carry_out(&self, plan: SwitchPlan) -> Result<SwitchReport, SwitchError> {
        let (epoch, since) = self.hand_over(&plan).await?;
        let began = Instant::now();
        loop {
            let (_, record) = self.record().await?;
            if record.epoch != epoch {
                return Err(SwitchError::Overtaken { to: plan.to, epoch, now: record.epoch });
            }
            // In this epoch nobody but the new owner raises the mark.
            if record.mark > since {
                let (from, to, first_signed) = (plan.from, plan.to, record.mark);
                return Ok(SwitchReport { from, to, epoch, since, first_signed, took: began.elapsed() });
            }
            if began.elapsed() >= Self::SIGNS_WITHIN {
                return Err(SwitchError::NotSigning { to: plan.to, epoch, waited: Self::SIGNS_WITHIN });
            }
            sleep(Self::POLL_EVERY).await;
        }
    }

    async fn hand_over(&self, plan: &SwitchPlan) -> Result<(Epoch, Mark), SwitchError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (version, record) = self.record().await?;
            if record.epoch != plan.epoch {
                let (to, epoch, now) = (plan.to.clone(), plan.epoch, record.epoch);
                return Err(SwitchError::Overtaken { to, epoch, now });
            }
            let handed = record.handed_to(plan.target.signer, Handover::Switchover);
            let handed = handed.ok_or(SwitchError::NoRecord)?;
            let value = handed.encode();
            match self.register.swap(&self.signing, Some(version), value.clone()).await {
                Ok(_) => return Ok((handed.epoch, handed.since)),
                // A retry below us found our own write in place.
                Err(SwapError::Conflict { current: Some(cell) }) if cell.value == value => {
                    return Ok((handed.epoch, handed.since));
                }
                Err(SwapError::Conflict { .. }) if tries < Self::SWAPS_MAX => {}
                Err(error @ SwapError::OutcomeUnknown(_)) => return Err(SwitchError::OutcomeUnknown(error)),
                Err(error) => return Err(SwitchError::Write(error)),
            }
        }
    }

    async fn record(&self) -> Result<(Version, Record), SwitchError> {
        let cell = self.register.read(&self.signing).await?.ok_or(SwitchError::NoRecord)?;
        Ok((cell.version, Record::decode(&cell.value)?))
    }
}
