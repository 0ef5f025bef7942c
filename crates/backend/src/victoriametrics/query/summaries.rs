//! The points of a column as summaries of a plan's windows: count, sum, smallest, largest, first and last value with its time, which is
//! what counting, adding up, means, spreads and the like are made of, here as in the embedded engine.
//!
//! Only where that is exact: the store has each point once (`-dedup.minScrapeInterval`), and its clock is known. Otherwise, and in
//! windows that are so short that their points are fewer than their summaries, the points are fetched.

use std::ops::ControlFlow;
use std::time::Duration;

use model::TimeRange;
use query::{Piece, QueryError, Summary};

use crate::remote::{Column, Suffices, VisitPieces, scan_points};

use super::super::facts::Facts;
use super::points::{VmPoints, instant, is_series, span_of};
use super::rollup::{EARLIEST, FUNCTION, Rollup, horizon, milliseconds};
use super::spans::{Run, next_run};

/// What a summary is made of.
const FUNCTIONS: [&str; 8] = [
    "count_over_time",
    "sum_over_time",
    "min_over_time",
    "max_over_time",
    "first_over_time",
    "last_over_time",
    "tfirst_over_time",
    "tlast_over_time",
];

/// Their values in one window.
type Values = [f64; FUNCTIONS.len()];

/// Of shorter windows the points are fetched.
const MIN_WIDTH: i64 = 30_000;

/// Windows asked for at first, to see how many points they have, and then at a time.
const FIRST_WINDOWS: i64 = 64;
pub(super) const MAX_WINDOWS: i64 = 10_000;

/// Windows that have fewer points than so many on average are fetched point by point.
const MIN_POINTS: u64 = 4;

/// How a column is read in summaries.
pub(super) struct Plan<'p> {
    points: &'p VmPoints<'p>,
    column: &'p Column<'p>,
    suffices: Suffices<'p>,
    selector: String,
    now: i64,
    /// The first millisecond wanted.
    start: i64,
    /// The last one.
    end: i64,
    /// The first one that is still to be read.
    at: i64,
    /// Windows asked for at a time.
    most: i64,
    is_narrowed: bool,
    is_sparse: bool,
}

impl<'p> Plan<'p> {
    /// `None` where points have to be fetched: summaries do not suffice or would not be exact.
    pub(super) fn new(
        points: &'p VmPoints<'p>,
        column: &'p Column<'p>,
        range: TimeRange,
        suffices: Suffices<'p>,
    ) -> Result<Option<Self>, QueryError> {
        let Some(span) = span_of(range) else { return Ok(None) };
        let Some(now) = points.reader.as_deref().filter(|facts| has_each_point_once(facts)).and_then(Facts::now_ms)
        else {
            return Ok(None);
        };
        let (start, end) = (span.start, span.end.min(horizon(now)));
        if start > end || !suffices(instant(start), instant(start)) {
            return Ok(None);
        }
        if points.tags(column.place, column.measurement)?.iter().any(|tag| tag == FUNCTION) {
            return Ok(None);
        }
        let selector = points.column(column)?;
        let plan = Self {
            points,
            column,
            suffices,
            selector,
            now,
            start,
            end,
            at: start,
            most: points.windows_at_once().min(FIRST_WINDOWS),
            is_narrowed: false,
            is_sparse: false,
        };
        Ok(Some(plan))
    }

    /// Hands out everything, oldest first.
    pub(super) fn scan(mut self, visit: VisitPieces<'_>) -> Result<(), QueryError> {
        let mut flow = self.fetch(self.end.min(EARLIEST - 1), visit)?;
        while flow.is_continue() && self.at <= self.end {
            let run = next_run(self.at, self.end, self.most, &|a, b| (self.suffices)(instant(a), instant(b)));
            if self.is_sparse || run.width < MIN_WIDTH {
                flow = self.fetch(self.end_of_points(run), visit)?;
            } else if !self.is_narrowed && (self.end - self.at) / run.width > MAX_WINDOWS {
                self.narrow()?;
            } else {
                flow = self.sum_up(run, visit)?;
            }
        }
        Ok(())
    }

    /// Up to where points are fetched. What the range leaves of its first window may be short without the others being so.
    fn end_of_points(&self, run: Run) -> i64 {
        let is_rest = self.at == self.start && run.count == 1 && !self.is_sparse;
        if is_rest { run.last() } else { self.end }
    }

    /// Hands out the points up to `last`.
    fn fetch(&mut self, last: i64, visit: VisitPieces<'_>) -> Result<ControlFlow<()>, QueryError> {
        if last < self.at {
            return Ok(ControlFlow::Continue(()));
        }
        let flow = self.points_between(self.at, last, visit)?;
        self.at = last + 1;
        Ok(flow)
    }

    fn points_between(&self, first: i64, last: i64, visit: VisitPieces<'_>) -> Result<ControlFlow<()>, QueryError> {
        let range = TimeRange::new(instant(first), instant(last + 1));
        scan_points(self.points, self.column, range, visit)
    }

    fn rollup(&self) -> Rollup<'_> {
        Rollup { api: &self.points.api, selector: &self.selector, now: self.now }
    }

    /// Finds out where the points are, so that a range without bounds does not become countless windows without any.
    fn narrow(&mut self) -> Result<(), QueryError> {
        self.is_narrowed = true;
        let edges = ["tfirst_over_time", "tlast_over_time"];
        let Some(found) = self.rollup().over(&edges, Run::one(self.at, self.end))? else { return Ok(()) };
        let own: Vec<_> = found.iter().filter(|found| is_series(&found.labels, self.column.tags)).collect();
        let edge =
            |function| own.iter().find(|found| found.function == function)?.values.first().map(|(_, time)| *time);
        match (edge(0), edge(1)) {
            (Some(first), Some(last)) => {
                self.at = milliseconds(first).max(self.at);
                self.start = self.at;
                self.end = milliseconds(last).min(self.end);
            }
            _ => self.at = self.end + 1,
        }
        Ok(())
    }

    /// Hands out the summaries of these windows.
    fn sum_up(&mut self, run: Run, visit: VisitPieces<'_>) -> Result<ControlFlow<()>, QueryError> {
        let Some(windows) = self.windows(run)? else { return self.fetch(self.end, visit) };
        self.at = run.last() + 1;
        let (mut with_points, mut points) = (0, 0);
        for (number, window) in (0..).zip(&windows).filter(|(_, window)| window.iter().any(|value| !value.is_nan())) {
            with_points += 1;
            let flow = if let Some(summary) = summary(window) {
                points += summary.count;
                visit(Piece::Summary(&summary))
            } else {
                // There are infinite values, which are left out.
                let (first, last) = run.window(number);
                self.points_between(first, last, visit)?
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        if run.count == self.most {
            self.is_sparse = points < MIN_POINTS * with_points;
            self.most = self.points.windows_at_once();
        }
        Ok(ControlFlow::Continue(()))
    }

    /// The functions' values in each window; not a number where there is no point. `None`: the store does not compute that.
    fn windows(&self, run: Run) -> Result<Option<Vec<Values>>, QueryError> {
        let Some(found) = self.rollup().over(&FUNCTIONS, run)? else { return Ok(None) };
        let mut windows = vec![[f64::NAN; FUNCTIONS.len()]; usize::try_from(run.count).unwrap_or_default()];
        for found in found.iter().filter(|found| is_series(&found.labels, self.column.tags)) {
            for (number, value) in &found.values {
                if let Some(place) = windows.get_mut(*number).and_then(|window| window.get_mut(found.function)) {
                    *place = *value;
                }
            }
        }
        Ok(Some(windows))
    }
}

/// The functions' values as a summary; `None` when one of them is no number.
fn summary(values: &Values) -> Option<Summary> {
    if values.iter().any(|value| !value.is_finite()) {
        return None;
    }
    let [count, sum, min, max, first, last, first_time, last_time] = *values;
    let time = |seconds| instant(milliseconds(seconds));
    let (first_time, last_time) = (time(first_time), time(last_time));
    Some(Summary { count: count as u64, first_time, last_time, sum, min, max, first, last, ..Summary::default() })
}

/// Without deduplication, points that were sent again after an outage count twice.
fn has_each_point_once(facts: &Facts) -> bool {
    facts.duration("dedup.minScrapeInterval").is_some_and(|interval| interval >= Duration::from_millis(1))
}
