//! The marks of one task: single windows with their columns, long stretches, and what is being worked on.

use std::collections::BTreeMap;

use model::{ColumnId, TimeRange, TimestampNs};
use query::execute::Grid;

use super::memory::Meter;
use super::ranges::{Ranges, hull, overlap, touch};
use super::recent::Recent;
use super::sets::Sets;
use super::{Columns, Marked, What};

/// Part of the budget that columns of the window marked last may take.
const RECENT_SHARE: usize = 8;

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
    pub(super) recent: Recent,
    sets: Sets,
}

/// A dirty window.
#[derive(Debug, Clone)]
pub(super) struct Window {
    pub(super) end: TimestampNs,
    pub(super) columns: Columns,
}

/// What is marked around an instant.
enum Around {
    /// A single window.
    Window(TimeRange),
    /// All columns in a stretch of windows.
    AllColumns(TimeRange),
}

impl Marks {
    /// Nothing is dirty; marks may take about `budget` bytes.
    pub(super) fn new(budget: usize) -> Self {
        Self { meter: Meter::new(budget), recent: Recent::new(budget / RECENT_SHARE), ..Self::default() }
    }

    /// Marks the window of each value.
    pub(super) fn mark(&mut self, grid: &Grid, mut values: impl Iterator<Item = (ColumnId, TimestampNs)>) {
        let mut next = values.next();
        while let Some(value) = next {
            next = match self.around(grid, value.1) {
                Around::Window(window) => self.mark_run(window, value, &mut values),
                Around::AllColumns(stretch) => values.find(|(_, time)| !stretch.contains(*time)),
            };
            self.squeeze_when_full();
        }
    }

    /// What is marked around `time`; the window that holds it is made where there is nothing.
    fn around(&mut self, grid: &Grid, time: TimestampNs) -> Around {
        if let Some(window) = self.known_window(time) {
            return Around::Window(window);
        }
        match self.ranges.of_all_columns_around(time) {
            Some(stretch) => Around::AllColumns(stretch),
            None => Around::Window(self.add_window(grid.containing(time), &Columns::Some(self.sets.empty()))),
        }
    }

    /// Marks the first value, and those that follow in the same window. The first one outside is returned.
    fn mark_run(
        &mut self,
        window: TimeRange,
        (mut column, _): (ColumnId, TimestampNs),
        values: &mut impl Iterator<Item = (ColumnId, TimestampNs)>,
    ) -> Option<(ColumnId, TimestampNs)> {
        let Some(Window { columns: Columns::Some(set), .. }) = self.windows.get_mut(&window.start) else {
            return values.find(|(_, time)| !window.contains(*time));
        };
        self.recent.enter(window.start);
        loop {
            if self.recent.is_new(column) && !set.contains(column.0) {
                self.version += 1;
                let is_copied = self.sets.add(set, column);
                self.meter.add_column(is_copied.then_some(&**set));
            }
            (column, _) = match values.next() {
                Some(value) if window.contains(value.1) => value,
                next => return next,
            };
        }
    }

    fn known_window(&self, time: TimestampNs) -> Option<TimeRange> {
        let (start, window) = self.windows.range(..=time).next_back()?;
        (time < window.end).then(|| TimeRange::new(*start, window.end))
    }

    /// Marks these columns in a single window.
    pub(super) fn mark_window(&mut self, range: TimeRange, columns: &Columns) {
        if !self.ranges.covers(range) && !columns.is_empty() {
            self.add_window(range, columns);
        }
    }

    /// Adds a mark of a single window, and tells under which bounds.
    ///
    /// NOTE: where the clocks of a zone change, windows of a few hours may overlap; they are then marked as one.
    fn add_window(&mut self, mut range: TimeRange, columns: &Columns) -> TimeRange {
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
            self.mark_window(first, &columns);
        } else {
            let range = TimeRange::new(first.start, grid.containing(range.end.saturating_add(-1)).end);
            self.add_stretch(Marked { range, columns });
        }
        self.squeeze_when_full();
    }

    /// Marks a stretch of whole windows.
    pub(super) fn add_stretch(&mut self, marked: Marked) {
        let range = marked.range;
        if marked.columns == Columns::All {
            self.windows.retain(|start, window| *start < range.start || range.end < window.end);
        }
        self.meter.add_mark(&marked.columns);
        self.version += 1;
        self.ranges.add(marked);
    }

    /// Marks everything.
    pub(super) fn add_everything(&mut self) {
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
