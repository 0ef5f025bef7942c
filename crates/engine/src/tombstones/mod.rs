//! Deletions that wait to be merged in, found by column.
//!
//! A deletion says that values of some columns inside a range of time are gone from everything whose newest record is older
//! than the deletion's position. One of few columns is kept with each of them. One of many is kept with its set of columns, which
//! deletions of the same set share: sets are few, so each read asks them all. Adding one copies nothing but what a reader holds at
//! that moment.
//!
//! The deletions of a head all have the position after the head before it: what is older stands there or in files, what is newer in
//! the head itself, from which the values were removed. So they can be joined, and a replay gives them the same meaning.
//! Not here: how they are stored (`manifest`), and how values go (`head`, `compact`).

mod deleted;
mod need;
mod ranges;

use std::collections::BTreeMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use model::{ColumnId, Seq, TimeRange, TimestampNs};
use roaring::RoaringBitmap;

pub(crate) use deleted::Deleted;
pub(crate) use need::{Concern, Need};
use ranges::{DeletedRange, DeletedRanges};

use crate::block::Index;
use crate::manifest::Tombstone;

/// A deletion of no more columns is kept by column.
const FEW_COLUMNS: usize = 64;
/// Memory of a column, or a set of columns, besides its ranges.
const ENTRY_BYTES: usize = 96;

/// Deletions by column.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tombstones {
    by_column: HashMap<ColumnId, Arc<DeletedRanges>, RandomState>,
    by_set: Vec<(Arc<RoaringBitmap>, Arc<DeletedRanges>)>,
    newest: Seq,
}

impl Tombstones {
    /// Those that a manifest lists.
    pub(crate) fn from_list(list: &[Tombstone]) -> Self {
        let mut list: Vec<&Tombstone> = list.iter().collect();
        list.sort_by_key(|t| t.seq);
        let mut all = Self::default();
        for tombstone in list {
            let columns: Vec<ColumnId> = tombstone.columns.iter().map(ColumnId).collect();
            all.add(&columns, tombstone.range, tombstone.seq);
        }
        all
    }

    /// As a manifest lists them. What was deleted together stands together, but never so that it would be read back as a set.
    pub(crate) fn to_list(&self) -> Vec<Tombstone> {
        let mut groups: BTreeMap<(Seq, TimestampNs, TimestampNs), Vec<u32>> = BTreeMap::new();
        for (column, ranges) in &self.by_column {
            for DeletedRange { range, seq } in ranges.iter() {
                groups.entry((*seq, range.start, range.end)).or_default().push(column.0);
            }
        }
        let mut list = Vec::new();
        for ((seq, start, end), mut columns) in groups {
            columns.sort_unstable();
            let parts = columns.chunks(FEW_COLUMNS).map(|part| part.iter().copied().collect());
            list.extend(parts.map(|columns| Tombstone { seq, range: TimeRange::new(start, end), columns }));
        }
        for (set, ranges) in &self.by_set {
            list.extend(ranges.iter().map(|r| Tombstone { seq: r.seq, range: r.range, columns: (**set).clone() }));
        }
        list
    }

    /// Adds a deletion that is not older than those that are there. Tells how much memory that took, in bytes, about.
    pub(crate) fn add(&mut self, columns: &[ColumnId], range: TimeRange, seq: Seq) -> usize {
        debug_assert!(self.newest <= seq, "{seq} after {}", self.newest);
        if range.is_empty() || columns.is_empty() {
            return 0;
        }
        self.newest = seq;
        let deleted = DeletedRange { range, seq };
        if columns.len() > FEW_COLUMNS {
            let (ranges, taken) = self.ranges_of_set(columns.iter().map(|c| c.0).collect());
            Arc::make_mut(ranges).add(deleted);
            return taken + size_of::<DeletedRange>();
        }
        let known = self.by_column.len();
        for column in columns {
            Arc::make_mut(self.by_column.entry(*column).or_default()).add(deleted);
        }
        (self.by_column.len() - known) * ENTRY_BYTES + columns.len() * size_of::<DeletedRange>()
    }

    /// Adds deletions none of which is older than those that are there.
    pub(crate) fn absorb(&mut self, later: &Self) {
        debug_assert!(later.is_empty() || self.newest <= later.newest, "{} after {}", later.newest, self.newest);
        self.newest = self.newest.max(later.newest);
        for (column, ranges) in &later.by_column {
            self.by_column
                .entry(*column)
                .and_modify(|known| absorb(known, ranges))
                .or_insert_with(|| Arc::clone(ranges));
        }
        for (set, ranges) in &later.by_set {
            match self.by_set.iter_mut().find(|(known, _)| known == set) {
                Some((_, known)) => absorb(known, ranges),
                None => self.by_set.push((Arc::clone(set), Arc::clone(ranges))),
            }
        }
    }

    /// Forgets those that `is_needed` says no to.
    pub(crate) fn retain(&mut self, is_needed: impl Fn(&DeletedRange) -> bool) {
        self.by_column.retain(|_, ranges| retain(ranges, &is_needed));
        self.by_set.retain_mut(|(_, ranges)| retain(ranges, &is_needed));
    }

    /// Position of the newest that was ever added.
    pub(crate) fn newest(&self) -> Seq {
        self.newest
    }

    /// Ranges of time, counted for each column and each set that they are kept with.
    pub(crate) fn len(&self) -> usize {
        let of_sets = self.by_set.iter().map(|(_, ranges)| ranges);
        self.by_column.values().chain(of_sets).map(|ranges| ranges.iter().len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.by_column.is_empty() && self.by_set.is_empty()
    }

    /// True when a value of some column at `first..=last`, if not newer than `last_seq`, may be deleted.
    fn meet(&self, first: TimestampNs, last: TimestampNs, last_seq: Seq) -> bool {
        let of_sets = self.by_set.iter().map(|(_, ranges)| ranges);
        self.by_column.values().chain(of_sets).any(|ranges| ranges.meet(first, last, last_seq))
    }

    /// True when one is about a chunk of a file in which nothing is newer than `last_seq`.
    fn meet_chunks(&self, index: &Index, last_seq: Seq) -> bool {
        let mut of_columns = index.columns.iter().flat_map(|c| self.of(c.id).map(|ranges| (c.id, ranges)));
        of_columns
            .any(|(id, ranges)| index.chunks_of(id).any(|(_, times)| ranges.meet(times.first, times.last, last_seq)))
    }

    fn of(&self, column: ColumnId) -> impl Iterator<Item = &Arc<DeletedRanges>> {
        let of_sets = self.by_set.iter().filter(move |(set, _)| set.contains(column.0)).map(|(_, ranges)| ranges);
        self.by_column.get(&column).into_iter().chain(of_sets)
    }

    /// The ranges of a set of columns, and how much memory a new one takes.
    fn ranges_of_set(&mut self, set: RoaringBitmap) -> (&mut Arc<DeletedRanges>, usize) {
        let known = self.by_set.iter().position(|(known, _)| known.len() == set.len() && **known == set);
        let place = known.unwrap_or(self.by_set.len());
        let taken = if known.is_none() { ENTRY_BYTES + set.serialized_size() } else { 0 };
        if known.is_none() {
            self.by_set.push((Arc::new(set), Arc::default()));
        }
        #[expect(clippy::indexing_slicing, reason = "it was found there, or put there")]
        let (_, ranges) = &mut self.by_set[place];
        (ranges, taken)
    }
}

fn absorb(known: &mut Arc<DeletedRanges>, later: &DeletedRanges) {
    let known = Arc::make_mut(known);
    later.iter().for_each(|deleted| known.add(*deleted));
}

/// False when nothing is left.
fn retain(ranges: &mut Arc<DeletedRanges>, is_needed: &impl Fn(&DeletedRange) -> bool) -> bool {
    if !ranges.iter().all(is_needed) {
        Arc::make_mut(ranges).retain(is_needed);
    }
    ranges.iter().len() > 0
}

#[cfg(test)]
mod tests;
