//! Puts the configuration's metrics over the built-in ones, key by key.

use std::collections::BTreeMap;

use crate::config::{Bounds, Language, Metric};
use crate::defaults::Builtin;
use crate::error::ConfigError;
use crate::thresholds::Thresholds;

use super::check;

/// A metric as it is watched.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) metric: String,
    pub(super) name: String,
    /// With a space before it where one belongs there: `85%`, `700 ms`.
    pub(super) unit: String,
    pub(super) thresholds: Thresholds,
    pub(super) has_anomalies: bool,
    pub(super) is_watched: bool,
}

/// All metrics of a type, built in and given, in the order of their names; `key` is where they stand in the configuration.
pub(super) fn all(
    key: &str,
    built_in: &[Builtin],
    given: &BTreeMap<String, Metric>,
    language: Language,
) -> Result<Vec<Merged>, ConfigError> {
    let none = Metric::default();
    let mut metrics: BTreeMap<&str, (Option<&Builtin>, &Metric)> =
        built_in.iter().map(|built_in| (built_in.metric, (Some(built_in), &none))).collect();
    for (name, metric) in given {
        check::name(key, name)?;
        metrics.entry(name).or_insert((None, &none)).1 = metric;
    }
    let one = |(name, (built_in, given)): (&str, (Option<&Builtin>, &Metric))| {
        one(&format!("{key}.{name}"), name, built_in, given, language)
    };
    metrics.into_iter().map(one).collect()
}

fn one(
    key: &str,
    metric: &str,
    built_in: Option<&Builtin>,
    given: &Metric,
    language: Language,
) -> Result<Merged, ConfigError> {
    let built_in_name = built_in.map(|b| if language == Language::Zh { b.zh } else { b.en });
    let unit = given.unit.as_deref().or(built_in.map(|b| b.unit)).unwrap_or_default();
    Ok(Merged {
        metric: metric.to_owned(),
        name: given.name.as_deref().or(built_in_name).unwrap_or(metric).to_owned(),
        unit: if unit.is_empty() || unit == "%" { unit.to_owned() } else { format!(" {unit}") },
        thresholds: thresholds(key, built_in, given)?,
        has_anomalies: given.anomalies.unwrap_or(built_in.is_none_or(|b| b.has_anomalies)),
        is_watched: given.watch.unwrap_or(true),
    })
}

fn thresholds(key: &str, built_in: Option<&Builtin>, given: &Metric) -> Result<Thresholds, ConfigError> {
    let none = Bounds::default();
    let was_inverse = built_in.is_some_and(Builtin::is_inverse);
    let is_inverse = given.inverse.unwrap_or(was_inverse);
    // Levels of the other direction would make no sense.
    let (high, low) = built_in.filter(|_| was_inverse == is_inverse).map_or((none, none), |b| (b.high, b.low));
    let main =
        Bounds { warning: given.warning, error: given.error, critical: given.critical, recovery: given.recovery };
    if !is_inverse {
        return Thresholds::new(key, over(high, main, 1.0), over(low, given.low, -1.0));
    }
    if given.low != none {
        return Err(ConfigError::LowOfInverse { key: format!("{key}.low") });
    }
    Thresholds::new(key, none, over(low, main, -1.0))
}

/// `given` where it says something, else what is built in. The built-in recovery threshold counts only where it is before the first level.
fn over(built_in: Bounds, given: Bounds, sign: f64) -> Bounds {
    let warning = given.warning.or(built_in.warning);
    let error = given.error.or(built_in.error);
    let critical = given.critical.or(built_in.critical);
    let levels = [warning, error, critical].into_iter().flatten();
    let first = levels.map(|level| level * sign).fold(f64::INFINITY, f64::min);
    let recovery = given.recovery.or(built_in.recovery.filter(|recovery| recovery * sign <= first));
    Bounds { warning, error, critical, recovery }
}
