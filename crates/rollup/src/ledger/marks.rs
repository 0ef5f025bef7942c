//! The marks of one task: single windows with their columns, long stretches, and what is being worked on.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ColumnId, TimeRange, TimestampNs};
use query::execute::Grid;
use roaring::RoaringBitmap;

use super::memory::Meter;
use super::ranges::{Ranges, hull, overlap, touch};
use super::{Columns, Marked, What};

/// What is dirty of one task.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Single windows by their start; they do not overlap.
    pub(super) windows: BTreeMap<TimestampNs, Window>,
    pub(super) ranges: Ranges,
    /// What was handed out and has not come back, by its number.
    pub(super) in_work: BTreeMap<u64, What>,
    pub(super) last_work: u64,
    /// Grows with every change, so that one can see whether the file is still right.
    pub(super) version: u64,
    pub(super) meter: Meter,
}

/// A dirty window.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) end: TimestampNs,
    pub(super) columns: Columns,
}

impl Marks {
    /// Nothing is dirty; marks may take about `budget` bytes.
    pub(super) fn new(budget: usize) -> Self {
        Self { meter: Meter::new(budget), ..Self::default() }
    }

    /// Marks the window of each value.
    pub(super) fn mark(&mut self, grid: &Grid, mut values: impl Iterator<Item = (ColumnId, TimestampNs)>) {
        let mut next = values.next();
        while let Some((column, time)) = next {
            next = match self.window_to_mark(grid, time) {
                Ok((window, set)) => {
                    let mut added = u64::from(set.insert(column.0));
                    let next = mark_run(set, column, window, &mut values, &mut added);
                    self.version += added;
                    self.meter.add_columns(added);
                    next
                }
                Err(marked) => values.find(|(_, time)| !marked.contains(*time)),
            };
            self.squeeze_when_full();
        }
    }

    /// Bounds and columns of the window that holds `time`, which is made where there is none; or else the stretch around `time` in
    /// which all columns are marked.
    fn window_to_mark(&mut self, grid: &Grid, time: TimestampNs) -> Result<(TimeRange, &mut RoaringBitmap), TimeRange> {
        let range = match self.known_window(time) {
            Some(range) => range,
            None => match self.ranges.of_all_columns_around(time) {
                Some(marked) => return Err(marked),
                None => self.add_window(grid.containing(time), &Columns::default()),
            },
        };
        match self.windows.get_mut(&range.start) {
            Some(Window { columns: Columns::Some(set), .. }) => Ok((range, Arc::make_mut(set))),
            _ => Err(range),
        }
    }

    fn known_window(&self, time: TimestampNs) -> Option<TimeRange> {
        let (start, window) = self.windows.range(..=time).next_back()?;
        (time < window.end).then(|| TimeRange::new(*start, window.end))
    }

    /// Marks these columns in a single window, and tells under which bounds.
    ///
    /// NOTE: where the clocks of a zone change, windows of a few hours may overlap; they are then marked as one.
    pub(super) fn add_window(&mut self, mut range: TimeRange, columns: &Columns) -> TimeRange {
        let mut columns = columns.clone();
        while let Some((start, window)) = self.windows.range(..range.end).next_back()
            && window.end > range.start
        {
            let start = *start;
            if let Some(other) = self.windows.remove(&start) {
                range = hull(range, TimeRange::new(start, other.end));
                columns = joined(other.columns, columns);
            }
        }
        self.meter.add_mark(&columns);
        self.version += 1;
        self.windows.insert(range.start, Window { end: range.end, columns });
        range
    }

    /// Marks these columns in all windows that meet `range`.
    pub(super) fn add_range(&mut self, grid: &Grid, range: TimeRange, columns: Columns) {
        if range.is_empty() || columns.is_empty() {
            return;
        }
        let first = grid.containing(range.start);
        if range.end <= first.end {
            self.add_window(first, &columns);
        } else {
            let range = TimeRange::new(first.start, grid.containing(range.end.saturating_add(-1)).end);
            if columns == Columns::All {
                self.windows.retain(|start, window| *start < range.start || range.end < window.end);
            }
            self.add_stretch(Marked { range, columns });
        }
        self.squeeze_when_full();
    }

    /// Marks a stretch of whole windows.
    pub(super) fn add_stretch(&mut self, marked: Marked) {
        self.meter.add_mark(&marked.columns);
        self.version += 1;
        self.ranges.add(marked);
    }

    /// Marks everything.
    pub(super) fn add_everything(&mut self) {
        self.windows.clear();
        self.ranges.clear();
        self.add_stretch(Marked { range: TimeRange::ALL, columns: Columns::All });
    }

    /// Every mark, also what is being worked on. A single window says so.
    pub(super) fn iter(&self) -> impl Iterator<Item = (TimeRange, &Columns)> {
        let windows = self.windows.iter().map(|(start, window)| (TimeRange::new(*start, window.end), &window.columns));
        windows.chain(self.stretches().map(|mark| (mark.range, &mark.columns)))
    }

    /// Every mark but the single windows nobody works on.
    pub(super) fn stretches(&self) -> impl Iterator<Item = &Marked> {
        self.ranges.iter().chain(self.in_work.values().flat_map(What::marked))
    }

    /// Start of the oldest mark.
    pub(super) fn oldest(&self) -> Option<TimestampNs> {
        let window = self.windows.keys().next().copied();
        window.into_iter().chain(self.stretches().map(|mark| mark.range.start)).min()
    }

    /// Stretches of whole windows that meet `range` and are dirty for `column`, ascending, none touching the next.
    pub(super) fn dirty(&self, grid: &Grid, column: ColumnId, range: TimeRange) -> Vec<TimeRange> {
        let windows =
            self.windows_meeting(range).filter(|(_, columns)| columns.contains(column)).map(|(range, _)| range);
        let mut found: Vec<TimeRange> = windows.collect();
        let long = self.stretches().filter(|mark| overlap(mark.range, range) && mark.columns.contains(column));
        let mut long = long.map(|mark| mark.range).peekable();
        if long.peek().is_some() {
            let whole = widened(grid, range);
            found.extend(long.map(|stretch| stretch_inside(stretch, whole)));
        }
        merge(found)
    }

    fn windows_meeting(&self, range: TimeRange) -> impl Iterator<Item = (TimeRange, &Columns)> {
        let first = self.known_window(range.start).map_or(range.start, |window| window.start);
        let end = range.end.max(first);
        self.windows.range(first..end).map(|(start, window)| (TimeRange::new(*start, window.end), &window.columns))
    }
}

/// Marks the values that follow in the same window; the first one outside is returned.
fn mark_run(
    set: &mut RoaringBitmap,
    mut last: ColumnId,
    window: TimeRange,
    values: &mut impl Iterator<Item = (ColumnId, TimestampNs)>,
    added: &mut u64,
) -> Option<(ColumnId, TimestampNs)> {
    loop {
        let (column, time) = values.next()?;
        if !window.contains(time) {
            return Some((column, time));
        }
        if column != last {
            *added += u64::from(set.insert(column.0));
            last = column;
        }
    }
}

/// `range` with the windows at its borders whole.
fn widened(grid: &Grid, range: TimeRange) -> TimeRange {
    hull(grid.containing(range.start), grid.containing(range.end.saturating_add(-1)))
}

fn stretch_inside(stretch: TimeRange, outer: TimeRange) -> TimeRange {
    TimeRange::new(stretch.start.max(outer.start), stretch.end.min(outer.end))
}

/// The smaller set is added to the larger one.
fn joined(a: Columns, b: Columns) -> Columns {
    let (mut large, small) = if a.len().unwrap_or(u64::MAX) < b.len().unwrap_or(u64::MAX) { (b, a) } else { (a, b) };
    large.add(&small);
    large
}

/// Sorts, and joins what touches.
pub(super) fn merge(mut ranges: Vec<TimeRange>) -> Vec<TimeRange> {
    ranges.sort_unstable_by_key(|range| range.start);
    ranges.dedup_by(|next, last| {
        let joins = touch(*last, *next);
        if joins {
            *last = hull(*last, *next);
        }
        joins
    });
    ranges
}
