//! Values of one column that are not in a block file yet, in stretches.
//!
//! Room is made for a quarter more points than there are, and a full stretch is never moved: columns that grow together, as those
//! of one table do, would otherwise all take twice what they need at one moment, and copy it besides.

use std::borrow::Cow;

use model::{ColumnId, FieldType, FieldValue, TimeRange, TimestampNs, Values};

use crate::merge::{Waiting, merge};
use crate::points::{Points, bounds};

/// Points for which there is room at first.
const FIRST: usize = 4;
/// Most points of a stretch.
const STRETCH: usize = 2048;
/// Bytes of texts with which a stretch is full, however few they are. Of larger ones the allocator wastes more than they need.
const STRETCH_TEXT: usize = 64 << 10;

/// Values of one column: a point in a later stretch was written later.
pub(crate) struct HeadColumn {
    pub(crate) id: ColumnId,
    /// Full ones, each in the order of time.
    full: Vec<Points>,
    /// The stretch that takes values in, in the order they were written. Its times and values have room for as many.
    last: Points,
    /// True while every time of the last stretch was after the one before it.
    ascending: bool,
}

impl HeadColumn {
    pub(super) fn new(id: ColumnId, kind: FieldType) -> Self {
        Self { id, full: Vec::new(), last: empty(kind), ascending: true }
    }

    /// Type of every value inside.
    pub(crate) fn kind(&self) -> FieldType {
        self.last.values.field_type()
    }

    /// Adds a value and tells by how many bytes the column grew; `None` when the value has another type.
    #[inline]
    pub(super) fn push(&mut self, time: TimestampNs, value: FieldValue<'_>) -> Option<isize> {
        if value.field_type() != self.kind() {
            return None;
        }
        let full = self.last.times.len() == self.last.times.capacity();
        let grown = if full { self.make_room() } else { 0 };
        self.ascending &= self.last.times.last().is_none_or(|last| *last < time);
        self.last.times.push(time);
        if let FieldValue::String(_) = value {
            return Some(grown + self.push_text(value));
        }
        self.last.values.push(value);
        Some(grown)
    }

    fn push_text(&mut self, text: FieldValue<'_>) -> isize {
        let before = self.last.values.bytes() as isize;
        self.last.values.push(text);
        let grown = self.last.values.bytes() as isize - before;
        let full = self.last.values.text_len() >= STRETCH_TEXT;
        grown + if full { self.make_room() } else { 0 }
    }

    /// Makes room for more points, in a stretch of their own when the last one would become too long; tells by how much the column grew.
    #[cold]
    fn make_room(&mut self) -> isize {
        let before = self.bytes() as isize;
        // Not more than the last stretch took: one of long texts ends early.
        let more = (self.len() / 4).min(self.last.times.len()).max(FIRST);
        if self.last.times.len() + more > STRETCH || self.last.values.text_len() >= STRETCH_TEXT {
            self.begin_stretch();
        }
        self.last.times.reserve_exact(more);
        self.last.values.reserve_exact(more);
        self.bytes() as isize - before
    }

    fn begin_stretch(&mut self) {
        let next = empty(self.kind());
        let full = std::mem::replace(&mut self.last, next);
        let sorted = if self.ascending { full } else { Points::from_written(&full.times, &full.values) };
        self.full.push(sorted);
        self.ascending = true;
    }

    /// How many points there are.
    pub(super) fn len(&self) -> usize {
        self.full.iter().map(|points| points.times.len()).sum::<usize>() + self.last.times.len()
    }

    /// Memory of its points, in bytes.
    pub(super) fn bytes(&self) -> usize {
        let full = self.full.iter().map(Points::bytes).sum::<usize>();
        self.full.capacity() * size_of::<Points>() + full + self.last.bytes()
    }

    /// Removes the values inside `range`.
    pub(super) fn delete(&mut self, range: TimeRange) {
        self.full.iter_mut().filter(|points| has_inside(points, range)).for_each(|points| remove(points, range));
        self.full.retain(|points| !points.times.is_empty());
        // Out of order nothing but a look at each tells.
        if !self.ascending || has_inside(&self.last, range) {
            remove(&mut self.last, range);
        }
    }

    /// A sorted copy of the points inside `range`; `None` when there are none.
    pub(super) fn read(&self, range: TimeRange) -> Option<Points> {
        let sorted = self.full.iter().map(Cow::Borrowed).chain([self.last_sorted()]);
        Points::merge(sorted.filter(|points| has_inside(points, range)).map(|points| points.cut(range)).collect())
    }

    /// Hands out all points in the order of time, in pieces. A copy is made only of those that were not written in order.
    pub(crate) fn in_order<E>(&self, visit: impl FnMut(&Points) -> Result<(), E>) -> Result<(), E> {
        let sorted = self.full.iter().map(Cow::Borrowed).chain([self.last_sorted()]);
        let runs = sorted.filter_map(|points| Some(Waiting { first: *points.times.first()?, run: points }));
        merge(runs.collect(), |points| Ok(Some(points)), visit)
    }

    fn last_sorted(&self) -> Cow<'_, Points> {
        if self.ascending {
            return Cow::Borrowed(&self.last);
        }
        Cow::Owned(Points::from_written(&self.last.times, &self.last.values))
    }
}

/// Whether points that ascend by time have one inside `range`.
fn has_inside(points: &Points, range: TimeRange) -> bool {
    let (from, to) = bounds(&points.times, range);
    from < to
}

/// Removes the points inside `range`, whatever their order.
fn remove(points: &mut Points, range: TimeRange) {
    let keep: Vec<u32> =
        points.times.iter().zip(0u32..).filter(|(t, _)| !range.contains(**t)).map(|(_, i)| i).collect();
    if keep.len() < points.times.len() {
        *points = Points::gather(&points.times, &points.values, &keep);
    }
}

fn empty(kind: FieldType) -> Points {
    Points { times: Vec::new(), values: Values::new(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes values and compares what was told with what is held after each.
    fn fill(kind: FieldType, values: impl Iterator<Item = (i64, FieldValue<'static>)>) -> HeadColumn {
        let mut column = HeadColumn::new(ColumnId(1), kind);
        let mut told = 0;
        for (time, value) in values {
            told += column.push(TimestampNs(time), value).unwrap();
            assert_eq!(told, column.bytes() as isize);
        }
        column
    }

    fn handed_out(column: &HeadColumn) -> Points {
        let mut all = Vec::new();
        column
            .in_order(|points| {
                all.push(points.clone());
                Ok::<_, ()>(())
            })
            .unwrap();
        assert!(all.iter().zip(all.iter().skip(1)).all(|(a, b)| a.times.last() < b.times.first()));
        Points::merge(all).unwrap()
    }

    #[test]
    fn a_column_takes_a_quarter_more_than_its_points_at_most() {
        let mut column = HeadColumn::new(ColumnId(1), FieldType::Float);
        let mut told = 0;
        for n in 0..200_000 {
            told += column.push(TimestampNs(n), FieldValue::Float(n as f64)).unwrap();
            assert_eq!(column.last.times.capacity() * 8, column.last.values.bytes());
            if n % 97 == 0 {
                let points = (column.len() + column.len() / 4 + FIRST) * 16;
                assert!(column.bytes() <= points + column.full.capacity() * size_of::<Points>(), "{n}");
                assert_eq!(told, column.bytes() as isize);
            }
        }
        assert!(column.full.iter().all(|points| points.times.len() <= STRETCH));
    }

    #[test]
    fn of_every_type_the_bytes_told_are_those_held_also_out_of_order_and_after_deletions() {
        let mixed = |n: i64| n * 7919 % 5003;
        fill(FieldType::Integer, (0..10_000).map(|n| (mixed(n), FieldValue::Integer(n))));
        fill(FieldType::Boolean, (0..10_000).map(|n| (n, FieldValue::Boolean(n % 3 == 0))));
        let mut texts =
            fill(FieldType::String, (0..10_000).map(|n| (mixed(n), FieldValue::String("a text of some length"))));
        texts.delete(TimeRange::new(TimestampNs(1000), TimestampNs(4000)));
        let mut held = texts.bytes() as isize;
        for n in 0..10_000 {
            held += texts.push(TimestampNs(n), FieldValue::String("another")).unwrap();
            assert_eq!(held, texts.bytes() as isize);
        }
    }

    #[test]
    fn stretches_of_long_texts_are_short() {
        let long: &str = Box::leak("long ".repeat(10_000).into_boxed_str());
        let column = fill(FieldType::String, (0..100).map(|n| (n, FieldValue::String(long))));
        assert!(column.full.iter().all(|points| points.values.text_len() < STRETCH_TEXT + long.len()));
        assert!(column.bytes() < 100 * long.len() * 5 / 4 + 4096, "{}", column.bytes());
        assert_eq!(handed_out(&column).times.len(), 100);
    }

    #[test]
    fn points_written_in_any_order_come_out_in_order_and_the_last_written_stays() {
        let mixed = |n: i64| n * 7919 % 5003;
        let column = fill(FieldType::Integer, (0..20_000).map(|n| (mixed(n), FieldValue::Integer(n))));
        let written: (Vec<_>, Vec<_>) = (0..20_000).map(|n| (TimestampNs(mixed(n)), n)).unzip();
        let expected = Points::from_written(&written.0, &Values::Integer(written.1));
        assert_eq!(handed_out(&column), expected);
        assert_eq!(column.read(TimeRange::ALL), Some(expected.clone()));
        let range = TimeRange::new(TimestampNs(100), TimestampNs(200));
        assert_eq!(column.read(range), Some(expected.clip(range)));
    }

    #[test]
    fn a_value_of_another_type_changes_nothing() {
        let mut column = fill(FieldType::Integer, (0..4).map(|n| (n, FieldValue::Integer(n))));
        let before = column.bytes();
        assert_eq!(column.push(TimestampNs(9), FieldValue::Float(1.0)), None);
        assert_eq!((column.len(), column.bytes()), (4, before));
    }
}
