//! Handing the validator to another machine: as planned, to one that is there and ready, or by force, to one that is named.
//!
//! It is one swap: epoch + 1, the new owner. From that instant the old owner is refused and the new one no longer waits, so
//! nothing is missed if the new owner's node is in step. Of a planned switch this is looked at before, of a forced one not;
//! whether the new owner then really signs is looked at after both. Neither can make anybody sign twice.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{RosterCell, SwitchError};
use crate::register::{Register, RegisterKey, SwapError, Version};
use crate::roster::{Member, Roster};
use crate::signing::{Epoch, Handover, Height, Mark, Record, Step};

/// Hands a validator over.
#[derive(Clone)]
pub struct Switchover {
    /// The shared register.
    pub register: Arc<dyn Register>,
    /// The record's cell.
    pub signing: RegisterKey,
    /// The machines to choose from.
    pub roster: RosterCell,
}

/// What a switch would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchPlan {
    /// [`Handover::Switchover`] if the target was seen to be ready, [`Handover::Failover`] if nobody looked.
    pub how: Handover,
    /// The machine that owns now; `None` if nobody does, or nobody in the roster.
    pub from: Option<String>,
    /// The machine that shall.
    pub to: String,
    /// The epoch now.
    pub epoch: Epoch,
    /// The mark now.
    pub mark: Mark,
    /// The target, as it was last seen.
    pub target: Member,
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
    /// How long the register took for the swap.
    pub swapped_within: Duration,
    /// From then to the first signature's entry in the register.
    pub signed_within: Duration,
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
            let roster = self.roster.read().await?;
            let target = roster.members.get(&to).unwrap_or(&first).clone();
            let from = record.owner.and_then(|owner| roster.name_of(owner)).map(str::to_owned);
            if record.owner == Some(target.signer) {
                return Err(SwitchError::AlreadyOwner(to));
            }
            // A note written since we began to look comes from a process that is alive now.
            let alive = target != first;
            let in_step = target.height.0.saturating_add(1) >= record.mark.height.0;
            if alive && in_step {
                let (how, epoch, mark) = (Handover::Switchover, record.epoch, record.mark);
                return Ok(SwitchPlan { how, from, to, epoch, mark, target });
            }
            if Instant::now() >= deadline {
                return Err(SwitchError::NotReady { name: to, seen: target.height.0, register: record.mark });
            }
            sleep(Self::POLL_EVERY).await;
        }
    }

    /// Finds the target and asks nothing of it: for when the owner must go, whatever follows.
    ///
    /// # Errors
    /// [`SwitchError`]; nothing is changed by planning.
    pub async fn plan_forced(&self, to: &str) -> Result<SwitchPlan, SwitchError> {
        let (to, target) = self.choose(Some(to)).await?;
        let (_, record) = self.record().await?;
        if record.owner == Some(target.signer) {
            return Err(SwitchError::AlreadyOwner(to));
        }
        let roster = self.roster.read().await?;
        let from = record.owner.and_then(|owner| roster.name_of(owner)).map(str::to_owned);
        let (how, epoch, mark) = (Handover::Failover, record.epoch, record.mark);
        Ok(SwitchPlan { how, from, to, epoch, mark, target })
    }

    /// Waits until everything below `height` is signed, so that the new owner's first height is that one. `tell` hears of each new mark
    /// on the way. It waits as long as the chain takes; drop it to give up, which changes nothing.
    ///
    /// # Errors
    /// [`SwitchError::Over`] if that height is being signed already.
    pub async fn wait_for(&self, height: Height, tell: impl Fn(Mark)) -> Result<(), SwitchError> {
        let last = Mark { step: Step::Precommit, ..Mark::new(height.0.saturating_sub(1), 0, Step::Proposal) };
        let mut told = None;
        loop {
            let (_, record) = self.record().await?;
            if record.mark.height >= height {
                return Err(SwitchError::Over { height, register: record.mark });
            }
            if record.mark >= last {
                return Ok(());
            }
            if told != Some(record.mark) {
                told = Some(record.mark);
                tell(record.mark);
            }
            sleep(Self::POLL_EVERY).await;
        }
    }

    async fn choose(&self, to: Option<&str>) -> Result<(String, Member), SwitchError> {
        let (_, record) = self.record().await?;
        let roster = self.roster.read().await?;
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
        let ordered = Instant::now();
        let (epoch, since) = self.hand_over(&plan).await?;
        let swapped_within = ordered.elapsed();
        let began = Instant::now();
        loop {
            let (_, record) = self.record().await?;
            if record.epoch != epoch {
                return Err(SwitchError::Overtaken { to: plan.to, epoch, now: record.epoch });
            }
            // In this epoch nobody but the new owner raises the mark.
            if record.mark > since {
                let (from, to, first_signed) = (plan.from, plan.to, record.mark);
                let signed_within = began.elapsed();
                return Ok(SwitchReport {
                    from,
                    to,
                    epoch,
                    since,
                    first_signed,
                    swapped_within,
                    signed_within,
                });
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
                return Err(SwitchError::Moved { planned: plan.epoch, now: record.epoch });
            }
            let handed = record.handed_to(plan.target.signer, plan.how);
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
