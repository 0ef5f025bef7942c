//! Points on their way to the execution, some at a time.

use std::ops::ControlFlow;

use model::{FieldType, FieldValue, TimeRange, TimestampNs, Values};
use query::{Cell, Piece};

/// Points handed on at a time.
const PIECE: usize = 4096;

/// Takes pieces in.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Piece<'_>) -> ControlFlow<()>;

/// Collects points to pieces.
pub(super) struct Pieces<'v> {
    range: TimeRange,
    visit: Visit<'v>,
    times: Vec<TimestampNs>,
    values: Values,
}

impl<'v> Pieces<'v> {
    pub(super) fn new(kind: FieldType, range: TimeRange, visit: Visit<'v>) -> Self {
        Self { range, visit, times: Vec::new(), values: Values::new(kind) }
    }

    /// Adds a point, which is not older than the one before; one that comes twice counts once. Breaks when no more is wanted.
    pub(super) fn add(&mut self, time: TimestampNs, cell: &Cell) -> ControlFlow<()> {
        let is_new = self.times.last().is_none_or(|last| *last < time);
        if is_new
            && self.range.contains(time)
            && let Some(value) = value_of(cell)
            && self.values.push(value)
        {
            self.times.push(time);
        }
        if self.times.len() >= PIECE { self.hand_on() } else { ControlFlow::Continue(()) }
    }

    /// Hands on what is there, unless no more is wanted anyway.
    pub(super) fn finish(mut self, step: ControlFlow<()>) {
        if step.is_continue() {
            // Nothing follows, so that it makes no difference whether more is wanted.
            self.hand_on().is_break();
        }
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        let Some(&last) = self.times.last() else { return ControlFlow::Continue(()) };
        let step = (self.visit)(Piece::Points { times: &self.times, values: &self.values });
        self.times.clear();
        self.values = Values::new(self.values.field_type());
        // What comes twice is not taken in again.
        self.range.start = last.saturating_add(1);
        step
    }
}

/// A cell as a value; `None` for null.
pub(super) fn value_of(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => FieldValue::Float(*v),
        Cell::Integer(v) => FieldValue::Integer(*v),
        Cell::Unsigned(v) => FieldValue::Unsigned(*v),
        Cell::Boolean(v) => FieldValue::Boolean(*v),
        Cell::String(v) => FieldValue::String(v),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_come_in_pieces_each_once_and_inside_the_range() {
        let mut found: Vec<Vec<i64>> = Vec::new();
        let mut visit = |piece: Piece<'_>| {
            if let Piece::Points { times, .. } = piece {
                found.push(times.iter().map(|time| time.0).collect());
            }
            ControlFlow::Continue(())
        };
        let range = TimeRange::new(TimestampNs(0), TimestampNs(5000));
        let mut pieces = Pieces::new(FieldType::Integer, range, &mut visit);
        for time in -5..6000 {
            for _ in 0..2 {
                assert!(pieces.add(TimestampNs(time), &Cell::Integer(time)).is_continue());
            }
        }
        pieces.finish(ControlFlow::Continue(()));
        assert_eq!(found.len(), 2);
        assert_eq!(found.concat(), (0..5000).collect::<Vec<_>>());
    }
}
