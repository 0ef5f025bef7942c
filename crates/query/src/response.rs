//! Answers as JSON text:
//!
//! ```text
//! {"series":[{"name":"m","tags":{"channel":"1001"},"columns":["time","value"],"values":[["2023-11-14T22:13:20Z",25.5],..]}],
//!  "warnings":[],"partial":false,"rows":1,"provenance":[{"tier":"raw","start":..,"end":..,"partial":false}],"cache":"miss"}
//! ```
//! `provenance` is left out where the store does not tell; its ends are no longer part of their stretch.
//! Written straight into bytes, with no tree in between. Floats are as short as they can be read back exactly, NaN and
//! infinities are null; times are RFC 3339 in UTC with the digits needed, or integers of a unit, rounded towards the past.

use std::io;

use jiff::Timestamp;
use model::{Precision, TimestampNs};
use serde::Serialize;

use crate::Provenance;
use crate::result::{Cell, QueryResult, ResultSeries};

/// Bytes set aside for every cell, so that the buffer seldom grows.
const CELL_BYTES_GUESS: usize = 12;

/// Appends `result` as JSON; times are integers of the unit `epoch`, where one is given.
///
/// # Errors
/// None for an answer that fits into memory: serialising into bytes does not fail.
pub fn write_json(result: &QueryResult, epoch: Option<Precision>, out: &mut Vec<u8>) -> io::Result<()> {
    let rows: usize = result.series.iter().map(|series| series.times.len()).sum();
    let cells: usize = result.series.iter().map(|series| series.times.len() * (series.columns.len() + 2)).sum();
    out.reserve(cells.saturating_mul(CELL_BYTES_GUESS));
    out.extend_from_slice(b"{\"series\":[");
    separated(out, &result.series, |out, series| write_series(out, series, epoch))?;
    out.extend_from_slice(b"],\"warnings\":");
    json(out, &result.warnings)?;
    out.extend_from_slice(b",\"partial\":");
    json(out, &result.partial)?;
    out.extend_from_slice(b",\"rows\":");
    json(out, &rows)?;
    if !result.provenance.is_empty() {
        out.extend_from_slice(b",\"provenance\":[");
        separated(out, &result.provenance, |out, stretch| write_provenance(out, stretch, epoch))?;
        out.push(b']');
    }
    out.extend_from_slice(b",\"cache\":");
    json(out, result.cache.name())?;
    out.push(b'}');
    Ok(())
}

fn write_provenance(out: &mut Vec<u8>, stretch: &Provenance, epoch: Option<Precision>) -> io::Result<()> {
    out.extend_from_slice(b"{\"tier\":");
    json(out, &stretch.tier)?;
    out.extend_from_slice(b",\"start\":");
    write_time(out, stretch.range.start, epoch)?;
    out.extend_from_slice(b",\"end\":");
    write_time(out, stretch.range.end, epoch)?;
    out.extend_from_slice(b",\"partial\":");
    json(out, &stretch.partial)?;
    out.push(b'}');
    Ok(())
}

fn write_series(out: &mut Vec<u8>, series: &ResultSeries, epoch: Option<Precision>) -> io::Result<()> {
    out.extend_from_slice(b"{\"name\":");
    json(out, &series.name)?;
    out.extend_from_slice(b",\"tags\":{");
    separated(out, &series.tags, |out, (key, value)| {
        json(out, key)?;
        out.push(b':');
        json(out, value)
    })?;
    out.extend_from_slice(b"},\"columns\":[\"time\"");
    for column in &series.columns {
        out.push(b',');
        json(out, &column.name)?;
    }
    out.extend_from_slice(b"],\"values\":[");
    let mut columns: Vec<_> = series.columns.iter().map(|column| column.cells.iter()).collect();
    separated(out, &series.times, |out, &time| {
        out.push(b'[');
        write_time(out, time, epoch)?;
        for cells in &mut columns {
            out.push(b',');
            write_cell(out, cells.next().unwrap_or(&Cell::Null))?;
        }
        out.push(b']');
        Ok(())
    })?;
    out.extend_from_slice(b"]}");
    Ok(())
}

/// Writes every item, with commas between.
fn separated<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T) -> io::Result<()>,
) -> io::Result<()> {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item)?;
    }
    Ok(())
}

/// A number, text or list of texts by serde's own printer.
fn json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    Ok(serde_json::to_writer(out, value)?)
}

fn write_cell(out: &mut Vec<u8>, cell: &Cell) -> io::Result<()> {
    match cell {
        Cell::Null => json(out, &()),
        Cell::Float(v) => write_float(out, *v),
        Cell::Integer(v) => json(out, v),
        Cell::Unsigned(v) => json(out, v),
        Cell::Boolean(v) => json(out, v),
        Cell::String(v) => json(out, v),
    }
}

fn write_float(out: &mut Vec<u8>, value: f64) -> io::Result<()> {
    json(out, &value)?;
    // Whole floats come as `25.0`; `25` is the same number in JSON.
    if out.ends_with(b".0") {
        out.truncate(out.len() - 2);
    }
    Ok(())
}

fn write_time(out: &mut Vec<u8>, time: TimestampNs, epoch: Option<Precision>) -> io::Result<()> {
    if let Some(unit) = epoch {
        return json(out, &time.0.div_euclid(unit.ns()));
    }
    let instant = Timestamp::from_nanosecond(i128::from(time.0)).map_err(io::Error::other)?;
    io::Write::write_fmt(out, format_args!("\"{instant}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CacheUse;
    use crate::result::ResultColumn;
    use model::TimeRange;

    fn text(result: &QueryResult, epoch: Option<Precision>) -> String {
        let mut out = Vec::new();
        write_json(result, epoch, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn one_column(times: &[i64], cells: Vec<Cell>) -> QueryResult {
        let series = ResultSeries {
            name: "m \"1\"".to_owned(),
            tags: vec![("channel".to_owned(), "1001".to_owned()), ("type".to_owned(), "ä".to_owned())],
            times: times.iter().map(|&t| TimestampNs(t)).collect(),
            columns: vec![ResultColumn { name: "value".to_owned(), cells }],
        };
        QueryResult {
            series: vec![series],
            warnings: vec!["block 7 is damaged".to_owned()],
            partial: true,
            ..QueryResult::default()
        }
    }

    #[test]
    fn an_answer_is_written_with_every_kind_of_cell() {
        let cells = vec![
            Cell::Null,
            Cell::Float(25.5),
            Cell::Integer(-3),
            Cell::Unsigned(u64::MAX),
            Cell::Boolean(true),
            Cell::String("line\n\"quoted\"".to_owned()),
        ];
        let expected = r#"{"series":[{"name":"m \"1\"","tags":{"channel":"1001","type":"ä"},"columns":["time","value"],"values":[[0,null],[1,25.5],[2,-3],[3,18446744073709551615],[4,true],[5,"line\n\"quoted\""]]}],"warnings":["block 7 is damaged"],"partial":true,"rows":6,"cache":"bypass"}"#;
        let written = text(&one_column(&[0, 1, 2, 3, 4, 5], cells), Some(Precision::Nanosecond));
        assert_eq!(written, expected);
        serde_json::from_str::<serde_json::Value>(&written).unwrap();
    }

    #[test]
    fn floats_are_short_and_without_a_value_null() {
        let floats = [25.0, -0.5, 0.1 + 0.2, f64::NAN, f64::INFINITY, 1e300, 100.0];
        let result = one_column(&[0; 7], floats.map(Cell::Float).to_vec());
        let written = text(&result, Some(Precision::Second));
        let expected = "[[0,25],[0,-0.5],[0,0.30000000000000004],[0,null],[0,null],[0,1e+300],[0,100]]";
        assert!(written.contains(expected), "{written}");
    }

    #[test]
    fn times_have_the_digits_needed_or_the_unit_asked_for() {
        let times = [1_700_000_000_000_000_000, 1_700_000_000_120_000_000, -1];
        let result = one_column(&times, vec![Cell::Null; 3]);
        let rfc3339 = text(&result, None);
        for time in ["\"2023-11-14T22:13:20Z\"", "\"2023-11-14T22:13:20.12Z\"", "\"1969-12-31T23:59:59.999999999Z\""] {
            assert!(rfc3339.contains(time), "{rfc3339}");
        }
        let milliseconds = text(&result, Some(Precision::Millisecond));
        assert!(milliseconds.contains("[[1700000000000,null],[1700000000120,null],[-1,null]]"), "{milliseconds}");
    }

    #[test]
    fn an_empty_answer_is_complete_json() {
        assert_eq!(text(&QueryResult::default(), None), EMPTY);
    }

    const EMPTY: &str = r#"{"series":[],"warnings":[],"partial":false,"rows":0,"cache":"bypass"}"#;

    #[test]
    fn an_answer_says_where_it_comes_from_where_that_is_known() {
        let stretch = |tier: &str, start, end, partial| Provenance {
            tier: tier.to_owned(),
            range: TimeRange::new(TimestampNs(start), TimestampNs(end)),
            partial,
        };
        let provenance =
            vec![stretch("hourly", 0, 3_600_000_000_000, true), stretch("raw", 3_600_000_000_000, i64::MAX, false)];
        let result = QueryResult { provenance, cache: CacheUse::Partial, ..QueryResult::default() };
        let expected = r#""provenance":[{"tier":"hourly","start":0,"end":3600,"partial":true},{"tier":"raw","start":3600,"end":9223372036,"partial":false}],"cache":"partial"}"#;
        let written = text(&result, Some(Precision::Second));
        assert!(written.ends_with(expected), "{written}");
        assert!(text(&result, None).contains(r#""start":"1970-01-01T00:00:00Z","end":"1970-01-01T01:00:00Z""#));
    }
}
