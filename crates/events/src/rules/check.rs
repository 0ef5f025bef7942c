//! Bounds of the configuration's numbers and names.

use model::HumanDuration;

use crate::config::Config;
use crate::error::ConfigError;

const SECOND: i64 = 1_000_000_000;

/// Every number outside thresholds.
pub(super) fn numbers(config: &Config) -> Result<(), ConfigError> {
    let a = &config.anomalies;
    let rows = [
        ("max_columns", f64::from(config.max_columns), 1.0, f64::from(u32::MAX), "at least 1"),
        ("anomalies.window", a.window as f64, 8.0, 10_000.0, "8 to 10000 samples"),
        ("anomalies.sigma", a.sigma, 1.0, 100.0, "1 to 100"),
        ("anomalies.min_change", a.min_change, 0.0, 10.0, "0 to 10, where 0.05 is 5 %"),
        ("anomalies.change_threshold", a.change_threshold, 1.0, 10_000.0, "1 to 10000"),
        ("random.per_day", config.random.per_day, 0.0, 24.0, "0 to 24"),
    ];
    for (key, value, least, most, expected) in rows {
        if !(least..=most).contains(&value) {
            return Err(ConfigError::Range { key: format!("events.{key}"), value, expected });
        }
    }
    let interval = nanoseconds(config.status_interval);
    if (1..SECOND).contains(&interval) {
        let (key, value) = ("events.status_interval".to_owned(), interval as f64 / SECOND as f64);
        return Err(ConfigError::Range { key, value, expected: "at least 1s, or 0s for no status" });
    }
    Ok(())
}

/// A name below `key` that must not be empty.
pub(super) fn name(key: &str, name: &str) -> Result<(), ConfigError> {
    if name.is_empty() { Err(ConfigError::Empty { key: key.to_owned() }) } else { Ok(()) }
}

/// A word that must be one of those known.
pub(super) fn one_of<'a>(
    key: String,
    word: &str,
    mut known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), ConfigError> {
    let all = known.clone();
    if known.any(|other| other == word) {
        return Ok(());
    }
    Err(ConfigError::Unknown { key, word: word.to_owned(), known: all.collect::<Vec<_>>().join(", ") })
}

/// As nanoseconds; what is longer than 292 years is 292 years.
pub(super) fn nanoseconds(duration: HumanDuration) -> i64 {
    i64::try_from(duration.0.as_nanos()).unwrap_or(i64::MAX)
}
