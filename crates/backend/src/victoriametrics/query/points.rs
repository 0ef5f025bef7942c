//! VictoriaMetrics' series as columns: what there is, and the points of one.

use std::collections::HashMap;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use model::{FieldType, FieldValue, TimeRange, TimestampNs};
use query::store::{Place, Schema, TagCondition};
use query::{Cell, QueryError};

use crate::remote::{Column, RawPoints, Suffices, Tags, Visit, VisitPieces, scan_points};

use super::super::facts::Facts;
use super::super::names::{DATABASE, METRIC, POLICY, SEPARATOR, field_of, measurement_of, metric, tag_of};
use super::super::store::{Known, Shared};
use super::api::{Api, LAST_MS, Labels, Span};
use super::export::{ROWS, read_lines};
use super::selector::Selector;
use super::summaries::MAX_WINDOWS;
use super::{latest, summaries};

const MS: i64 = 1_000_000;

/// Tag keys of the measurements that were looked at.
type KnownTags = HashMap<(Place, String), Arc<Vec<String>>>;

/// What one query asks.
pub(in super::super) struct VmPoints<'s> {
    shared: &'s Shared,
    pub(super) api: Api<'s>,
    separator: String,
    pub(super) reader: Option<Arc<Facts>>,
    tags: Mutex<KnownTags>,
}

impl<'s> VmPoints<'s> {
    pub(super) fn new(shared: &'s Shared, api: Api<'s>, known: Known) -> Self {
        let separator = known.writer.as_deref().and_then(|facts| facts.flag("influxMeasurementFieldSeparator"));
        let separator = separator.filter(|text| !text.is_empty()).unwrap_or(SEPARATOR).to_owned();
        Self { shared, api, separator, reader: known.reader, tags: Mutex::default() }
    }

    /// Everything of a place.
    fn place(&self, place: &Place) -> Selector {
        let policy = place.policy.as_deref().filter(|policy| !self.shared.is_default(&place.database, policy));
        Selector::equal(DATABASE, &place.database).and(POLICY, "=", policy.unwrap_or_default())
    }

    /// Everything of a measurement.
    fn measurement(&self, place: &Place, measurement: &str) -> Selector {
        let pattern = format!("{}.+", regex::escape(&metric(measurement, &self.separator, "")));
        self.place(place).and(METRIC, "=~", &pattern)
    }

    /// All series of a field.
    pub(super) fn field(&self, place: &Place, measurement: &str, field: &str) -> Selector {
        self.place(place).and(METRIC, "=", &metric(measurement, &self.separator, field))
    }

    /// One series. Others with more tags may be selected, too, where tags have unusual names: see [`is_series`].
    pub(super) fn column(&self, column: &Column<'_>) -> Result<String, QueryError> {
        let mut selector = self.field(column.place, column.measurement, column.field);
        for (tag, value) in column.tags {
            selector.and_tag(tag, value);
        }
        let all = self.tags(column.place, column.measurement)?;
        for tag in all.iter().filter(|tag| !column.tags.iter().any(|(own, _)| own == *tag)) {
            selector.and_tag(tag, "");
        }
        Ok(selector.finish())
    }

    /// Windows that may be asked for at a time.
    pub(super) fn windows_at_once(&self) -> i64 {
        let told = self.reader.as_deref().and_then(|facts| facts.number("search.maxPointsPerTimeseries"));
        told.and_then(|most| i64::try_from(most).ok()).map_or(MAX_WINDOWS, |most| most.clamp(1, MAX_WINDOWS))
    }

    /// Keys of the tags of a measurement.
    pub(super) fn tags(&self, place: &Place, measurement: &str) -> Result<Arc<Vec<String>>, QueryError> {
        let key = (place.clone(), measurement.to_owned());
        let known = || self.tags.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tags) = known().get(&key) {
            return Ok(Arc::clone(tags));
        }
        let labels = self.api.labels(&self.measurement(place, measurement).finish())?;
        let mut tags: Vec<String> = labels.iter().filter_map(|label| tag_of(label)).map(str::to_owned).collect();
        tags.sort_unstable();
        let tags = Arc::new(tags);
        known().insert(key, Arc::clone(&tags));
        Ok(tags)
    }
}

impl RawPoints for VmPoints<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        let metrics = self.api.metrics(&self.place(place).finish())?;
        let names = metrics.iter().filter_map(|metric| measurement_of(metric, &self.separator));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        let metrics = self.api.metrics(&self.measurement(place, measurement).finish())?;
        let fields = metrics.iter().filter_map(|metric| field_of(metric, measurement, &self.separator));
        let mut fields: Vec<_> = fields.map(|field| (field.to_owned(), FieldType::Float)).collect();
        if fields.is_empty() {
            return Ok(Schema::default());
        }
        fields.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(Schema { fields, tags: self.tags(place, measurement)?.to_vec() })
    }

    fn series(&self, place: &Place, measurement: &str, filter: &[TagCondition]) -> Result<Vec<Tags>, QueryError> {
        let mut selector = self.measurement(place, measurement);
        filter.iter().for_each(|condition| selector.and_condition(condition));
        Ok(self.api.series(&selector.finish())?.iter().map(tags_of).collect())
    }

    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError> {
        let Some(span) = span_of(range) else { return Ok(()) };
        let stream = self.api.export(&self.column(column)?, span, ROWS)?;
        let mut points = Distinct { last: None, visit };
        let mut series: (String, bool) = Default::default();
        read_lines(BufReader::with_capacity(64 << 10, stream), &mut |line| {
            if series.0 != line.raw_labels() {
                series = (line.raw_labels().to_owned(), is_series(&line.labels()?, column.tags));
            }
            if !series.1 {
                return Ok(true);
            }
            for point in line.points() {
                let (time, value) = point?;
                if points.add(time, value).is_break() {
                    return Ok(false);
                }
            }
            Ok(true)
        })?;
        // Nothing follows, whether it is wanted or not.
        points.hand_on().is_break();
        Ok(())
    }

    fn sums_up(&self) -> bool {
        true
    }

    fn scan(
        &self,
        column: &Column<'_>,
        range: TimeRange,
        summary_suffices: Suffices<'_>,
        visit: VisitPieces<'_>,
    ) -> Result<(), QueryError> {
        match summaries::Plan::new(self, column, range, summary_suffices)? {
            Some(plan) => plan.scan(visit),
            None => scan_points(self, column, range, visit).map(|_| ()),
        }
    }

    fn newest(&self, column: &Column<'_>, range: TimeRange) -> Result<Option<(TimestampNs, Cell)>, QueryError> {
        latest::newest(self, column, range)
    }
}

/// The milliseconds inside a range; `None` where there is none.
pub(super) fn span_of(range: TimeRange) -> Option<Span> {
    let ceil = |time: TimestampNs| time.0.div_euclid(MS) + i64::from(time.0.rem_euclid(MS) > 0);
    let span = Span { start: ceil(range.start).max(1), end: (ceil(range.end) - 1).min(LAST_MS) };
    (span.start <= span.end).then_some(span)
}

/// A millisecond as an instant.
pub(super) fn instant(ms: i64) -> TimestampNs {
    TimestampNs(ms.saturating_mul(MS))
}

/// True for the labels of the series that has just these tags.
pub(super) fn is_series(labels: &Labels, tags: &[(String, String)]) -> bool {
    tags_of(labels) == tags
}

/// Tags in ascending order of their keys.
pub(super) fn tags_of(labels: &Labels) -> Tags {
    let tags = labels.iter().filter_map(|(label, value)| Some((tag_of(label)?.to_owned(), value.clone())));
    let mut tags: Tags = tags.collect();
    tags.sort_unstable();
    tags
}

/// Hands points on, each time once. A store without deduplication has a point that was sent twice twice, and with it, which value of
/// several it keeps cannot be told.
struct Distinct<'v> {
    last: Option<(i64, f64)>,
    visit: Visit<'v>,
}

impl Distinct<'_> {
    fn add(&mut self, time: i64, value: f64) -> ControlFlow<()> {
        if let Some((last, before)) = self.last
            && last == time
        {
            self.last = Some((time, value.max(before)));
            return ControlFlow::Continue(());
        }
        let flow = self.hand_on();
        self.last = flow.is_continue().then_some((time, value));
        flow
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        let Some((time, value)) = self.last.take() else { return ControlFlow::Continue(()) };
        (self.visit)(instant(time), FieldValue::Float(value))
    }
}
