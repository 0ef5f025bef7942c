//! From a journal record to samples of watched columns: each column's in the order of their times, of equal times the last.

use ::events::{Added, Detector, Event};
use model::wire::{BatchVisitor, WireError, decode};
use model::{ColumnId, FieldValue, TimeRange, TimestampNs};

use super::columns::Columns;

/// A detector, and what is known of columns; memory is used again.
pub(super) struct Samples {
    columns: Columns,
    pub(super) detector: Detector,
    /// By column.
    known: Vec<Known>,
    found: Vec<Sample>,
    times: Vec<TimestampNs>,
    values: Vec<f64>,
    /// Columns were refused because too many are watched.
    pub(super) is_full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Known {
    #[default]
    NotAsked,
    Watched,
    Unwatched,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    column: ColumnId,
    time: TimestampNs,
    value: f64,
}

impl Samples {
    pub(super) fn new(columns: Columns, detector: Detector) -> Self {
        let (known, found, times, values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { columns, detector, known, found, times, values, is_full: false }
    }

    /// Looks at a record; adds what there is to tell.
    ///
    /// # Errors
    /// The record cannot be decoded; what stands before the fault was looked at.
    pub(super) fn take(&mut self, payload: &[u8], out: &mut Vec<Event>) -> Result<(), WireError> {
        self.found.clear();
        let outcome = decode(payload, &mut Collector(self));
        // Stable: of equal times the last one counts, as in the store.
        self.found.sort_by_key(|sample| (sample.column, sample.time));
        let found = std::mem::take(&mut self.found);
        for samples in found.chunk_by(|a, b| a.column == b.column) {
            self.feed(samples, out);
        }
        self.found = found;
        outcome
    }

    fn feed(&mut self, samples: &[Sample], out: &mut Vec<Event>) {
        let Some(first) = samples.first() else { return };
        self.times.clear();
        self.values.clear();
        for same in samples.chunk_by(|a, b| a.time == b.time) {
            if let Some(last) = same.last() {
                self.times.push(last.time);
                self.values.push(last.value);
            }
        }
        self.detector.feed(first.column.0, &self.times, &self.values, out);
    }

    fn is_watched(&mut self, column: ColumnId) -> bool {
        let place = column.0 as usize;
        if self.known.len() <= place {
            self.known.resize(place + 1, Known::NotAsked);
        }
        match self.known.get(place) {
            Some(Known::Watched) => true,
            Some(Known::Unwatched) => false,
            _ => self.ask(column),
        }
    }

    fn ask(&mut self, column: ColumnId) -> bool {
        let added = self.columns.watch(column).map(|watch| self.detector.add(column.0, watch));
        self.is_full |= added == Some(Added::Full);
        let is_watched = added.is_some_and(|added| added != Added::Full);
        if let Some(known) = self.known.get_mut(column.0 as usize) {
            *known = if is_watched { Known::Watched } else { Known::Unwatched };
        }
        is_watched
    }

    /// Forgets columns that were dropped.
    pub(super) fn forget_dropped(&mut self) {
        for (column, known) in (0..).zip(self.known.iter_mut()) {
            if *known == Known::Watched && !self.columns.knows(ColumnId(column)) {
                *known = Known::Unwatched;
                self.detector.remove(column);
            }
        }
    }
}

/// Takes the numbers of watched columns; what was deleted is not taken back.
struct Collector<'a>(&'a mut Samples);

impl BatchVisitor for Collector<'_> {
    fn value(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'_>) {
        let value = match value {
            FieldValue::Float(value) => value,
            FieldValue::Integer(value) => value as f64,
            FieldValue::Unsigned(value) => value as f64,
            FieldValue::Boolean(_) | FieldValue::String(_) => return,
        };
        if self.0.is_watched(column) {
            self.0.found.push(Sample { column, time, value });
        }
    }

    fn delete(&mut self, _: &[ColumnId], _: TimeRange) {}
}
