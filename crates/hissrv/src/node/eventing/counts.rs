//! What the lane has done, for metrics and status.

use std::sync::{Mutex, PoisonError};

use ::events::{Event, Level, Source, Stats};
use model::Seq;

/// Counts of the lane, under a lock that is taken once a record.
#[derive(Default)]
pub(crate) struct Counts(Mutex<Snapshot>);

/// Totals since the start, and what is at hand now.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Snapshot {
    /// By level, then source.
    pub(crate) events: [[u64; Source::ALL.len()]; Level::ALL.len()],
    /// What became of samples.
    pub(crate) samples: Stats,
    /// Samples left out, since they are of the future.
    pub(crate) ahead: u64,
    /// The last record of the journal that was looked at.
    pub(crate) seen: Seq,
    /// Columns that are watched.
    pub(crate) columns: usize,
    /// Events that wait to be written.
    pub(crate) waiting: usize,
    /// Events given up because too many waited, or because they were refused for good.
    pub(crate) dropped: u64,
    /// Batches that had to be written again.
    pub(crate) retries: u64,
    /// Records of the journal that were lost before they were read, or cannot be read.
    pub(crate) lost_records: u64,
    /// Saved states.
    pub(crate) saves: u64,
}

impl Snapshot {
    /// Events of a level and source.
    pub(crate) fn of(&self, level: Level, source: Source) -> u64 {
        let place = |source| Source::ALL.iter().position(|known| *known == source);
        let row = Level::ALL.iter().position(|known| *known == level).and_then(|row| self.events.get(row));
        row.zip(place(source)).and_then(|(row, place)| row.get(place)).copied().unwrap_or_default()
    }

    /// Events of all levels and sources.
    pub(crate) fn total(&self) -> u64 {
        self.events.iter().flatten().sum()
    }
}

impl Counts {
    /// Changes some of them.
    pub(super) fn book(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Counts events that are durable.
    pub(super) fn book_events(&self, events: &[Event]) {
        self.book(|counts| {
            for event in events {
                let level = Level::ALL.iter().position(|known| *known == event.level);
                let source = Source::ALL.iter().position(|known| *known == event.source);
                let row = level.and_then(|level| counts.events.get_mut(level));
                if let Some(count) = row.zip(source).and_then(|(row, source)| row.get_mut(source)) {
                    *count += 1;
                }
            }
        });
    }

    /// All of them at this moment.
    pub(crate) fn read(&self) -> Snapshot {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
