//! The strip of blocks: a letter and a colour for who signed each.

use std::collections::BTreeMap;

use beam_examples::chain::Flag;
use beam_examples::judge::audit::{Entry, claim};
use beam_examples::judge::canonical::Step;

use crate::paint::{Ink, Paint};

/// What is known of the heights so far.
#[derive(Debug, Default)]
pub(crate) struct Strip {
    flags: BTreeMap<u64, Flag>,
    /// Per height the precommit with the best claim.
    precommits: BTreeMap<u64, Entry>,
    epoch: u64,
}

/// The signs, in words.
pub(crate) fn legend(paint: Paint) -> String {
    format!(
        "{} signed by machine a   {} by b   {} voted nil   {} missed",
        paint.ink(Ink::A, "a"),
        paint.ink(Ink::B, "b"),
        paint.ink(Ink::Odd, "n"),
        paint.ink(Ink::Bad, "X"),
    )
}

impl Strip {
    /// What our validator did at a height, once a block has told.
    pub(crate) fn committed(&mut self, height: u64, flag: Flag) {
        self.flags.insert(height, flag);
    }

    /// A signature that a machine let out.
    pub(crate) fn signed(&mut self, entry: &Entry) {
        self.epoch = self.epoch.max(entry.epoch);
        if entry.step == Step::Precommit {
            let known = self.precommits.entry(entry.height).or_insert_with(|| entry.clone());
            if claim(entry) < claim(known) {
                *known = entry.clone();
            }
        }
    }

    /// The epoch of the newest signature.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The newest height whose fate is known.
    pub(crate) fn height(&self) -> u64 {
        self.flags.last_key_value().map_or(0, |(height, _)| *height)
    }

    /// Who signed the newest height that anybody signed.
    pub(crate) fn signer(&self) -> Option<&str> {
        self.precommits.last_key_value().map(|(_, entry)| entry.machine.as_str())
    }

    /// The heights of a range in a row, at most the last `width` of them.
    pub(crate) fn draw(&self, from: u64, to: u64, width: usize, paint: Paint) -> String {
        let width = u64::try_from(width).unwrap_or(u64::MAX);
        let from = from.max(to.saturating_add(1).saturating_sub(width));
        (from..=to).map(|height| self.cell(height, paint)).collect()
    }

    fn cell(&self, height: u64, paint: Paint) -> String {
        let machine = self.precommits.get(&height).map(|entry| entry.machine.as_str());
        match (self.flags.get(&height), machine) {
            (None, _) => paint.ink(Ink::Faint, "."),
            (Some(Flag::Absent), _) => paint.ink(Ink::Bad, "X"),
            (Some(Flag::Nil), _) => paint.ink(Ink::Odd, "n"),
            (Some(Flag::Commit), Some("a")) => paint.ink(Ink::A, "a"),
            (Some(Flag::Commit), Some("b")) => paint.ink(Ink::B, "b"),
            (Some(Flag::Commit), _) => "?".to_owned(),
        }
    }
}
