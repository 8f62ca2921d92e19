//! What can go wrong, and when it does.

use super::Micros;
use super::dice::Dice;

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// One kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $name,)*
        }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in traces and summaries.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

faults! {
    /// kill -9 of pilot and node; the machine starts them again after a while.
    HostKilled = "host-killed",
    /// kill -9 of the node; its pilot starts it again.
    NodeKilled = "node-killed",
    /// kill -9 of the pilot; the node waits for its signer.
    PilotKilled = "pilot-killed",
    /// The machine loses power: what was not synced is gone, what was being written is there or not.
    PowerLost = "power-lost",
    /// Pilot and node stand still; the machine's clock goes on.
    Frozen = "frozen",
    /// The whole machine stands still, its clock too, and goes on as if no time had passed.
    Suspended = "suspended",
    /// Everything that the machine does takes long.
    Slow = "slow",
    /// No packets between the machine's node and the others.
    CutFromChain = "cut-from-chain",
    /// The node hears and is not heard.
    NotHeard = "not-heard-by-chain",
    /// The node is heard and does not hear.
    NotHearing = "not-hearing-the-chain",
    /// No packets between the pilot and the register.
    CutFromRegister = "cut-from-register",
    /// Requests reach the register, answers do not come back.
    RegisterUnheard = "register-answers-lost",
    /// Cut from both.
    CutFromBoth = "cut-from-both",
    /// The register is down for everybody.
    RegisterDown = "register-down",
    /// The register takes long, sometimes longer than anybody waits.
    RegisterSlow = "register-slow",
    /// The register refuses some requests.
    RegisterThrottled = "register-throttled",
    /// Requests and answers are lost, late and doubled.
    RegisterFlaky = "register-flaky",
    /// The disk is full: nothing is kept.
    DiskFull = "disk-full",
    /// Some floor writes fail, and may be on the disk all the same.
    DiskFlaky = "disk-flaky",
    /// Packets between all nodes are lost, late, doubled and out of order.
    BadNetwork = "bad-network",
    /// Some proposals and votes never get to some nodes, so that these see different polkas, lock, and go on to later rounds.
    VotesWithheld = "votes-withheld",
    /// The machine's wall clock jumps.
    ClockJump = "clock-jump",
    /// The machine dies and comes back with an older copy of its disk.
    DiskRestored = "disk-restored",
    /// The machine dies and comes back with an empty disk.
    DiskEmptied = "disk-emptied",
    /// Another machine starts with a copy of this one's home.
    HomeCloned = "home-cloned",
    /// A planned switchover to this machine.
    Switchover = "switchover",
    /// A forced one, whether the machine is ready or not.
    Failover = "failover",
    /// Takeovers are paused for a while.
    Paused = "paused",
    /// The register is put back from a backup; a person adopts it a while later.
    PutBack = "register-put-back",
    /// Somebody else signs with our key.
    Stranger = "stranger",
    /// Another validator dies and comes back.
    OtherKilled = "other-validator-killed",
    /// One request to the register is lost.
    RequestLost = "request-lost",
    /// One answer of the register is lost.
    AnswerLost = "answer-lost",
    /// One request takes effect long after it was given up.
    EffectLate = "effect-late",
    /// One request is sent twice, and the second finds the first in place.
    SentTwice = "sent-twice",
    /// One floor write fails.
    FloorFailed = "floor-failed",
    /// The key does not sign once.
    KeyFailed = "key-failed",
}

impl Fault {
    /// Those that a sweep strikes with at every point of a history.
    pub const SWEPT: &'static [Self] = &[
        Self::HostKilled,
        Self::NodeKilled,
        Self::PilotKilled,
        Self::PowerLost,
        Self::Frozen,
        Self::Suspended,
        Self::CutFromBoth,
        Self::DiskRestored,
        Self::RequestLost,
        Self::AnswerLost,
        Self::EffectLate,
        Self::SentTwice,
        Self::FloorFailed,
        Self::KeyFailed,
    ];

    /// Finds one by its name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    /// Whether a signer may forget what it has seen of the register by it.
    pub(super) const fn loses_memory(self) -> bool {
        matches!(self, Self::DiskRestored | Self::DiskEmptied | Self::HomeCloned)
    }
}

/// When a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At this time, in microseconds since the beginning; on a machine that is drawn.
    At(u64),
    /// At the n-th point of the history, counted from 1: before an action of a pilot or a write of a node is done, or after it is done
    /// and before the answer. On the machine that is at that point.
    Point(u64),
}

/// A fault that is going to strike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// When.
    pub when: When,
    /// What.
    pub fault: Fault,
}

/// How often each fault is drawn, for faults that are drawn less often than the others.
fn weight(fault: Fault) -> u64 {
    match fault {
        Fault::HostKilled | Fault::PowerLost | Fault::Frozen | Fault::Suspended => 8,
        Fault::VotesWithheld => 10,
        Fault::PutBack | Fault::Stranger => 1,
        _ => 4,
    }
}

/// The faults of one run.
pub(super) fn plan(dice: &mut Dice, until: Micros, points: u64) -> Vec<Strike> {
    let mut strikes = Vec::new();
    // One fault alone in a third of the runs: what it costs is counted.
    let count = if dice.happens(333) { 1 } else { dice.within(2, 7) };
    let total: u64 = Fault::ALL.iter().map(|fault| weight(*fault)).sum();
    for _ in 0..count {
        let mut drawn = dice.below(total);
        let fault = *Fault::ALL
            .iter()
            .find(|fault| {
                let is_it = drawn < weight(**fault);
                drawn = drawn.saturating_sub(weight(**fault));
                is_it
            })
            .unwrap_or(&Fault::HostKilled);
        let when = if dice.happens(500) {
            When::At(dice.within(500_000, until))
        } else {
            When::Point(dice.within(1, points))
        };
        strikes.push(Strike { when, fault });
    }
    strikes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name_of_its_own_and_is_drawn() {
        let mut dice = Dice::new(3);
        let drawn: std::collections::BTreeSet<Fault> =
            (0..2000).flat_map(|_| plan(&mut dice, 1_000_000, 100)).map(|strike| strike.fault).collect();
        for fault in Fault::ALL {
            assert_eq!(Fault::named(fault.name()), Some(*fault));
            assert!(drawn.contains(fault), "{} is never drawn", fault.name());
        }
    }
}
