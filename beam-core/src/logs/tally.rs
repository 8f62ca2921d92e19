//! What was seen of one cause, in bounded room.

use std::collections::BTreeMap;

use super::cause::{BLOCKS_WITHOUT, Mends};
use super::{Cause, EXAMPLE_CHARS_MAX, Stamp};

/// How many names (peers, validators, reasons) are told apart for one cause; what comes after counts together.
pub const SUBJECTS_MAX: usize = 8;
/// How much of a name is kept, in characters.
const SUBJECT_CHARS_MAX: usize = 120;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) count: u64,
    pub(super) first: Option<Stamp>,
    pub(super) last: Option<Stamp>,
    pub(super) first_height: Option<u64>,
    pub(super) last_height: Option<u64>,
    pub(super) example: String,
    pub(super) subjects: BTreeMap<String, u64>,
    /// How often it was about somebody who is not in `subjects`.
    pub(super) others: u64,
    /// Blocks that were committed since it was last seen.
    blocks_since: u64,
    mended: bool,
}

/// One sighting.
pub(super) struct Sighting<'a> {
    pub(super) at: Option<Stamp>,
    pub(super) height: Option<u64>,
    pub(super) subject: Option<&'a str>,
}

impl Tally {
    pub(super) fn seen(&mut self, sighting: &Sighting<'_>, example: impl FnOnce() -> String) {
        if self.count == 0 {
            self.example = example().chars().take(EXAMPLE_CHARS_MAX).collect();
        }
        self.count = self.count.saturating_add(1);
        self.first = self.first.or(sighting.at);
        self.last = sighting.at.or(self.last);
        self.first_height = self.first_height.or(sighting.height);
        self.last_height = sighting.height.or(self.last_height);
        (self.blocks_since, self.mended) = (0, false);
        if let Some(subject) = sighting.subject {
            self.seen_of(subject);
        }
    }

    fn seen_of(&mut self, subject: &str) {
        let end = subject.char_indices().nth(SUBJECT_CHARS_MAX).map_or(subject.len(), |(at, _)| at);
        let subject = subject.get(..end).unwrap_or(subject);
        if let Some(count) = self.subjects.get_mut(subject) {
            *count = count.saturating_add(1);
        } else if self.subjects.len() < SUBJECTS_MAX {
            self.subjects.insert(subject.to_owned(), 1);
        } else {
            self.others = self.others.saturating_add(1);
        }
    }

    pub(super) fn block_committed(&mut self) {
        self.blocks_since = self.blocks_since.saturating_add(1);
    }

    /// Somebody said that it is over.
    pub(super) fn mend(&mut self) {
        self.mended = true;
    }

    /// Whether it is over.
    pub(super) fn over(&self, cause: Cause) -> bool {
        match cause.mends() {
            Mends::Never => false,
            Mends::ByBlock => self.blocks_since > 0,
            Mends::ByBlocks => self.blocks_since >= BLOCKS_WITHOUT,
            Mends::ByWord => self.mended,
        }
    }
}
