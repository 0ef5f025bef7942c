//! What stands in windows without points.

use model::{FieldType, TimestampNs};

use super::feed::cast;
use crate::plan::FillWith;
use crate::result::Cell;

/// The cells of all windows from those of some; both lists of starts ascend, `some` is part of `all`. `newest_first` turns
/// round what "previous" means.
pub(super) fn spread(
    some: &[TimestampNs],
    cells: Vec<Option<Cell>>,
    all: &[TimestampNs],
    fill: &FillWith,
    kind: FieldType,
    newest_first: bool,
) -> Vec<Cell> {
    let mut known = some.iter().zip(cells).filter_map(|(start, cell)| Some((*start, cell?))).peekable();
    let mut spread: Vec<Option<Cell>> =
        all.iter().map(|start| known.next_if(|(known, _)| known == start).map(|(_, cell)| cell)).collect();
    match fill {
        FillWith::None | FillWith::Null => {}
        FillWith::Value(value) => {
            let value = constant(value, kind);
            spread.iter_mut().filter(|cell| cell.is_none()).for_each(|cell| *cell = Some(value.clone()));
        }
        FillWith::Previous if newest_first => repeat(spread.iter_mut().rev()),
        FillWith::Previous => repeat(spread.iter_mut()),
        FillWith::Linear => straighten(&mut spread),
    }
    spread.into_iter().map(Option::unwrap_or_default).collect()
}

/// The number that fills a column of a type: as InfluxDB has it, the empty text for texts and `false` for booleans.
fn constant(value: &Cell, kind: FieldType) -> Cell {
    match kind {
        FieldType::String => Cell::String(String::new()),
        FieldType::Boolean => Cell::Boolean(false),
        kind => cast(value.clone(), kind),
    }
}

fn repeat<'c>(cells: impl Iterator<Item = &'c mut Option<Cell>>) {
    let mut last: Option<Cell> = None;
    for cell in cells {
        match cell {
            Some(value) if *value != Cell::Null => last = Some(value.clone()),
            Some(_) => {}
            None => *cell = last.clone(),
        }
    }
}

/// Puts numbers on a straight line between their neighbours.
fn straighten(cells: &mut [Option<Cell>]) {
    let mut before: Option<(usize, Cell)> = None;
    for at in 0..cells.len() {
        let Some(Some(after)) = cells.get(at).cloned() else { continue };
        if let Some((from, value)) = &before {
            for index in from + 1..at {
                if let Some(cell) = cells.get_mut(index) {
                    *cell = between(value, &after, index - from, at - from);
                }
            }
        }
        before = Some((at, after));
    }
}

/// The value `step` of `steps` steps on the way; integers are cut off towards zero, and so reckoned in the order that
/// InfluxDB has.
fn between(a: &Cell, b: &Cell, step: usize, steps: usize) -> Option<Cell> {
    let on_line = |a: f64, b: f64| (b - a) / steps as f64 * step as f64 + a;
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => Some(Cell::Float(on_line(*a, *b))),
        (Cell::Integer(a), Cell::Integer(b)) => Some(Cell::Integer(on_line(*a as f64, *b as f64) as i64)),
        (Cell::Unsigned(a), Cell::Unsigned(b)) => Some(Cell::Unsigned(on_line(*a as f64, *b as f64) as u64)),
        _ => None,
    }
}
