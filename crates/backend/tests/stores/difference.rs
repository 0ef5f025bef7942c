//! Where two answers differ.

use query::result::ResultColumn;
use query::{Cell, QueryResult, ResultSeries};

/// The first difference, in words; `None` where there is none. Numbers may differ by `error` of their size.
pub(crate) fn difference(expected: &QueryResult, found: &QueryResult, error: f64) -> Option<String> {
    let pairs = expected.series.iter().zip(&found.series);
    let inside = pairs.into_iter().find_map(|(expected, found)| of_series(expected, found, error));
    inside.or_else(|| of_lengths(expected, found))
}

fn of_lengths(expected: &QueryResult, found: &QueryResult) -> Option<String> {
    let names = |result: &QueryResult| result.series.iter().map(label).collect::<Vec<_>>();
    let (expected, found) = (names(expected), names(found));
    (expected != found).then(|| format!("expected series {expected:?}, found {found:?}"))
}

fn of_series(expected: &ResultSeries, found: &ResultSeries, error: f64) -> Option<String> {
    let names = |series: &ResultSeries| series.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    if label(expected) != label(found) {
        return Some(format!("expected series {}, found {}", label(expected), label(found)));
    }
    if names(expected) != names(found) {
        return Some(format!("{}: expected columns {:?}, found {:?}", label(expected), names(expected), names(found)));
    }
    if expected.times != found.times {
        return Some(of_times(expected, found));
    }
    let mut columns = expected.columns.iter().zip(&found.columns);
    let inside = columns.find_map(|(expected, found)| of_column(expected, found, error))?;
    Some(format!("{}: {inside}", label(expected)))
}

fn of_times(expected: &ResultSeries, found: &ResultSeries) -> String {
    let (one, other) = (&expected.times, &found.times);
    let at = one.iter().zip(other).position(|(a, b)| a != b).unwrap_or(one.len().min(other.len()));
    let (here, there) = (one.get(at).map(|t| t.0), other.get(at).map(|t| t.0));
    let lens = format!("of {} and {} rows", one.len(), other.len());
    format!("{}: row {at} {lens}: expected time {here:?}, found {there:?}", label(expected))
}

fn of_column(expected: &ResultColumn, found: &ResultColumn, error: f64) -> Option<String> {
    let mut cells = expected.cells.iter().zip(&found.cells);
    if let Some(row) = cells.position(|(expected, found)| !is_same(expected, found, error)) {
        let (expected, found) = (short(&expected.cells[row]), short(&found.cells[row]));
        return Some(format!("row {row}: expected {expected}, found {found}"));
    }
    let (expected, found) = (expected.cells.len(), found.cells.len());
    (expected != found).then(|| format!("expected {expected} cells, found {found}"))
}

fn is_same(expected: &Cell, found: &Cell, error: f64) -> bool {
    match (expected, found) {
        (Cell::Float(a), Cell::Float(b)) if error > 0.0 => (a - b).abs() <= error * a.abs().max(b.abs()).max(1.0),
        (Cell::Float(a), Cell::Float(b)) => a.to_bits() == b.to_bits(),
        _ => expected == found,
    }
}

/// Name and tags.
fn label(series: &ResultSeries) -> String {
    let tags: Vec<String> = series.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!("{}{{{}}}", series.name, tags.join(","))
}

/// Long texts are shown by their start.
pub(crate) fn short(cell: &Cell) -> String {
    let shown = format!("{cell:?}");
    match shown.char_indices().nth(200) {
        Some((end, _)) => format!("{}.. ({} bytes)", &shown[..end], shown.len()),
        None => shown,
    }
}
