//! What is to come, in order: by time, and at one time in the order in which it was put in.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Micros;

struct Due<E> {
    key: Reverse<(Micros, u64)>,
    event: E,
}

impl<E> PartialEq for Due<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Due<E> {}

impl<E> PartialOrd for Due<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Due<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// Events in the order in which they happen.
pub(super) struct Queue<E> {
    heap: BinaryHeap<Due<E>>,
    put: u64,
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        Self { heap: BinaryHeap::with_capacity(128), put: 0 }
    }

    pub(super) fn put(&mut self, at: Micros, event: E) {
        self.put += 1;
        self.heap.push(Due { key: Reverse((at, self.put)), event });
    }

    pub(super) fn next(&mut self) -> Option<(Micros, E)> {
        self.heap.pop().map(|due| (due.key.0.0, due.event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_comes_first_and_at_one_time_what_was_put_in_first() {
        let mut queue = Queue::new();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'd'), (2, 'b')] {
            queue.put(at, event);
        }
        let order: Vec<char> = std::iter::from_fn(|| queue.next().map(|(_, event)| event)).collect();
        assert_eq!(order, ['a', 'b', 'c', 'd']);
    }
}
