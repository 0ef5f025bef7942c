//! What an import has done so far; counted by all threads, read by whoever shows it.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use serde::{Deserialize, Serialize};

/// Counted along the way.
#[derive(Debug, Default)]
pub struct Counters {
    pub(crate) read_bytes: AtomicU64,
    pub(crate) points: AtomicU64,
    pub(crate) records: AtomicU64,
    pub(crate) empty: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) filtered: AtomicU64,
    pub(crate) batches: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) in_flight: AtomicU64,
    pub(crate) queued: AtomicU64,
}

/// The figures of one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Bytes read of the files as they are stored (compressed ones count compressed).
    pub read_bytes: u64,
    /// Points stored: lines of line protocol, which may hold several values.
    pub points: u64,
    /// Records read: lines of a text, rows of a table.
    pub records: u64,
    /// Records without any value.
    pub empty: u64,
    /// Records and points refused: they are in the file of rejects.
    pub refused: u64,
    /// Values left out because the store has no type for them.
    pub filtered: u64,
    /// Batches stored.
    pub batches: u64,
    /// Times that a batch was sent again.
    pub retries: u64,
    /// Batches being written now.
    pub in_flight: u64,
    /// Pieces that wait for a worker.
    pub queued: u64,
}

impl Snapshot {
    /// The figures of both.
    pub const fn and(&self, other: &Self) -> Self {
        Self {
            read_bytes: self.read_bytes + other.read_bytes,
            points: self.points + other.points,
            records: self.records + other.records,
            empty: self.empty + other.empty,
            refused: self.refused + other.refused,
            filtered: self.filtered + other.filtered,
            batches: self.batches + other.batches,
            retries: self.retries + other.retries,
            in_flight: self.in_flight + other.in_flight,
            queued: self.queued + other.queued,
        }
    }
}

/// What became of the records of a piece, or of all pieces up to a place; as in [`Snapshot`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) points: u64,
    pub(crate) records: u64,
    pub(crate) empty: u64,
    pub(crate) refused: u64,
    pub(crate) filtered: u64,
}

impl Tally {
    pub(crate) const fn add(&mut self, other: &Self) {
        self.points += other.points;
        self.records += other.records;
        self.empty += other.empty;
        self.refused += other.refused;
        self.filtered += other.filtered;
    }

    /// What is in `self` and not in `before`, which was counted earlier.
    pub(crate) const fn since(&self, before: &Self) -> Self {
        Self {
            points: self.points.saturating_sub(before.points),
            records: self.records.saturating_sub(before.records),
            empty: self.empty.saturating_sub(before.empty),
            refused: self.refused.saturating_sub(before.refused),
            filtered: self.filtered.saturating_sub(before.filtered),
        }
    }
}

impl Counters {
    /// Counts again from here on: everything behind is done once more, and files are gone through from the first one.
    pub(crate) fn set_back(&self, tally: &Tally) {
        self.points.store(tally.points, Relaxed);
        self.records.store(tally.records, Relaxed);
        self.empty.store(tally.empty, Relaxed);
        self.refused.store(tally.refused, Relaxed);
        self.filtered.store(tally.filtered, Relaxed);
        self.read_bytes.store(0, Relaxed);
    }

    /// The figures now.
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        Snapshot {
            read_bytes: get(&self.read_bytes),
            points: get(&self.points),
            records: get(&self.records),
            empty: get(&self.empty),
            refused: get(&self.refused),
            filtered: get(&self.filtered),
            batches: get(&self.batches),
            retries: get(&self.retries),
            in_flight: get(&self.in_flight),
            queued: get(&self.queued),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Relaxed);
}
