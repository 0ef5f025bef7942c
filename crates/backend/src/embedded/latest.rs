//! The newest value of every column of the series wanted.

use model::{ColumnId, TimeRange, TimestampNs};
use query::result::ResultColumn;
use query::store::{Place, Reader, SeriesQuery, Store, StoredSeries};
use query::{Cancel, Cell, QueryError, QueryResult, ResultSeries};

pub(super) fn latest(
    store: &dyn Store,
    place: &Place,
    mut query: SeriesQuery,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    let schema = store.schema(place, &query.measurement)?;
    if query.fields.is_empty() {
        query.fields = schema.fields.into_iter().map(|(name, _)| name).collect();
    }
    query.tags = schema.tags;
    let mut found: Vec<_> = store.series(place, &query)?.into_iter().map(|s| (tags(&query, &s), s)).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let mut latest = Latest { reader: store.reader(), result: QueryResult::default() };
    for (tags, series) in found {
        cancel.check()?;
        for (field, column) in query.fields.iter().zip(series.columns) {
            let Some(column) = column else { continue };
            if let Some((time, cell)) = latest.of_column(column) {
                let columns = vec![ResultColumn { name: field.clone(), cells: vec![cell] }];
                let (name, tags) = (query.measurement.clone(), tags.clone());
                latest.result.series.push(ResultSeries { name, tags, times: vec![time], columns });
            }
        }
    }
    Ok(latest.result)
}

/// Tags that the series has.
fn tags(query: &SeriesQuery, series: &StoredSeries) -> Vec<(String, String)> {
    let tags = query.tags.iter().zip(&series.tags);
    tags.filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect()
}

struct Latest<'a> {
    reader: Box<dyn Reader + 'a>,
    result: QueryResult,
}

impl Latest<'_> {
    fn of_column(&mut self, column: ColumnId) -> Option<(TimestampNs, Cell)> {
        let mut newest = None;
        let report =
            self.reader.latest(column, TimeRange::ALL, &mut |time, value| newest = Some((time, Cell::from(value))));
        self.result.warnings.extend(report.damaged);
        newest
    }
}
