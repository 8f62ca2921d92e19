//! For a model check: the same signer with its counters set back, so that two histories that lead to the same end count as one.

use std::time::Duration;

use super::{Signer, Stage};
use crate::signing::Attempt;
use crate::time::Instant;

impl Signer {
    /// Forgets how many attempts were made before the `oldest` that is still unanswered (all, if none is), and the first `time` of
    /// its clock. From here on it does what it would have done, with smaller numbers.
    ///
    /// No waiting request may have come before `time`. (`a_rebased_signer_goes_on_as_it_would_have`)
    pub fn rebase(&mut self, oldest: Option<Attempt>, time: Duration) {
        let gone = oldest.map_or(self.attempts, |oldest| oldest.0.saturating_sub(1));
        let attempt = |attempt: &mut Attempt| attempt.0 = attempt.0.saturating_sub(gone);
        let instant =
            |instant: &mut Instant| *instant = Instant::at(instant.since_start().saturating_sub(time));
        self.attempts = self.attempts.saturating_sub(gone);
        if let Some((_, before)) = &mut self.sighting {
            attempt(before);
        }
        for request in &mut self.waiting {
            instant(&mut request.deadline);
            if let Some((_, since)) = &mut request.left_to {
                instant(since);
            }
        }
        match &mut self.stage {
            Stage::Idle => {}
            Stage::Reading(current) | Stage::Flooring { attempt: current, .. } => attempt(current),
            Stage::Pausing { until, .. } => instant(until),
            Stage::Swapping { attempt: current, taking, .. } => {
                attempt(current);
                if let Some(taking) = taking {
                    instant(&mut taking.decided);
                }
            }
            Stage::Signing { attempt: current, floor, .. } => {
                attempt(current);
                if let Some((current, _)) = floor {
                    attempt(current);
                }
            }
        }
    }
}
