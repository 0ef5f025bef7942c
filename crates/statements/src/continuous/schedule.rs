//! When a continuous query is run, and over which windows, by the rules of InfluxDB 1.x.
//!
//! A query is run at the start of each step: a step is a window of its `GROUP BY time(interval, offset)`, or `EVERY` long with the
//! same offset and time zone. A run at `t` computes, whole windows only,
//!
//! - from the window that holds the instant before `t + interval - FOR`,
//! - until the start of the window that holds `now + interval - EVERY`, or `now` where `EVERY` is longer than the interval.
//!
//! So without RESAMPLE it is the window that has just ended, and with a short `EVERY` also the one under way. `FOR` is the longer
//! of interval and `EVERY` where it is not given. Where several steps have passed since the last run, `t` is the first of
//! them, so that no window is left out. A query not run yet is looked at as if `now` were the start of a step: without
//! RESAMPLE nothing has just ended then, while a longer `FOR` or a shorter `EVERY` has something to compute at once.
//!
//! NOTE: steps follow the clocks of the query's zone here. InfluxDB adds `EVERY` to the last run, and so leaves a window out where a
//! day has 23 hours.

use influxql::ast::{ContinuousQuery, Expr, Field, Measurement, MeasurementName, Select, Source};
use model::{TimeRange, TimestampNs};
use query::QueryError;
use query::compile::{Context, compile};
use query::execute::window_containing;

/// When a query is run.
pub(super) struct Schedule {
    /// Has the windows of the query.
    windows: query::Select,
    /// Has the steps as windows.
    steps: query::Select,
    interval_ns: i64,
    every_ns: i64,
    for_ns: i64,
}

/// A run that is due.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// Start of the step it is for, which is the last run once it was begun.
    pub(super) time: TimestampNs,
    /// What it computes; `None`: nothing has ended yet.
    pub(super) range: Option<TimeRange>,
}

impl Schedule {
    /// `None` for a query without windows, which is never run.
    pub(super) fn of(query: &ContinuousQuery, context: &Context) -> Result<Option<Self>, QueryError> {
        let Some((interval_ns, offset)) = window_of(&query.select) else { return Ok(None) };
        let every_ns = query.every.unwrap_or(interval_ns);
        let plan = |width| compile(&windows_only(width, offset, query.select.time_zone.clone()), context);
        Ok(Some(Self {
            windows: plan(interval_ns)?,
            steps: plan(every_ns)?,
            interval_ns,
            every_ns,
            for_ns: query.resample_for.unwrap_or(every_ns.max(interval_ns)),
        }))
    }

    /// What is to be run `now`, after the run of the step that started at `last`.
    pub(super) fn due(&self, last: Option<TimestampNs>, now: TimestampNs) -> Result<Option<Due>, QueryError> {
        let time = window_containing(&self.steps, now)?.start;
        let first_missed = match last {
            Some(last) if time <= last => return Ok(None),
            Some(last) => window_containing(&self.steps, last)?.end,
            None => now,
        };
        let oldest = first_missed.saturating_add(self.interval_ns.saturating_sub(self.for_ns)).saturating_add(-1);
        let newest = now.saturating_add((self.interval_ns - self.every_ns).max(0));
        let start = window_containing(&self.windows, oldest)?.start;
        let end = window_containing(&self.windows, newest)?.start;
        Ok(Some(Due { time, range: (start < end).then(|| TimeRange::new(start, end)) }))
    }
}

/// Length and offset of the windows.
fn window_of(select: &Select) -> Option<(i64, Option<&Expr>)> {
    select.dimensions.iter().find_map(|dimension| match dimension {
        Expr::Call { name, args } if name == "time" => match args.as_slice() {
            [Expr::Duration(width), rest @ ..] if *width > 0 => Some((*width, rest.first())),
            _ => None,
        },
        _ => None,
    })
}

/// A query that has these windows.
fn windows_only(width: i64, offset: Option<&Expr>, time_zone: Option<String>) -> Select {
    let value = Expr::Reference { name: "value".to_owned(), cast: None };
    let count = Expr::Call { name: "count".to_owned(), args: vec![value] };
    let args = [Some(Expr::Duration(width)), offset.cloned()].into_iter().flatten().collect();
    let name = MeasurementName::Name("m".to_owned());
    Select {
        fields: vec![Field { expr: count, alias: None }],
        sources: vec![Source::Measurement(Measurement { database: Some("db".to_owned()), policy: None, name })],
        dimensions: vec![Expr::Call { name: "time".to_owned(), args }],
        time_zone,
        ..Select::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use influxql::ast::Statement;
    use query::compile::Dialect;

    fn at(text: &str) -> TimestampNs {
        let instant: jiff::Timestamp = text.parse().unwrap();
        TimestampNs(i64::try_from(instant.as_nanosecond()).unwrap())
    }

    /// On 2026-11-22 in UTC.
    fn clock(time: &str) -> TimestampNs {
        at(&format!("2026-11-22T{time}Z"))
    }

    fn read(resample: &str, windows: &str, dialect: Dialect) -> Schedule {
        let text = format!(
            "CREATE CONTINUOUS QUERY c ON d {resample} BEGIN SELECT mean(v) INTO y FROM m GROUP BY {windows} END"
        );
        let parsed = influxql::parse(&text, &influxql::Params::new(), &influxql::Limits::default()).unwrap();
        let Some(Statement::CreateContinuousQuery(query)) = parsed.into_iter().next() else { panic!("{text}") };
        let context = Context { now: clock("00:00:00"), database: None, policy: None, dialect, into: true };
        Schedule::of(&query, &context).unwrap().unwrap()
    }

    fn schedule(resample: &str, windows: &str) -> Schedule {
        read(resample, windows, Dialect::Strict)
    }

    /// `from-until` of the run at `now` after that of `last`; `-`: nothing to compute; nothing at all where it is not due.
    fn run(schedule: &Schedule, last: Option<&str>, now: &str) -> String {
        let Some(due) = schedule.due(last.map(clock), clock(now)).unwrap() else { return String::new() };
        let shown = |time: TimestampNs| {
            let shown = jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap().to_string();
            shown["2026-11-22T".len()..shown.len() - 1].to_owned()
        };
        due.range.map_or("-".to_owned(), |range| format!("{}-{}", shown(range.start), shown(range.end)))
    }

    #[test]
    fn without_resample_the_window_that_has_just_ended_is_computed_at_its_end() {
        let hourly = schedule("", "time(1h)");
        assert_eq!(run(&hourly, Some("08:00:00"), "08:59:59"), "");
        assert_eq!(run(&hourly, Some("08:00:00"), "09:00:00"), "08:00:00-09:00:00");
        assert_eq!(run(&hourly, Some("08:00:00"), "09:00:01.3"), "08:00:00-09:00:00");
        assert_eq!(hourly.due(Some(clock("08:00:00")), clock("09:00:01")).unwrap().unwrap().time, clock("09:00:00"));
    }

    #[test]
    fn windows_and_runs_are_shifted_by_the_offset() {
        let hourly = schedule("", "time(1h, 15m)");
        assert_eq!(run(&hourly, Some("08:15:00"), "09:14:59"), "");
        assert_eq!(run(&hourly, Some("08:15:00"), "09:15:00"), "08:15:00-09:15:00");
    }

    #[test]
    fn every_computes_the_window_under_way_until_it_has_ended() {
        let often = schedule("RESAMPLE EVERY 30m", "time(1h)");
        assert_eq!(run(&often, Some("07:30:00"), "08:00:00"), "07:00:00-08:00:00");
        assert_eq!(run(&often, Some("08:00:00"), "08:30:00"), "08:00:00-09:00:00");
    }

    #[test]
    fn for_computes_older_windows_again() {
        let again = schedule("RESAMPLE FOR 1h", "time(30m)");
        assert_eq!(run(&again, Some("07:30:00"), "08:00:00"), "07:00:00-08:00:00");
        let both = schedule("RESAMPLE EVERY 1h FOR 90m", "time(30m)");
        assert_eq!(run(&both, Some("07:00:00"), "08:00:00"), "06:30:00-08:00:00");
    }

    #[test]
    fn every_longer_than_the_windows_makes_for_as_long() {
        let rarely = schedule("RESAMPLE EVERY 1h", "time(30m)");
        assert_eq!(run(&rarely, Some("07:00:00"), "07:30:00"), "");
        assert_eq!(run(&rarely, Some("07:00:00"), "08:00:00"), "07:00:00-08:00:00");
    }

    #[test]
    fn windows_that_were_missed_are_made_up_for() {
        let hourly = schedule("", "time(1h)");
        assert_eq!(run(&hourly, Some("05:00:00"), "09:10:00"), "05:00:00-09:00:00");
    }

    #[test]
    fn a_query_seen_for_the_first_time_computes_nothing_that_ended_before_unless_it_resamples() {
        assert_eq!(run(&schedule("", "time(1h)"), None, "08:10:00"), "-");
        assert_eq!(run(&schedule("RESAMPLE FOR 3h", "time(1h)"), None, "08:10:00"), "06:00:00-08:00:00");
        assert_eq!(run(&schedule("RESAMPLE EVERY 10m", "time(1h)"), None, "08:10:00"), "08:00:00-09:00:00");
    }

    #[test]
    fn days_are_those_of_the_time_zone_also_where_clocks_change() {
        let daily = schedule("", "time(1d) tz('Europe/Berlin')");
        let runs = |last: &str, now: &str| daily.due(Some(at(last)), at(now)).unwrap();
        let due = |time, from| Some(Due { time: at(time), range: Some(TimeRange::new(at(from), at(time))) });
        let spring = ["2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"];
        assert_eq!(runs(spring[0], spring[1]), due(spring[1], spring[0]));
        assert_eq!(runs(spring[1], spring[2]), due(spring[2], spring[1]));
        assert_eq!(runs("2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z"), None);
        assert_eq!(
            runs("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            due("2026-10-25T23:00:00Z", "2026-10-24T22:00:00Z")
        );
    }

    #[test]
    fn weeks_start_on_mondays_in_the_extended_language_and_on_thursdays_else() {
        let (thursday, monday) = (at("2026-11-19T00:00:00Z"), at("2026-11-23T00:00:00Z"));
        let start = |dialect, now| read("RESAMPLE EVERY 1w", "time(1w)", dialect).due(None, now).unwrap().unwrap().time;
        assert_eq!(start(Dialect::Strict, monday), thursday);
        assert_eq!(start(Dialect::Extended, monday), monday);
    }
}
