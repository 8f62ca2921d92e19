//! A register between which and its caller things go wrong.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinSet;

use super::{Dice, lock};
use crate::register::{Cell, Register, RegisterError, RegisterKey, SwapError, Version};

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It works, but only after a while.
    Delay(Duration),
    /// It is refused at once: certainly not done.
    Refused,
    /// The request is lost: not done, and nobody knows.
    LostRequest,
    /// The answer is lost: done, and nobody knows.
    LostAnswer,
    /// The caller gives up at once, and it is done after a while.
    Late(Duration),
}

/// How often each fault strikes, in a thousand calls. Zeros by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Odds {
    /// Of [`Fault::Delay`].
    pub delay: u64,
    /// Of [`Fault::Refused`].
    pub refused: u64,
    /// Of [`Fault::LostRequest`].
    pub lost_request: u64,
    /// Of [`Fault::LostAnswer`].
    pub lost_answer: u64,
    /// Of [`Fault::Late`].
    pub late: u64,
    /// The longest delay or lateness; the shortest is a thousandth of it.
    pub wait_max: Duration,
}

impl Odds {
    fn throw(&self, dice: &mut Dice) -> Option<Fault> {
        let (mut score, part) = (dice.below(1000), dice.below(1000));
        let wait =
            u32::try_from(part).map_or(self.wait_max, |part| self.wait_max / 1000 * part.saturating_add(1));
        let faults = [
            (self.delay, Fault::Delay(wait)),
            (self.refused, Fault::Refused),
            (self.lost_request, Fault::LostRequest),
            (self.lost_answer, Fault::LostAnswer),
            (self.late, Fault::Late(wait)),
        ];
        for (odds, fault) in faults {
            match score.checked_sub(odds) {
                None => return Some(fault),
                Some(rest) => score = rest,
            }
        }
        None
    }
}

/// A register that fails as it is told, by script or by dice. What is scripted comes first.
///
/// A read knows no doubt: every fault but [`Fault::Delay`] makes it [`RegisterError::Unavailable`].
#[derive(Debug)]
pub struct FaultyRegister<R: ?Sized> {
    plan: Mutex<Plan>,
    late: Mutex<JoinSet<()>>,
    inner: Arc<R>,
}

#[derive(Debug, Default)]
struct Plan {
    down: bool,
    reads: VecDeque<Option<Fault>>,
    swaps: VecDeque<Option<Fault>>,
    chance: Option<(Dice, Odds)>,
}

impl Plan {
    fn next(&mut self, script: fn(&mut Self) -> &mut VecDeque<Option<Fault>>) -> Option<Fault> {
        if self.down {
            return Some(Fault::Refused);
        }
        match script(self).pop_front() {
            Some(scripted) => scripted,
            None => self.chance.as_mut().and_then(|(dice, odds)| odds.throw(dice)),
        }
    }
}

impl<R: Register + ?Sized> FaultyRegister<R> {
    /// A register that works until it is told otherwise.
    pub fn new(inner: Arc<R>) -> Self {
        Self { plan: Mutex::default(), late: Mutex::default(), inner }
    }

    /// A register whose faults come from a seed. With calls in the same order, it is the same each time.
    pub fn seeded(inner: Arc<R>, seed: u64, odds: Odds) -> Self {
        let faulty = Self::new(inner);
        lock(&faulty.plan).chance = Some((Dice::new(seed), odds));
        faulty
    }

    /// What happens to the next swaps, one after the other; `None` lets one through.
    pub fn script_swaps(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.plan).swaps.extend(faults);
    }

    /// What happens to the next reads, one after the other; `None` lets one through.
    pub fn script_reads(&self, faults: impl IntoIterator<Item = Option<Fault>>) {
        lock(&self.plan).reads.extend(faults);
    }

    /// Puts the register out of reach (every call is [`Fault::Refused`], the script waits), or back.
    pub fn set_down(&self, down: bool) {
        lock(&self.plan).down = down;
    }

    /// Waits until everything that is late has been done.
    pub async fn settle(&self) {
        let mut late = std::mem::take(&mut *lock(&self.late));
        while late.join_next().await.is_some() {}
    }

    fn do_later(&self, wait: Duration, key: &RegisterKey, expected: Option<Version>, value: Vec<u8>) {
        let (inner, key) = (Arc::clone(&self.inner), key.clone());
        lock(&self.late).spawn(async move {
            tokio::time::sleep(wait).await;
            // Nobody waits for the answer any more: that is the fault.
            let _ = inner.swap(&key, expected, value).await;
        });
    }
}

#[async_trait]
impl<R: Register + ?Sized> Register for FaultyRegister<R> {
    async fn read(&self, key: &RegisterKey) -> Result<Option<Cell>, RegisterError> {
        let fault = lock(&self.plan).next(|plan| &mut plan.reads);
        match fault {
            None => {}
            Some(Fault::Delay(wait)) => tokio::time::sleep(wait).await,
            Some(Fault::Refused | Fault::LostRequest | Fault::LostAnswer | Fault::Late(_)) => {
                return Err(RegisterError::Unavailable("told to fail".into()));
            }
        }
        self.inner.read(key).await
    }

    async fn swap(
        &self,
        key: &RegisterKey,
        expected: Option<Version>,
        value: Vec<u8>,
    ) -> Result<Version, SwapError> {
        let lost = |what: &str| Err(SwapError::OutcomeUnknown(what.into()));
        let fault = lock(&self.plan).next(|plan| &mut plan.swaps);
        match fault {
            None => {}
            Some(Fault::Delay(wait)) => tokio::time::sleep(wait).await,
            Some(Fault::Refused) => return Err(SwapError::Failed("told to fail".into())),
            Some(Fault::LostRequest) => return lost("told to lose the request"),
            Some(Fault::LostAnswer) => {
                let _ = self.inner.swap(key, expected, value).await;
                return lost("told to lose the answer");
            }
            Some(Fault::Late(wait)) => {
                self.do_later(wait, key, expected, value);
                return lost("told to be late");
            }
        }
        self.inner.swap(key, expected, value).await
    }
}
