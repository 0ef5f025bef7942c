//! Results of windows that have points: what functions gave, window by window.

use std::ops::Range;

use model::{TimeRange, TimestampNs};

use crate::aggregate::{Origin, Picked};
use crate::result::Cell;

/// Results as execution has them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Rows {
    /// Starts of the windows that have points, ascending.
    pub(crate) starts: Vec<TimestampNs>,
    /// By function, then by window.
    pub(crate) picked: Vec<Vec<Option<Picked>>>,
}

/// Results as they are kept: values and the points that were chosen apart, since most functions choose none.
#[derive(Debug, Default)]
pub(super) struct Kept {
    starts: Vec<TimestampNs>,
    columns: Vec<Column>,
}

/// Results of one function.
#[derive(Debug, Default)]
struct Column {
    /// `None` where the function saw no point of its field.
    cells: Vec<Option<Cell>>,
    /// As many as cells, or none at all.
    at: Vec<Option<Origin>>,
}

impl Rows {
    /// Takes in rows of later windows.
    pub(crate) fn append(&mut self, mut other: Self) {
        if self.starts.is_empty() {
            *self = other;
            return;
        }
        self.starts.append(&mut other.starts);
        self.picked.iter_mut().zip(&mut other.picked).for_each(|(column, more)| column.append(more));
    }
}

impl Kept {
    pub(super) fn new(functions: usize) -> Self {
        Self { starts: Vec::new(), columns: (0..functions).map(|_| Column::default()).collect() }
    }

    /// Puts the rows of `new` that lie inside `range` in the place of those that are there.
    pub(super) fn put(&mut self, range: TimeRange, new: &Rows) {
        let (old, fresh) = (indexes(&self.starts, range), indexes(&new.starts, range));
        for (number, column) in self.columns.iter_mut().enumerate() {
            let picked = new.picked.get(number).and_then(|picked| picked.get(fresh.clone()));
            column.put(old.clone(), picked.unwrap_or_default());
        }
        self.starts.splice(old, new.starts.get(fresh).unwrap_or_default().iter().copied());
    }

    /// The rows inside `range`.
    pub(super) fn within(&self, range: TimeRange) -> Rows {
        let indexes = indexes(&self.starts, range);
        Rows {
            starts: self.starts.get(indexes.clone()).unwrap_or_default().to_vec(),
            picked: self.columns.iter().map(|column| column.picked(indexes.clone())).collect(),
        }
    }

    /// Number of rows inside `range`.
    pub(super) fn count(&self, range: TimeRange) -> usize {
        indexes(&self.starts, range).len()
    }

    /// Forgets all rows outside of `range`.
    pub(super) fn trim(&mut self, range: TimeRange) {
        let kept = indexes(&self.starts, range);
        for column in &mut self.columns {
            keep(&mut column.cells, &kept);
            keep(&mut column.at, &kept);
        }
        keep(&mut self.starts, &kept);
    }

    /// Memory held, texts included.
    pub(super) fn bytes(&self) -> usize {
        let columns = self.columns.iter().map(Column::bytes).sum::<usize>();
        self.starts.capacity() * size_of::<TimestampNs>() + self.columns.capacity() * size_of::<Column>() + columns
    }
}

impl Column {
    fn put(&mut self, old: Range<usize>, new: &[Option<Picked>]) {
        let at = |picked: &Option<Picked>| picked.as_ref().and_then(|picked| picked.at);
        if !self.at.is_empty() || new.iter().any(|picked| at(picked).is_some()) {
            self.at.resize(self.cells.len(), None);
            self.at.splice(old.clone(), new.iter().map(at));
        }
        self.cells.splice(old, new.iter().map(|picked| picked.as_ref().map(|picked| picked.cell.clone())));
    }

    fn picked(&self, indexes: Range<usize>) -> Vec<Option<Picked>> {
        let cells = self.cells.get(indexes.clone()).unwrap_or_default();
        let at = self.at.get(indexes).unwrap_or_default().iter().copied().chain(std::iter::repeat(None));
        cells.iter().zip(at).map(|(cell, at)| cell.clone().map(|cell| Picked { cell, at })).collect()
    }

    fn bytes(&self) -> usize {
        let text = |cell: &Option<Cell>| if let Some(Cell::String(text)) = cell { text.capacity() } else { 0 };
        self.cells.capacity() * size_of::<Option<Cell>>()
            + self.at.capacity() * size_of::<Option<Origin>>()
            + self.cells.iter().map(text).sum::<usize>()
    }
}

/// Indexes of the ascending `starts` that lie inside `range`.
fn indexes(starts: &[TimestampNs], range: TimeRange) -> Range<usize> {
    let from = starts.partition_point(|&start| start < range.start);
    from..starts.partition_point(|&start| start < range.end).max(from)
}

fn keep<T>(list: &mut Vec<T>, kept: &Range<usize>) {
    list.truncate(kept.end);
    list.drain(..kept.start.min(list.len()));
    list.shrink_to_fit();
}

#[cfg(test)]
mod tests {
    use model::SeriesId;

    use super::*;

    fn rows(starts: &[i64], chooses: bool) -> Rows {
        let picked = |&start: &i64| {
            let at = chooses.then_some(Origin { series: SeriesId(1), time: TimestampNs(start + 1) });
            Some(Picked { cell: Cell::Integer(start), at })
        };
        let starts_ns = starts.iter().copied().map(TimestampNs).collect();
        Rows { starts: starts_ns, picked: vec![starts.iter().map(picked).collect(), vec![None; starts.len()]] }
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    #[test]
    fn rows_put_are_given_back_with_the_points_chosen() {
        let mut kept = Kept::new(2);
        kept.put(range(0, 30), &rows(&[0, 10, 20], false));
        assert_eq!(kept.within(range(0, 30)), rows(&[0, 10, 20], false));
        kept.put(range(10, 50), &rows(&[10, 40, 50], true));
        let mut expected = rows(&[0], false);
        expected.append(rows(&[10, 40], true));
        assert_eq!(kept.within(TimeRange::ALL), expected);
        kept.trim(range(10, 11));
        assert_eq!(kept.within(TimeRange::ALL), rows(&[10], true));
        kept.put(range(0, 50), &Rows::default());
        assert_eq!(kept.count(TimeRange::ALL), 0);
    }

    #[test]
    fn texts_are_counted() {
        let mut kept = Kept::new(1);
        let text = Picked::value(Cell::String("x".repeat(1000)));
        kept.put(range(0, 1), &Rows { starts: vec![TimestampNs(0)], picked: vec![vec![Some(text)]] });
        assert!((1000..1200).contains(&kept.bytes()), "{}", kept.bytes());
    }
}
