//! What a running node's words say of its health, as they come.
//!
//! A clue is evidence, not a verdict: a log can lie (a peer may have a hand in a text) and be late. Whoever decides weighs it
//! with what the node's RPC and the chain say.

use super::address::{self, Address};
use super::analysis::example;
use super::fold::{Fold, Told};
use super::line::{Captured, Mark};
use super::plain::uncoloured;
use super::rules::{self, Event};
use super::{Cause, EXAMPLE_CHARS_MAX, Record, Stamp};
use crate::signing::Height;

/// Something that a health check may want to know at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Clue {
    /// The consensus routine has ended; the process lives on.
    ConsensusFailure {
        /// Why, in the node's words.
        reason: String,
        /// The same as a clue, if it is a known one. Most often it has had a line of its own before.
        why: Option<Box<Clue>>,
    },
    /// The chain waits for an upgrade that this binary has not got.
    UpgradeNeeded {
        /// The plan's name.
        name: String,
        /// Its height.
        height: Height,
    },
    /// The upgrade's binary runs before its height.
    EarlyBinary,
    /// The former binary runs after an upgrade.
    WrongBinary,
    /// The configured halt height was reached.
    HaltHeight {
        /// That height.
        height: Height,
    },
    /// The disk is full.
    DiskFull,
    /// The node waits for its signer.
    SignerGone,
    /// The signer will not sign, for a reason that is no standby's everyday.
    SignerRefused {
        /// Why, in the signer's words.
        reason: String,
    },
    /// The node has seen another vote of its own key.
    ConflictingVote {
        /// At which height.
        height: Option<Height>,
    },
    /// This validator was jailed.
    Jailed,
    /// This node computes another state than the chain has.
    AppHash,
    /// The consensus log cannot be written or repaired.
    WalLost,
    /// The process panics.
    Panic {
        /// Why, in its words.
        reason: String,
    },
    /// The node did not start.
    StartRefused {
        /// Why, in its words.
        reason: String,
    },
}

/// Picks the clues out of a captured log, line by line.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    own: Option<Address>,
    scratch: Vec<u8>,
    fold: Fold,
}

impl Watch {
    /// A watch over the node of this validator. Without an address, what the node says of itself at its start is taken.
    #[must_use]
    pub fn of(own: Option<Address>) -> Self {
        Self { own, ..Self::default() }
    }

    /// Takes in a line of the captured log. What was found when the pilot came is old news and gives no clue.
    pub fn line(&mut self, line: &[u8]) -> Option<(Stamp, Clue)> {
        let captured = Captured::read(line)?;
        if captured.mark != Mark::Said {
            return None;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let clue = self.said(uncoloured(captured.text, &mut scratch));
        self.scratch = scratch;
        Some((captured.at, clue?))
    }

    fn said(&mut self, text: &[u8]) -> Option<Clue> {
        let Some(record) = Record::read(text) else {
            return self.fold.line(text).and_then(|told| of_text(&told));
        };
        let ended = self.fold.end().and_then(|told| of_text(&told));
        self.of_record(&record).or(ended)
    }

    fn of_record(&mut self, record: &Record<'_>) -> Option<Clue> {
        match rules::meaning(record) {
            Event::Role { address, .. } => {
                self.own = self.own.or_else(|| address::of_hex(&address));
                None
            }
            Event::SomeoneJailed(who) if self.own.is_some() && address::of_bech32(&who) == self.own => {
                Some(Clue::Jailed)
            }
            // Whatever the reason, it is deaf from now on.
            Event::Fault(cause, _) if record.message == b"CONSENSUS FAILURE!!!" => {
                let reason = record.error().unwrap_or_default();
                let why = of_cause(cause, &reason).map(Box::new);
                Some(Clue::ConsensusFailure { reason: cut(&reason), why })
            }
            Event::Fault(Cause::DoubleSign, _) => {
                Some(Clue::ConflictingVote { height: record.height.map(Height) })
            }
            Event::Fault(cause, _) => of_cause(cause, &example(record)),
            _ => None,
        }
    }
}

fn of_text(told: &Told) -> Option<Clue> {
    of_cause(told.cause, &told.line)
}

fn of_cause(cause: Cause, words: &str) -> Option<Clue> {
    Some(match cause {
        Cause::UpgradeNeeded => {
            let (name, height) = rules::upgrade(words)?;
            Clue::UpgradeNeeded { name: cut(&name), height: Height(height) }
        }
        Cause::EarlyBinary => Clue::EarlyBinary,
        Cause::WrongBinary => Clue::WrongBinary,
        Cause::HaltHeight => Clue::HaltHeight { height: Height(rules::halt_height(words)?) },
        Cause::DiskFull => Clue::DiskFull,
        Cause::SignerGone => Clue::SignerGone,
        Cause::SignerRefused | Cause::RegisterOutOfReach => Clue::SignerRefused { reason: cut(words) },
        Cause::AppHash => Clue::AppHash,
        Cause::WalLost => Clue::WalLost,
        Cause::Panic | Cause::OutOfMemory => Clue::Panic { reason: cut(words) },
        Cause::StartRefused | Cause::PortInUse | Cause::HomeInUse => {
            Clue::StartRefused { reason: cut(words) }
        }
        _ => return None,
    })
}

fn cut(words: &str) -> String {
    words.chars().take(EXAMPLE_CHARS_MAX).collect()
}
