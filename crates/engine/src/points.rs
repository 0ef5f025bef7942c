//! Points of one column in memory: sorting, last write wins, cutting and masking.

use model::{TimeRange, TimestampNs, Values};

/// Times ascending without repetition, and as many values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Points {
    pub(crate) times: Vec<TimestampNs>,
    pub(crate) values: Values,
}

impl Points {
    /// Points in the order they were written become points in the order of time; of those with the same time the last stays.
    pub(crate) fn from_written(times: &[TimestampNs], values: &Values) -> Self {
        let mut order: Vec<u32> = (0..times.len() as u32).collect();
        let time_of = |i: &u32| times.get(*i as usize).copied();
        order.sort_by_key(time_of);
        // The sort is stable, so of equal times the last written stands last: keep that one.
        let keep: Vec<u32> = order
            .iter()
            .zip(order.iter().skip(1).map(Some).chain([None]))
            .filter(|(i, next)| next.is_none_or(|n| time_of(n) != time_of(i)))
            .map(|(i, _)| *i)
            .collect();
        Self::gather(times, values, &keep)
    }

    /// The points at `indexes`, in that order, in as much memory as they need.
    pub(crate) fn gather(times: &[TimestampNs], values: &Values, indexes: &[u32]) -> Self {
        let mut gathered = Vec::with_capacity(indexes.len());
        gathered.extend(indexes.iter().filter_map(|i| times.get(*i as usize)));
        Self { times: gathered, values: values.gather(indexes) }
    }

    /// The part inside `range`, copied.
    pub(crate) fn cut(&self, range: TimeRange) -> Self {
        let (from, to) = bounds(&self.times, range);
        self.slice(from, to)
    }

    /// A copy of the points from `from` up to, not including, `to`.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self { times: self.times.get(from..to).unwrap_or_default().to_vec(), values: self.values.slice(from, to) }
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.times.capacity() * size_of::<TimestampNs>() + self.values.bytes()
    }

    /// Joins runs of points; where times meet, the later run's value stays.
    pub(crate) fn merge(runs: Vec<Self>) -> Option<Self> {
        let mut runs = runs.into_iter();
        let mut all = runs.next()?;
        let mut ascending = true;
        for run in runs {
            ascending &= all.times.last() < run.times.first() || run.times.is_empty();
            if all.values.append(&run.values) {
                all.times.extend_from_slice(&run.times);
            }
        }
        Some(if ascending { all } else { Self::from_written(&all.times, &all.values) })
    }

    /// The part inside `range`.
    pub(crate) fn clip(self, range: TimeRange) -> Self {
        let (from, to) = bounds(&self.times, range);
        if from == 0 && to == self.times.len() { self } else { self.slice(from, to) }
    }

    /// The part outside of `ranges`, which ascend and do not overlap.
    pub(crate) fn without(self, ranges: impl Iterator<Item = TimeRange>) -> Self {
        let mut kept = Vec::new();
        let mut done = 0;
        for (from, to) in ranges.map(|range| bounds(&self.times, range)).filter(|(from, to)| from < to) {
            kept.push((done, from));
            done = to;
        }
        if kept.is_empty() {
            return self;
        }
        kept.push((done, self.times.len()));
        let (mut times, mut values) = (Vec::new(), self.values.slice(0, 0));
        for (from, to) in kept {
            times.extend_from_slice(self.times.get(from..to).unwrap_or_default());
            values.append(&self.values.slice(from, to));
        }
        Self { times, values }
    }
}

/// Where `range` begins and ends among ascending times.
pub(crate) fn bounds(times: &[TimestampNs], range: TimeRange) -> (usize, usize) {
    (times.partition_point(|t| *t < range.start), times.partition_point(|t| *t < range.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(pairs: &[(i64, i64)]) -> Points {
        let times = pairs.iter().map(|p| TimestampNs(p.0)).collect();
        Points { times, values: Values::Integer(pairs.iter().map(|p| p.1).collect()) }
    }

    #[test]
    fn the_last_written_of_equal_times_stays() {
        let p = points(&[(5, 1), (3, 2), (5, 3), (4, 4), (3, 5)]);
        assert_eq!(Points::from_written(&p.times, &p.values), points(&[(3, 5), (4, 4), (5, 3)]));
    }

    #[test]
    fn the_later_run_wins_where_runs_meet() {
        let merged = Points::merge(vec![points(&[(1, 1), (3, 3)]), points(&[(2, 20), (3, 30)])]).unwrap();
        assert_eq!(merged, points(&[(1, 1), (2, 20), (3, 30)]));
    }

    #[test]
    fn cutting_is_half_open() {
        let range = TimeRange::new(TimestampNs(2), TimestampNs(4));
        assert_eq!(points(&[(1, 1), (2, 2), (3, 3), (4, 4)]).clip(range), points(&[(2, 2), (3, 3)]));
        assert_eq!(points(&[(1, 1), (2, 2), (3, 3), (4, 4)]).without([range].into_iter()), points(&[(1, 1), (4, 4)]));
    }

    #[test]
    fn several_ranges_are_taken_out_at_once() {
        let all: Vec<_> = (0..10).map(|n| (n, n)).collect();
        let ranges = [(-5, 0), (0, 2), (2, 3), (5, 6), (9, 20)];
        let ranges = ranges.map(|(start, end)| TimeRange::new(TimestampNs(start), TimestampNs(end)));
        let left = points(&all).without(ranges.into_iter());
        assert_eq!(left, points(&[(3, 3), (4, 4), (6, 6), (7, 7), (8, 8)]));
        assert_eq!(points(&all).without([TimeRange::ALL].into_iter()), points(&[]));
    }
}
