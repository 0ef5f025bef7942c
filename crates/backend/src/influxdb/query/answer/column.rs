//! Types of the columns of an answer. JSON of InfluxDB 1.x does not tell the float 5 from the integer 5: where the type of a column
//! is known, it decides; else a column is one of floats from the first number with a point on.

use model::FieldType;
use query::Cell;

/// The columns of an answer, that of the time aside.
pub(in super::super) struct Columns {
    kinds: Vec<Option<FieldType>>,
}

impl Columns {
    /// Columns of these types; `None`: not known.
    pub(in super::super) fn new(kinds: Vec<Option<FieldType>>) -> Self {
        Self { kinds }
    }

    /// Makes the cells of a part of the answer such of the types that their columns have.
    pub(in super::super) fn settle(&mut self, columns: &mut [Vec<Cell>]) {
        self.kinds.resize(columns.len().max(self.kinds.len()), None);
        for (cells, kind) in columns.iter_mut().zip(&mut self.kinds) {
            if kind.is_none() && cells.iter().any(|cell| matches!(cell, Cell::Float(_))) {
                *kind = Some(FieldType::Float);
            }
            match kind {
                Some(FieldType::Float) => cells.iter_mut().for_each(to_float),
                Some(FieldType::Unsigned) => cells.iter_mut().for_each(to_unsigned),
                None => cells.iter_mut().for_each(|cell| {
                    if matches!(cell, Cell::Unsigned(_)) {
                        to_float(cell);
                    }
                }),
                Some(FieldType::Integer | FieldType::Boolean | FieldType::String) => {}
            }
        }
    }
}

fn to_float(cell: &mut Cell) {
    match cell {
        Cell::Integer(value) => *cell = Cell::Float(*value as f64),
        Cell::Unsigned(value) => *cell = Cell::Float(*value as f64),
        _ => {}
    }
}

fn to_unsigned(cell: &mut Cell) {
    if let Cell::Integer(value) = cell
        && let Ok(value) = u64::try_from(*value)
    {
        *cell = Cell::Unsigned(value);
    }
}
