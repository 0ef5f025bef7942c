//! How measurements, fields and tags are called there.
//!
//! Metric: measurement, separator (`_`), field. Reading back, the separator may stand in either name: a measurement that is asked for by
//! its name has as fields all that follow `measurement_`, so `a` also has the fields of `a_b`, called `b_...`. Where measurements are
//! listed, what is before the last separator counts as one.
//! Label: the tag's key. Tags of the names `db`, `rp` and `__name__` get an underscore more (and so do those that look like that already), which is
//! taken off on the way back.

use std::borrow::Cow;

/// Label of the database.
pub(super) const DATABASE: &str = "db";
/// Label of a retention policy that is not the default one.
pub(super) const POLICY: &str = "rp";
/// Label of the metric's name.
pub(super) const METRIC: &str = "__name__";

const RESERVED: [&str; 3] = [DATABASE, POLICY, METRIC];

/// Stands between measurement and field, unless `-influxMeasurementFieldSeparator` says otherwise.
pub(super) const SEPARATOR: &str = "_";

/// The label of a tag.
pub(super) fn label_of(tag: &str) -> Cow<'_, str> {
    if is_reserved(tag) { Cow::Owned(format!("{tag}_")) } else { Cow::Borrowed(tag) }
}

/// The tag of a label; `None` for what is no tag.
pub(super) fn tag_of(label: &str) -> Option<&str> {
    if !is_reserved(label) {
        return Some(label);
    }
    label.strip_suffix('_').filter(|tag| is_reserved(tag))
}

/// True where a text begins with one of the reserved names.
#[inline]
pub(super) fn begins_as_reserved(text: &[u8]) -> bool {
    RESERVED.iter().any(|reserved| text.starts_with(reserved.as_bytes()))
}

/// One of the reserved names, with any number of underscores behind it.
fn is_reserved(name: &str) -> bool {
    let rest = |reserved: &&str| name.strip_prefix(reserved);
    RESERVED.iter().filter_map(rest).any(|rest| rest.bytes().all(|byte| byte == b'_'))
}

/// The metric of a field.
pub(super) fn metric(measurement: &str, separator: &str, field: &str) -> String {
    format!("{measurement}{separator}{field}")
}

/// The field of a metric of this measurement.
pub(super) fn field_of<'m>(metric: &'m str, measurement: &str, separator: &str) -> Option<&'m str> {
    metric.strip_prefix(measurement)?.strip_prefix(separator).filter(|field| !field.is_empty())
}

/// The measurement that a metric is listed under.
pub(super) fn measurement_of<'m>(metric: &'m str, separator: &str) -> Option<&'m str> {
    let (measurement, field) = metric.rsplit_once(separator)?;
    (!measurement.is_empty() && !field.is_empty()).then_some(measurement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_tags_get_an_underscore_and_lose_it_again() {
        for (tag, label) in [("db", "db_"), ("rp", "rp_"), ("__name__", "__name___"), ("db_", "db__"), ("dbx", "dbx")] {
            assert_eq!(label_of(tag), label);
            assert_eq!(tag_of(label), Some(tag));
        }
        assert_eq!(RESERVED.map(tag_of), [None; 3]);
    }

    #[test]
    fn a_metric_is_split_by_the_measurement_asked_for_or_at_its_last_separator() {
        assert_eq!(metric("cpu", "_", "usage_idle"), "cpu_usage_idle");
        assert_eq!(field_of("cpu_usage_idle", "cpu", "_"), Some("usage_idle"));
        assert_eq!(field_of("cpu_usage_idle", "cp", "_"), None);
        assert_eq!(field_of("cpu_", "cpu", "_"), None);
        assert_eq!(measurement_of("cpu_usage_idle", "_"), Some("cpu_usage"));
        assert_eq!(["up", "_x", "x_"].map(|metric| measurement_of(metric, "_")), [None; 3]);
    }
}
