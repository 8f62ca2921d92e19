//! What goes wrong between the cloud and its caller.

use std::collections::VecDeque;

use crate::testing::Dice;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudFault {
    /// It is done, and the answer is lost.
    LostAnswer,
    /// It is not done, and nobody knows.
    LostRequest,
    /// No answer at all, until the caller gives up after [`FakeCloud::CALL_MAX`](super::FakeCloud::CALL_MAX) of tokio's
    /// time; and it is done.
    Hanging,
    /// Too many calls; not done.
    Throttled,
    /// Out of reach; not done.
    Unavailable,
    /// No machines left; not done. Calls that need no room are let through.
    NoCapacity,
}

/// How often each fault strikes, in a thousand calls. Zeros by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloudOdds {
    /// Of [`CloudFault::LostAnswer`].
    pub lost_answer: u64,
    /// Of [`CloudFault::LostRequest`].
    pub lost_request: u64,
    /// Of [`CloudFault::Throttled`].
    pub throttled: u64,
    /// Of [`CloudFault::Unavailable`].
    pub unavailable: u64,
}

impl CloudOdds {
    fn throw(&self, dice: &mut Dice) -> Option<CloudFault> {
        let mut score = dice.below(1000);
        let faults = [
            (self.lost_answer, CloudFault::LostAnswer),
            (self.lost_request, CloudFault::LostRequest),
            (self.throttled, CloudFault::Throttled),
            (self.unavailable, CloudFault::Unavailable),
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

/// What is scripted comes first, then chance.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) script: VecDeque<Option<CloudFault>>,
    pub(super) chance: Option<(Dice, CloudOdds)>,
}

impl Faults {
    pub(super) fn next(&mut self) -> Option<CloudFault> {
        match self.script.pop_front() {
            Some(scripted) => scripted,
            None => self.chance.as_mut().and_then(|(dice, odds)| odds.throw(dice)),
        }
    }
}
