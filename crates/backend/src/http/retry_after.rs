//! The header `Retry-After`: seconds, or a date.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Longest wait that a store can ask for.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// How long to wait. A date counts from the store's own `Date` when it sent one, since clocks differ; it is at least zero.
/// `None` when the text is neither form.
pub(super) fn retry_after(text: &str, date: Option<&str>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().map(|wait| wait.min(MAX_WAIT));
    }
    let until = parse_date(text)?;
    let now = date.and_then(parse_date).unwrap_or_else(Timestamp::now);
    let wait = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    Some(wait.min(MAX_WAIT))
}

fn parse_date(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after("7", None), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("0.5", None), Some(Duration::from_millis(500)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", date), Some(Duration::ZERO));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:00:00 GMT", None), Some(Duration::ZERO));
    }

    #[test]
    fn nonsense_is_ignored_and_a_year_is_an_hour() {
        assert_eq!(retry_after("soon", None), None);
        assert_eq!(retry_after("-1", None), None);
        assert_eq!(retry_after("NaN", None), None);
        assert_eq!(retry_after("31536000", None), Some(MAX_WAIT));
    }
}
