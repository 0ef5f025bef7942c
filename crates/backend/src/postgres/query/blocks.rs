//! What was fetched for several series at once, until each of them has been asked for. Neighbouring series are mostly asked for one after
//! the other, and one statement for many is much cheaper than many. Bounded: beyond that each series is fetched by itself.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use model::TimeRange;

/// Rows held at once, of all blocks of a query; some 100 MB.
pub(super) const ROWS_MAX: usize = 1_000_000;
/// Rows that a block should have. Where a block has many series, PostgreSQL reads the whole table, block after block: the fewer the
/// better.
const BLOCK_ROWS: usize = 262_144;
/// Series of a block, at most.
const BLOCK_SERIES_MAX: usize = 16_384;

/// What a block holds: of which table, which of its blocks, which field and which times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) origin: usize,
    pub(super) block: usize,
    pub(super) field: usize,
    pub(super) range: TimeRange,
}

/// Series that are fetched together when each has about so many rows.
pub(super) fn block_len(rows_each: usize) -> usize {
    (BLOCK_ROWS / rows_each.max(1)).clamp(1, BLOCK_SERIES_MAX)
}

/// Blocks of rows of one kind.
pub(super) struct Blocks<T> {
    slots: Mutex<HashMap<Key, Arc<Slot<T>>>>,
    held: AtomicUsize,
}

/// One block: fetched by the first who asks, while the others wait.
struct Slot<T> {
    rows: OnceLock<Option<Fetched<T>>>,
    /// Series that have not been asked for.
    left: AtomicUsize,
}

/// Rows in the order of their series.
pub(super) struct Fetched<T> {
    rows: Vec<T>,
    by_series: HashMap<i32, Range<usize>>,
}

impl<T> Fetched<T> {
    pub(super) fn new(rows: Vec<T>, series_of: impl Fn(&T) -> i32) -> Self {
        let mut by_series = HashMap::new();
        let mut start = 0;
        for part in rows.chunk_by(|a, b| series_of(a) == series_of(b)) {
            if let Some(first) = part.first() {
                by_series.insert(series_of(first), start..start + part.len());
            }
            start += part.len();
        }
        Self { rows, by_series }
    }

    /// The rows of one series.
    pub(super) fn of(&self, series: i32) -> &[T] {
        self.by_series.get(&series).and_then(|range| self.rows.get(range.clone())).unwrap_or_default()
    }
}

impl<T> Default for Blocks<T> {
    fn default() -> Self {
        Self { slots: Mutex::default(), held: AtomicUsize::new(0) }
    }
}

impl<T> Blocks<T> {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Arc<Slot<T>>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the block, which has `len` series, to `work`, fetched by `fetch` where it is not there; `None` where that gave none.
    pub(super) fn with<R>(
        &self,
        key: Key,
        len: usize,
        fetch: impl FnOnce() -> Option<Fetched<T>>,
        work: impl FnOnce(&Fetched<T>) -> R,
    ) -> Option<R> {
        let slot = Arc::clone(
            self.lock()
                .entry(key)
                .or_insert_with(|| Arc::new(Slot { rows: OnceLock::new(), left: AtomicUsize::new(len) })),
        );
        let fetched = slot.rows.get_or_init(|| {
            let fetched = fetch();
            self.held.fetch_add(fetched.as_ref().map_or(0, |f| f.rows.len()), Ordering::Relaxed);
            fetched
        });
        let result = fetched.as_ref().map(work);
        if slot.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.lock().remove(&key);
            self.held.fetch_sub(fetched.as_ref().map_or(0, |f| f.rows.len()), Ordering::Relaxed);
        }
        result
    }

    /// Whether so much is held that no further block should be fetched.
    pub(super) fn is_full(&self, key: Key) -> bool {
        self.held.load(Ordering::Relaxed) >= ROWS_MAX && !self.lock().contains_key(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn a_block_is_fetched_once_and_forgotten_when_all_have_asked() {
        let blocks = Blocks::default();
        let key = Key { origin: 0, block: 0, field: 0, range: TimeRange::ALL };
        let fetches = Cell::new(0);
        let ask = |series: i32| {
            let fetch = || {
                fetches.set(fetches.get() + 1);
                Some(Fetched::new(vec![(1, 'a'), (1, 'b'), (3, 'c')], |row| row.0))
            };
            blocks.with(key, 3, fetch, |fetched| fetched.of(series).to_vec()).unwrap()
        };
        assert_eq!(ask(1), [(1, 'a'), (1, 'b')]);
        assert_eq!(ask(2), []);
        assert_eq!((fetches.get(), blocks.held.load(Ordering::Relaxed)), (1, 3));
        assert_eq!(ask(3), [(3, 'c')]);
        assert_eq!((fetches.get(), blocks.held.load(Ordering::Relaxed)), (1, 0));
        assert!(blocks.lock().is_empty());
        ask(1);
        assert_eq!(fetches.get(), 2, "asked for again, it is fetched again");
    }

    #[test]
    fn blocks_are_as_large_as_their_rows_allow() {
        assert_eq!(block_len(1), BLOCK_SERIES_MAX);
        assert_eq!(block_len(1000), 262);
        assert_eq!(block_len(usize::MAX), 1);
    }
}
