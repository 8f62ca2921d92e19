//! Percentiles and histograms of what was measured.

use std::collections::BTreeMap;

/// Measured values, in order of size.
#[derive(Debug, Clone)]
pub struct Sorted<T>(Vec<T>);

impl<T: Ord + Copy> Sorted<T> {
    /// Takes in the values in any order.
    pub fn new(values: impl IntoIterator<Item = T>) -> Self {
        let mut values: Vec<T> = values.into_iter().collect();
        values.sort_unstable();
        Self(values)
    }

    /// The least value that at least `percent` of all values do not exceed; `None` if there are no values.
    pub fn percentile(&self, percent: usize) -> Option<T> {
        let rank = self.0.len().saturating_mul(percent).div_ceil(100);
        self.0.get(rank.saturating_sub(1)).copied()
    }

    /// The middle one.
    pub fn median(&self) -> Option<T> {
        self.percentile(50)
    }

    /// The largest.
    pub fn max(&self) -> Option<T> {
        self.0.last().copied()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How often each value occurs.
    pub fn histogram(&self) -> BTreeMap<T, usize> {
        let mut counts = BTreeMap::new();
        for value in &self.0 {
            let count: &mut usize = counts.entry(*value).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values = Sorted::new((1..=200).rev());
        assert_eq!((values.median(), values.percentile(99), values.max()), (Some(100), Some(198), Some(200)));
        let one = Sorted::new([7]);
        assert_eq!((one.median(), one.percentile(99), one.max()), (Some(7), Some(7), Some(7)));
        assert_eq!(Sorted::<u32>::new([]).median(), None);
    }

    #[test]
    fn a_histogram_counts_each_value() {
        let counts = Sorted::new([0, 1, 0, 0, 2]).histogram();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(0, 3), (1, 1), (2, 1)]);
    }
}
