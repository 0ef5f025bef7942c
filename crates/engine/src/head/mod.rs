//! Values that are not yet in a block file, by partition and column, in the order they were written.

mod column;

use catalog::Names;
use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{BucketId, ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs, WindowNs};

pub(crate) use column::HeadColumn;

use crate::points::Points;
use crate::state::Widths;
use crate::tombstones::Tombstones;

/// Memory that a column takes besides its values.
const COLUMN_OVERHEAD: usize = size_of::<HeadColumn>();
/// Memory that a partition takes besides its columns.
const PARTITION_OVERHEAD: usize = size_of::<Partition>() + 64;

/// The part of the store that is in memory only (and in the journal).
#[derive(Default)]
pub(crate) struct Head {
    partitions: Vec<Partition>,
    /// Position in `partitions` by bucket and start.
    places: HashMap<(BucketId, TimestampNs), usize, RandomState>,
    /// Where the last value went; the next one most likely goes there too.
    hot: usize,
    bytes: usize,
    values: u64,
    /// Deletions since the head was begun: they are about what was written before it.
    pub(crate) tombstones: Tombstones,
    /// Journal position of the first record that may be inside.
    first_seq: Seq,
    /// Journal position of the newest record inside.
    pub(crate) last_seq: Seq,
}

/// Values of one bucket inside one time partition.
pub(crate) struct Partition {
    pub(crate) bucket: BucketId,
    pub(crate) range: TimeRange,
    /// Position in `columns`. A map and not a table, since late data may touch a few columns of each of thousands of partitions.
    places: HashMap<ColumnId, u32, RandomState>,
    columns: Vec<HeadColumn>,
}

/// Why a value was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The catalog does not know the column: its definition was lost.
    UnknownColumn,
    /// The column was dropped.
    DroppedColumn,
    /// The value has another type than the column.
    WrongType,
}

impl Head {
    /// An empty head for records after `seq`.
    pub(crate) fn after(seq: Seq) -> Self {
        Self { first_seq: seq.next(), ..Self::default() }
    }

    /// Memory in use, in bytes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Values inside, counting overwritten ones.
    pub(crate) fn values(&self) -> u64 {
        self.values
    }

    pub(crate) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// Adds one value.
    #[inline]
    pub(crate) fn insert(
        &mut self,
        names: &Names,
        widths: &Widths,
        column: ColumnId,
        time: TimestampNs,
        value: FieldValue<'_>,
    ) -> Result<(), Refused> {
        if let Some(partition) = self.partitions.get_mut(self.hot)
            && partition.range.contains(time)
            && let Some(known) = partition.column_mut(column)
        {
            let grown = known.push(time, value);
            return self.count(grown);
        }
        self.insert_cold(names, widths, column, time, value)
    }

    fn insert_cold(
        &mut self,
        names: &Names,
        widths: &Widths,
        column: ColumnId,
        time: TimestampNs,
        value: FieldValue<'_>,
    ) -> Result<(), Refused> {
        let info = names.column_info(column).ok_or_else(|| match names.dropped().has_column(column) {
            true => Refused::DroppedColumn,
            false => Refused::UnknownColumn,
        })?;
        self.hot = self.ensure_partition(info.bucket, partition_of(time, widths.of(info.bucket)));
        let Some(partition) = self.partitions.get_mut(self.hot) else { return Err(Refused::UnknownColumn) };
        self.bytes += partition.ensure_column(column, info.kind);
        let grown = partition.column_mut(column).and_then(|c| c.push(time, value));
        self.count(grown)
    }

    /// Position of a partition, made when it does not exist.
    fn ensure_partition(&mut self, bucket: BucketId, range: TimeRange) -> usize {
        let place = *self.places.entry((bucket, range.start)).or_insert(self.partitions.len());
        if place == self.partitions.len() {
            self.partitions.push(Partition { bucket, range, places: HashMap::default(), columns: Vec::new() });
            self.bytes += PARTITION_OVERHEAD;
        }
        place
    }

    /// `grown` is by how many bytes a column grew; `None` when it refused the value.
    #[inline]
    fn count(&mut self, grown: Option<isize>) -> Result<(), Refused> {
        self.bytes = self.bytes.saturating_add_signed(grown.ok_or(Refused::WrongType)?);
        self.values += 1;
        Ok(())
    }

    /// Removes the values of `columns` inside `range`, and notes that those written before are deleted.
    pub(crate) fn delete(&mut self, columns: &[ColumnId], range: TimeRange) {
        for partition in self.partitions.iter_mut().filter(|p| overlaps(p.range, range)) {
            for id in columns {
                if let Some(column) = partition.column_mut(*id) {
                    let before = column.bytes();
                    column.delete(range);
                    self.bytes = (self.bytes + column.bytes()).saturating_sub(before);
                }
            }
        }
        self.bytes += self.tombstones.add(columns, range, self.first_seq);
    }

    /// Removes all values of a bucket.
    pub(crate) fn remove_bucket(&mut self, bucket: BucketId) {
        let (gone, kept) = std::mem::take(&mut self.partitions).into_iter().partition(|p| p.bucket == bucket);
        let gone: Vec<Partition> = gone;
        self.partitions = kept;
        self.places = self.partitions.iter().zip(0..).map(|(p, i)| ((p.bucket, p.range.start), i)).collect();
        self.hot = 0;
        for partition in gone {
            let of_columns: usize = partition.columns.iter().map(HeadColumn::bytes).sum();
            self.bytes = self.bytes.saturating_sub(PARTITION_OVERHEAD + partition.bytes() + of_columns);
            self.values = self.values.saturating_sub(partition.columns.iter().map(|c| c.len() as u64).sum());
        }
    }

    /// A sorted copy of a column's values inside `range`, one run for each partition that has some.
    pub(crate) fn read(&self, bucket: BucketId, column: ColumnId, range: TimeRange) -> impl Iterator<Item = Points> {
        let partitions = self.partitions.iter().filter(move |p| p.bucket == bucket && overlaps(p.range, range));
        partitions.filter_map(move |p| p.column(column)?.read(range))
    }
}

/// The partition of `time`. At both ends of what can be represented partitions are shorter.
fn partition_of(time: TimestampNs, width: WindowNs) -> TimeRange {
    let number = time.0.div_euclid(width.get());
    let start = |number: i64| TimestampNs(number.saturating_mul(width.get()));
    TimeRange::new(start(number), start(number.saturating_add(1)))
}

fn overlaps(a: TimeRange, b: TimeRange) -> bool {
    a.start < b.end && b.start <= a.end
}

impl Partition {
    fn column(&self, id: ColumnId) -> Option<&HeadColumn> {
        self.columns.get(*self.places.get(&id)? as usize)
    }

    #[inline]
    fn column_mut(&mut self, id: ColumnId) -> Option<&mut HeadColumn> {
        self.columns.get_mut(*self.places.get(&id)? as usize)
    }

    /// Makes room for a column; tells how much memory that took.
    fn ensure_column(&mut self, id: ColumnId, kind: FieldType) -> usize {
        if self.places.contains_key(&id) {
            return 0;
        }
        let before = self.bytes();
        self.places.insert(id, self.columns.len() as u32);
        self.columns.push(HeadColumn::new(id, kind));
        self.bytes() - before
    }

    /// Memory besides the values.
    fn bytes(&self) -> usize {
        self.places.allocation_size() + self.columns.capacity() * COLUMN_OVERHEAD
    }

    /// The columns, ascending by identifier.
    pub(crate) fn columns_in_order(&self) -> impl Iterator<Item = &HeadColumn> {
        let mut columns: Vec<&HeadColumn> = self.columns.iter().collect();
        columns.sort_unstable_by_key(|c| c.id);
        columns.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_meet_without_overlap_also_at_the_ends_of_time() {
        let width = WindowNs::new(86_400_000_000_000).unwrap();
        for time in [i64::MIN, i64::MIN + 86_400_000_000_000, -1, 0, i64::MAX - 1] {
            let range = partition_of(TimestampNs(time), width);
            assert!(range.contains(TimestampNs(time)), "{time}");
            assert_eq!(partition_of(range.start, width), range, "{time}");
            assert!(range.end == TimestampNs::MAX || partition_of(range.end, width).start == range.end, "{time}");
        }
    }
}
