//! Which heights have been answered for: each once, none left out.

use anyhow::Result;

use crate::chain::{Chain, Missed};

/// Counts heights into windows that meet without overlap.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// The first height that nobody answers for yet.
    next: u64,
    /// Windows left as calm whose heights were not read yet, and what was found in those that were.
    unread: Option<(u64, u64)>,
    calm: Missed,
    first: u64,
}

impl Ledger {
    /// Begins with `first`.
    pub fn from(first: u64) -> Self {
        Self { next: first, unread: None, calm: Missed::default(), first }
    }

    /// A fault begins at `height`, the last committed one: a vote for it may still be on its way, so the fault answers
    /// for it too. What lies before was calm.
    pub(super) fn leave_calm(&mut self, height: u64) {
        if height > self.next {
            self.unread = Some((self.next, height.saturating_sub(1)));
            self.next = height;
        }
    }

    /// Ends a window at the last height whose commit is known, and says what our validator did in it.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn close(&mut self, chain: &Chain) -> Result<((u64, u64), Missed)> {
        self.read_calm(chain).await?;
        // The commit of a height is in the block after it.
        let last = chain.height().await?.saturating_sub(1);
        let from = self.next;
        if last < from {
            return Ok(((from, from.saturating_sub(1)), Missed::default()));
        }
        let missed = chain.missed(from..=last).await?;
        self.next = last.saturating_add(1);
        Ok(((from, last), missed))
    }

    /// Ends the last window, as calm.
    ///
    /// # Errors
    /// When the chain cannot be asked.
    pub async fn finish(&mut self, chain: &Chain) -> Result<&Missed> {
        let (_, missed) = self.close(chain).await?;
        self.add_calm(missed);
        Ok(&self.calm)
    }

    /// What our validator did outside all faults, as far as it was read.
    pub fn calm(&self) -> &Missed {
        &self.calm
    }

    /// How many heights were counted, in all windows together.
    pub fn heights(&self) -> u64 {
        self.next.saturating_sub(self.first)
    }

    async fn read_calm(&mut self, chain: &Chain) -> Result<()> {
        if let Some((from, to)) = self.unread {
            let missed = chain.missed(from..=to).await?;
            self.unread = None;
            self.add_calm(missed);
        }
        Ok(())
    }

    fn add_calm(&mut self, missed: Missed) {
        self.calm.signed.extend(missed.signed);
        self.calm.absent.extend(missed.absent);
        self.calm.nil.extend(missed.nil);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_answers_for_the_height_in_flight_and_for_nothing_before() {
        let mut ledger = Ledger::from(5);
        ledger.leave_calm(9);
        assert_eq!((ledger.unread, ledger.next), (Some((5, 8)), 9));
    }

    #[test]
    fn a_fault_right_after_another_leaves_no_calm_and_no_gap() {
        let mut ledger = Ledger::from(5);
        ledger.leave_calm(5);
        assert_eq!((ledger.unread, ledger.next), (None, 5));
        ledger.leave_calm(4);
        assert_eq!((ledger.unread, ledger.next), (None, 5));
    }
}
