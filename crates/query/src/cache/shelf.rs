//! All entries: found by their key and by their columns, the least recently used ones given up when there are too many bytes.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;
use model::{ColumnId, TimeRange, TimestampNs};

use super::entry::{Entry, Found};
use super::key::Key;
use super::rows::Rows;
use crate::execute::Grid;

/// An entry larger than this part of all memory is not kept: it would drive out everything else.
const LARGEST_PART: usize = 4;

/// Number of an entry; never used again.
pub(super) type EntryId = u64;

/// All entries.
pub(super) struct Shelf {
    max_bytes: usize,
    entries: HashMap<EntryId, Entry, RandomState>,
    by_key: HashMap<Arc<Key>, EntryId, RandomState>,
    by_column: HashMap<ColumnId, Vec<EntryId>, RandomState>,
    /// Least recently used first.
    by_use: BTreeMap<u64, EntryId>,
    bytes: usize,
    /// Counts up; gives ids, numbers, and the clock of uses.
    ticks: u64,
    evictions: u64,
}

/// What a query is to compute and to bring back under this number.
pub(super) struct Begun {
    pub(super) entry: EntryId,
    pub(super) number: u64,
    pub(super) found: Found,
    /// End of what is being computed; `None`: nothing of it would be kept.
    pub(super) until: Option<TimestampNs>,
}

impl Shelf {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            entries: HashMap::default(),
            by_key: HashMap::default(),
            by_column: HashMap::default(),
            by_use: BTreeMap::new(),
            bytes: 0,
            ticks: 0,
            evictions: 0,
        }
    }

    /// Looks up a range of a key; the entry is made when there is none.
    pub(super) fn begin(
        &mut self,
        key: Key,
        grid: impl FnOnce() -> Grid,
        range: TimeRange,
        complete: &[TimeRange],
    ) -> Begun {
        let id = match self.by_key.get(&key) {
            Some(&id) => id,
            None => self.add(Arc::new(key), grid()),
        };
        let number = self.tick();
        let nothing = Found { known: Vec::new(), missing: vec![range] };
        let Some(entry) = self.entries.get_mut(&id) else {
            return Begun { entry: id, number, found: nothing, until: None };
        };
        let found = entry.begin(number, range, complete);
        let until = entry.computing_until(number);
        self.by_use.remove(&entry.used);
        entry.used = number;
        self.by_use.insert(number, id);
        self.settle(id);
        Begun { entry: id, number, found, until }
    }

    fn add(&mut self, key: Arc<Key>, grid: Grid) -> EntryId {
        let id = self.tick();
        for column in key.distinct_columns() {
            self.by_column.entry(column).or_default().push(id);
        }
        self.by_key.insert(Arc::clone(&key), id);
        self.entries.insert(id, Entry::new(key, grid));
        id
    }

    fn tick(&mut self) -> u64 {
        self.ticks += 1;
        self.ticks
    }

    /// Takes in what was computed, or learns that it was given up.
    pub(super) fn finish(&mut self, id: EntryId, number: u64, computed: Option<&[Rows]>) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.finish(number, computed);
            self.settle(id);
        }
    }

    /// A value was written. Gives the number of windows forgotten.
    pub(super) fn touch(&mut self, column: ColumnId, time: TimestampNs) -> u64 {
        self.change(column, |entry| entry.touch(time))
    }

    /// Everything in a range was deleted. Gives the number of windows forgotten.
    pub(super) fn touch_all(&mut self, column: ColumnId, range: TimeRange) -> u64 {
        self.change(column, |entry| entry.touch_all(range))
    }

    fn change(&mut self, column: ColumnId, change: impl Fn(&mut Entry) -> u64) -> u64 {
        let Self { entries, by_column, bytes, .. } = self;
        let mut forgotten = 0;
        for id in by_column.get(&column).into_iter().flatten() {
            let Some(entry) = entries.get_mut(id) else { continue };
            forgotten += change(entry);
            count(entry, bytes);
        }
        self.shrink();
        forgotten
    }

    /// Counts the bytes of an entry anew, and gives up what is too much.
    fn settle(&mut self, id: EntryId) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        count(entry, &mut self.bytes);
        if entry.bytes > self.max_bytes / LARGEST_PART {
            self.evict(id);
        }
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.bytes > self.max_bytes
            && let Some((_, &oldest)) = self.by_use.first_key_value()
        {
            self.evict(oldest);
        }
    }

    fn evict(&mut self, id: EntryId) {
        let Some(entry) = self.entries.remove(&id) else { return };
        self.evictions += 1;
        self.bytes = self.bytes.saturating_sub(entry.bytes);
        self.by_use.remove(&entry.used);
        self.by_key.remove(&entry.key);
        for column in entry.key.distinct_columns() {
            let Some(ids) = self.by_column.get_mut(&column) else { continue };
            ids.retain(|known| *known != id);
            if ids.is_empty() {
                self.by_column.remove(&column);
            }
        }
    }

    /// Forgets everything; what is being computed is not taken in.
    pub(super) fn clear(&mut self) {
        let (ticks, evictions) = (self.ticks, self.evictions);
        *self = Self { ticks, evictions, ..Self::new(self.max_bytes) };
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) const fn evictions(&self) -> u64 {
        self.evictions
    }
}

fn count(entry: &mut Entry, bytes: &mut usize) {
    let now = entry.measure();
    *bytes = (*bytes + now).saturating_sub(entry.bytes);
    entry.bytes = now;
}
