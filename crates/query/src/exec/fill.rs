//! Windows without points: which there are, and what stands in them.
//!
//! As in InfluxDB they reach over the range asked for; where the range is open at an end, from the first or to the last window
//! with points. A series without any points has no windows at all.

use model::{FieldType, TimeRange, TimestampNs};

use super::limits::Budget;
use super::windows::Windows;
use crate::aggregate::AggregateFunction;
use crate::result::Cell;
use crate::{Fill, QueryError};

/// Windows and the range they are asked for.
pub(super) struct Ruler {
    pub(super) windows: Windows,
    pub(super) range: TimeRange,
}

/// Windows, oldest first, and their cells column by column; a cell is `None` where the window has no points.
pub(super) struct Grid {
    pub(super) starts: Vec<TimestampNs>,
    pub(super) columns: Vec<Vec<Option<Cell>>>,
}

impl Grid {
    pub(super) fn new(columns: usize) -> Self {
        Self { starts: Vec::new(), columns: (0..columns).map(|_| Vec::new()).collect() }
    }

    pub(super) fn push(&mut self, start: TimestampNs, cells: impl Iterator<Item = Option<Cell>>) {
        self.starts.push(start);
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
    }

    /// The grid with the windows put in that have no points, unless they are to be left out.
    pub(super) fn with_empty_windows(
        self,
        fill: Fill,
        ruler: &Ruler,
        budget: &Budget,
        rows_before: usize,
    ) -> Result<Self, QueryError> {
        let (Some(&first), Some(&last)) = (self.starts.first(), self.starts.last()) else { return Ok(self) };
        if fill == Fill::None {
            return Ok(self);
        }
        let starts = all_starts(ruler, first, last, |count| budget.check_rows(rows_before + count))?;
        let columns = self.columns.into_iter().map(|cells| spread(&self.starts, cells, &starts)).collect();
        Ok(Self { starts, columns })
    }
}

/// Starts of all windows; `first` and `last` are those of windows with points.
fn all_starts(
    ruler: &Ruler,
    first: TimestampNs,
    last: TimestampNs,
    check: impl Fn(usize) -> Result<(), QueryError>,
) -> Result<Vec<TimestampNs>, QueryError> {
    let TimeRange { start, end } = ruler.range;
    let from = if start == TimestampNs::MIN { first } else { ruler.windows.containing(start).start };
    let to = if end == TimestampNs::MAX { last } else { ruler.windows.containing(end.saturating_add(-1)).start };
    let mut starts = vec![from];
    let mut next = ruler.windows.containing(from).end;
    while next <= to {
        check(starts.len() + 1)?;
        starts.push(next);
        next = ruler.windows.containing(next).end;
    }
    Ok(starts)
}

/// Puts the cells of some windows to their places among all of them; both ascend.
fn spread(some: &[TimestampNs], cells: Vec<Option<Cell>>, all: &[TimestampNs]) -> Vec<Option<Cell>> {
    let mut known = some.iter().zip(cells).peekable();
    all.iter().map(|start| known.next_if(|(known, _)| *known == start).and_then(|(_, cell)| cell)).collect()
}

/// Fills the empty cells of one column.
pub(super) fn fill(
    cells: Vec<Option<Cell>>,
    starts: &[TimestampNs],
    fill: Fill,
    function: &dyn AggregateFunction,
    kind: Option<FieldType>,
) -> Vec<Cell> {
    match fill {
        Fill::None | Fill::Null => {
            cells.into_iter().map(|cell| cell.unwrap_or_else(|| function.of_nothing())).collect()
        }
        Fill::Previous => previous(cells),
        Fill::Linear => linear(cells, starts),
        Fill::Value(number) => {
            let filled = number_cell(number, kind.map(|kind| function.result_type(kind)));
            cells.into_iter().map(|cell| cell.unwrap_or_else(|| filled.clone())).collect()
        }
    }
}

fn previous(cells: Vec<Option<Cell>>) -> Vec<Cell> {
    let mut last = Cell::Null;
    let fill = |cell: Option<Cell>| {
        if let Some(cell) = cell {
            last = cell;
        }
        last.clone()
    };
    cells.into_iter().map(fill).collect()
}

/// A number in the type of the column, where it has none of its digits cut off by that.
fn number_cell(number: f64, kind: Option<FieldType>) -> Cell {
    match kind {
        Some(FieldType::Integer) if number == number as i64 as f64 => Cell::Integer(number as i64),
        Some(FieldType::Unsigned) if number == number as u64 as f64 => Cell::Unsigned(number as u64),
        _ => Cell::Float(number),
    }
}

/// A cell at a time.
type Knot = (TimestampNs, Cell);

/// Straight lines between numbers; nothing before the first, behind the last, and between others than numbers.
fn linear(cells: Vec<Option<Cell>>, starts: &[TimestampNs]) -> Vec<Cell> {
    let mut filled = Vec::with_capacity(cells.len());
    let mut left: Option<Knot> = None;
    for (cell, &time) in cells.into_iter().zip(starts) {
        if let Some(cell) = cell {
            let right = (time, cell);
            fill_gap(&mut filled, starts, left.as_ref(), Some(&right));
            filled.push(right.1.clone());
            left = Some(right);
        }
    }
    fill_gap(&mut filled, starts, None, None);
    filled
}

/// Adds cells for the windows behind those filled and before `right` (before the end, without it).
fn fill_gap(filled: &mut Vec<Cell>, starts: &[TimestampNs], left: Option<&Knot>, right: Option<&Knot>) {
    let gap = starts.iter().skip(filled.len()).take_while(|&&time| right.is_none_or(|right| time < right.0));
    let cells: Vec<_> = gap.map(|&time| between(left, right, time).unwrap_or_default()).collect();
    filled.extend(cells);
}

/// The value at `time` on the line through two knots; `None` unless both are numbers of one type. Integers are cut off, as in
/// InfluxDB.
fn between(left: Option<&Knot>, right: Option<&Knot>, time: TimestampNs) -> Option<Cell> {
    let ((from, low), (to, high)) = (left?, right?);
    let share = distance(*from, time) / distance(*from, *to);
    let line = |low: f64, high: f64| low + (high - low) * share;
    Some(match (low, high) {
        (Cell::Float(low), Cell::Float(high)) => Cell::Float(line(*low, *high)),
        (Cell::Integer(low), Cell::Integer(high)) => Cell::Integer(line(*low as f64, *high as f64) as i64),
        (Cell::Unsigned(low), Cell::Unsigned(high)) => Cell::Unsigned(line(*low as f64, *high as f64) as u64),
        _ => return None,
    })
}

fn distance(from: TimestampNs, to: TimestampNs) -> f64 {
    (i128::from(to.0) - i128::from(from.0)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Registry;

    const STARTS: [TimestampNs; 5] =
        [TimestampNs(0), TimestampNs(10), TimestampNs(20), TimestampNs(30), TimestampNs(40)];

    fn filled(with: Fill, function: &str, cells: [Option<Cell>; 5]) -> Vec<Cell> {
        let function = Registry::shared().get(function).unwrap();
        fill(cells.to_vec(), &STARTS, with, function, Some(FieldType::Integer))
    }

    fn holed() -> [Option<Cell>; 5] {
        [None, Some(Cell::Integer(1)), None, Some(Cell::Integer(4)), None]
    }

    #[test]
    fn previous_repeats_and_starts_with_nothing() {
        let expected = [Cell::Null, Cell::Integer(1), Cell::Integer(1), Cell::Integer(4), Cell::Integer(4)];
        assert_eq!(filled(Fill::Previous, "sum", holed()), expected);
    }

    #[test]
    fn linear_needs_both_neighbours_and_cuts_integers_off() {
        let expected = [Cell::Null, Cell::Integer(1), Cell::Integer(2), Cell::Integer(4), Cell::Null];
        assert_eq!(filled(Fill::Linear, "sum", holed()), expected);
        let floats = [Some(Cell::Float(0.0)), None, None, Some(Cell::Float(3.0)), None];
        let expected = [0.0, 1.0, 2.0, 3.0].map(Cell::Float).into_iter().chain([Cell::Null]);
        assert_eq!(filled(Fill::Linear, "mean", floats), expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_number_takes_the_type_of_the_column_where_it_fits() {
        let expected = [Cell::Integer(7), Cell::Integer(1), Cell::Integer(7), Cell::Integer(4), Cell::Integer(7)];
        assert_eq!(filled(Fill::Value(7.0), "sum", holed()), expected);
        assert_eq!(filled(Fill::Value(0.5), "sum", holed())[0], Cell::Float(0.5));
        assert_eq!(filled(Fill::Value(7.0), "mean", holed())[0], Cell::Float(7.0));
    }

    #[test]
    fn nothing_counts_as_zero_and_is_null_otherwise() {
        assert_eq!(filled(Fill::Null, "count", holed())[0], Cell::Integer(0));
        assert_eq!(filled(Fill::Null, "sum", holed())[0], Cell::Null);
    }
}
