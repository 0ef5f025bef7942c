//! The newest value of columns, looked for in longer and longer times before the last one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use model::{TimeRange, TimestampNs};
use query::result::ResultColumn;
use query::store::{Place, SeriesQuery};
use query::{Cancel, Cell, QueryError, QueryResult, ResultSeries};

use crate::remote::{Column, RawPoints, Tags};

use super::super::facts::Facts;
use super::points::{VmPoints, instant, span_of, tags_of};
use super::rollup::{EARLIEST, FUNCTION, Found, Rollup, horizon, milliseconds};
use super::spans::Run;

const FUNCTIONS: [&str; 2] = ["last_over_time", "tlast_over_time"];

/// Where most values are; two days of it lie in the future.
const RECENT: i64 = days(3);

/// How far back one column is looked for, one after the other; then everywhere.
const REACHES: [i64; 4] = [RECENT, days(30), days(365), i64::MAX];

const fn days(count: u64) -> i64 {
    Duration::from_hours(24 * count).as_millis() as i64
}

/// Time and value of a newest point.
type Newest = (TimestampNs, Cell);

/// The newest value of every field of the series wanted.
pub(super) fn latest(
    points: &VmPoints<'_>,
    place: &Place,
    query: SeriesQuery,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    let schema = points.schema(place, &query.measurement)?;
    let fields = if query.fields.is_empty() {
        schema.fields.iter().map(|(name, _)| name.clone()).collect()
    } else {
        query.fields.clone()
    };
    let mut found: BTreeMap<Tags, Vec<ResultSeries>> = BTreeMap::new();
    for field in &fields {
        cancel.check()?;
        let Some((_, kind)) = schema.fields.iter().find(|(name, _)| name == field) else { continue };
        let all = AllOfField { points, place, query: &query, field };
        for (tags, newest) in all.recent()? {
            cancel.check()?;
            let column = Column { place, measurement: &query.measurement, tags: &tags, field, kind: *kind };
            let newest = if newest.is_some() { newest } else { points.newest(&column, TimeRange::ALL)? };
            if let Some(newest) = newest {
                let series = series_of(&column, newest);
                found.entry(tags).or_default().push(series);
            }
        }
    }
    Ok(QueryResult { series: found.into_values().flatten().collect(), ..QueryResult::default() })
}

fn series_of(column: &Column<'_>, (time, cell): Newest) -> ResultSeries {
    let (name, tags) = (column.measurement.to_owned(), column.tags.to_vec());
    let columns = vec![ResultColumn { name: column.field.to_owned(), cells: vec![cell] }];
    ResultSeries { name, tags, times: vec![time], columns }
}

/// All series wanted that have a field.
struct AllOfField<'q> {
    points: &'q VmPoints<'q>,
    place: &'q Place,
    query: &'q SeriesQuery,
    field: &'q str,
}

impl AllOfField<'_> {
    /// The series, with their newest values where those are recent.
    fn recent(&self) -> Result<BTreeMap<Tags, Option<Newest>>, QueryError> {
        let mut selector = self.points.field(self.place, &self.query.measurement, self.field);
        self.query.filter.iter().for_each(|condition| selector.and_condition(condition));
        let selector = selector.finish();
        let all = self.points.api.series(&selector)?;
        let mut wanted: BTreeMap<Tags, Option<Newest>> =
            all.iter().map(tags_of).filter(|tags| self.is_wanted(tags)).map(|tags| (tags, None)).collect();
        let Some(now) = self.points.reader.as_deref().and_then(Facts::now_ms) else { return Ok(wanted) };
        if wanted.keys().flatten().any(|(tag, _)| tag == FUNCTION) {
            return Ok(wanted);
        }
        let end = horizon(now);
        let rollup = Rollup { api: &self.points.api, selector: &selector, now };
        let found = rollup.over(&FUNCTIONS, Run::one((end - RECENT).max(EARLIEST), end))?.unwrap_or_default();
        for (tags, newest) in newest_of(&found) {
            if let Some(place) = wanted.get_mut(&tags) {
                *place = newest;
            }
        }
        Ok(wanted)
    }

    fn is_wanted(&self, tags: &Tags) -> bool {
        let value = |key: &str| tags.iter().find(|(tag, _)| tag == key).map_or("", |(_, value)| value);
        self.query.filter.iter().all(|condition| condition.matches.accepts(value(&condition.key)))
    }
}

/// What both functions say of each series.
fn newest_of(found: &[Found]) -> BTreeMap<Tags, Option<Newest>> {
    let mut both: BTreeMap<Tags, [Option<f64>; 2]> = BTreeMap::new();
    for Found { labels, function, values } in found {
        let place = both.entry(tags_of(labels)).or_default().get_mut(*function);
        if let (Some(place), Some((_, value))) = (place, values.first()) {
            *place = Some(*value);
        }
    }
    let newest = |[value, seconds]: [Option<f64>; 2]| {
        let (value, seconds) = value.filter(|value| value.is_finite()).zip(seconds)?;
        Some((instant(milliseconds(seconds)), Cell::Float(value)))
    };
    both.into_iter().map(|(tags, values)| (tags, newest(values))).collect()
}

/// The newest point of a column inside `range`.
pub(super) fn newest(
    points: &VmPoints<'_>,
    column: &Column<'_>,
    range: TimeRange,
) -> Result<Option<Newest>, QueryError> {
    let Some(span) = span_of(range) else { return Ok(None) };
    let now = points.reader.as_deref().and_then(Facts::now_ms);
    let Some(now) = now.filter(|_| !column.tags.iter().any(|(tag, _)| tag == FUNCTION)) else {
        return last_fetched(points, column, range);
    };
    let (start, end) = (span.start.max(EARLIEST), span.end.min(horizon(now)));
    let selector = points.column(column)?;
    let rollup = Rollup { api: &points.api, selector: &selector, now };
    for reach in REACHES {
        let from = end.saturating_sub(reach).max(start);
        if from > end {
            break;
        }
        let Some(found) = rollup.over(&FUNCTIONS, Run::one(from, end))? else {
            return last_fetched(points, column, range);
        };
        let own = newest_of(&found).into_iter().find(|(tags, _)| tags == column.tags);
        match own {
            Some((_, Some(newest))) => return Ok(Some(newest)),
            // The newest one is infinite.
            Some((_, None)) => return last_fetched(points, column, range),
            None if from == start => break,
            None => {}
        }
    }
    last_fetched(points, column, TimeRange::new(range.start, range.end.min(instant(EARLIEST))))
}

/// The newest point of a column, of all that are read.
fn last_fetched(points: &VmPoints<'_>, column: &Column<'_>, range: TimeRange) -> Result<Option<Newest>, QueryError> {
    let mut newest = None;
    points.points(column, range, &mut |time, value| {
        newest = Some((time, Cell::from(value)));
        ControlFlow::Continue(())
    })?;
    Ok(newest)
}
