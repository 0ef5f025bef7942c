//! What stands in windows without points.

use model::{FieldType, TimestampNs};

use super::cast::cast;
use crate::plan::FillWith;
use crate::result::Cell;

/// How the windows of a column are filled.
pub(super) struct Filling {
    pub(super) fill: FillWith,
    /// Type of the column.
    pub(super) kind: FieldType,
    /// Turns round what "previous" means.
    pub(super) newest_first: bool,
    /// The windows differ in length, so that a straight line is one over time; else it is one over their numbers.
    pub(super) by_time: bool,
}

/// The cells of all windows from those of some; both lists of starts ascend, `some` is part of `all`.
pub(super) fn spread(
    some: &[TimestampNs],
    cells: Vec<Option<Cell>>,
    all: &[TimestampNs],
    filling: &Filling,
) -> Vec<Cell> {
    let mut known = some.iter().zip(cells).filter_map(|(start, cell)| Some((*start, cell?))).peekable();
    let mut spread: Vec<Option<Cell>> =
        all.iter().map(|start| known.next_if(|(known, _)| known == start).map(|(_, cell)| cell)).collect();
    match &filling.fill {
        FillWith::None | FillWith::Null => {}
        FillWith::Value(_) | FillWith::Exactly(_) => {
            let value = number(&filling.fill, Some(filling.kind));
            spread.iter_mut().filter(|cell| cell.is_none()).for_each(|cell| cell.clone_from(&value));
        }
        FillWith::Previous if filling.newest_first => repeat(spread.iter_mut().rev()),
        FillWith::Previous => repeat(spread.iter_mut()),
        FillWith::Linear => straighten(&mut spread, all, filling),
    }
    spread.into_iter().map(Option::unwrap_or_default).collect()
}

/// The number to fill with in a column of a type, where it is a number.
pub(super) fn number(fill: &FillWith, kind: Option<FieldType>) -> Option<Cell> {
    match (fill, kind) {
        (FillWith::Value(value), Some(kind)) => Some(constant(value, kind)),
        (FillWith::Exactly(value), Some(kind)) => Some(exactly(value, kind)),
        (FillWith::Value(value) | FillWith::Exactly(value), None) => Some(value.clone()),
        (FillWith::Null | FillWith::None | FillWith::Previous | FillWith::Linear, _) => None,
    }
}

/// A number as another kind of number, where that does not change it.
fn exactly(number: &Cell, kind: FieldType) -> Cell {
    match (number, kind) {
        (Cell::Integer(v), FieldType::Float) => Cell::Float(*v as f64),
        (Cell::Integer(v), FieldType::Unsigned) => u64::try_from(*v).map_or(Cell::Integer(*v), Cell::Unsigned),
        (Cell::Float(v), FieldType::Integer) if *v == *v as i64 as f64 => Cell::Integer(*v as i64),
        (Cell::Float(v), FieldType::Unsigned) if *v == *v as u64 as f64 => Cell::Unsigned(*v as u64),
        _ => number.clone(),
    }
}

/// The number that fills a column of a type: as InfluxDB has it, the empty text for texts and `false` for booleans.
fn constant(value: &Cell, kind: FieldType) -> Cell {
    match kind {
        FieldType::String => Cell::String(String::new()),
        FieldType::Boolean => Cell::Boolean(false),
        kind => cast(value.clone(), kind),
    }
}

/// The number that stands in a row that has no value of a field or tag; `None` where nothing does. As in InfluxDB, only numbers
/// are brought into the type of their field.
pub(super) fn of_row(fill: &FillWith, kind: Option<FieldType>) -> Option<Cell> {
    number(fill, kind.filter(|kind| matches!(kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned)))
}

fn repeat<'c>(cells: impl Iterator<Item = &'c mut Option<Cell>>) {
    let mut last: Option<Cell> = None;
    for cell in cells {
        match cell {
            Some(value) => last = Some(value.clone()),
            None => cell.clone_from(&last),
        }
    }
}

/// Puts numbers on a straight line between their neighbours.
fn straighten(cells: &mut [Option<Cell>], starts: &[TimestampNs], filling: &Filling) {
    let distance = |from: usize, to: usize| match (starts.get(from), starts.get(to)) {
        (Some(from), Some(to)) if filling.by_time => (i128::from(to.0) - i128::from(from.0)) as f64,
        _ => (to - from) as f64,
    };
    let mut before: Option<(usize, Cell)> = None;
    for at in 0..cells.len() {
        let Some(Some(after)) = cells.get(at).cloned() else { continue };
        if let Some((from, value)) = &before {
            for index in from + 1..at {
                let steps = distance(*from, at);
                if let Some(cell) = cells.get_mut(index) {
                    // The line starts at the neighbour that is read first, which decides how integers are cut off.
                    *cell = match filling.newest_first {
                        true => between(&after, value, distance(index, at), steps),
                        false => between(value, &after, distance(*from, index), steps),
                    };
                }
            }
        }
        before = Some((at, after));
    }
}

/// The value `step` of `steps` steps on the way; integers are cut off towards zero, and so reckoned in the order that
/// InfluxDB has.
fn between(a: &Cell, b: &Cell, step: f64, steps: f64) -> Option<Cell> {
    let on_line = |a: f64, b: f64| (b - a) / steps * step + a;
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => Some(Cell::Float(on_line(*a, *b))),
        (Cell::Integer(a), Cell::Integer(b)) => Some(Cell::Integer(on_line(*a as f64, *b as f64) as i64)),
        (Cell::Unsigned(a), Cell::Unsigned(b)) => Some(Cell::Unsigned(on_line(*a as f64, *b as f64) as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [TimestampNs; 5] = [TimestampNs(0), TimestampNs(10), TimestampNs(20), TimestampNs(30), TimestampNs(50)];
    const SOME: [TimestampNs; 2] = [TimestampNs(10), TimestampNs(50)];

    fn filled(fill: FillWith, kind: FieldType, cells: [Cell; 2]) -> Vec<Cell> {
        let filling = Filling { fill, kind, newest_first: false, by_time: false };
        spread(&SOME, cells.map(Some).to_vec(), &ALL, &filling)
    }

    fn integers(fill: FillWith) -> Vec<Cell> {
        filled(fill, FieldType::Integer, [Cell::Integer(1), Cell::Integer(6)])
    }

    #[test]
    fn previous_repeats_and_starts_with_nothing() {
        let expected = [Cell::Null, Cell::Integer(1), Cell::Integer(1), Cell::Integer(1), Cell::Integer(6)];
        assert_eq!(integers(FillWith::Previous), expected);
        let filling =
            Filling { fill: FillWith::Previous, kind: FieldType::Integer, newest_first: true, by_time: false };
        let backwards = spread(&SOME, vec![Some(Cell::Integer(1)), Some(Cell::Integer(6))], &ALL, &filling);
        assert_eq!(backwards, [1, 1, 6, 6, 6].map(Cell::Integer));
    }

    #[test]
    fn linear_needs_both_neighbours_and_cuts_integers_off() {
        let expected = [Cell::Null, Cell::Integer(1), Cell::Integer(2), Cell::Integer(4), Cell::Integer(6)];
        assert_eq!(integers(FillWith::Linear), expected);
        let texts = [Cell::String("a".to_owned()), Cell::String("b".to_owned())];
        assert_eq!(filled(FillWith::Linear, FieldType::String, texts)[2], Cell::Null);
    }

    #[test]
    fn between_windows_of_several_lengths_the_line_is_one_over_time() {
        let filling = Filling { fill: FillWith::Linear, kind: FieldType::Float, newest_first: false, by_time: true };
        let cells = spread(&SOME, vec![Some(Cell::Float(0.0)), Some(Cell::Float(4.0))], &ALL, &filling);
        assert_eq!(cells, [Cell::Null, Cell::Float(0.0), Cell::Float(1.0), Cell::Float(2.0), Cell::Float(4.0)]);
    }

    #[test]
    fn a_value_is_made_one_of_the_columns_type_and_an_exact_one_only_where_it_fits() {
        let first = |fill, kind| filled(fill, kind, [Cell::Null, Cell::Null])[0].clone();
        let (half, minus) = (Cell::Float(0.5), Cell::Integer(-1));
        assert_eq!(first(FillWith::Value(half.clone()), FieldType::Integer), Cell::Integer(0));
        assert_eq!(first(FillWith::Exactly(half.clone()), FieldType::Integer), half);
        assert_eq!(first(FillWith::Exactly(Cell::Float(7.0)), FieldType::Integer), Cell::Integer(7));
        assert_eq!(first(FillWith::Exactly(Cell::Integer(7)), FieldType::Float), Cell::Float(7.0));
        assert_eq!(first(FillWith::Exactly(minus.clone()), FieldType::Unsigned), minus);
        assert_eq!(first(FillWith::Exactly(minus.clone()), FieldType::String), minus);
    }
}
