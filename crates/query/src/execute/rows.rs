//! Rows of one series: times, and one cell a column and time.

use model::{FieldType, FieldValue, TimestampNs, Values};

use crate::result::Cell;
use crate::store::Track;

/// Rows of one series, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) times: Vec<TimestampNs>,
    /// By column; `None` where all cells are null.
    pub(super) columns: Vec<Option<Vec<Cell>>>,
}

impl Rows {
    /// The rows of these tracks: one for every time that some track has a point at.
    pub(super) fn join(tracks: Vec<Option<Track>>) -> Self {
        if let Some(times) = same_times(&tracks) {
            let columns = tracks.into_iter().map(|track| track.map(|track| cells(&track.values))).collect();
            return Self { times, columns };
        }
        let times = all_times(&tracks);
        let columns = tracks.into_iter().map(|track| track.map(|track| spread(&track, &times))).collect();
        Self { times, columns }
    }

    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The cell of a row; null past the end.
    pub(super) fn cell(&self, column: usize, row: usize) -> &Cell {
        const NULL: &Cell = &Cell::Null;
        let column = self.columns.get(column).and_then(Option::as_ref);
        column.and_then(|cells| cells.get(row)).unwrap_or(NULL)
    }

    /// Keeps the rows whose indexes are given, ascending.
    pub(super) fn keep(&mut self, indexes: &[usize]) {
        if indexes.len() == self.times.len() {
            return;
        }
        self.times = indexes.iter().filter_map(|&i| self.times.get(i).copied()).collect();
        for column in self.columns.iter_mut().flatten() {
            *column = indexes.iter().filter_map(|&i| column.get_mut(i).map(std::mem::take)).collect();
        }
    }

    /// Memory held, texts estimated.
    pub(super) fn bytes(&self) -> usize {
        let text = |cell: &Cell| if let Cell::String(text) = cell { text.capacity() } else { 0 };
        let of_column = |cells: &Vec<Cell>| {
            let texts = if matches!(cells.first(), Some(Cell::String(_))) { cells.iter().map(text).sum() } else { 0 };
            cells.capacity() * size_of::<Cell>() + texts
        };
        self.times.capacity() * size_of::<TimestampNs>() + self.columns.iter().flatten().map(of_column).sum::<usize>()
    }

    /// The points of one column as typed values; nulls and cells of other types are passed over.
    pub(super) fn track(&self, column: usize, kind: FieldType) -> Track {
        let mut track = Track { times: Vec::new(), values: Values::new(kind) };
        for (row, &time) in self.times.iter().enumerate() {
            if let Some(value) = field_value(self.cell(column, row))
                && track.values.push(value)
            {
                track.times.push(time);
            }
        }
        track
    }
}

/// The times that all tracks have in common; `None` when they differ.
fn same_times(tracks: &[Option<Track>]) -> Option<Vec<TimestampNs>> {
    let mut present = tracks.iter().flatten();
    let first = present.next()?;
    present.all(|track| track.times == first.times).then(|| first.times.clone())
}

fn all_times(tracks: &[Option<Track>]) -> Vec<TimestampNs> {
    let mut times: Vec<_> = tracks.iter().flatten().flat_map(|track| track.times.iter().copied()).collect();
    // Stable, because that merges ascending runs.
    times.sort();
    times.dedup();
    times
}

fn cells(values: &Values) -> Vec<Cell> {
    match values {
        Values::Float(v) => v.iter().map(|&v| Cell::Float(v)).collect(),
        Values::Integer(v) => v.iter().map(|&v| Cell::Integer(v)).collect(),
        Values::Unsigned(v) => v.iter().map(|&v| Cell::Unsigned(v)).collect(),
        Values::Boolean(v) => v.iter().map(|&v| Cell::Boolean(v)).collect(),
        Values::String(v) => v.iter().map(|v| Cell::String(v.to_owned())).collect(),
    }
}

fn spread(track: &Track, times: &[TimestampNs]) -> Vec<Cell> {
    let mut at = 0;
    let mut cell = |time: &TimestampNs| {
        if track.times.get(at) != Some(time) {
            return Cell::Null;
        }
        at += 1;
        track.values.get(at - 1).map(Cell::from).unwrap_or_default()
    };
    times.iter().map(&mut cell).collect()
}

/// A cell as a value to be stored; `None` for null.
pub(super) fn field_value(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => FieldValue::Float(*v),
        Cell::Integer(v) => FieldValue::Integer(*v),
        Cell::Unsigned(v) => FieldValue::Unsigned(*v),
        Cell::Boolean(v) => FieldValue::Boolean(*v),
        Cell::String(v) => FieldValue::String(v),
    })
}
