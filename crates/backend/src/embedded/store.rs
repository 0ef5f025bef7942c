//! The embedded engine as a [`Store`]: names come from the catalog, points from the engine.

use std::ops::ControlFlow;
use std::sync::Arc;

use catalog::{FieldInfo, MetaError, Names, TagCondition, TagWanted};
use engine::{ChunkSummary, ScanCache};
use model::key::SeriesKey;
use model::{BucketId, ColumnId, FieldValue, MeasurementId, SeriesId, TimeRange, TimestampNs};
use query::scan::ScanReport;
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries, TagMatch};
use query::{Parts, Piece, QueryError, Summary, Wish};

use super::Embedded;
use super::cutoffs::Cutoffs;

impl Store for Embedded {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        self.catalog.measurements_of(&place.database, place.policy.as_deref()).map_err(not_found)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        let bucket = self.bucket(place, measurement)?;
        let names = self.catalog.read();
        let Some(id) = names.measurement(bucket, measurement) else { return Ok(Schema::default()) };
        let known = names.fields(id).iter().filter(|f| !f.name.is_empty());
        let mut fields: Vec<_> = known.map(|f| (f.name.clone(), f.kind)).collect();
        fields.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(Schema { fields, tags: names.tag_keys(id) })
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        let bucket = self.bucket(place, &query.measurement)?;
        let names = self.catalog.read();
        let Some(measurement) = names.measurement(bucket, &query.measurement) else { return Ok(Vec::new()) };
        let wanted = Wanted::new(&names, measurement, query);
        let chosen = chosen(&names, measurement, query);
        Ok(chosen.into_iter().filter_map(|series| wanted.take(&names, series)).collect())
    }

    fn warnings(&self) -> Vec<String> {
        self.missing_files()
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(EngineReader { embedded: self, cutoffs: self.cutoffs(), cache: ScanCache::default() })
    }
}

impl Embedded {
    fn bucket(&self, place: &Place, measurement: &str) -> Result<BucketId, QueryError> {
        self.catalog.bucket_for(&place.database, place.policy.as_deref(), measurement).map_err(not_found)
    }
}

fn not_found(e: MetaError) -> QueryError {
    match e {
        MetaError::DatabaseNotFound(name) => QueryError::NotFound { what: "database", name },
        MetaError::PolicyNotFound(name) => QueryError::NotFound { what: "retention policy", name },
        other => QueryError::Store(other.to_string()),
    }
}

/// Series that fulfil the conditions on tags.
fn chosen(names: &Names, measurement: MeasurementId, query: &SeriesQuery) -> Vec<SeriesId> {
    let tests: Vec<_> = query.filter.iter().map(|c| |value: &str| c.matches.accepts(value)).collect();
    let conditions: Vec<TagCondition<'_>> = query
        .filter
        .iter()
        .zip(&tests)
        .map(|(condition, test)| TagCondition {
            key: &condition.key,
            wanted: match &condition.matches {
                TagMatch::In(values) => TagWanted::In(values),
                TagMatch::NotIn(values) => TagWanted::NotIn(values),
                TagMatch::Like(_) | TagMatch::NotLike(_) => TagWanted::Test(test),
            },
        })
        .collect();
    names.select(measurement, &conditions)
}

/// What is to be told of each series.
struct Wanted<'a> {
    tags: &'a [String],
    /// Index of each field wanted; `None` for one that the measurement does not have.
    fields: Vec<Option<u16>>,
    without_fields: bool,
}

impl<'a> Wanted<'a> {
    fn new(names: &Names, measurement: MeasurementId, query: &'a SeriesQuery) -> Self {
        let known = names.fields(measurement);
        let fields = query.fields.iter().map(|name| index_of(known, name)).collect();
        Self { tags: &query.tags, fields, without_fields: query.without_fields }
    }

    /// `None` for a series that has none of the fields, unless such are wanted, too.
    fn take(&self, names: &Names, series: SeriesId) -> Option<StoredSeries> {
        let known = names.columns_of(series);
        let column = |field: u16| {
            let place = known.binary_search_by_key(&field, |(index, _)| *index).ok()?;
            known.get(place).map(|(_, id)| *id)
        };
        let columns: Vec<Option<ColumnId>> = self.fields.iter().map(|field| column((*field)?)).collect();
        if !self.without_fields && columns.iter().all(Option::is_none) {
            return None;
        }
        Some(StoredSeries { tags: self.tags_of(names.series_key(series)?), columns })
    }

    fn tags_of(&self, key: &[u8]) -> Vec<Option<String>> {
        let mut found = vec![None; self.tags.len()];
        if found.is_empty() {
            return found;
        }
        let Ok(key) = SeriesKey::parse(key) else { return found };
        for (name, value) in key.tags() {
            if let Some(slot) = self.tags.iter().position(|tag| *tag == name).and_then(|place| found.get_mut(place)) {
                *slot = Some(value.into_owned());
            }
        }
        found
    }
}

fn index_of(fields: &[FieldInfo], name: &str) -> Option<u16> {
    fields.iter().position(|field| field.name == name).and_then(|index| u16::try_from(index).ok())
}

/// One thread's way to the points.
struct EngineReader<'a> {
    embedded: &'a Embedded,
    cutoffs: Arc<Cutoffs>,
    cache: ScanCache,
}

impl EngineReader<'_> {
    /// The part of a range that the column's retention policy keeps.
    fn kept(&self, column: ColumnId, range: TimeRange) -> TimeRange {
        self.cutoffs.cut(&self.embedded.catalog, column, range)
    }
}

impl Reader for EngineReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        let range = self.kept(column, range);
        if range.is_empty() {
            return ScanReport::default();
        }
        let suffices = |first, last| wish.takes(first, last, Parts::BASIC);
        let visit = &mut |piece: engine::Piece<'_>| match piece {
            engine::Piece::Points { times, values } => visit(Piece::Points { times, values }),
            engine::Piece::Summary(summary) => visit(Piece::Summary(&to_query(&summary))),
        };
        let report = self.embedded.engine.scan(column, range, &mut self.cache, &suffices, visit);
        ScanReport { damaged: report.damaged }
    }

    fn kept_since(&mut self, column: ColumnId) -> TimestampNs {
        self.cutoffs.cut(&self.embedded.catalog, column, TimeRange::ALL).start
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        let range = self.kept(column, range);
        if range.is_empty() {
            return ScanReport::default();
        }
        ScanReport { damaged: self.embedded.engine.latest(column, range, &mut self.cache, visit).damaged }
    }

    fn extents(&mut self, column: ColumnId, range: TimeRange, out: &mut Vec<Extent>) {
        let range = self.kept(column, range);
        if range.is_empty() {
            return;
        }
        let mut found = Vec::new();
        self.embedded.engine.extents(column, range, &mut self.cache, &mut found);
        out.extend(found.iter().map(|e| Extent { first: e.first, last: e.last, count: e.count }));
    }
}

/// What the engine knows of a chunk, as a query takes it.
fn to_query(chunk: &ChunkSummary) -> Summary {
    Summary {
        count: chunk.count,
        first_time: chunk.first_time,
        last_time: chunk.last_time,
        sum: chunk.sum,
        min: chunk.min,
        max: chunk.max,
        first: chunk.first,
        last: chunk.last,
        ..Summary::default()
    }
}
