//! Functions over windows, computed by VictoriaMetrics: `aggr_over_time(("count_over_time",...), selector[width])`.
//!
//! At a time `t` it looks at `(t - width, t]`; a window from `start` to `last` is therefore asked for at `last`.

use std::time::Duration;

use query::QueryError;

use super::api::{Api, Labels, Span};
use super::spans::Run;

/// Label that tells which function a series of the answer is of.
pub(super) const FUNCTION: &str = "rollup";

/// Windows that begin before it are not computed right: the start of what is read for them would be before 1970.
pub(super) const EARLIEST: i64 = 100 * DAY;

/// After its clock nothing can be stored beyond two days.
const AHEAD: i64 = 3 * DAY;

/// What is younger is not shown as it is: VictoriaMetrics repeats older values at the end of an answer, as the newest may still be on
/// their way.
const SETTLED: i64 = DAY / 24;

/// Such windows are asked for so much earlier, by `offset`.
const SHIFT: i64 = 4 * DAY;

const DAY: i64 = Duration::from_hours(24).as_millis() as i64;

/// Functions over the series of a selector.
pub(super) struct Rollup<'p> {
    pub(super) api: &'p Api<'p>,
    pub(super) selector: &'p str,
    /// Its clock, in milliseconds.
    pub(super) now: i64,
}

/// One function of one series.
pub(super) struct Found {
    /// Labels of the series without the metric's name.
    pub(super) labels: Labels,
    /// Index of the function.
    pub(super) function: usize,
    /// Numbers of windows and values there.
    pub(super) values: Vec<(usize, f64)>,
}

/// The last millisecond that anything can be stored at.
pub(super) fn horizon(now: i64) -> i64 {
    now.saturating_add(AHEAD)
}

impl Rollup<'_> {
    /// `functions` over the windows of `run`, which begins at [`EARLIEST`] or later. `None`: the store does not compute that.
    ///
    /// # Errors
    /// The store failed.
    pub(super) fn over(&self, functions: &[&str], run: Run) -> Result<Option<Vec<Found>>, QueryError> {
        let shift = if run.last() > self.now - SETTLED { SHIFT } else { 0 };
        let offset = if shift > 0 { format!(" offset -{shift}ms") } else { String::new() };
        let names: Vec<String> = functions.iter().map(|name| format!("\"{name}\"")).collect();
        let (selector, width) = (self.selector, run.width);
        let expression = format!("aggr_over_time(({}),{selector}[{width}ms]{offset})", names.join(","));
        let first = run.window(0).1 - shift;
        let span = Span { start: first, end: run.last() - shift };
        let Some(series) = self.api.range(&expression, span, width)? else { return Ok(None) };
        let found = series.into_iter().map(|mut series| {
            let name = series.metric.remove(FUNCTION).unwrap_or_default();
            let function = functions.iter().position(|known| *known == name).ok_or_else(|| unexpected(&name))?;
            let window = |(seconds, text): &(f64, String)| {
                let behind = milliseconds(*seconds) - first;
                let number = usize::try_from(behind / width).ok().filter(|_| behind % width == 0);
                number.zip(text.parse::<f64>().ok()).ok_or_else(|| unexpected(text))
            };
            let values = series.values.iter().map(window).collect::<Result<_, _>>()?;
            Ok(Found { labels: series.metric, function, values })
        });
        found.collect::<Result<_, _>>().map(Some)
    }
}

/// Seconds as it tells times.
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0).round() as i64
}

fn unexpected(what: &str) -> QueryError {
    QueryError::Store(format!("VictoriaMetrics answered something else than what was asked: `{what}`"))
}
