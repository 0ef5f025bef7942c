//! Which windows of a range are complete: wholly inside it and over, so that what is computed of them stays true until somebody
//! writes to them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{TimeRange, TimestampNs};

use super::windows::Windows;

/// The parts of `range` that are made of complete windows.
pub(super) fn complete(windows: &Windows, range: TimeRange, now: TimestampNs) -> Vec<TimeRange> {
    if let Windows::Whole(whole) = windows {
        let is_bounded = range.start != TimestampNs::MIN && range.end != TimestampNs::MAX;
        return if is_bounded && *whole == range && range.end <= now { vec![range] } else { Vec::new() };
    }
    let end = range.end.min(now);
    let (mut parts, mut from) = (Vec::new(), range.start);
    for change in clock_changes(windows, TimeRange::new(from, end)) {
        parts.push(aligned(windows, TimeRange::new(from, change.start)));
        from = from.max(change.end);
    }
    parts.push(aligned(windows, TimeRange::new(from, end)));
    parts.retain(|part| !part.is_empty());
    parts
}

/// From the first to the last border of windows in `range`.
fn aligned(windows: &Windows, range: TimeRange) -> TimeRange {
    if range.is_empty() {
        return range;
    }
    let first = windows.containing(range.start);
    let start = if first.start == range.start { first.start } else { first.end };
    TimeRange::new(start, windows.containing(range.end).start)
}

/// Stretches of time in which windows of one length may be cut or overlap, because the zone's clocks change.
fn clock_changes(windows: &Windows, range: TimeRange) -> Vec<TimeRange> {
    let Windows::Fixed(fixed) = windows else { return Vec::new() };
    let Some(zone) = fixed.zone.as_ref().filter(|_| !range.is_empty()) else { return Vec::new() };
    // A window's borders depend on what clocks show up to two widths (its offset is one) from its points, and are moved by less
    // than one.
    let margin = fixed.width.saturating_mul(3);
    let around = |time: TimestampNs| TimeRange::new(time.saturating_add(-margin), time.saturating_add(margin));
    let reach = TimeRange::new(range.start.saturating_add(-margin), range.end.saturating_add(margin));
    changes(zone, reach).map(around).collect()
}

/// When the clocks of a zone change.
fn changes(zone: &TimeZone, range: TimeRange) -> impl Iterator<Item = TimestampNs> {
    // Nanoseconds of 64 bits lie far inside what jiff can represent.
    let start = Timestamp::from_nanosecond(i128::from(range.start.0)).unwrap_or_default();
    let instant = |time: Timestamp| i64::try_from(time.as_nanosecond()).ok().map(TimestampNs);
    zone.following(start).map_while(move |change| instant(change.timestamp())).take_while(move |time| *time < range.end)
}

#[cfg(test)]
mod tests {
    use model::WindowNs;

    use super::*;
    use crate::plan::{CalendarUnit, Windowing};

    const HOUR: i64 = 3_600_000_000_000;
    const DAY: i64 = 24 * HOUR;

    fn at(text: &str) -> i64 {
        let instant: Timestamp = text.parse().unwrap();
        i64::try_from(instant.as_nanosecond()).unwrap()
    }

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    fn fixed(width: i64) -> Windowing {
        Windowing::Fixed { width: WindowNs::new(width).unwrap(), offset_ns: 0 }
    }

    /// Complete windows of a range as starts and ends of its parts.
    fn found(window: Option<&Windowing>, zone: Option<&str>, range: TimeRange, now: i64) -> Vec<(i64, i64)> {
        let windows = Windows::of(window, zone, range).unwrap();
        complete(&windows, range, TimestampNs(now)).into_iter().map(|part| (part.start.0, part.end.0)).collect()
    }

    #[test]
    fn windows_cut_by_the_range_or_not_over_are_not_complete() {
        let ten = fixed(10);
        assert_eq!(found(Some(&ten), None, range(5, 48), 1000), [(10, 40)]);
        assert_eq!(found(Some(&ten), None, range(10, 50), 1000), [(10, 50)]);
        assert_eq!(found(Some(&ten), None, range(10, 50), 39), [(10, 30)]);
        assert_eq!(found(Some(&ten), None, range(11, 29), 1000), []);
        assert_eq!(found(Some(&ten), None, range(50, 40), 1000), []);
        assert_eq!(found(Some(&ten), None, TimeRange::ALL, 39), [(i64::MIN, 30)]);
    }

    #[test]
    fn a_whole_range_is_complete_when_it_is_bounded_and_over() {
        assert_eq!(found(None, None, range(5, 48), 48), [(5, 48)]);
        assert_eq!(found(None, None, range(5, 48), 47), []);
        assert_eq!(found(None, None, range(i64::MIN, 48), 100), []);
        assert_eq!(found(None, None, range(5, i64::MAX), i64::MAX), []);
    }

    #[test]
    fn days_of_a_calendar_are_complete_also_where_clocks_change() {
        let day = Windowing::Calendar { count: 1, unit: CalendarUnit::Day };
        let asked = range(at("2026-03-27T12:00:00Z"), at("2026-03-31T12:00:00Z"));
        let expected = (at("2026-03-27T23:00:00Z"), at("2026-03-30T22:00:00Z"));
        assert_eq!(found(Some(&day), Some("Europe/Berlin"), asked, i64::MAX), [expected]);
    }

    #[test]
    fn fixed_windows_near_a_change_of_the_clocks_are_left_out() {
        let change = at("2026-03-29T01:00:00Z");
        let asked = range(change - 20 * DAY, change + 20 * DAY);
        let parts = found(Some(&fixed(DAY)), Some("Europe/Berlin"), asked, i64::MAX);
        let expected = [
            (at("2026-03-09T23:00:00Z"), at("2026-03-25T23:00:00Z")),
            (at("2026-04-01T22:00:00Z"), at("2026-04-17T22:00:00Z")),
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn every_instant_of_a_complete_part_is_in_a_window_inside_it() {
        let change = at("2026-10-25T01:00:00Z");
        let asked = range(change - 2 * DAY, change + 2 * DAY);
        for minutes in [30, 60, 70, 90, 100, 240, 420] {
            let windows = Windows::of(Some(&fixed(minutes * HOUR / 60)), Some("Europe/Berlin"), asked).unwrap();
            let parts = complete(&windows, asked, TimestampNs::MAX);
            assert_eq!(parts.len(), 2);
            for part in parts {
                for time in (part.start.0..part.end.0).step_by(HOUR as usize / 60) {
                    let window = windows.containing(TimestampNs(time));
                    assert!(window.start >= part.start && window.end <= part.end, "{minutes} {part:?} {window:?}");
                    assert_eq!(windows.containing(window.start), window, "{minutes}");
                }
            }
        }
    }
}
