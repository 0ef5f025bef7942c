//! A set of days, kept as runs.

use crate::day::Day;

/// Most runs; beyond it those with the smallest gap are joined, so that days are in the set that nobody has put there.
const MAX_RUNS: usize = 64;

/// Days that are in, as runs from a first to a last day, ascending, neither overlapping nor touching.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Days(Vec<(Day, Day)>);

impl Days {
    /// Every day.
    pub(crate) fn all() -> Self {
        Self(vec![(Day::MIN, Day::MAX)])
    }

    /// The runs, ascending.
    pub(crate) fn runs(&self) -> &[(Day, Day)] {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn contains(&self, day: Day) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= day);
        after.checked_sub(1).and_then(|i| self.0.get(i)).is_some_and(|(_, last)| day <= *last)
    }

    /// Adds one day.
    pub(crate) fn insert(&mut self, day: Day) {
        if !self.contains(day) {
            self.insert_run(day, day);
        }
    }

    /// Adds the days from `first` to `last`, both included.
    pub(crate) fn insert_run(&mut self, first: Day, last: Day) {
        if first > last {
            return;
        }
        let from = self.0.partition_point(|(_, end)| end.next() < first);
        let to = self.0.partition_point(|(start, _)| *start <= last.next());
        let joined = self.0.get(from..to).unwrap_or_default();
        let run = joined.iter().fold((first, last), |run, other| (run.0.min(other.0), run.1.max(other.1)));
        self.0.splice(from..to.max(from), [run]);
        self.join_when_many();
    }

    /// Adds all days of `other`.
    pub(crate) fn extend(&mut self, other: &Self) {
        other.0.iter().for_each(|(first, last)| self.insert_run(*first, *last));
    }

    /// Takes one day out.
    pub(crate) fn remove(&mut self, day: Day) {
        let Some(at) = self.0.iter().position(|(first, last)| (*first..=*last).contains(&day)) else { return };
        let (first, last) = self.0.remove(at);
        let after = (day < last).then(|| (day.next(), last));
        let before = (first < day).then(|| (first, day.previous()));
        self.0.splice(at..at, before.into_iter().chain(after));
        self.join_when_many();
    }

    /// Takes the days before `day` out and gives them.
    pub(crate) fn split_before(&mut self, day: Day) -> Self {
        let rest = self.clip(day, Day::MAX);
        let before = if day == Day::MIN { Self::default() } else { self.clip(Day::MIN, day.previous()) };
        *self = rest;
        before
    }

    /// The part from `first` to `last`, both included.
    pub(crate) fn clip(&self, first: Day, last: Day) -> Self {
        let clipped = self.0.iter().map(|(from, to)| ((*from).max(first), (*to).min(last)));
        Self(clipped.filter(|(from, to)| from <= to).collect())
    }

    fn join_when_many(&mut self) {
        while self.0.len() > MAX_RUNS {
            let gaps = self.0.iter().zip(self.0.iter().skip(1)).enumerate();
            let width = |(a, b): (&(Day, Day), &(Day, Day))| b.0.start().0.saturating_sub(a.1.start().0);
            let Some((at, _)) = gaps.min_by_key(|(_, pair)| width(*pair)) else { return };
            let (_, last) = self.0.remove(at + 1);
            if let Some(run) = self.0.get_mut(at) {
                run.1 = last;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::TimestampNs;
    use proptest::prelude::*;

    use super::*;

    fn day(n: i64) -> Day {
        Day::of(TimestampNs(n * 86_400_000_000_000))
    }

    #[test]
    fn neighbours_become_one_run() {
        let mut days = Days::default();
        for n in [5, 3, 4, 9] {
            days.insert(day(n));
        }
        assert_eq!(days.runs(), [(day(3), day(5)), (day(9), day(9))]);
        days.remove(day(4));
        assert_eq!(days.runs(), [(day(3), day(3)), (day(5), day(5)), (day(9), day(9))]);
        let before = days.split_before(day(5));
        assert_eq!((before.runs(), days.runs()), (&[(day(3), day(3))][..], &[(day(5), day(5)), (day(9), day(9))][..]));
    }

    #[test]
    fn the_ends_of_time_are_days_like_others() {
        let mut days = Days::all();
        days.remove(Day::MIN);
        days.remove(Day::MAX);
        assert!(!days.contains(Day::MIN) && !days.contains(Day::MAX) && days.contains(day(0)));
        days.insert(Day::MIN);
        days.insert(Day::MAX);
        assert_eq!(days, Days::all());
        assert!(days.split_before(Day::MIN).is_empty());
    }

    #[test]
    fn many_runs_are_joined_and_lose_no_day() {
        let mut days = Days::default();
        (0..1000).for_each(|n| days.insert(day(n * 3 + n % 2)));
        assert!(days.runs().len() <= MAX_RUNS);
        assert!((0..1000).all(|n| days.contains(day(n * 3 + n % 2))));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]
        #[test]
        fn it_is_a_set(steps in prop::collection::vec((0i64..40, 0i64..6, 0u8..3), 0..40)) {
            let (mut days, mut model) = (Days::default(), BTreeSet::new());
            for (n, len, what) in steps {
                match what {
                    0 => { days.remove(day(n)); model.remove(&n); }
                    1 => { days.insert_run(day(n), day(n + len)); model.extend(n..=n + len); }
                    _ => { let before = days.split_before(day(n)); days.extend(&before); }
                }
                prop_assert!((0..50).all(|n| days.contains(day(n)) == model.contains(&n)));
                prop_assert!(days.runs().windows(2).all(|w| w[0].1.next() < w[1].0), "{:?}", days);
            }
        }
    }
}
