//! Marks of long stretches: what was deleted, what was lost track of, and windows that became coarse together.

use model::{TimeRange, TimestampNs};

use super::{Columns, Marked};

/// More of them than this are joined, neighbour with neighbour: each mark and each query looks at all.
const MAX_RANGES: usize = 1024;

/// Stretches in no particular order; they may overlap.
#[derive(Debug, Clone, Default)]
pub(super) struct Ranges(Vec<Marked>);

impl Ranges {
    /// Adds a stretch, and joins it with those of the same columns that it meets or touches.
    pub(super) fn add(&mut self, mut added: Marked) {
        if added.range.is_empty() || added.columns.is_empty() || self.covers(added.range) {
            return;
        }
        if added.columns == Columns::All {
            self.0.retain(|mark| !within(mark.range, added.range));
        }
        while let Some(at) =
            self.0.iter().position(|mark| touch(mark.range, added.range) && mark.columns == added.columns)
        {
            added.range = hull(added.range, self.0.swap_remove(at).range);
        }
        self.0.push(added);
        if self.0.len() > MAX_RANGES {
            self.join_neighbours();
        }
    }

    /// True when every column is marked in all of `range`.
    pub(super) fn covers(&self, range: TimeRange) -> bool {
        self.0.iter().any(|mark| mark.columns == Columns::All && within(range, mark.range))
    }

    /// The stretch around `time` in which every column is marked.
    pub(super) fn of_all_columns_around(&self, time: TimestampNs) -> Option<TimeRange> {
        self.0.iter().find(|mark| mark.columns == Columns::All && mark.range.contains(time)).map(|mark| mark.range)
    }

    /// Takes out the one at this place of [`Ranges::iter`].
    pub(super) fn remove(&mut self, at: usize) -> Option<Marked> {
        (at < self.0.len()).then(|| self.0.swap_remove(at))
    }

    /// Marks all columns in each of them. False when that is so already.
    pub(super) fn forget_columns(&mut self) -> bool {
        let before = std::mem::take(&mut self.0);
        let change = before.iter().any(|mark| mark.columns != Columns::All);
        before.into_iter().for_each(|mark| self.add(Marked { columns: Columns::All, ..mark }));
        change
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Marked> {
        self.0.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each two that follow each other become one, with the columns of both, over the time between them too.
    fn join_neighbours(&mut self) {
        self.0.sort_unstable_by_key(|mark| mark.range.start);
        let mut joined: Vec<Marked> = Vec::with_capacity(self.0.len() / 2 + 1);
        for (at, mark) in self.0.drain(..).enumerate() {
            match joined.last_mut() {
                Some(last) if at % 2 == 1 => {
                    last.range = hull(last.range, mark.range);
                    last.columns.add(&mark.columns);
                }
                _ => joined.push(mark),
            }
        }
        self.0 = joined;
    }
}

/// The shortest stretch that has both in it.
pub(super) fn hull(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange::new(a.start.min(b.start), a.end.max(b.end))
}

/// True when some instant is in both.
pub(super) fn overlap(a: TimeRange, b: TimeRange) -> bool {
    a.start < b.end && b.start < a.end
}

/// True when nothing is between them.
pub(super) fn touch(a: TimeRange, b: TimeRange) -> bool {
    a.start <= b.end && b.start <= a.end
}

fn within(inner: TimeRange, outer: TimeRange) -> bool {
    outer.start <= inner.start && inner.end <= outer.end
}

#[cfg(test)]
mod tests {
    use super::*;
    use roaring::RoaringBitmap;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    fn of(start: i64, end: i64, column: u32) -> Marked {
        Marked { range: range(start, end), columns: RoaringBitmap::from_iter([column]).into() }
    }

    fn all(start: i64, end: i64) -> Marked {
        Marked { range: range(start, end), columns: Columns::All }
    }

    #[test]
    fn stretches_of_the_same_columns_are_joined_where_they_touch() {
        let mut ranges = Ranges::default();
        [of(0, 10, 1), of(20, 30, 1), of(20, 30, 2), of(10, 20, 1)].into_iter().for_each(|mark| ranges.add(mark));
        assert_eq!(ranges.iter().cloned().collect::<Vec<_>>(), [of(20, 30, 2), of(0, 30, 1)]);
    }

    #[test]
    fn a_stretch_of_all_columns_takes_the_place_of_what_is_inside() {
        let mut ranges = Ranges::default();
        [of(0, 10, 1), of(5, 30, 1), all(0, 20), of(3, 4, 9)].into_iter().for_each(|mark| ranges.add(mark));
        assert_eq!(ranges.len(), 2);
        assert!(ranges.covers(range(0, 20)) && !ranges.covers(range(10, 21)));
    }

    #[test]
    fn too_many_are_joined_and_none_is_lost() {
        let mut ranges = Ranges::default();
        let count = 5 * MAX_RANGES as i64;
        (0..count).for_each(|i| ranges.add(of(i * 10, i * 10 + 5, i as u32)));
        assert!(ranges.len() <= MAX_RANGES);
        for i in 0..count {
            let is_there = |mark: &Marked| {
                within(range(i * 10, i * 10 + 5), mark.range) && mark.columns.contains(model::ColumnId(i as u32))
            };
            assert!(ranges.iter().any(is_there), "{i}");
        }
    }
}
