//! A measurement's day in the store, as rows.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use catalog::Catalog;
use engine::{Engine, Piece, ScanCache};
use model::key::SeriesKey;
use model::{ColumnId, FieldType, MeasurementId, TimeRange, TimestampNs, Values};

use crate::error::Error;
use crate::rows::{Field, Rows};

/// Series looked up at a time, so that writers do not wait for long.
const SERIES_AT_ONCE: usize = 1024;
/// Values of one series held at a time, about.
const MAX_VALUES: usize = 1 << 20;
/// Of one column at least.
const MIN_VALUES: usize = 1024;
/// Damaged parts that are remembered.
const MAX_DAMAGED: usize = 20;

/// The series of a measurement that have values in a range: as large as their keys, whatever the number of values.
pub(crate) struct Plan {
    range: TimeRange,
    tags: Vec<String>,
    fields: Vec<Field>,
    /// By the bytes of their keys.
    series: Vec<PlannedSeries>,
}

struct PlannedSeries {
    key: Vec<u8>,
    columns: Vec<PlannedColumn>,
}

#[derive(Clone, Copy)]
struct PlannedColumn {
    id: ColumnId,
    /// Index in the catalog; then among the plan's fields.
    field: usize,
    kind: FieldType,
}

impl Plan {
    /// Looks for what has values in `range`; nothing is decoded where the indexes tell. Ends with [`Error::Stopped`] soon after `stop`
    /// is set.
    pub(crate) fn new(
        catalog: &Catalog,
        engine: &Engine,
        measurement: MeasurementId,
        range: TimeRange,
        stop: &AtomicBool,
    ) -> Result<Self, Error> {
        let mut cache = ScanCache::default();
        let all = catalog.read().series_of(measurement).to_vec();
        let mut series = Vec::new();
        for some in all.chunks(SERIES_AT_ONCE) {
            if stop.load(Relaxed) {
                return Err(Error::Stopped);
            }
            let names = catalog.read();
            let known = some.iter().filter_map(|id| {
                let columns = names.columns_of(*id).iter().filter_map(|(field, id)| {
                    let kind = names.column_info(*id)?.kind;
                    Some(PlannedColumn { id: *id, field: usize::from(*field), kind })
                });
                Some(PlannedSeries { key: names.series_key(*id)?.to_vec(), columns: columns.collect() })
            });
            let known: Vec<_> = known.collect();
            drop(names);
            for mut one in known {
                one.columns.retain(|column| engine.has_values(column.id, range, &mut cache));
                if !one.columns.is_empty() {
                    series.push(one);
                }
            }
        }
        series.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        let names = catalog.read();
        let known = names.fields(measurement);
        let name = |column: &PlannedColumn| known.get(column.field).map_or_else(String::new, |f| f.name.clone());
        let field = |column: &PlannedColumn| Field { name: name(column), kind: column.kind };
        let fields: BTreeSet<Field> = series.iter().flat_map(|s| &s.columns).map(field).collect();
        let fields: Vec<Field> = fields.into_iter().collect();
        for column in series.iter_mut().flat_map(|s| &mut s.columns) {
            column.field = fields.binary_search(&field(column)).unwrap_or(usize::MAX);
        }
        Ok(Self { range, tags: tags_of(&series), fields, series })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

fn tags_of(series: &[PlannedSeries]) -> Vec<String> {
    let mut tags = BTreeSet::new();
    for one in series {
        let Ok(key) = SeriesKey::parse(&one.key) else { continue };
        for (name, _) in key.tags() {
            if !tags.contains(name.as_ref()) {
                tags.insert(name.into_owned());
            }
        }
    }
    tags.into_iter().collect()
}

/// The rows of a plan. Of one series so much is held as is decoded at a time, see [`MAX_VALUES`].
pub(crate) struct StoreRows<'a> {
    engine: &'a Engine,
    plan: &'a Plan,
    damaged: &'a mut Vec<String>,
    cache: ScanCache,
    /// The series under way, and where what is held of it ends.
    at: usize,
    held_to: TimestampNs,
    held: Vec<Held>,
    time: Option<TimestampNs>,
    /// Values held at a time, and of one column at least.
    limits: (usize, usize),
}

/// Points of a column, up to `held_to`.
struct Held {
    field: usize,
    times: Vec<TimestampNs>,
    values: Values,
    /// The first one that has not been given.
    at: usize,
}

impl<'a> StoreRows<'a> {
    /// What cannot be read is left out and told in `damaged`.
    pub(crate) fn new(engine: &'a Engine, plan: &'a Plan, damaged: &'a mut Vec<String>) -> Self {
        let (cache, held_to, limits) = (ScanCache::default(), plan.range.start, (MAX_VALUES, MIN_VALUES));
        Self { engine, plan, damaged, cache, at: 0, held_to, held: Vec::new(), time: None, limits }
    }

    /// Holds the next part of the series under way, or of the next one; false after the last.
    fn load(&mut self) -> bool {
        if self.held_to >= self.plan.range.end {
            self.at += 1;
            self.held_to = self.plan.range.start;
        }
        let Some(series) = self.plan.series.get(self.at) else { return false };
        let (max, min) = self.limits;
        let most = (max / series.columns.len().max(1)).max(min);
        let mut range = TimeRange::new(self.held_to, self.plan.range.end);
        self.held.clear();
        for column in &series.columns {
            let held = self.read(*column, range, most);
            // The others are held no further than this one.
            if let Some(last) = held.times.last().filter(|_| held.times.len() >= most) {
                range.end = range.end.min(last.saturating_add(1));
            }
            self.held.push(held);
        }
        for held in &mut self.held {
            held.times.truncate(held.times.partition_point(|t| *t < range.end));
        }
        self.held_to = range.end;
        true
    }

    fn read(&mut self, column: PlannedColumn, range: TimeRange, most: usize) -> Held {
        let mut held = Held { field: column.field, times: Vec::new(), values: Values::new(column.kind), at: 0 };
        let report = self.engine.scan(column.id, range, &mut self.cache, &|_, _| false, &mut |piece| {
            let Piece::Points { times, values } = piece else { return ControlFlow::Continue(()) };
            let count = times.len().min(most.saturating_sub(held.times.len()));
            if held.values.append(&values.slice(0, count)) {
                held.times.extend_from_slice(times.get(..count).unwrap_or_default());
            }
            if held.times.len() >= most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        for damage in report.damaged {
            if self.damaged.len() < MAX_DAMAGED && !self.damaged.contains(&damage) {
                self.damaged.push(damage);
            }
        }
        held
    }
}

impl Rows for StoreRows<'_> {
    fn tags(&self) -> &[String] {
        &self.plan.tags
    }

    fn fields(&self) -> &[Field] {
        &self.plan.fields
    }

    fn advance(&mut self) -> Result<bool, Error> {
        if let Some(time) = self.time {
            self.held.iter_mut().filter(|held| held.time() == Some(time)).for_each(|held| held.at += 1);
        }
        loop {
            self.time = self.held.iter().filter_map(Held::time).min();
            if self.time.is_some() {
                return Ok(true);
            }
            if !self.load() {
                return Ok(false);
            }
        }
    }

    fn series(&self) -> &[u8] {
        self.plan.series.get(self.at).map_or(&[], |s| &s.key)
    }

    fn time(&self) -> TimestampNs {
        self.time.unwrap_or(TimestampNs::MIN)
    }

    fn values(&self, visit: &mut dyn FnMut(usize, model::FieldValue<'_>)) {
        for held in self.held.iter().filter(|held| held.time() == self.time) {
            if let Some(value) = held.values.get(held.at) {
                visit(held.field, value);
            }
        }
    }
}

impl Held {
    fn time(&self) -> Option<TimestampNs> {
        self.times.get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::sync::Arc;

    use catalog::Wanted;
    use engine::EngineConfig;
    use model::wire::BatchEncoder;
    use model::{FieldValue, Seq};
    use proptest::prelude::*;
    use vfs::{FaultFs, Fs};

    use super::*;

    const KEYS: [&[u8]; 3] = [b"m", b"m,a=1", b"m,a=2"];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn rows_are_the_same_however_little_is_held(
            points in prop::collection::btree_map((0..KEYS.len(), 0i64..40, 0usize..3), any::<i64>(), 0..80),
            at_once in 1usize..9,
        ) {
            let fs: Arc<dyn Fs> = Arc::new(FaultFs::new());
            let catalog = Arc::new(Catalog::open(Arc::clone(&fs), Path::new("c")).unwrap().0);
            let engine = Engine::open(fs, Path::new("e"), Arc::clone(&catalog), EngineConfig::default()).unwrap().0;
            let bucket = catalog.ensure_bucket("d", "p").unwrap();
            let fields = ["x", "y", "z"];
            for key in KEYS {
                catalog.define(bucket, &fields.map(|field| Wanted { key, field, kind: FieldType::Integer })).unwrap();
            }
            let column = |key: &[u8], field: &str| {
                let names = catalog.read();
                names.column(names.series(bucket, key).unwrap(), 0, field).unwrap().0
            };
            for (i, ((key, time, field), value)) in points.iter().enumerate() {
                let mut encoder = BatchEncoder::default();
                encoder.push(column(KEYS[*key], fields[*field]), TimestampNs(*time), FieldValue::Integer(*value));
                engine.apply(Seq(i as u64 + 1), &encoder.finish()).unwrap();
            }
            let range = TimeRange::new(TimestampNs(5), TimestampNs(35));
            let measurement = catalog.read().measurement(bucket, "m").unwrap();
            let stop = AtomicBool::new(false);
            let plan = Plan::new(&catalog, &engine, measurement, range, &stop).unwrap();
            let mut damaged = Vec::new();
            let mut rows = StoreRows::new(&engine, &plan, &mut damaged);
            rows.limits = (at_once, 1);
            let mut found = BTreeMap::new();
            let mut last = None;
            while rows.advance().unwrap() {
                let here = Some((rows.series().to_vec(), rows.time()));
                prop_assert!(last < here, "rows ascend");
                let key = KEYS.iter().position(|key| *key == rows.series()).unwrap();
                rows.values(&mut |field, value| {
                    let FieldValue::Integer(value) = value else { panic!("{value:?}") };
                    let field = fields.iter().position(|name| *name == plan.fields[field].name).unwrap();
                    found.insert((key, rows.time().0, field), value);
                });
                last = here;
            }
            let expected: BTreeMap<_, _> = points.into_iter().filter(|((_, t, _), _)| (5..35).contains(t)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
