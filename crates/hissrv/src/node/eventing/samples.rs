//! From a journal record to samples of watched columns: each column's in the order of their times, of equal times the last. A sample of
//! the future is left out: behind it all others of its column would be late for as long. If the next one is later still, time goes on there, and it is
//! our clock that is behind.

use std::collections::HashMap;

use ::events::{Added, Detector, Event, Standpoint};
use model::wire::{BatchVisitor, WireError, decode};
use model::{ColumnId, FieldValue, TimeRange, TimestampNs};

use super::columns::Columns;

/// Samples so far ahead of our clock are of the future; other machines' clocks may be wrong by less.
const AHEAD_MAX_NS: i64 = 3600 * 1_000_000_000;

/// A detector, and what is known of columns; memory is used again.
pub(super) struct Samples {
    columns: Columns,
    clock: fn() -> TimestampNs,
    /// Samples from here on are of the future.
    end: TimestampNs,
    /// The newest sample of the future of each column whose newest sample is one.
    suspects: HashMap<ColumnId, TimestampNs>,
    /// Samples of the future that were left out.
    pub(super) ahead: u64,
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
    pub(super) fn new(columns: Columns, detector: Detector, clock: fn() -> TimestampNs) -> Self {
        let (known, found, times, values) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (end, suspects, ahead, is_full) = (TimestampNs::MIN, HashMap::new(), 0, false);
        Self { columns, clock, end, suspects, ahead, detector, known, found, times, values, is_full }
    }

    /// Looks at a record; adds what there is to tell.
    ///
    /// # Errors
    /// The record cannot be decoded; what stands before the fault was looked at.
    pub(super) fn take(&mut self, payload: &[u8], out: &mut Vec<Event>) -> Result<(), WireError> {
        self.found.clear();
        self.end = (self.clock)().saturating_add(AHEAD_MAX_NS);
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

    /// Lets a column go on where history has it after samples that were passed over. What reaches into the future is left alone, as its samples
    /// are.
    pub(super) fn overtake(&mut self, column: ColumnId, standpoint: Standpoint) -> bool {
        let end = (self.clock)().saturating_add(AHEAD_MAX_NS);
        standpoint.last().is_some_and(|last| last < end) && self.detector.overtake(column.0, standpoint)
    }

    /// False for a sample of the future, unless it follows another one.
    fn is_of_its_time(&mut self, column: ColumnId, time: TimestampNs) -> bool {
        if time < self.end {
            if !self.suspects.is_empty() {
                self.suspects.remove(&column);
            }
            return true;
        }
        let before = self.suspects.insert(column, time);
        let goes_on = before.is_some_and(|before| before < time);
        self.ahead += u64::from(!goes_on);
        goes_on
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
        if self.0.is_watched(column) && self.0.is_of_its_time(column, time) {
            self.0.found.push(Sample { column, time, value });
        }
    }

    fn delete(&mut self, _: &[ColumnId], _: TimeRange) {}
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use ::events::{Config, Rules, Source};
    use catalog::{Catalog, PolicySpec, Wanted};
    use model::FieldType;
    use model::wire::BatchEncoder;
    use vfs::FaultFs;

    use super::*;

    const VM: &str = "vm_metrics,metric=cpu_usage,node_id=vm-1,node_type=VM";
    const LOG: &str = "node_logs,level=INFO,metric=cpu_usage,node_id=vm-1,node_type=VM,source=info";

    /// Defines a column of the database `d`.
    fn column(catalog: &Catalog, policy: &str, key: &str, kind: FieldType) -> ColumnId {
        let bucket = catalog.bucket_of("d", Some(policy)).unwrap();
        catalog.define(bucket, &[Wanted { key: key.as_bytes(), field: "value", kind }]).unwrap();
        let names = catalog.read();
        names.column(names.series(bucket, key.as_bytes()).unwrap(), 0, "value").unwrap().0
    }

    fn catalog() -> Arc<Catalog> {
        let catalog = Catalog::open(Arc::new(FaultFs::default()), Path::new("catalog")).unwrap().0;
        catalog.create_database("d", None).unwrap();
        catalog.create_policy("d", "other", &PolicySpec::default(), false).unwrap();
        Arc::new(catalog)
    }

    fn samples(catalog: &Arc<Catalog>) -> Samples {
        let rules = Rules::new(&Config::default()).unwrap();
        let detector = Detector::new(&rules);
        Samples::new(Columns::new(Arc::clone(catalog), rules, "d"), detector, || TimestampNs(1_000))
    }

    fn take(samples: &mut Samples, column: ColumnId, points: &[(i64, FieldValue<'_>)]) -> Vec<Event> {
        let (mut encoder, mut events) = (BatchEncoder::default(), Vec::new());
        points.iter().for_each(|(time, value)| encoder.push(column, TimestampNs(*time), *value));
        samples.take(&encoder.finish(), &mut events).unwrap();
        events
    }

    #[test]
    fn within_a_record_order_does_not_matter_and_the_last_of_equal_times_counts() {
        let catalog = catalog();
        let (mut samples, column) = (samples(&catalog), column(&catalog, "autogen", VM, FieldType::Float));
        let points = [(30, 50.0), (20, 99.0), (10, 50.0), (20, 85.0)].map(|(time, v)| (time, FieldValue::Float(v)));
        let events = take(&mut samples, column, &points);
        let told: Vec<_> =
            events.iter().filter(|e| e.source == Source::Threshold).map(|e| (e.time.0, e.value)).collect();
        assert_eq!(told, [(20, Some(85.0)), (30, Some(50.0))]);
        assert_eq!((samples.detector.stats().samples, samples.detector.stats().late), (3, 0));
        take(&mut samples, column, &points);
        assert_eq!(samples.detector.stats().late, 3);
    }

    #[test]
    fn a_sample_of_the_future_does_not_make_those_of_the_present_late() {
        let catalog = catalog();
        let (mut samples, column) = (samples(&catalog), column(&catalog, "autogen", VM, FieldType::Float));
        let wrong = 1_000 + AHEAD_MAX_NS;
        assert_eq!(take(&mut samples, column, &[(wrong, FieldValue::Float(99.0))]), []);
        let events = take(&mut samples, column, &[(20, FieldValue::Float(99.0)), (wrong, FieldValue::Float(1.0))]);
        assert_eq!(events.iter().map(|event| event.time.0).collect::<Vec<_>>(), [20, 20]);
        assert_eq!((samples.detector.stats().late, samples.ahead), (0, 2));
        take(&mut samples, column, &[(wrong - 1, FieldValue::Float(99.0))]);
        assert_eq!(samples.detector.stats().samples, 2);
    }

    #[test]
    fn samples_that_go_on_in_the_future_are_taken_as_our_clock_may_be_behind() {
        let catalog = catalog();
        let (mut samples, column) = (samples(&catalog), column(&catalog, "autogen", VM, FieldType::Float));
        let later = |n: i64| 1_000 + AHEAD_MAX_NS + n;
        for n in [5, 5, 6, 7] {
            take(&mut samples, column, &[(later(n), FieldValue::Float(99.0))]);
        }
        assert_eq!((samples.detector.stats().samples, samples.ahead), (2, 2));
    }

    #[test]
    fn events_themselves_other_policies_and_texts_are_not_watched_and_dropped_columns_are_forgotten() {
        let catalog = catalog();
        let mut samples = samples(&catalog);
        let float = FieldValue::Float(99.0);
        let text = VM.replace("vm_m", "host_m");
        for (policy, key, kind, value) in [
            ("other", VM, FieldType::Float, float),
            ("autogen", LOG, FieldType::Float, float),
            ("autogen", &text, FieldType::String, FieldValue::String("99")),
        ] {
            let column = column(&catalog, policy, key, kind);
            assert_eq!(take(&mut samples, column, &[(1, value)]), [], "{policy} {key}");
        }
        assert!(samples.detector.is_empty());
        let column = column(&catalog, "autogen", VM, FieldType::Integer);
        assert_ne!(take(&mut samples, column, &[(1, FieldValue::Integer(99))]), []);
        samples.forget_dropped();
        assert_eq!(samples.detector.len(), 1);
        catalog.drop_database("d").unwrap();
        samples.forget_dropped();
        assert!(samples.detector.is_empty());
    }
}
