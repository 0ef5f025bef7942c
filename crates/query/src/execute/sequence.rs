//! Sequences of results, one a function, and how they become rows: they are turned around, cut to a limit, and joined by time.
//! Not here: how the results are computed (`computed`), and how empty windows are filled (`fill`).

use model::{FieldType, TimestampNs};

use super::windows::Windows;
use super::{fill, limit};
use crate::aggregate::{Origin, Point};
use crate::plan::{FillWith, Select};
use crate::result::Cell;

/// What a function gave: oldest first.
#[derive(Default)]
pub(super) struct Sequence {
    pub(super) times: Vec<TimestampNs>,
    pub(super) cells: Vec<Cell>,
    /// The points picked, where rows are points.
    pub(super) origins: Vec<Option<Origin>>,
    pub(super) kind: Option<FieldType>,
    /// Several points of one window stay in the order of time also newest first.
    pub(super) stays_in_windows: bool,
}

impl Sequence {
    /// One after the other, as they are.
    pub(super) fn of_points(points: Vec<Point>) -> Self {
        let mut sequence = Self::default();
        for point in points {
            sequence.times.push(point.time);
            sequence.cells.push(point.cell);
            sequence.origins.push(point.at);
        }
        sequence
    }

    /// Newest first. The points that `top` and `bottom` pick in one window stay in the order of time, as in InfluxDB.
    pub(super) fn reverse(&mut self, windows: &Windows) {
        let mut order: Vec<usize> = (0..self.times.len()).collect();
        if self.stays_in_windows {
            let start = |i: &usize| self.times.get(*i).map(|time| windows.containing(*time).start);
            order.sort_by_key(|i| std::cmp::Reverse(start(i)));
        } else {
            order.reverse();
        }
        self.times = order.iter().filter_map(|&i| self.times.get(i).copied()).collect();
        self.cells = order.iter().filter_map(|&i| self.cells.get_mut(i).map(std::mem::take)).collect();
        self.origins = order.iter().filter_map(|&i| self.origins.get(i).copied()).collect();
    }

    /// Keeps what LIMIT and OFFSET let through.
    pub(super) fn cut(&mut self, plan: &Select) {
        let range = limit::shown(plan, self.times.len());
        limit::cut(&mut self.times, &range);
        limit::cut(&mut self.cells, &range);
        limit::cut(&mut self.origins, &range);
    }
}

/// Rows whose columns are sequences.
pub(super) struct Joined {
    pub(super) times: Vec<TimestampNs>,
    pub(super) columns: Vec<Vec<Cell>>,
    pub(super) origins: Vec<Option<Origin>>,
}

impl Joined {
    /// The last row first.
    pub(super) fn reverse(&mut self) {
        self.times.reverse();
        self.columns.iter_mut().for_each(|column| column.reverse());
        self.origins.reverse();
    }

    /// Keeps the rows that limit and offset let through.
    pub(super) fn cut(&mut self, plan: &Select) {
        let range = limit::shown(plan, self.times.len());
        limit::cut(&mut self.times, &range);
        self.columns.iter_mut().for_each(|column| limit::cut(column, &range));
        limit::cut(&mut self.origins, &range);
    }
}

/// Joins sequences by time, in the direction of the plan. Where one has no point of a time, `fill` says what stands there.
pub(super) fn join(mut sequences: Vec<Sequence>, fill: &FillWith, newest_first: bool) -> Joined {
    if let [only] = sequences.as_mut_slice() {
        let only = std::mem::take(only);
        return Joined { times: only.times, columns: vec![only.cells], origins: only.origins };
    }
    if let Some(times) = common_times(&sequences) {
        return Joined { times, columns: sequences.into_iter().map(|s| s.cells).collect(), origins: Vec::new() };
    }
    let mut joined =
        Joined { times: Vec::new(), columns: sequences.iter().map(|_| Vec::new()).collect(), origins: Vec::new() };
    let mut heads = vec![0; sequences.len()];
    while let Some(time) = next_time(&sequences, &heads, newest_first) {
        joined.times.push(time);
        for ((sequence, head), column) in sequences.iter_mut().zip(&mut heads).zip(&mut joined.columns) {
            if sequence.times.get(*head) == Some(&time) {
                column.push(sequence.cells.get_mut(*head).map(std::mem::take).unwrap_or_default());
                *head += 1;
            } else {
                let last = column.last().cloned();
                column.push(missing(fill, last, sequence.kind));
            }
        }
    }
    joined
}

/// The times of all sequences, when they are the same.
fn common_times(sequences: &[Sequence]) -> Option<Vec<TimestampNs>> {
    let (first, rest) = sequences.split_first()?;
    rest.iter().all(|s| s.times == first.times).then(|| first.times.clone())
}

fn next_time(sequences: &[Sequence], heads: &[usize], newest_first: bool) -> Option<TimestampNs> {
    let times = sequences.iter().zip(heads).filter_map(|(sequence, head)| sequence.times.get(*head)).copied();
    if newest_first { times.max() } else { times.min() }
}

/// What stands where a sequence has no point of a time; `last` is what stands in the row before.
fn missing(fill: &FillWith, last: Option<Cell>, kind: Option<FieldType>) -> Cell {
    match fill {
        FillWith::Previous => last.unwrap_or_default(),
        fill => fill::of_row(fill, kind).unwrap_or_default(),
    }
}
