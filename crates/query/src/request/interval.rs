//! Lengths of windows: `10s`, `1h30m`, `1d`, `1w`, `1mo`, `1y`.
//!
//! `mo` and `y` are calendar units always, in UTC where no time zone is given; `d` and `w` are so where one is given, and 24
//! hours and 7 of these (from Thursday 1970-01-01, as in InfluxDB) where not. A calendar unit stands alone.

use model::WindowNs;
use model::units::parse_duration_ns;

use crate::QueryError;
use crate::execute::find_zone;
use crate::plan::{CalendarUnit, Windowing};

/// The windows of an interval, on the clocks of a time zone. Those of a fixed length are aligned to the epoch whatever the zone.
///
/// # Errors
/// [`QueryError::Invalid`] for another form, a length of 0, or an unknown time zone.
pub fn parse_interval(text: &str, time_zone: Option<&str>) -> Result<Windowing, QueryError> {
    if let Some(zone) = time_zone {
        find_zone(zone)?;
    }
    if let Some((count, unit)) = calendar_units(text, time_zone) {
        let count = count.parse().ok().filter(|&count| count > 0).ok_or_else(|| unreadable(text))?;
        return Ok(Windowing::Calendar { count, unit });
    }
    if time_zone.is_some() && text.contains(['d', 'w']) {
        return Err(QueryError::invalid_with_hint(
            format!("`interval` is `{text}`: with a time zone, days and weeks are of the calendar and stand alone"),
            "write hours instead, or leave the time zone out",
        ));
    }
    let ns = parse_duration_ns(text).map_err(|_| unreadable(text))?;
    Ok(Windowing::Fixed { width: WindowNs::new(ns).ok_or_else(|| unreadable(text))?, offset_ns: 0 })
}

/// Number and unit, when `text` is one number with a unit that is the calendar's.
fn calendar_units<'a>(text: &'a str, time_zone: Option<&str>) -> Option<(&'a str, CalendarUnit)> {
    let (count, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = match unit {
        "mo" => CalendarUnit::Month,
        "y" => CalendarUnit::Year,
        "d" if time_zone.is_some() => CalendarUnit::Day,
        "w" if time_zone.is_some() => CalendarUnit::Week,
        _ => return None,
    };
    Some((count, unit))
}

fn unreadable(text: &str) -> QueryError {
    QueryError::invalid(format!(
        "`interval` is `{text}`: expected a length above 0 such as `10s`, `1h30m`, `1d`, `1w`, `1mo` or `1y`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed_ns(text: &str, zone: Option<&str>) -> Option<i64> {
        match parse_interval(text, zone).unwrap() {
            Windowing::Fixed { width, offset_ns: 0 } => Some(width.get()),
            _ => None,
        }
    }

    fn units(text: &str, zone: Option<&str>) -> Option<(u32, CalendarUnit)> {
        match parse_interval(text, zone).unwrap() {
            Windowing::Calendar { count, unit } => Some((count, unit)),
            Windowing::Fixed { .. } => None,
        }
    }

    #[test]
    fn lengths_are_fixed_up_to_weeks_without_a_zone() {
        assert_eq!(fixed_ns("10s", None), Some(10_000_000_000));
        assert_eq!(fixed_ns("1h30m", Some("Europe/Berlin")), Some(5_400_000_000_000));
        assert_eq!(fixed_ns("1d12h", None), Some(36 * 3_600_000_000_000));
        assert_eq!(fixed_ns("1w", None), Some(7 * 86_400_000_000_000));
    }

    #[test]
    fn days_and_weeks_are_the_calendars_where_there_is_a_zone() {
        let zone = Some("Europe/Berlin");
        assert_eq!(units("1d", zone), Some((1, CalendarUnit::Day)));
        assert_eq!(units("2w", zone), Some((2, CalendarUnit::Week)));
        assert_eq!(units("3mo", None), Some((3, CalendarUnit::Month)));
        assert_eq!(units("1y", zone), Some((1, CalendarUnit::Year)));
    }

    #[test]
    fn other_forms_are_refused_with_what_is_expected() {
        for text in ["", "0s", "0mo", "mo", "5", "1 fortnight", "-1h", "1mo2w", "99999999999mo"] {
            let error = parse_interval(text, None).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "`interval` is `{text}`: expected a length above 0 such as `10s`, `1h30m`, `1d`, `1w`, `1mo` or `1y`"
                )
            );
        }
        let error = parse_interval("1d12h", Some("UTC")).unwrap_err().to_string();
        assert_eq!(
            error,
            "`interval` is `1d12h`: with a time zone, days and weeks are of the calendar and stand alone"
        );
        assert_eq!(parse_interval("1h", Some("Nowhere")).unwrap_err().to_string(), "unknown time zone `Nowhere`");
    }
}
