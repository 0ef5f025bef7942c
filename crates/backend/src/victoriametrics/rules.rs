//! What VictoriaMetrics takes. It answers 204 also when it leaves points out or cuts names, so everything is checked before it is sent.

use std::time::Duration;

use memchr::{memchr_iter, memchr2, memchr3};
use model::key::SeriesKey;

use super::facts::Facts;
use super::names::{begins_as_reserved, label_of};
use crate::Destination;

/// `-maxLabelsPerTimeseries` where it is not told. Labels above it are dropped, and different series become one.
const MAX_LABELS: usize = 30;
/// `-maxLabelValueLen` where it is not told. Longer values, and metric names, are cut.
const MAX_VALUE: usize = 16 << 10;
/// Longer label names are cut.
pub(super) const MAX_NAME: usize = 256;
/// How far in the future a point may lie.
const AHEAD: Duration = Duration::from_hours(48);

/// What can be stored at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) max_labels: usize,
    pub(super) max_value: usize,
    /// Points before it are older than the store keeps any; in milliseconds.
    pub(super) oldest_ms: Option<i64>,
    newest_ms: Option<i64>,
}

impl Rules {
    /// What holds for points of `place` right now.
    pub(super) fn new(facts: Option<&Facts>, place: &Destination) -> Self {
        // Database, retention policy.
        let own_labels = if place.is_default { 1 } else { 2 };
        let now = facts.and_then(Facts::now_ms);
        let max_labels = facts.and_then(|facts| facts.number("maxLabelsPerTimeseries")).unwrap_or(MAX_LABELS);
        let retention = facts.and_then(Facts::retention);
        Self {
            max_labels: max_labels.saturating_sub(own_labels),
            max_value: facts.and_then(|facts| facts.number("maxLabelValueLen")).unwrap_or(MAX_VALUE),
            oldest_ms: now.zip(retention).map(|(now, kept)| now.saturating_sub(millis(kept.0))),
            newest_ms: now.map(|now| now.saturating_add(millis(AHEAD))),
        }
    }

    /// True of names that nothing here concerns, told without taking them apart: short, nothing escaped, no tag like a reserved one.
    #[inline]
    pub(super) fn is_plain(&self, series: &[u8], field: &str) -> bool {
        let is_short = series.len() <= MAX_NAME && series.len() + field.len() < self.max_value;
        if !is_short
            || memchr2(b'\\', b'\n', series).is_some()
            || memchr3(b'"', b'\\', b'\n', field.as_bytes()).is_some()
        {
            return false;
        }
        let mut labels = 0;
        memchr_iter(b',', series).all(|comma| {
            labels += 1;
            labels <= self.max_labels && !begins_as_reserved(series.get(comma + 1..).unwrap_or_default())
        })
    }

    /// Why no point of this series can be stored.
    pub(super) fn check_series(&self, key: SeriesKey<'_>) -> Result<(), String> {
        let measurement = key.measurement();
        let mut labels = 0;
        for (tag, value) in key.tags() {
            labels += 1;
            if label_of(&tag).len() > MAX_NAME {
                return Err(format!("the tag key `{}...` is longer than {MAX_NAME} bytes", start(&tag)));
            }
            if value.len() > self.max_value {
                let max = self.max_value;
                return Err(format!("the value of tag `{tag}` is longer than -maxLabelValueLen={max} bytes"));
            }
            check_text("tag", &tag).and_then(|()| check_text("value of a tag", &value))?;
        }
        if labels > self.max_labels {
            let most = self.max_labels;
            return Err(format!(
                "`{}...` has {labels} tags, of which -maxLabelsPerTimeseries leaves {most}",
                start(&measurement)
            ));
        }
        check_text("measurement", &measurement)
    }

    /// Why no point of this field can be stored.
    pub(super) fn check_field(&self, measurement: &str, field: &str) -> Result<(), String> {
        if measurement.len() + field.len() >= self.max_value {
            let max = self.max_value;
            return Err(format!(
                "measurement and field `{}...` are longer than -maxLabelValueLen={max} bytes",
                start(field)
            ));
        }
        // In the part of the fields it reads a quote as the start of a text, whatever it stands in.
        if field.contains('"') {
            return Err(format!("the field key `{}` holds a double quote", start(field)));
        }
        check_text("field key", field)
    }

    /// Why no point of this millisecond can be stored.
    pub(super) fn check_time(&self, ms: i64) -> Result<(), String> {
        // 0 means now to it.
        if ms <= 0 {
            return Err("times before 1970-01-01T00:00:00.001Z cannot be stored".to_owned());
        }
        match self.newest_ms {
            Some(newest) if ms > newest => Err("a time more than two days in the future cannot be stored".to_owned()),
            _ => Ok(()),
        }
    }
}

/// Its line protocol has no spelling of a line break.
fn check_text(what: &str, text: &str) -> Result<(), String> {
    if text.contains('\n') {
        return Err(format!("the {what} `{}` holds a line break", start(text).escape_debug()));
    }
    Ok(())
}

/// Enough of a name to find it.
fn start(text: &str) -> &str {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

fn millis(length: Duration) -> i64 {
    i64::try_from(length.as_millis()).unwrap_or(i64::MAX)
}
