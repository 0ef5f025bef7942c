//! Values that are not yet in a block file, by partition and column, in the order they were written.

use catalog::Names;
use model::{BucketId, ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs, Values, WindowNs};

use crate::points::{Points, bounds};

/// Memory that a column takes besides its values.
const COLUMN_OVERHEAD: usize = size_of::<HeadColumn>() + 64;

/// The part of the store that is in memory only (and in the journal).
#[derive(Default)]
pub(crate) struct Head {
    partitions: Vec<Partition>,
    /// Where the last value went; the next one most likely goes there too.
    hot: usize,
    bytes: usize,
    values: u64,
    /// Journal position of the newest record inside.
    pub(crate) last_seq: Seq,
}

/// Values of one bucket inside one time partition.
pub(crate) struct Partition {
    pub(crate) bucket: BucketId,
    pub(crate) range: TimeRange,
    /// Position in `columns` plus one, by column identifier; 0 for none.
    slots: Vec<u32>,
    columns: Vec<HeadColumn>,
}

/// Values of one column in the order they were written.
pub(crate) struct HeadColumn {
    pub(crate) id: ColumnId,
    times: Vec<TimestampNs>,
    values: Values,
    /// True while every time was after the one before it.
    ascending: bool,
}

/// Why a value was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The catalog does not know the column: its definition was lost.
    UnknownColumn,
    /// The value has another type than the column.
    WrongType,
}

impl Head {
    /// Memory in use, in bytes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Values inside, counting overwritten ones.
    pub(crate) fn values(&self) -> u64 {
        self.values
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values == 0
    }

    pub(crate) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Adds one value.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        names: &Names,
        width: WindowNs,
        column: ColumnId,
        time: TimestampNs,
        value: FieldValue<'_>,
    ) -> Result<(), Refused> {
        if let Some(partition) = self.partitions.get_mut(self.hot)
            && partition.range.contains(time)
            && let Some(known) = partition.column_mut(column)
        {
            let taken = known.push(time, value);
            return self.count(taken, 0, value);
        }
        self.insert_cold(names, width, column, time, value)
    }

    fn insert_cold(
        &mut self,
        names: &Names,
        width: WindowNs,
        column: ColumnId,
        time: TimestampNs,
        value: FieldValue<'_>,
    ) -> Result<(), Refused> {
        let info = names.column_info(column).ok_or(Refused::UnknownColumn)?;
        let start = time.window_start(width);
        let found = self.partitions.iter().position(|p| p.bucket == info.bucket && p.range.start == start);
        self.hot = found.unwrap_or(self.partitions.len());
        if found.is_none() {
            let range = TimeRange::new(start, start.saturating_add(width.get()));
            self.partitions.push(Partition { bucket: info.bucket, range, slots: Vec::new(), columns: Vec::new() });
        }
        let Some(partition) = self.partitions.get_mut(self.hot) else { return Err(Refused::UnknownColumn) };
        let grown = partition.ensure_column(column, info.kind);
        let taken = partition.column_mut(column).is_some_and(|c| c.push(time, value));
        self.count(taken, grown, value)
    }

    #[inline]
    fn count(&mut self, taken: bool, grown: usize, value: FieldValue<'_>) -> Result<(), Refused> {
        self.bytes += grown;
        if !taken {
            return Err(Refused::WrongType);
        }
        self.values += 1;
        self.bytes += match value {
            FieldValue::String(text) => 16 + text.len(),
            FieldValue::Boolean(_) => 9,
            _ => 16,
        };
        Ok(())
    }

    /// Removes the values of `columns` inside `range`.
    pub(crate) fn delete(&mut self, columns: &[ColumnId], range: TimeRange) {
        for partition in &mut self.partitions {
            for id in columns {
                if let Some(column) = partition.column_mut(*id) {
                    column.delete(range);
                }
            }
        }
    }

    /// A sorted copy of a column's values inside `range`, one run for each partition that has some.
    pub(crate) fn read(&self, bucket: BucketId, column: ColumnId, range: TimeRange) -> impl Iterator<Item = Points> {
        let partitions = self.partitions.iter().filter(move |p| p.bucket == bucket && overlaps(p.range, range));
        partitions.filter_map(move |p| p.column(column)).map(move |c| c.read(range)).filter(|p| !p.times.is_empty())
    }
}

fn overlaps(a: TimeRange, b: TimeRange) -> bool {
    a.start < b.end && b.start <= a.end
}

impl Partition {
    fn column(&self, id: ColumnId) -> Option<&HeadColumn> {
        let slot = *self.slots.get(id.index())?;
        self.columns.get((slot as usize).checked_sub(1)?)
    }

    #[inline]
    fn column_mut(&mut self, id: ColumnId) -> Option<&mut HeadColumn> {
        let slot = *self.slots.get(id.index())?;
        self.columns.get_mut((slot as usize).checked_sub(1)?)
    }

    /// Makes room for a column; tells how much memory that took.
    fn ensure_column(&mut self, id: ColumnId, kind: FieldType) -> usize {
        if self.column(id).is_some() {
            return 0;
        }
        let slots_before = self.slots.capacity();
        if self.slots.len() <= id.index() {
            self.slots.resize(id.index() + 1, 0);
        }
        self.columns.push(HeadColumn { id, times: Vec::new(), values: Values::new(kind), ascending: true });
        if let Some(slot) = self.slots.get_mut(id.index()) {
            *slot = self.columns.len() as u32;
        }
        COLUMN_OVERHEAD + (self.slots.capacity() - slots_before) * size_of::<u32>()
    }

    /// The columns, ascending by identifier.
    pub(crate) fn columns_in_order(&self) -> impl Iterator<Item = &HeadColumn> {
        self.slots.iter().filter_map(|slot| self.columns.get((*slot as usize).checked_sub(1)?))
    }
}

impl HeadColumn {
    /// False when the value has another type.
    #[inline]
    fn push(&mut self, time: TimestampNs, value: FieldValue<'_>) -> bool {
        if !self.values.push(value) {
            return false;
        }
        self.ascending &= self.times.last().is_none_or(|last| *last < time);
        self.times.push(time);
        true
    }

    fn delete(&mut self, range: TimeRange) {
        let keep: Vec<u32> =
            self.times.iter().enumerate().filter(|(_, t)| !range.contains(**t)).map(|(i, _)| i as u32).collect();
        if keep.len() < self.times.len() {
            self.values = self.values.gather(&keep);
            self.times = keep.iter().filter_map(|i| self.times.get(*i as usize).copied()).collect();
        }
    }

    fn read(&self, range: TimeRange) -> Points {
        if !self.ascending {
            return Points::from_written(&self.times, &self.values).clip(range);
        }
        let (from, to) = bounds(&self.times, range);
        Points { times: self.times.get(from..to).unwrap_or_default().to_vec(), values: self.values.slice(from, to) }
    }

    /// Hands out all points, sorted; a copy is made only when they were not written in order.
    pub(crate) fn with_sorted<T>(&self, f: impl FnOnce(&[TimestampNs], &Values) -> T) -> T {
        if self.ascending {
            return f(&self.times, &self.values);
        }
        let sorted = Points::from_written(&self.times, &self.values);
        f(&sorted.times, &sorted.values)
    }
}
