//! Which series of a measurement have which tag values: sets of series as bitmaps, built on first use and extended as series
//! come, so that writing costs nothing for it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use model::key::SeriesKey;
use model::{MeasurementId, SeriesId};
use roaring::RoaringBitmap;

use crate::Names;

/// A condition on the value of one tag; a series without the tag has the empty value.
pub struct TagCondition<'a> {
    /// Tag key.
    pub key: &'a str,
    /// Whether a value fulfils it.
    pub accepts: &'a dyn Fn(&str) -> bool,
}

/// Tag key → tag value → series.
type Postings = BTreeMap<String, BTreeMap<String, RoaringBitmap>>;

/// Indexes by measurement, each holding that measurement's first `indexed` series.
#[derive(Default)]
pub(crate) struct TagIndexes(Mutex<HashMap<MeasurementId, TagIndex>>);

#[derive(Default)]
struct TagIndex {
    indexed: usize,
    postings: Postings,
}

impl TagIndexes {
    /// Forgets an index, since series of the measurement are gone. It is built anew when asked for.
    pub(crate) fn forget(&mut self, measurement: MeasurementId) {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).remove(&measurement);
    }
}

impl Names {
    /// Series of a measurement that fulfil all conditions, ascending by identifier.
    pub fn select(&self, measurement: MeasurementId, conditions: &[TagCondition<'_>]) -> Vec<SeriesId> {
        self.with_postings(measurement, |postings| {
            let mut chosen: RoaringBitmap = self.series_of(measurement).iter().map(|s| s.0).collect();
            for condition in conditions {
                chosen &= fulfilling(postings.get(condition.key), &chosen, condition);
            }
            chosen.iter().map(SeriesId).collect()
        })
    }

    /// Tag keys of a measurement, sorted.
    pub fn tag_keys(&self, measurement: MeasurementId) -> Vec<String> {
        self.with_postings(measurement, |postings| postings.keys().cloned().collect())
    }

    /// Values of one tag of a measurement, sorted.
    pub fn tag_values(&self, measurement: MeasurementId, key: &str) -> Vec<String> {
        self.with_postings(measurement, |postings| {
            postings.get(key).map(|v| v.keys().cloned().collect()).unwrap_or_default()
        })
    }

    fn with_postings<T>(&self, measurement: MeasurementId, f: impl FnOnce(&Postings) -> T) -> T {
        let mut indexes = self.tag_indexes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = indexes.entry(measurement).or_default();
        let series = self.series_of(measurement);
        for id in series.iter().skip(index.indexed) {
            let parsed = self.series_key(*id).and_then(|key| SeriesKey::parse(key).ok());
            for (key, value) in parsed.into_iter().flat_map(SeriesKey::tags) {
                let values = index.postings.entry(key.into_owned()).or_default();
                values.entry(value.into_owned()).or_default().insert(id.0);
            }
        }
        index.indexed = series.len();
        f(&index.postings)
    }
}

/// Those of `among` whose tag fulfils the condition.
fn fulfilling(
    values: Option<&BTreeMap<String, RoaringBitmap>>,
    among: &RoaringBitmap,
    condition: &TagCondition<'_>,
) -> RoaringBitmap {
    let mut with_tag = RoaringBitmap::new();
    let mut accepted = RoaringBitmap::new();
    for (value, series) in values.into_iter().flatten() {
        with_tag |= series;
        if (condition.accepts)(value) {
            accepted |= series;
        }
    }
    if (condition.accepts)("") {
        accepted |= among - with_tag;
    }
    accepted
}
