//! When a log file is closed, and which closed ones go. Plain functions of sizes and times; somebody else renames and removes.

use std::time::Duration;

use super::Stamp;

/// How much log is kept, and in what pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A file that has grown so large is closed and compressed.
    pub rotate_bytes: u64,
    /// As is one whose first line is so old.
    pub rotate_after: Duration,
    /// All of them together, the open one included, may take so much; the oldest go.
    pub total_bytes: u64,
}

/// A closed file, as it lies on the disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed {
    /// Closed files are numbered in order; a clock may jump, a number does not.
    pub number: u64,
    /// What it takes on the disk now.
    pub bytes: u64,
}

impl Limits {
    /// Whether the open file is closed before more is written to it: it has this many bytes, and its first line came at `began`.
    ///
    /// A clock that was put back makes no file old; one that was put forward closes it early, which harms nothing.
    #[must_use]
    pub fn closes(&self, bytes: u64, began: Option<Stamp>, now: Stamp) -> bool {
        bytes > 0
            && (bytes >= self.rotate_bytes
                || began.is_some_and(|began| now.since(began) >= self.rotate_after))
    }

    /// Which closed files go, the oldest first, when the open one has `open_bytes`. The newest stays, whatever the limit:
    /// it tells what happened last.
    #[must_use]
    pub fn removed(&self, closed: &[Closed], open_bytes: u64) -> Vec<u64> {
        let mut oldest_first: Vec<&Closed> = closed.iter().collect();
        oldest_first.sort_by_key(|file| file.number);
        let sum = oldest_first.iter().fold(open_bytes, |sum, file| sum.saturating_add(file.bytes));
        let mut over = sum.saturating_sub(self.total_bytes);
        oldest_first.pop();
        let mut removed = Vec::new();
        for file in oldest_first {
            if over == 0 {
                break;
            }
            over = over.saturating_sub(file.bytes);
            removed.push(file.number);
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits =
        Limits { rotate_bytes: 100, rotate_after: Duration::from_secs(60), total_bytes: 250 };

    #[test]
    fn a_file_is_closed_when_it_is_large_or_old_and_never_when_it_is_empty() {
        let (began, later) = (Some(Stamp::at_ms(1_000_000)), Stamp::at_ms(1_060_000));
        assert!(!LIMITS.closes(0, began, later));
        assert!(!LIMITS.closes(99, began, Stamp::at_ms(1_059_999)));
        assert!(LIMITS.closes(100, None, Stamp::at_ms(0)));
        assert!(LIMITS.closes(1, began, later));
        assert!(!LIMITS.closes(1, began, Stamp::at_ms(5)), "the clock was put back");
    }

    #[test]
    fn the_oldest_go_and_the_newest_stays() {
        let closed = [3, 1, 2].map(|number| Closed { number, bytes: 100 });
        assert_eq!(LIMITS.removed(&closed, 0), [1]);
        assert_eq!(LIMITS.removed(&closed, 60), [1, 2]);
        assert_eq!(LIMITS.removed(&closed, 10_000), [1, 2]);
        assert_eq!(LIMITS.removed(&[], 10_000), [0; 0]);
    }

    proptest! {
        #[test]
        fn what_is_left_fits_or_is_one_file_and_no_more_goes_than_must(
            sizes in proptest::collection::vec(0_u64..200, 0..20),
            open in 0_u64..400,
        ) {
            let closed: Vec<Closed> = (0..).zip(&sizes).map(|(number, bytes)| Closed { number, bytes: *bytes }).collect();
            let removed = LIMITS.removed(&closed, open);
            let left = |gone: usize| open + sizes[gone..].iter().sum::<u64>();
            prop_assert!(removed.iter().copied().eq(0..removed.len() as u64), "in order, from the oldest");
            prop_assert!(left(removed.len()) <= LIMITS.total_bytes || removed.len() + 1 >= sizes.len());
            if !removed.is_empty() {
                prop_assert!(left(removed.len() - 1) > LIMITS.total_bytes);
            }
        }
    }
}
