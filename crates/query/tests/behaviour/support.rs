//! A store in memory: pieces of a chosen length, each with a summary, so that tests see both ways of a scan.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{ColumnId, FieldType, FieldValue, TimeRange, TimestampNs, Values};
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::{Options, execute};
use query::plan::expr::{AggregateCall, Cast, Expr, Kinds, Reference};
use query::plan::{
    Column as Selected, Dimension, FillWith, MeasurementRef, NameOrPattern, Order, Select, Source, Windowing,
};
use query::result::{Cell, QueryError, QueryResult, ResultSeries, Table};
use query::scan::{Piece, ScanReport, Summary};
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries};
use query::{Cancel, Limits, Parts, collect};

/// One column with its points.
struct Column {
    field: String,
    id: ColumnId,
    times: Vec<TimestampNs>,
    values: Values,
}

/// A series with its columns.
struct Series {
    tags: Vec<(String, String)>,
    columns: Vec<Column>,
}

/// Series with their columns, all of the measurement `m` of the database `telemetry`.
pub(crate) struct MemoryStore {
    series: Vec<Series>,
    /// Points of a piece.
    pub(crate) piece: usize,
    /// Whether summaries are offered.
    pub(crate) summaries: bool,
    /// What they tell.
    pub(crate) offers: Parts,
    /// What scans report as damaged.
    pub(crate) damaged: Vec<String>,
    /// Points before this time are not handed out.
    pub(crate) kept_since: TimestampNs,
    /// Points handed out, and summaries.
    pub(crate) points_read: AtomicU64,
    pub(crate) summaries_read: AtomicU64,
}

impl MemoryStore {
    pub(crate) fn new() -> Self {
        Self {
            series: Vec::new(),
            piece: 3,
            summaries: true,
            offers: Parts::BASIC,
            damaged: Vec::new(),
            kept_since: TimestampNs::MIN,
            points_read: AtomicU64::new(0),
            summaries_read: AtomicU64::new(0),
        }
    }

    /// Adds a series; tags as `channel=1,type=m`.
    pub(crate) fn add(&mut self, tags: &str, columns: Vec<(&str, Vec<i64>, Values)>) {
        let tags = tags.split(',').filter_map(|tag| tag.split_once('='));
        let tags = tags.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let id = self.series.len() as u32;
        let columns = (0..).zip(columns).map(|(n, c)| Column::new(ColumnId(id * 100 + n), c)).collect();
        self.series.push(Series { tags, columns });
        self.series.sort_by(|a, b| a.tags.cmp(&b.tags));
    }

    /// Writes one value; the column has one of the same type.
    pub(crate) fn write(&mut self, id: ColumnId, time: i64, value: FieldValue<'_>) {
        let column = self.columns_mut().find(|column| column.id == id).unwrap();
        let at = column.times.partition_point(|t| t.0 < time);
        let after = at + usize::from(column.times.get(at) == Some(&TimestampNs(time)));
        let mut values = column.values.slice(0, at);
        assert!(values.push(value), "a value of another type");
        values.append(&column.values.slice(after, column.times.len()));
        column.values = values;
        column.times.splice(at..after, [TimestampNs(time)]);
    }

    /// Deletes everything of a column inside `range`.
    pub(crate) fn delete(&mut self, id: ColumnId, range: TimeRange) {
        let column = self.columns_mut().find(|column| column.id == id).unwrap();
        let from = column.times.partition_point(|&t| t < range.start);
        let to = column.times.partition_point(|&t| t < range.end).max(from);
        let mut values = column.values.slice(0, from);
        values.append(&column.values.slice(to, column.times.len()));
        column.values = values;
        column.times.drain(from..to);
    }

    fn columns_mut(&mut self) -> impl Iterator<Item = &mut Column> {
        self.series.iter_mut().flat_map(|series| &mut series.columns)
    }

    fn column(&self, id: ColumnId) -> &Column {
        self.series.iter().flat_map(|series| &series.columns).find(|column| column.id == id).unwrap()
    }
}

impl Column {
    fn new(id: ColumnId, (field, times, values): (&str, Vec<i64>, Values)) -> Self {
        assert_eq!(times.len(), values.len());
        Self { field: field.to_owned(), id, times: times.into_iter().map(TimestampNs).collect(), values }
    }

    fn inside(&self, range: TimeRange) -> (Vec<TimestampNs>, Values) {
        let from = self.times.partition_point(|&t| t < range.start);
        let to = self.times.partition_point(|&t| t < range.end).max(from);
        (self.times[from..to].to_vec(), self.values.slice(from, to))
    }
}

fn summary(times: &[TimestampNs], values: &Values) -> Option<Summary> {
    let numbers: Vec<f64> = match values {
        Values::Float(v) => v.clone(),
        Values::Integer(v) => v.iter().map(|&v| v as f64).collect(),
        Values::Unsigned(v) => v.iter().map(|&v| v as f64).collect(),
        Values::Boolean(_) | Values::String(_) => return None,
    };
    Summary::of_points(times, numbers)
}

fn check(place: &Place) -> Result<(), QueryError> {
    if place.database == "telemetry" {
        return Ok(());
    }
    Err(QueryError::NotFound { what: "database", name: place.database.clone() })
}

impl Store for MemoryStore {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        check(place).map(|()| vec!["m".to_owned()])
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        check(place)?;
        if measurement != "m" {
            return Ok(Schema::default());
        }
        let columns = self.series.iter().flat_map(|series| &series.columns);
        let fields: BTreeMap<String, FieldType> = columns.map(|c| (c.field.clone(), c.values.field_type())).collect();
        let tags: BTreeSet<String> = self.series.iter().flat_map(|s| &s.tags).map(|(key, _)| key.clone()).collect();
        Ok(Schema { fields: fields.into_iter().collect(), tags: tags.into_iter().collect() })
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        check(place)?;
        let tag = |series: &Series, key: &str| series.tags.iter().find(|(k, _)| k == key).map(|(_, v)| v.clone());
        let is_wanted =
            |s: &&Series| query.filter.iter().all(|c| c.matches.accepts(&tag(s, &c.key).unwrap_or_default()));
        let column = |s: &Series, field: &String| s.columns.iter().find(|c| c.field == *field).map(|c| c.id);
        let stored = self.series.iter().filter(is_wanted).map(|series| StoredSeries {
            tags: query.tags.iter().map(|key| tag(series, key)).collect(),
            columns: query.fields.iter().map(|field| column(series, field)).collect(),
        });
        Ok(stored.filter(|s| query.without_fields || s.columns.iter().any(Option::is_some)).collect())
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(MemoryReader(self))
    }
}

struct MemoryReader<'a>(&'a MemoryStore);

impl MemoryReader<'_> {
    fn report(&self) -> ScanReport {
        ScanReport { damaged: self.0.damaged.clone() }
    }
}

impl Reader for MemoryReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &query::Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        let store = self.0;
        let range = TimeRange::new(range.start.max(store.kept_since), range.end);
        let (times, values) = store.column(column).inside(range);
        let mut from = 0;
        for times in times.chunks(store.piece) {
            let values = values.slice(from, from + times.len());
            from += times.len();
            let offered = summary(times, &values).filter(|_| store.summaries);
            let taken = offered.filter(|summary| wish.takes(summary.first_time, summary.last_time, store.offers));
            let counter = if taken.is_some() { &store.summaries_read } else { &store.points_read };
            counter.fetch_add(if taken.is_some() { 1 } else { times.len() as u64 }, Ordering::Relaxed);
            if visit(taken.as_ref().map_or(Piece::Points { times, values: &values }, Piece::Summary)).is_break() {
                break;
            }
        }
        self.report()
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        let (times, values) = self.0.column(column).inside(range);
        if let Some(&time) = times.last() {
            self.0.points_read.fetch_add(1, Ordering::Relaxed);
            visit(time, values.get(times.len() - 1).unwrap());
        }
        self.report()
    }

    fn kept_since(&mut self, _: ColumnId) -> TimestampNs {
        self.0.kept_since
    }

    fn extents(&mut self, column: ColumnId, range: TimeRange, out: &mut Vec<Extent>) {
        let runs = self.0.column(column).times.chunks(self.0.piece);
        let extent = |run: &[TimestampNs]| Extent { first: run[0], last: run[run.len() - 1], count: run.len() as u64 };
        out.extend(runs.map(extent).filter(|extent| range.meets(extent.first, extent.last)));
    }
}

/// A plan for all points of `m` without columns, as requests make it.
pub(crate) fn everything(start: i64, end: i64, group_by: &[&str]) -> Select {
    let dimension = |key: &&str| if *key == "*" { Dimension::All } else { Dimension::Tag((*key).to_owned()) };
    Select {
        columns: Vec::new(),
        time_name: "time".to_owned(),
        sources: vec![Source::Measurement(MeasurementRef {
            database: "telemetry".to_owned(),
            policy: None,
            name: NameOrPattern::Name("m".to_owned()),
        })],
        filter: None,
        range: TimeRange::new(TimestampNs(start), TimestampNs(end)),
        window: None,
        window_inherited: false,
        group_by: group_by.iter().map(dimension).collect(),
        fill: FillWith::None,
        order: Order::Ascending,
        direction: Order::Ascending,
        limit_each: false,
        limit: None,
        offset: 0,
        series_limit: None,
        series_offset: 0,
        time_zone: None,
    }
}

/// A plan for stored points: all fields, and all tags where there are no groups.
pub(crate) fn stored(plan: Select, order: Order, limit: Option<usize>, offset: usize) -> Select {
    let all = |kinds| Selected { expr: Expr::All(kinds), alias: None };
    let mut columns = vec![all(Kinds::Fields)];
    columns.extend(plan.group_by.is_empty().then(|| all(Kinds::Tags)));
    Select { columns, fill: FillWith::Null, order, limit, offset, ..plan }
}

/// A plan with one column `name` a function, over field `value`.
pub(crate) fn computed(plan: Select, functions: &[&str], window: Option<Windowing>, fill: FillWith) -> Select {
    Select { columns: functions.iter().map(|name| function(name, "value")).collect(), window, fill, ..plan }
}

/// A function over a field, named after the function.
pub(crate) fn function(name: &str, field: &str) -> Selected {
    let of = Expr::Reference(Reference { name: field.to_owned(), cast: Some(Cast::Field) });
    let call = AggregateCall {
        function: name.to_owned(),
        label: name.to_owned(),
        of: Box::new(of),
        keys: Vec::new(),
        arguments: if name == "percentile" { vec![Cell::Float(95.0)] } else { Vec::new() },
    };
    Selected { expr: Expr::Aggregate(call), alias: Some(name.to_owned()) }
}

/// The plan of a query in InfluxQL, long after all points.
pub(crate) fn influxql(text: &str) -> Select {
    compiled(text).unwrap()
}

/// The same, where the query may be refused.
pub(crate) fn compiled(text: &str) -> Result<Select, QueryError> {
    let statements = influxql::parse(text, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
    let [influxql::ast::Statement::Select(select)] = statements.as_slice() else { panic!("one SELECT: {text}") };
    let context = Context {
        now: TimestampNs(1_000_000_000_000_000_000),
        database: Some("telemetry".to_owned()),
        policy: None,
        dialect: Dialect::Extended,
        into: false,
    };
    compile(select, &context)
}

pub(crate) fn run(plan: &Select, store: &MemoryStore) -> QueryResult {
    run_within(plan, store, &Limits::default(), &Cancel::new()).unwrap()
}

pub(crate) fn run_within(
    plan: &Select,
    store: &MemoryStore,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    collect(plan, limits, |plan, limits, sink| {
        let registry = Registry::shared();
        execute(
            plan,
            store,
            &Options {
                limits,
                cancel,
                registry,
                threads: 2,
                into: false,
                shortcuts: query::Shortcuts::NONE,
                cache: None,
            },
            sink,
        )
    })
}

/// The tables of an answer, computed by so many threads.
pub(crate) fn tables(plan: &Select, store: &MemoryStore, threads: usize) -> Vec<Table> {
    let mut tables = Vec::new();
    let options = Options {
        limits: &Limits::default(),
        cancel: &Cancel::new(),
        registry: Registry::shared(),
        threads,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    execute(plan, store, &options, &mut |table| {
        tables.push(table);
        Ok(())
    })
    .unwrap();
    tables
}

pub(crate) fn times(series: &ResultSeries) -> Vec<i64> {
    series.times.iter().map(|t| t.0).collect()
}

pub(crate) fn cells<'a>(series: &'a ResultSeries, column: &str) -> &'a [Cell] {
    &series.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("no column {column}")).cells
}

pub(crate) fn integers(cells: &[Cell]) -> Vec<Option<i64>> {
    let integer = |cell: &Cell| match cell {
        Cell::Integer(v) => Some(*v),
        Cell::Null => None,
        other => panic!("not an integer: {other:?}"),
    };
    cells.iter().map(integer).collect()
}

/// The value of a counter.
pub(crate) fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
