//! The windows of one key: which of them are known, and what the functions gave.

use std::sync::Arc;

use model::{TimeRange, TimestampNs};

use super::key::Key;
use super::ranges::Ranges;
use super::rows::{Kept, Rows};
use crate::execute::Grid;

/// What an entry takes besides what it counts: its places in the tables of the shelf, their spare room included.
const BYTES_PER_ENTRY: usize = 2 * (size_of::<Entry>() + size_of::<Key>()) + 128;
/// What a column takes in the table of columns.
const BYTES_PER_COLUMN: usize = 96;
/// After so many queries is forgotten what none of them, nor of as many before, asked for.
const QUERIES_A_GENERATION: u32 = 64;
/// More stretches than this are read as one, since each is a pass over the series.
const MAX_PIECES: usize = 16;

/// The windows of one key.
pub(super) struct Entry {
    pub(super) key: Arc<Key>,
    grid: Grid,
    /// Stretches of whole windows; of those without rows it is known that they have no points.
    known: Ranges,
    /// May hold rows outside of what is known, which count for nothing.
    rows: Kept,
    computing: Vec<Computing>,
    asked: Asked,
    /// Of the key and of the tables that know it.
    fixed_bytes: usize,
    rows_bytes: usize,
    /// When it was last used, by the clock of the shelf.
    pub(super) used: u64,
    /// As last counted by the shelf.
    pub(super) bytes: usize,
}

/// Windows that a query is computing.
struct Computing {
    number: u64,
    /// Those that nothing was written to since.
    fresh: Ranges,
}

/// What queries asked for: this generation of them and the one before.
#[derive(Default)]
struct Asked {
    now: Option<TimeRange>,
    before: Option<TimeRange>,
    queries: u32,
}

/// What an entry has of a range, and what it has not.
pub(super) struct Found {
    /// Known parts with their rows.
    pub(super) known: Vec<(TimeRange, Rows)>,
    /// The rest of the range.
    pub(super) missing: Vec<TimeRange>,
}

impl Entry {
    pub(super) fn new(key: Arc<Key>, grid: Grid) -> Self {
        let columns = key.distinct_columns().len();
        Self {
            fixed_bytes: BYTES_PER_ENTRY + key.bytes() + columns * BYTES_PER_COLUMN,
            rows: Kept::new(key.functions.len()),
            grid,
            known: Ranges::default(),
            rows_bytes: 0,
            computing: Vec::new(),
            asked: Asked::default(),
            used: 0,
            bytes: 0,
            key,
        }
    }

    /// Looks up a range, of which the `complete` parts are made of whole windows. The whole windows among what is missing are
    /// watched under `number` from now on.
    pub(super) fn begin(&mut self, number: u64, range: TimeRange, complete: &[TimeRange]) -> Found {
        let mut usable: Ranges =
            complete.iter().flat_map(|part| self.known.within(*part).iter().collect::<Vec<_>>()).collect();
        let mut missing = usable.gaps(range);
        if missing.len() > MAX_PIECES {
            let hull = hull(&missing);
            missing.add(hull);
            usable.cut(hull);
        }
        let fresh: Ranges = complete.iter().flat_map(|part| missing.within(*part).iter().collect::<Vec<_>>()).collect();
        if !fresh.is_empty() {
            self.computing.push(Computing { number, fresh });
        }
        self.asked.note(range);
        Found {
            known: usable.iter().map(|part| (part, self.rows.within(part))).collect(),
            missing: missing.iter().collect(),
        }
    }

    /// End of the windows being computed under `number`.
    pub(super) fn computing_until(&self, number: u64) -> Option<TimestampNs> {
        self.computing.iter().find(|computing| computing.number == number)?.fresh.end()
    }

    /// Takes in what was computed under `number`, as far as it is still true; `None`: it was given up.
    pub(super) fn finish(&mut self, number: u64, computed: Option<&[Rows]>) {
        let Some(at) = self.computing.iter().position(|computing| computing.number == number) else { return };
        let fresh = self.computing.swap_remove(at).fresh;
        let Some(computed) = computed else { return };
        for part in fresh.iter() {
            // A stretch of windows was computed in one piece; without points there, it is in no rows.
            let rows = computed.iter().find(|rows| rows.starts.iter().any(|start| part.contains(*start)));
            self.rows.put(part, rows.unwrap_or(&Rows::default()));
            self.known.add(part);
        }
        self.forget_unasked();
        self.rows_bytes = self.rows.bytes();
    }

    fn forget_unasked(&mut self) {
        let Some(asked) = self.asked.end_generation() else { return };
        let asked = TimeRange::new(
            asked.start.min(self.grid.containing(asked.start).start),
            asked.end.max(self.grid.containing(asked.end).end),
        );
        self.known = self.known.within(asked);
        self.rows.trim(asked);
    }

    /// A value was written: forgets its window. Gives the number of known windows with points that this made unknown.
    pub(super) fn touch(&mut self, time: TimestampNs) -> u64 {
        let is_known = self.known.contain(time);
        if !is_known && !self.computing.iter().any(|computing| computing.fresh.contain(time)) {
            return 0;
        }
        self.cut(self.grid.containing(time));
        u64::from(is_known)
    }

    /// Values were deleted: forgets all windows that `range` meets. Gives the number of known windows with points among them.
    pub(super) fn touch_all(&mut self, range: TimeRange) -> u64 {
        if range.is_empty() {
            return 0;
        }
        let last = range.end.saturating_add(-1);
        let start = range.start.min(self.grid.containing(range.start).start);
        let cut = TimeRange::new(start, range.end.max(self.grid.containing(last).end));
        let forgotten = self.known.within(cut).iter().map(|part| self.rows.count(part)).sum::<usize>();
        self.cut(cut);
        forgotten as u64
    }

    fn cut(&mut self, range: TimeRange) {
        self.known.cut(range);
        self.computing.iter_mut().for_each(|computing| computing.fresh.cut(range));
    }

    /// Memory it takes now.
    pub(super) fn measure(&self) -> usize {
        let computing = self.computing.iter().map(|computing| size_of::<Computing>() + computing.fresh.bytes());
        self.fixed_bytes + self.rows_bytes + self.known.bytes() + computing.sum::<usize>()
    }
}

impl Asked {
    fn note(&mut self, range: TimeRange) {
        self.now = Some(self.now.map_or(range, |now| union(now, range)));
        self.queries += 1;
    }

    /// What was asked for, when a generation is over.
    fn end_generation(&mut self) -> Option<TimeRange> {
        if self.queries < QUERIES_A_GENERATION {
            return None;
        }
        self.queries = 0;
        let (now, before) = (self.now.take()?, self.before);
        self.before = Some(now);
        Some(before.map_or(now, |before| union(now, before)))
    }
}

fn union(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange::new(a.start.min(b.start), a.end.max(b.end))
}

/// From the first to the last instant of a set.
fn hull(set: &Ranges) -> TimeRange {
    set.iter().reduce(union).unwrap_or(TimeRange::new(TimestampNs(0), TimestampNs(0)))
}
