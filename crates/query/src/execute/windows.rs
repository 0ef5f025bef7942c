//! Windows of time: the one that holds an instant, and those that a range has.
//!
//! Fixed windows are aligned to the epoch on the clocks of the query's time zone, so that days start at local midnights and
//! have 23 or 25 hours where clocks change (the rule of InfluxDB's `IteratorOptions.Window`). Calendar windows are counted in
//! whole units, see [`Calendar`].

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{TimeRange, TimestampNs};

use super::calendar::Calendar;
use crate::QueryError;
use crate::plan::{Select, Windowing};

const NS_PER_S: i64 = 1_000_000_000;
const DAY_NS: i64 = 86_400 * NS_PER_S;

/// The windows of one query.
#[derive(Debug, Clone)]
pub(super) enum Windows {
    /// The whole range.
    Whole(TimeRange),
    /// Of one length.
    Fixed(Fixed),
    /// Whole units on a zone's clocks.
    Calendar(Calendar),
}

/// Windows over all of time, for those who need them outside of a query.
#[derive(Debug, Clone)]
pub struct Grid(Windows);

impl Grid {
    /// The windows that a query with this windowing and time zone has.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] for an unknown time zone or a window of no units.
    pub fn new(window: &Windowing, zone: Option<&str>) -> Result<Self, QueryError> {
        Windows::of(Some(window), zone, TimeRange::ALL).map(Self)
    }

    /// The window that holds `time`, cut where it reaches past what can be represented.
    pub fn containing(&self, time: TimestampNs) -> TimeRange {
        self.0.containing(time)
    }
}

/// Windows of one length.
#[derive(Debug, Clone)]
pub(super) struct Fixed {
    pub(super) width: i64,
    /// `0 <= offset < width`.
    offset: i64,
    pub(super) zone: Option<TimeZone>,
}

impl Windows {
    /// # Errors
    /// [`QueryError::Invalid`] for an unknown time zone.
    pub(super) fn new(plan: &Select) -> Result<Self, QueryError> {
        Self::of(plan.window.as_ref(), plan.time_zone.as_deref(), plan.range)
    }

    pub(super) fn of(window: Option<&Windowing>, zone: Option<&str>, range: TimeRange) -> Result<Self, QueryError> {
        let zone = zone.map(find_zone).transpose()?;
        Ok(match window {
            None => Self::Whole(range),
            Some(Windowing::Fixed { width, offset_ns }) => {
                let zone = zone.filter(|zone| *zone != TimeZone::UTC);
                Self::Fixed(Fixed { width: width.get(), offset: offset_ns.rem_euclid(width.get()), zone })
            }
            Some(Windowing::Calendar { count, unit }) => {
                Self::Calendar(Calendar::new(*count, *unit, zone.unwrap_or(TimeZone::UTC))?)
            }
        })
    }

    /// The window that holds `time`, cut where it reaches past what can be represented.
    pub(super) fn containing(&self, time: TimestampNs) -> TimeRange {
        match self {
            Self::Whole(range) => *range,
            Self::Fixed(fixed) => fixed.containing(time),
            Self::Calendar(calendar) => calendar.containing(time),
        }
    }

    /// The same for those who outlive the query.
    pub(super) fn grid(&self) -> Grid {
        Grid(self.clone())
    }

    /// Width of fixed windows that are all of one length, so that their numbers can be reckoned.
    pub(super) fn regular(&self) -> Option<i64> {
        match self {
            Self::Fixed(Fixed { width, zone: None, .. }) => Some(*width),
            _ => None,
        }
    }

    /// True when every instant is in one window only. Fixed windows may overlap where a zone's clocks change, unless they are of whole
    /// days.
    pub(super) fn is_partition(&self) -> bool {
        match self {
            Self::Fixed(Fixed { width, zone, .. }) => zone.is_none() || width % DAY_NS == 0,
            Self::Whole(_) | Self::Calendar(_) => true,
        }
    }

    /// Nominal length of a window.
    pub(super) fn width_ns(&self) -> Option<i64> {
        match self {
            Self::Fixed(fixed) => Some(fixed.width),
            Self::Whole(_) | Self::Calendar(_) => None,
        }
    }

    /// True unless the whole range is one window.
    pub(super) fn divide(&self) -> bool {
        !matches!(self, Self::Whole(_))
    }

    /// The time that stands for a window in the answer: its start; the epoch where the range has none.
    pub(super) fn label(&self, start: TimestampNs) -> TimestampNs {
        match self {
            _ if start == TimestampNs::MIN => TimestampNs(0),
            _ => start,
        }
    }
}

impl Fixed {
    fn containing(&self, time: TimestampNs) -> TimeRange {
        let shifted = time.0.saturating_sub(self.offset);
        let zone = self.zone_offset(shifted);
        let into = shifted.saturating_add(zone).rem_euclid(self.width);
        let start = self.adjusted(time.0.saturating_sub(into), zone);
        let end = self.adjusted(time.0.saturating_add(self.width - into), zone);
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    /// A border moved by a change of the clocks since the time whose offset was `zone`; not where the change is as long as a
    /// window or longer.
    fn adjusted(&self, border: i64, zone: i64) -> i64 {
        let change = zone - self.zone_offset(border);
        if change.abs() < self.width { border.saturating_add(change) } else { border }
    }

    /// What the zone's clocks are ahead of UTC, in nanoseconds.
    fn zone_offset(&self, time: i64) -> i64 {
        let Some(zone) = &self.zone else { return 0 };
        let instant = Timestamp::from_nanosecond(i128::from(time)).unwrap_or_default();
        i64::from(zone.to_offset(instant).seconds()) * NS_PER_S
    }
}

/// The zone of an IANA name.
///
/// # Errors
/// [`QueryError::Invalid`] when there is none of that name.
pub(crate) fn find_zone(name: &str) -> Result<TimeZone, QueryError> {
    TimeZone::get(name).map_err(|_| QueryError::Invalid {
        message: format!("unknown time zone `{name}`"),
        hint: Some("expected an IANA name such as Europe/Berlin, Asia/Shanghai or UTC".to_owned()),
    })
}

/// Starts of all windows from the one that holds the start of `range` (`first`, where that is open) to the one that holds its
/// end (`last`), ascending. They are counted from the end that is read first: where clocks change they may differ by that.
/// `check` is asked before the list grows.
pub(super) fn all_starts(
    windows: &Windows,
    range: TimeRange,
    (first, last): (TimestampNs, TimestampNs),
    newest_first: bool,
    check: &dyn Fn(usize) -> Result<(), QueryError>,
) -> Result<Vec<TimestampNs>, QueryError> {
    let from = if range.start == TimestampNs::MIN { first } else { windows.containing(range.start).start };
    let to = if range.end == TimestampNs::MAX { last } else { windows.containing(range.end.saturating_add(-1)).start };
    let mut steps = Steps::new(windows, if newest_first { to } else { from }, newest_first);
    let mut starts = vec![steps.at];
    while let Some(next) = steps.next().filter(|next| (from..=to).contains(next)) {
        check(starts.len() + 1)?;
        starts.push(next);
    }
    if newest_first {
        starts.reverse();
    }
    Ok(starts)
}

/// Steps from one window to the next.
struct Steps<'w> {
    windows: &'w Windows,
    at: TimestampNs,
    backwards: bool,
    /// What the zone's clocks were ahead of UTC at the last step.
    zone_offset: i64,
}

impl<'w> Steps<'w> {
    fn new(windows: &'w Windows, at: TimestampNs, backwards: bool) -> Self {
        let zone_offset = if let Windows::Fixed(fixed) = windows { fixed.zone_offset(at.0) } else { 0 };
        Self { windows, at, backwards, zone_offset }
    }

    /// Start of the next window; `None` at the end of time.
    fn next(&mut self) -> Option<TimestampNs> {
        let next = match self.windows {
            Windows::Fixed(fixed) => self.fixed(fixed),
            other if self.backwards => other.containing(self.at.saturating_add(-1)).start,
            other => other.containing(self.at).end,
        };
        let goes_on = if self.backwards { next < self.at } else { next > self.at };
        self.at = next;
        goes_on.then_some(next)
    }

    /// A step of one width, made longer or shorter where the clocks change on the way.
    fn fixed(&mut self, fixed: &Fixed) -> TimestampNs {
        let mut next = self.at.saturating_add(if self.backwards { -fixed.width } else { fixed.width });
        let offset = fixed.zone_offset(next.0.saturating_sub(1));
        let change = self.zone_offset - offset;
        if change != 0 {
            if change.abs() < fixed.width {
                next = next.saturating_add(change);
            }
            self.zone_offset = offset;
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> TimestampNs {
        let instant: Timestamp = text.parse().unwrap();
        TimestampNs(i64::try_from(instant.as_nanosecond()).unwrap())
    }

    fn fixed(width: i64, offset: i64, zone: Option<&str>) -> Windows {
        Windows::Fixed(Fixed { width, offset, zone: zone.map(|name| find_zone(name).unwrap()) })
    }

    #[test]
    fn fixed_windows_are_floored_also_before_1970_and_shifted_by_the_offset() {
        let windows = fixed(10, 3, None);
        let containing = |t| {
            let window = windows.containing(TimestampNs(t));
            (window.start.0, window.end.0)
        };
        assert_eq!(containing(3), (3, 13));
        assert_eq!(containing(2), (-7, 3));
        assert_eq!(containing(-8), (-17, -7));
        assert_eq!(containing(i64::MIN).0, i64::MIN);
        assert_eq!(containing(i64::MAX - 1).1, i64::MAX);
    }

    #[test]
    fn fixed_windows_of_a_zone_start_on_its_clocks_also_where_these_change() {
        let days = fixed(86_400 * NS_PER_S, 0, Some("Europe/Berlin"));
        let day = |time| days.containing(at(time));
        let range = |start, end| TimeRange::new(at(start), at(end));
        assert_eq!(day("2026-03-28T12:00:00Z"), range("2026-03-27T23:00:00Z", "2026-03-28T23:00:00Z"));
        assert_eq!(day("2026-03-29T12:00:00Z"), range("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
        assert_eq!(day("2026-10-25T12:00:00Z"), range("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"));
    }

    #[test]
    fn all_windows_reach_over_the_range_or_over_the_points_where_it_is_open() {
        let starts = |range| {
            let all = all_starts(&fixed(10, 0, None), range, (TimestampNs(10), TimestampNs(30)), false, &|_| Ok(()));
            all.unwrap().into_iter().map(|start| start.0).collect::<Vec<_>>()
        };
        assert_eq!(starts(TimeRange::new(TimestampNs(-5), TimestampNs(41))), [-10, 0, 10, 20, 30, 40]);
        assert_eq!(starts(TimeRange::ALL), [10, 20, 30]);
    }

    #[test]
    fn an_unknown_zone_is_named() {
        assert_eq!(find_zone("Mars/Base").unwrap_err().to_string(), "unknown time zone `Mars/Base`");
    }
}
