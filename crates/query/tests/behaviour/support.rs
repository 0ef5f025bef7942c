//! A store in memory: pieces of a chosen length, each with a summary, so that tests see both ways of a scan.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{ColumnId, FieldValue, SeriesId, TimeRange, TimestampNs, Values};
use query::plan::{Aggregate, AggregatePlan, Fill, GroupBy, Order, Plan, Selection, SeriesPlan, Window};
use query::result::{Cell, QueryError, QueryResult, ResultSeries};
use query::scan::{ColumnSource, FieldColumn, Piece, ScanReport, SeriesColumns, Summary};
use query::{Cancel, Limits};

/// One column with its points.
pub(crate) struct Column {
    pub(crate) field: FieldColumn,
    pub(crate) times: Vec<TimestampNs>,
    pub(crate) values: Values,
}

/// Series with their columns.
pub(crate) struct MemorySource {
    series: Vec<(SeriesColumns, Vec<Column>)>,
    /// Points of a piece.
    pub(crate) piece: usize,
    /// Whether summaries are offered.
    pub(crate) summaries: bool,
    /// What scans report as damaged.
    pub(crate) damaged: Vec<String>,
    /// Points handed out, and summaries.
    pub(crate) points_read: AtomicU64,
    pub(crate) summaries_read: AtomicU64,
}

impl MemorySource {
    pub(crate) fn new() -> Self {
        Self {
            series: Vec::new(),
            piece: 3,
            summaries: true,
            damaged: Vec::new(),
            points_read: AtomicU64::new(0),
            summaries_read: AtomicU64::new(0),
        }
    }

    /// Adds a series; tags as `channel=1,type=m`.
    pub(crate) fn add(&mut self, tags: &str, columns: Vec<(&str, Vec<i64>, Values)>) {
        let tags = tags.split(',').filter_map(|tag| tag.split_once('='));
        let tags = tags.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        let id = self.series.len() as u32;
        let columns: Vec<_> = (0..).zip(columns).map(|(n, c)| Column::new(ColumnId(id * 100 + n), c)).collect();
        let fields = columns.iter().map(|column| column.field.clone()).collect();
        self.series.push((SeriesColumns { series: SeriesId(id), tags, columns: fields }, columns));
        self.series.sort_by(|a, b| a.0.tags.cmp(&b.0.tags));
    }

    fn column(&self, id: ColumnId) -> &Column {
        self.series.iter().flat_map(|(_, columns)| columns).find(|column| column.field.id == id).unwrap()
    }
}

impl Column {
    fn new(id: ColumnId, (field, times, values): (&str, Vec<i64>, Values)) -> Self {
        assert_eq!(times.len(), values.len());
        let field = FieldColumn { field: field.to_owned(), kind: values.field_type(), id };
        Self { field, times: times.into_iter().map(TimestampNs).collect(), values }
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
    Some(Summary {
        count: numbers.len() as u64,
        first_time: times[0],
        last_time: times[times.len() - 1],
        sum: numbers.iter().sum(),
        min: numbers.iter().copied().fold(f64::INFINITY, f64::min),
        max: numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        first: numbers[0],
        last: numbers[numbers.len() - 1],
    })
}

impl ColumnSource for MemorySource {
    fn columns(&self, selection: &Selection) -> Result<Vec<SeriesColumns>, QueryError> {
        if selection.database != "telemetry" {
            return Err(QueryError::NotFound { what: "database", name: selection.database.clone() });
        }
        let wanted = |column: &FieldColumn| selection.fields.is_empty() || selection.fields.contains(&column.field);
        let mut series: Vec<_> = self.series.iter().map(|(series, _)| series.clone()).collect();
        series.iter_mut().for_each(|series| series.columns.retain(wanted));
        Ok(series)
    }

    fn scan(
        &self,
        column: ColumnId,
        range: TimeRange,
        summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<ScanReport, QueryError> {
        let (times, values) = self.column(column).inside(range);
        let mut from = 0;
        for times in times.chunks(self.piece) {
            let values = values.slice(from, from + times.len());
            from += times.len();
            let offered = summary(times, &values).filter(|_| self.summaries);
            let taken = offered.filter(|summary| summary_suffices(summary.first_time, summary.last_time));
            let counter = if taken.is_some() { &self.summaries_read } else { &self.points_read };
            counter.fetch_add(if taken.is_some() { 1 } else { times.len() as u64 }, Ordering::Relaxed);
            if visit(taken.map_or(Piece::Points { times, values: &values }, Piece::Summary)).is_break() {
                break;
            }
        }
        Ok(ScanReport { damaged: self.damaged.clone() })
    }

    fn latest(
        &self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> Result<ScanReport, QueryError> {
        let (times, values) = self.column(column).inside(range);
        if let Some(&time) = times.last() {
            self.points_read.fetch_add(1, Ordering::Relaxed);
            visit(time, values.get(times.len() - 1).unwrap());
        }
        Ok(ScanReport { damaged: self.damaged.clone() })
    }
}

pub(crate) fn selection(start: i64, end: i64, group_by: GroupBy) -> Selection {
    Selection {
        database: "telemetry".to_owned(),
        retention_policy: None,
        measurement: "m".to_owned(),
        fields: Vec::new(),
        filter: Vec::new(),
        range: TimeRange::new(TimestampNs(start), TimestampNs(end)),
        group_by,
    }
}

pub(crate) fn series_plan(selection: Selection, order: Order, limit: Option<usize>, offset: usize) -> SeriesPlan {
    SeriesPlan { selection, order, limit, offset }
}

/// A plan with one column `name` a function, over field `value`.
pub(crate) fn aggregate_plan(
    selection: Selection,
    functions: &[&str],
    window: Option<Window>,
    fill: Fill,
) -> AggregatePlan {
    let aggregate = |name: &&str| Aggregate {
        function: (*name).to_owned(),
        arguments: if *name == "percentile" { vec![95.0] } else { Vec::new() },
        field: "value".to_owned(),
        alias: (*name).to_owned(),
    };
    let aggregates = functions.iter().map(aggregate).collect();
    AggregatePlan { selection, aggregates, window, fill, order: Order::Ascending, limit: None }
}

pub(crate) fn run(plan: Plan, source: &MemorySource) -> QueryResult {
    query::run(&plan, source, &Limits::default(), &Cancel::new()).unwrap()
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
