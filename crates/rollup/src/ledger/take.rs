//! Which marks are handed out next, and how they come back.

use std::ops::Bound;

use model::{TimeRange, TimestampNs};
use query::execute::Grid;

use super::marks::{Marks, Window};
use super::{Columns, Marked, Order, What};

/// Which work is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// Windows that ended at or before this are ripe.
    pub(super) ripe: TimestampNs,
    pub(super) order: Order,
    /// About how many (window, column) pairs, at least 1.
    pub(super) max_pairs: u64,
}

impl Marks {
    /// Takes marks out and keeps them as being worked on, under the number returned. Marks that share a column and a time with
    /// something in work stay until that has come back, so that nobody overwrites a newer result by an older one.
    pub(super) fn take(&mut self, grid: &Grid, wanted: Wanted) -> Option<(u64, What)> {
        self.recent.forget();
        let window = self.first_window(wanted);
        let range = self.first_range(grid, wanted);
        let what = match (window, range) {
            (Some(window), Some((_, range))) if goes_before(window, range, wanted) => self.take_run(window, wanted),
            (_, Some((at, _))) => What::Range(self.ranges.remove(at)?),
            (Some(window), None) => self.take_run(window, wanted),
            (None, None) => return None,
        };
        self.last_work += 1;
        self.in_work.insert(self.last_work, what.clone());
        Some((self.last_work, what))
    }

    /// Forgets a piece of work.
    pub(super) fn done(&mut self, number: u64) {
        self.version += 1;
        self.in_work.remove(&number);
    }

    /// Makes a piece of work marks again.
    pub(super) fn give_back(&mut self, number: u64, what: What) {
        self.done(number);
        match what {
            What::Windows(windows) => windows.into_iter().for_each(|mark| self.mark_window(mark.range, &mark.columns)),
            What::Range(mark) => self.add_stretch(mark),
        }
        self.squeeze_when_full();
    }

    fn first_window(&self, wanted: Wanted) -> Option<TimeRange> {
        let before_ripe = self.windows.range(..wanted.ripe);
        let is_free = |(start, window): (&TimestampNs, &Window)| self.if_free(*start, window, wanted);
        match wanted.order {
            Order::OldestFirst => before_ripe.map(is_free).find_map(|free| free),
            Order::NewestFirst => before_ripe.rev().map(is_free).find_map(|free| free),
        }
    }

    /// The bounds of a window, when it is ripe and nobody works on it.
    fn if_free(&self, start: TimestampNs, window: &Window, wanted: Wanted) -> Option<TimeRange> {
        let range = TimeRange::new(start, window.end);
        (window.end <= wanted.ripe && !self.is_in_work(range, &window.columns)).then_some(range)
    }

    /// The stretch whose ripe part comes first, with its place.
    fn first_range(&self, grid: &Grid, wanted: Wanted) -> Option<(usize, TimeRange)> {
        let around = grid.containing(wanted.ripe);
        let ripe_end = if around.end <= wanted.ripe { around.end } else { around.start };
        let ripe = self.ranges.iter().enumerate().filter(|(_, mark)| mark.range.start < ripe_end);
        let free = ripe.filter(|(_, mark)| !self.is_in_work(mark.range, &mark.columns));
        let free = free.map(|(at, mark)| (at, TimeRange::new(mark.range.start, mark.range.end.min(ripe_end))));
        match wanted.order {
            Order::OldestFirst => free.min_by_key(|(_, range)| range.start),
            Order::NewestFirst => free.max_by_key(|(_, range)| range.end),
        }
    }

    fn is_in_work(&self, range: TimeRange, columns: &Columns) -> bool {
        let mut in_work = self.in_work.values().flat_map(What::marked);
        in_work.any(|mark| super::ranges::overlap(mark.range, range) && mark.columns.share_with(columns))
    }

    /// Takes windows out from `first` on, in the order wanted, as long as one follows the other, their columns resemble those of
    /// the first, and they are not too many. Of a first window that alone has too many columns some are left.
    fn take_run(&mut self, first: TimeRange, wanted: Wanted) -> What {
        let mut run = Vec::new();
        let mut left = wanted.max_pairs;
        let mut next = Some(first);
        while let Some(window) = next {
            run.extend(self.take_window(window, left));
            left = left.saturating_sub(run.last().map_or(0, |mark: &Marked| pairs(&mark.columns, wanted)));
            next = run.first().and_then(|first| self.following(window, &first.columns, left, wanted));
        }
        if wanted.order == Order::NewestFirst {
            run.reverse();
        }
        What::Windows(run)
    }

    fn take_window(&mut self, range: TimeRange, max_columns: u64) -> Option<Marked> {
        let window = self.windows.get_mut(&range.start)?;
        if let Some(columns) = window.columns.split_off(max_columns) {
            return Some(Marked { range, columns });
        }
        self.windows.remove(&range.start).map(|window| Marked { range, columns: window.columns })
    }

    /// The window beside `last` that belongs to the same run.
    fn following(&self, last: TimeRange, columns: &Columns, left: u64, wanted: Wanted) -> Option<TimeRange> {
        let (start, window) = match wanted.order {
            Order::OldestFirst => self.windows.range(last.end..).next()?,
            Order::NewestFirst => self.windows.range((Bound::Unbounded, Bound::Excluded(last.start))).next_back()?,
        };
        let range = self.if_free(*start, window, wanted)?;
        let follows = range.start == last.end || range.end == last.start;
        (follows && window.columns.resemble(columns) && pairs(&window.columns, wanted) <= left).then_some(range)
    }
}

/// How much of a piece of work the columns of one window are. All of them are as much as there may be.
fn pairs(columns: &Columns, wanted: Wanted) -> u64 {
    columns.len().unwrap_or(wanted.max_pairs)
}

fn goes_before(window: TimeRange, range: TimeRange, wanted: Wanted) -> bool {
    match wanted.order {
        Order::OldestFirst => window.start < range.start,
        Order::NewestFirst => window.end >= range.end,
    }
}
