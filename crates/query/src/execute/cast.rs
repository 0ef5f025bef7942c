//! Numbers of one type as another: fields that are stored with several types are read as one, and queries may ask for a type.

use model::{FieldType, Values};

use super::rows::field_value;
use crate::result::Cell;
use crate::store::Track;

/// The points of a track as those of another type.
pub(super) fn converted(track: Track, kind: FieldType) -> Track {
    if track.values.field_type() == kind {
        return track;
    }
    let mut values = Values::new(kind);
    for index in 0..track.values.len() {
        let cell = track.values.get(index).map(Cell::from).unwrap_or_default();
        let pushed = field_value(&cast(cell, kind)).is_some_and(|value| values.push(value));
        debug_assert!(pushed, "numbers can be turned into numbers");
    }
    Track { times: track.times, values }
}

/// A number as another kind of number; null for what is no number.
pub(super) fn cast(cell: Cell, kind: FieldType) -> Cell {
    match (cell, kind) {
        (Cell::Integer(v), FieldType::Float) => Cell::Float(v as f64),
        (Cell::Unsigned(v), FieldType::Float) => Cell::Float(v as f64),
        (Cell::Float(v), FieldType::Integer) => Cell::Integer(v as i64),
        (Cell::Unsigned(v), FieldType::Integer) => Cell::Integer(v.cast_signed()),
        (Cell::Float(v), FieldType::Unsigned) => Cell::Unsigned(v as u64),
        (Cell::Integer(v), FieldType::Unsigned) => Cell::Unsigned(v.cast_unsigned()),
        (cell @ Cell::Float(_), FieldType::Float)
        | (cell @ Cell::Integer(_), FieldType::Integer)
        | (cell @ Cell::Unsigned(_), FieldType::Unsigned)
        | (cell @ Cell::Boolean(_), FieldType::Boolean)
        | (cell @ Cell::String(_), FieldType::String) => cell,
        _ => Cell::Null,
    }
}
