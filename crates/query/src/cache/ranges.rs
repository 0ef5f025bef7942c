//! A set of instants as stretches of time that neither overlap nor touch.

use std::collections::BTreeMap;

use model::{TimeRange, TimestampNs};

/// What a stretch takes in memory: a node of the tree is two thirds full on average.
const BYTES_PER_RANGE: usize = 2 * size_of::<TimestampNs>() * 3 / 2 + 8;

/// Stretches of time, ends by starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ranges(BTreeMap<TimestampNs, TimestampNs>);

impl Ranges {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.len() * BYTES_PER_RANGE
    }

    /// The stretches, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = TimeRange> {
        self.0.iter().map(|(&start, &end)| TimeRange::new(start, end))
    }

    /// End of the last stretch.
    pub(super) fn end(&self) -> Option<TimestampNs> {
        self.0.last_key_value().map(|(_, &end)| end)
    }

    pub(super) fn add(&mut self, range: TimeRange) {
        if range.is_empty() {
            return;
        }
        let (mut start, mut end) = (range.start, range.end);
        if let Some((&before, &before_end)) = self.0.range(..=start).next_back()
            && before_end >= start
        {
            start = before;
        }
        while let Some((&met, &met_end)) = self.0.range(start..=end).next() {
            self.0.remove(&met);
            end = end.max(met_end);
        }
        self.0.insert(start, end);
    }

    /// Takes a stretch out.
    pub(super) fn cut(&mut self, range: TimeRange) {
        if range.is_empty() {
            return;
        }
        if let Some((&before, &end)) = self.0.range(..range.start).next_back()
            && end > range.start
        {
            self.0.insert(before, range.start);
            self.keep_after(range, end);
        }
        while let Some((&met, &end)) = self.0.range(range.start..range.end).next() {
            self.0.remove(&met);
            self.keep_after(range, end);
        }
    }

    fn keep_after(&mut self, cut: TimeRange, end: TimestampNs) {
        if end > cut.end {
            self.0.insert(cut.end, end);
        }
    }

    pub(super) fn contain(&self, time: TimestampNs) -> bool {
        self.0.range(..=time).next_back().is_some_and(|(_, &end)| time < end)
    }

    /// What of the set lies inside `range`.
    pub(super) fn within(&self, range: TimeRange) -> Self {
        if range.is_empty() {
            return Self::default();
        }
        let before = self.0.range(..range.start).next_back().filter(|(_, end)| **end > range.start);
        let met = before.into_iter().chain(self.0.range(range.start..range.end));
        Self(met.map(|(&start, &end)| (start.max(range.start), end.min(range.end))).collect())
    }

    /// What of `range` is not in the set.
    pub(super) fn gaps(&self, range: TimeRange) -> Self {
        let mut gaps = Self::default();
        gaps.add(range);
        self.within(range).iter().for_each(|known| gaps.cut(known));
        gaps
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<TimeRange> for Ranges {
    fn from_iter<I: IntoIterator<Item = TimeRange>>(ranges: I) -> Self {
        let mut set = Self::default();
        ranges.into_iter().for_each(|range| set.add(range));
        set
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: i64 = 40;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    fn instants(set: &Ranges) -> Vec<i64> {
        (0..SPAN).filter(|&t| set.contain(TimestampNs(t))).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn the_set_agrees_with_one_of_single_instants(
            changes in prop::collection::vec((any::<bool>(), 0..SPAN, 0..SPAN), 0..20),
            (from, to) in (0..SPAN, 0..SPAN),
        ) {
            let (mut set, mut expected) = (Ranges::default(), std::collections::BTreeSet::new());
            for (adds, start, end) in changes {
                if adds {
                    set.add(range(start, end));
                    expected.extend(start..end);
                } else {
                    set.cut(range(start, end));
                    expected.retain(|t| !(start..end).contains(t));
                }
            }
            prop_assert_eq!(instants(&set), expected.iter().copied().collect::<Vec<_>>());
            let ends: Vec<_> = set.iter().collect();
            prop_assert!(ends.windows(2).all(|pair| pair[0].end < pair[1].start), "{:?}", ends);
            let inside = |t: &i64| (from..to).contains(t);
            let within: Vec<_> = expected.iter().copied().filter(inside).collect();
            prop_assert_eq!(instants(&set.within(range(from, to))), within.clone());
            let gaps: Vec<_> = (from..to).filter(|t| !within.contains(t)).collect();
            prop_assert_eq!(instants(&set.gaps(range(from, to))), gaps);
        }
    }
}
