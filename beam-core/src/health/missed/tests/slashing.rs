//! x/slashing, written down a second time from its definition and from nothing of ours: one validator, block by block.
//!
//! `infractions.go`, `hooks.go` and `params.go` of cosmos-sdk v0.53.8, and staking's rule for when a change of the set holds.

use std::collections::BTreeMap;

use crate::health::missed::{Flag, SigningInfo, SlashingParams};
use crate::signing::Height;

#[derive(Clone, Debug)]
pub(super) struct Chain {
    pub(super) params: SlashingParams,
    /// The last block that was executed.
    pub(super) block: u64,
    /// `MissedBlockBitmap`: by index.
    bitmap: BTreeMap<u64, bool>,
    pub(super) start_height: u64,
    pub(super) index_offset: u64,
    pub(super) missed_blocks_counter: u64,
    pub(super) jailed: bool,
    pub(super) bonded: bool,
    /// When it last left the set.
    left: u64,
    /// From which height on the validator is in the set or not.
    seats: BTreeMap<u64, bool>,
    pub(super) jailings: u64,
}

impl Chain {
    /// A genesis validator.
    pub(super) fn new(params: SlashingParams) -> Self {
        Self {
            params,
            block: 0,
            bitmap: BTreeMap::new(),
            start_height: 0,
            index_offset: 0,
            missed_blocks_counter: 0,
            jailed: false,
            bonded: true,
            left: 0,
            seats: BTreeMap::from([(0, true)]),
            jailings: 0,
        }
    }

    pub(super) fn seated(&self, height: u64) -> bool {
        self.seats.range(..=height).next_back().is_some_and(|(_, seated)| *seated)
    }

    /// Whether it sits in the set now and in all heights to come that are decided.
    pub(super) fn stays(&self) -> bool {
        self.seated(self.block) && self.seats.range(self.block..).all(|(_, seated)| *seated)
    }

    /// Whether it may join: not before the two votes are over that are still asked of who leaves. (Jail lasts a minute at least; who
    /// leaves for lack of stake may be back sooner, and what then holds in between shows in no commit.)
    pub(super) fn may_join(&self) -> bool {
        !self.bonded && self.block > self.left + 1
    }

    /// Executes the next block, with the commit of the height before in it.
    pub(super) fn execute(&mut self, last: Flag) {
        self.block += 1;
        if self.block > 1 && self.seated(self.block - 1) {
            self.handle_validator_signature(last == Flag::Absent);
        }
    }

    fn handle_validator_signature(&mut self, absent: bool) {
        if self.jailed {
            return;
        }
        let window = self.params.window;
        let index = self.index_offset % window;
        self.index_offset += 1;
        let previous = self.bitmap.get(&index).copied().unwrap_or(false);
        let missed = absent;
        if !previous && missed {
            self.bitmap.insert(index, true);
            self.missed_blocks_counter += 1;
        } else if previous && !missed {
            self.bitmap.insert(index, false);
            self.missed_blocks_counter -= 1;
        }
        let min_height = self.start_height + window;
        let max_missed = window - self.min_signed_per_window();
        if self.block > min_height && self.missed_blocks_counter > max_missed {
            self.jailed = true;
            self.jailings += 1;
            self.missed_blocks_counter = 0;
            self.index_offset = 0;
            self.bitmap.clear();
            // Out of the set at this block's end.
            self.leave();
        }
    }

    /// `MulInt64(window).RoundInt64()`, by floating point: exact for the small numbers of these tests.
    fn min_signed_per_window(&self) -> u64 {
        let parts = self.params.min_signed / (SlashingParams::ONE / 1000);
        let (whole, rest) = (parts * self.params.window / 1000, parts * self.params.window % 1000);
        match rest {
            0..500 => whole,
            500 => whole + whole % 2,
            _ => whole + 1,
        }
    }

    /// Leaves the set at the end of the present block: jailed, or with too little stake.
    pub(super) fn leave(&mut self) {
        (self.bonded, self.left) = (false, self.block);
        self.seats.insert(self.block + 2, false);
    }

    /// Joins it at the end of the present block: unjailed, or with enough stake. `AfterValidatorBonded`.
    pub(super) fn join(&mut self) {
        self.jailed = false;
        self.bonded = true;
        self.start_height = self.block;
        self.seats.insert(self.block + 2, true);
    }

    pub(super) fn signing_info(&self) -> SigningInfo {
        SigningInfo {
            at: Height(self.block),
            start_height: self.start_height,
            index_offset: self.index_offset,
            missed: self.missed_blocks_counter,
            jailed: self.jailed,
            tombstoned: false,
        }
    }
}
