//! Which fault is next: random, and yet each as often as it should be.
//!
//! Faults are drawn from a bag without being put back, and it is filled anew when it is empty. So a run of a few bags has them all,
//! and any order of two occurs.

use beam_benches::random::Random;
use beam_examples::trial::Fault;

/// A bag of faults.
pub(crate) struct Bag {
    random: Random,
    faults: Vec<Fault>,
    left: Vec<Fault>,
}

impl Bag {
    pub(crate) fn new(random: Random, faults: Vec<Fault>) -> Self {
        Self { random, faults, left: Vec::new() }
    }

    /// The next one; `None` if there are none at all.
    pub(crate) fn draw(&mut self) -> Option<Fault> {
        if self.left.is_empty() {
            let times = |fault: &Fault| std::iter::repeat_n(*fault, weight(*fault));
            self.left = self.faults.iter().flat_map(times).collect();
        }
        let places: Vec<usize> = (0..self.left.len()).collect();
        let place = self.random.choose(&places)?;
        Some(self.left.swap_remove(place))
    }
}

/// How often a fault is in a bag. Of those that happen to everybody many are wanted, so that rare costs show.
fn weight(fault: Fault) -> usize {
    match fault {
        Fault::Kill | Fault::Freeze => 3,
        Fault::Switchover => 5,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn a_bag_holds_each_as_often_as_it_should_and_in_any_order() {
        let mut bag = Bag::new(Random::from_seed(1), Fault::ALL.to_vec());
        let size: usize = Fault::ALL.iter().map(|fault| weight(*fault)).sum();
        let mut draw = || (0..size).map_while(|_| bag.draw()).collect::<Vec<_>>();
        let (first, second) = (draw(), draw());
        assert_ne!(first, second);
        for drawn in [first, second] {
            let mut times = BTreeMap::<Fault, usize>::new();
            drawn.iter().for_each(|fault| *times.entry(*fault).or_default() += 1);
            assert!(Fault::ALL.iter().all(|fault| times.get(fault) == Some(&weight(*fault))));
        }
        assert_eq!(Bag::new(Random::from_seed(1), Vec::new()).draw(), None);
    }
}
