//! Times and lengths of time as InfluxDB writes them, and where its shards begin.

use model::{TimeRange, TimestampNs};

const NS_PER_S: i64 = 1_000_000_000;
/// Shards are counted from the first second of the year 1, as Go's `Time.Truncate` does.
const YEAR_1_NS: i128 = -62_135_596_800 * NS_PER_S as i128;

/// `168h0m0s`, `1m30s`, `1.5s`, `17µs`, `0s`: a length of time as Go writes it.
pub(crate) fn go_duration(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let amount = ns.unsigned_abs();
    let short = |unit: u64, name: &str| format!("{sign}{}{name}", fraction(amount, unit));
    match amount {
        0 => "0s".to_owned(),
        1..1_000 => format!("{sign}{amount}ns"),
        1_000..1_000_000 => short(1_000, "µs"),
        1_000_000..1_000_000_000 => short(1_000_000, "ms"),
        _ => {
            let minutes = amount / 60_000_000_000;
            let seconds = fraction(amount % 60_000_000_000, NS_PER_S as u64);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{sign}{seconds}s"),
                (0, minutes) => format!("{sign}{minutes}m{seconds}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// `amount` in units, with as many digits behind the point as it needs.
fn fraction(amount: u64, unit: u64) -> String {
    let (whole, rest) = (amount / unit, amount % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let width = unit.ilog10() as usize;
    let digits = format!("{rest:0width$}");
    format!("{whole}.{}", digits.trim_end_matches('0'))
}

/// `2024-03-10T00:00:00Z`, with a fraction where there is one.
pub(crate) fn rfc3339(at: TimestampNs) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(at.0)).map(|t| t.to_string()).unwrap_or_default()
}

/// The range made wider to whole shards of this length, since InfluxDB looks for names by shard.
pub(crate) fn whole_shards(range: TimeRange, shard_ns: i64) -> TimeRange {
    let shard = i128::from(shard_ns.max(1));
    let floor = |at: i128| at - (at - YEAR_1_NS).rem_euclid(shard);
    let start = floor(i128::from(range.start.0));
    let end = floor(i128::from(range.end.0) - 1) + shard;
    let clamp = |at: i128| TimestampNs(at.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64);
    TimeRange::new(clamp(start), clamp(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_written_as_go_writes_them() {
        let cases = [
            (0, "0s"),
            (17, "17ns"),
            (17_000, "17µs"),
            (27_892, "27.892µs"),
            (1_500_000, "1.5ms"),
            (1_500_000_000, "1.5s"),
            (90 * NS_PER_S, "1m30s"),
            (3600 * NS_PER_S, "1h0m0s"),
            (168 * 3600 * NS_PER_S, "168h0m0s"),
            (-NS_PER_S, "-1s"),
        ];
        for (ns, text) in cases {
            assert_eq!(go_duration(ns), text);
        }
    }

    #[test]
    fn shards_of_a_week_start_on_mondays() {
        let at = TimestampNs(1_710_028_860 * NS_PER_S);
        let week = whole_shards(TimeRange::new(at, at.saturating_add(1)), 168 * 3600 * NS_PER_S);
        assert_eq!(
            (rfc3339(week.start), rfc3339(week.end)),
            ("2024-03-04T00:00:00Z".into(), "2024-03-11T00:00:00Z".into())
        );
    }

    #[test]
    fn a_range_without_ends_stays_so() {
        assert_eq!(whole_shards(TimeRange::ALL, 3600 * NS_PER_S), TimeRange::ALL);
    }
}
