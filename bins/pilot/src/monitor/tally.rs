//! Counting what the signer lets out and what it refuses, on the way to the audit file.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use beam_core::audit_log::AuditLog;
use beam_core::health::missed::Part;
use beam_core::register::Cause;
use beam_core::signing::{Height, Mark, Refusal, Release, Step};

/// What this machine's signer has done since it began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) released: u64,
    pub(crate) refused: u64,
    /// The last signature that left, and when.
    pub(crate) last: Option<(Mark, Instant)>,
    /// The last few of them.
    recent: VecDeque<(Mark, Instant)>,
    /// The precommit of each recent height: released or refused.
    parts: BTreeMap<Height, Part>,
}

/// An [`AuditLog`] that counts and hands on.
#[derive(Clone)]
pub(crate) struct Tally {
    log: Arc<dyn AuditLog>,
    figures: Arc<Mutex<Figures>>,
}

/// How many heights are remembered: as many as are looked back to find out why one was missed.
const HEIGHTS_MAX: usize = 1024;
/// How many signatures are remembered with their time: some ten heights' worth.
const RECENT_MAX: usize = 32;

impl Tally {
    pub(crate) fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log, figures: Arc::default() }
    }

    pub(crate) fn figures(&self) -> Figures {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, note: impl FnOnce(&mut Figures)) {
        note(&mut self.figures.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Figures {
    /// The first signature that left at or after `since`, of those after `at`: what a new owner signed first.
    pub(crate) fn first_since(&self, since: Mark, at: Instant) -> Option<(Mark, Instant)> {
        self.recent.iter().copied().find(|(mark, released)| *mark >= since && *released >= at)
    }

    /// What this machine did for a height, if it did anything.
    pub(crate) fn part(&self, height: Height) -> Option<Part> {
        self.parts.get(&height).copied()
    }

    fn released(&mut self, mark: Mark, at: Instant) {
        self.released = self.released.saturating_add(1);
        self.last = Some((mark, at));
        if self.recent.len() >= RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back((mark, at));
        if mark.step == Step::Precommit {
            self.remember(mark.height, Part::Released(mark.round));
        }
    }

    fn refused(&mut self, mark: Mark) {
        self.refused = self.refused.saturating_add(1);
        // A refusal of a later round does not undo a signature.
        if mark.step == Step::Precommit && !self.parts.contains_key(&mark.height) {
            self.remember(mark.height, Part::Refused);
        }
    }

    fn remember(&mut self, height: Height, part: Part) {
        self.parts.insert(height, part);
        while self.parts.len() > HEIGHTS_MAX {
            self.parts.pop_first();
        }
    }
}

impl AuditLog for Tally {
    fn released(&self, release: &Release) -> Result<(), Cause> {
        self.note(|figures| figures.released(release.mark, Instant::now()));
        self.log.released(release)
    }

    fn refused(&self, asked: Mark, refusal: &Refusal) {
        self.note(|figures| figures.refused(asked));
        self.log.refused(asked, refusal);
    }
}

#[cfg(test)]
mod tests {
    use beam_core::signing::Round;

    use super::*;

    #[test]
    fn a_height_is_released_once_it_was_and_old_ones_are_forgotten() {
        let mut figures = Figures::default();
        figures.refused(Mark::new(7, 0, Step::Precommit));
        assert_eq!(figures.part(Height(7)), Some(Part::Refused));
        figures.released(Mark::new(7, 1, Step::Precommit), Instant::now());
        figures.refused(Mark::new(7, 2, Step::Precommit));
        assert_eq!(figures.part(Height(7)), Some(Part::Released(Round(1))));
        assert_eq!((figures.released, figures.refused), (1, 2));
        for height in 8..3000 {
            figures.released(Mark::new(height, 0, Step::Precommit), Instant::now());
        }
        assert_eq!((figures.part(Height(7)), figures.parts.len()), (None, HEIGHTS_MAX));
    }
}
