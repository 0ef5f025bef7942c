//! What VictoriaMetrics tells of itself on `/metrics`: version, start, its clock, the flags it was started with, what it left out.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// What one process tells.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// `1.79.5`; `None` for builds that do not tell.
    pub(super) version: Option<String>,
    /// Second of its start since 1970.
    pub(super) started: Option<i64>,
    /// Its clock, and when it was read.
    clock: Option<(i64, Instant)>,
    /// Rows it did not store since its start: unreadable ones, and those outside of its retention.
    pub(super) has_left_out: bool,
    flags: BTreeMap<String, String>,
}

/// How long data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retention(pub(super) Duration);

impl Facts {
    /// Reads the text of `/metrics`; lines that are not known are passed over.
    pub(super) fn parse(metrics: &str, read_at: Instant) -> Self {
        let mut facts = Self::default();
        let mut uptime = None;
        for line in metrics.lines() {
            let Some((name, value)) = line.rsplit_once(' ') else { continue };
            match name.split('{').next() {
                Some("flag") => facts.add_flag(name),
                Some("vm_app_version") => facts.version = version(name),
                Some("vm_app_start_timestamp") => facts.started = whole(value),
                Some("vm_app_uptime_seconds") => uptime = whole(value),
                Some("vm_rows_ignored_total") => facts.has_left_out |= value != "0",
                Some("vm_rows_invalid_total") if name.contains("\"influx\"") => facts.has_left_out |= value != "0",
                _ => {}
            }
        }
        let now = facts.started.zip(uptime).and_then(|(started, uptime)| started.checked_add(uptime));
        facts.clock = now.map(|now| (now, read_at));
        facts
    }

    fn add_flag(&mut self, line: &str) {
        if let Some((name, value)) = label(line, "name").zip(label(line, "value")) {
            self.flags.insert(name.to_owned(), value.to_owned());
        }
    }

    /// A flag's value as it is printed; `None` for one that the process does not have.
    pub(super) fn flag(&self, name: &str) -> Option<&str> {
        self.flags.get(name).map(String::as_str)
    }

    /// A flag that is a number.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.flag(name)?.parse().ok()
    }

    /// A flag that is a length of time.
    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        go_duration(self.flag(name)?)
    }

    /// How long it keeps data.
    pub(super) fn retention(&self) -> Option<Retention> {
        retention(self.flag("retentionPeriod")?).map(Retention)
    }

    /// Milliseconds since 1970 on its clock, good to some seconds: it tells the same for a while.
    pub(super) fn now_ms(&self) -> Option<i64> {
        let (seconds, read_at) = self.clock?;
        let since = i64::try_from(read_at.elapsed().as_millis()).ok()?;
        seconds.checked_mul(1000)?.checked_add(since)
    }
}

fn whole(value: &str) -> Option<i64> {
    value.parse().ok()
}

/// The short version without its `v`.
fn version(line: &str) -> Option<String> {
    let short = label(line, "short_version")?;
    let version = short.strip_prefix('v').unwrap_or(short);
    (!version.is_empty()).then(|| version.to_owned())
}

/// The value of a label as it stands there. None that is asked for holds a quote.
fn label<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let start = [format!("{{{name}=\""), format!(" {name}=\""), format!(",{name}=\"")];
    let after = start.iter().find_map(|start| line.split_once(start.as_str()).map(|(_, after)| after))?;
    after.split_once('"').map(|(value, _)| value)
}

/// `100y`, `30d`, `2w`, `12h`; a bare number counts months of 31 days.
fn retention(text: &str) -> Option<Duration> {
    const HOUR: u64 = 3600;
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.get(digits.len()..)? {
        "" | "M" => 31 * 24 * HOUR,
        "y" => 365 * 24 * HOUR,
        "w" => 7 * 24 * HOUR,
        "d" => 24 * HOUR,
        "h" => HOUR,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    let length = digits.parse::<f64>().ok()? * seconds as f64;
    Duration::try_from_secs_f64(length).ok()
}

/// `1h0m5s`, `1ms`, as Go prints lengths of time.
fn go_duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, next) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let seconds = match unit {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?)?;
        rest = next;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "vm_app_version{version=\"victoria-metrics-20220711\", short_version=\"v1.79.5\"} 1\n\
        vm_app_start_timestamp 1795333617\nvm_app_uptime_seconds 12\n\
        vm_rows_ignored_total{reason=\"big_timestamp\"} 0\nvm_rows_invalid_total{type=\"influx\"} 0\n\
        vm_rows_invalid_total{type=\"graphite\"} 3\n\
        flag{name=\"dedup.minScrapeInterval\", value=\"1ms\", is_set=\"true\"} 1\n\
        flag{name=\"maxLabelsPerTimeseries\", value=\"30\", is_set=\"false\"} 1\n\
        flag{name=\"retentionPeriod\", value=\"100y\", is_set=\"true\"} 1\n";

    #[test]
    fn version_start_clock_and_flags_are_read() {
        let facts = Facts::parse(METRICS, Instant::now());
        assert_eq!((facts.version.as_deref(), facts.started), (Some("1.79.5"), Some(1_795_333_617)));
        assert_eq!(facts.duration("dedup.minScrapeInterval"), Some(Duration::from_millis(1)));
        assert_eq!(facts.number("maxLabelsPerTimeseries"), Some(30));
        assert_eq!(facts.retention(), Some(Retention(Duration::from_secs(100 * 365 * 86_400))));
        assert!(facts.now_ms().unwrap() >= 1_795_333_629_000);
        assert!(!facts.has_left_out);
    }

    #[test]
    fn a_build_without_a_version_has_none_and_other_text_is_passed_over() {
        let facts = Facts::parse("vm_app_version{version=\"\", short_version=\"\"} 1\n<html>\n\nx 1", Instant::now());
        assert!(facts.version.is_none() && facts.started.is_none() && facts.now_ms().is_none());
        assert!(Facts::parse("vm_rows_ignored_total{reason=\"small_timestamp\"} 2", Instant::now()).has_left_out);
    }

    #[test]
    fn lengths_of_time_are_read_as_they_are_printed() {
        let days = |text| retention(text).map(|d| d.as_secs() / 86_400);
        assert_eq!(
            ["1", "30d", "2w", "1y", "1.5d", "x", ""].map(days).to_vec(),
            [Some(31), Some(30), Some(14), Some(365), Some(1), None, None]
        );
        assert_eq!(go_duration("1h0m5s"), Some(Duration::from_secs(3605)));
        assert_eq!((go_duration("0s"), go_duration("5x")), (Some(Duration::ZERO), None));
    }
}
