//! Windows of a plan in SQL: an expression that is the same for all times of one window. Only where PostgreSQL reckons in whole
//! microseconds as hissrv does; other windows are put together here from the points.

use model::{TimeRange, TimestampNs};
use query::execute::window_containing;
use query::plan::{Select, Windowing};

use super::stream::Parameter;
use crate::postgres::encode::{micros, system_time};

/// Windows that are told one by one, at most.
const BORDERS_MAX: usize = 20_000;
/// `date_bin` is there since this version.
const WITH_DATE_BIN: i32 = 140_000;

/// How times are put into windows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Bins {
    /// All in one.
    One,
    /// Of so many microseconds, from a time on that is before all others.
    Regular { width: i64, origin: i64 },
    /// From these times on; days of a time zone, months.
    Borders(Vec<i64>),
}

impl Bins {
    /// Windows of a plan for a range of times; `None` where SQL has no such windows.
    pub(super) fn of(plan: &Select, range: TimeRange, server: i32) -> Option<Self> {
        match &plan.window {
            None => Some(Self::One),
            Some(Windowing::Fixed { width, .. }) if is_utc(plan) => {
                let origin = window_containing(plan, range.start).ok()?.start;
                let is_whole = width.get() % 1000 == 0 && origin.0 % 1000 == 0 && origin != TimestampNs::MIN;
                let regular = Self::Regular { width: width.get() / 1000, origin: micros(origin) };
                (is_whole && server >= WITH_DATE_BIN).then_some(regular)
            }
            Some(_) => borders(plan, range).map(Self::Borders),
        }
    }

    /// How many windows there are, roughly.
    pub(super) fn count(&self, range: TimeRange) -> usize {
        match self {
            Self::One => 1,
            Self::Regular { width, .. } => {
                let length = i128::from(range.end.0) - i128::from(range.start.0);
                usize::try_from(length / 1000 / i128::from((*width).max(1))).unwrap_or(usize::MAX).saturating_add(1)
            }
            Self::Borders(borders) => borders.len(),
        }
    }

    /// The expression, and its values; `first` is the number of the first of them.
    pub(super) fn render(&self, first: usize) -> (String, Vec<Parameter>) {
        match self {
            Self::One => ("0".to_owned(), Vec::new()),
            Self::Regular { width, origin } => {
                // The width as a constant: a parameter would be made an interval again for each row.
                let sql = format!("date_bin(INTERVAL '{width} microseconds', time, ${first}::timestamptz)");
                (sql, vec![Box::new(system_time(*origin))])
            }
            Self::Borders(borders) => {
                let borders: Vec<_> = borders.iter().map(|&border| system_time(border)).collect();
                (format!("width_bucket(time, ${first}::timestamptz[])"), vec![Box::new(borders)])
            }
        }
    }
}

fn is_utc(plan: &Select) -> bool {
    plan.time_zone.as_deref().is_none_or(|zone| zone.eq_ignore_ascii_case("utc"))
}

/// Starts of the windows of a range; `None` where it is open, or there are too many.
fn borders(plan: &Select, range: TimeRange) -> Option<Vec<i64>> {
    if range.start == TimestampNs::MIN || range.end == TimestampNs::MAX {
        return None;
    }
    let mut borders = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let window = window_containing(plan, at).ok()?;
        let goes_on = window.end > at && window.start.0 % 1000 == 0 && borders.len() < BORDERS_MAX;
        if !goes_on {
            return None;
        }
        borders.push(micros(window.start));
        at = window.end;
    }
    Some(borders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::compile::{Context, Dialect, compile};

    const DAY: i64 = 86_400_000_000;

    fn bins(text: &str) -> Option<Bins> {
        let question = format!("SELECT mean(v) FROM m WHERE {text}");
        let parsed = influxql::parse(&question, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
        let [influxql::ast::Statement::Select(select)] = parsed.as_slice() else { panic!("{question}") };
        let (now, database) = (TimestampNs(DAY * 1_000_000), Some("d".to_owned()));
        let context = Context { now, database, policy: None, dialect: Dialect::Extended, into: false };
        let plan = compile(select, &context).unwrap();
        Bins::of(&plan, plan.range, WITH_DATE_BIN)
    }

    #[test]
    fn windows_of_whole_microseconds_start_at_or_before_the_range() {
        let from_90_s = "time >= 90s AND time < 10m GROUP BY";
        assert_eq!(
            bins(&format!("{from_90_s} time(1m)")),
            Some(Bins::Regular { width: 60_000_000, origin: 60_000_000 })
        );
        let shifted = Some(Bins::Regular { width: 60_000_000, origin: 40_000_000 });
        assert_eq!(bins(&format!("{from_90_s} time(1m, -20s)")), shifted);
        assert_eq!(bins(&format!("{from_90_s} time(1500ns)")), None);
        assert_eq!(bins(&format!("{from_90_s} time(1m, 1ns)")), None);
        assert_eq!(bins("time >= 90s"), Some(Bins::One));
    }

    #[test]
    fn days_of_a_zone_are_told_one_by_one_where_the_range_is_bounded() {
        let berlin = "GROUP BY time(1d) tz('Europe/Berlin')";
        let Some(Bins::Borders(borders)) = bins(&format!("time >= '2026-03-28' AND time < '2026-03-31' {berlin}"))
        else {
            panic!("there are borders")
        };
        let lengths: Vec<i64> = borders.windows(2).map(|pair| (pair[1] - pair[0]) / 3_600_000_000).collect();
        assert_eq!(lengths, [24, 23]);
        assert_eq!(bins(&format!("time < '2026-03-31' {berlin}")), None);
        assert_eq!(bins("time >= 0 AND time < 90000m GROUP BY time(1m) tz('Europe/Berlin')"), None);
    }
}
