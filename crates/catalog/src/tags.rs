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
    /// What its value must be.
    pub wanted: TagWanted<'a>,
}

/// What the value of a tag must be. Lists are looked up; a test is made once for each value that there is.
#[derive(Clone, Copy)]
pub enum TagWanted<'a> {
    /// One of these.
    In(&'a [String]),
    /// None of these.
    NotIn(&'a [String]),
    /// Whatever this says yes to.
    Test(&'a dyn Fn(&str) -> bool),
}

/// Tag key → what is known of it.
type Postings = BTreeMap<String, TagSeries>;

/// Series that have one tag.
#[derive(Default)]
struct TagSeries {
    all: RoaringBitmap,
    by_value: BTreeMap<String, RoaringBitmap>,
}

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
        if conditions.is_empty() {
            return self.series_of(measurement).to_vec();
        }
        self.with_postings(measurement, |postings| {
            let mut chosen: Option<RoaringBitmap> = None;
            // Lists first: what they leave is little to test.
            let (lists, tests): (Vec<_>, Vec<_>) =
                conditions.iter().partition(|c| !matches!(c.wanted, TagWanted::Test(_)));
            for condition in lists.into_iter().chain(tests) {
                let known = postings.get(condition.key);
                let left = match (chosen, known, condition.wanted) {
                    (None, Some(tag), TagWanted::In(wanted)) if !has_empty(wanted) => tag.with_values(wanted),
                    (chosen, known, wanted) => {
                        let among = chosen.unwrap_or_else(|| self.series_of(measurement).iter().map(|s| s.0).collect());
                        fulfilling(known, among, wanted)
                    }
                };
                chosen = Some(left);
            }
            chosen.unwrap_or_default().iter().map(SeriesId).collect()
        })
    }

    /// Tag keys of a measurement, sorted.
    pub fn tag_keys(&self, measurement: MeasurementId) -> Vec<String> {
        self.with_postings(measurement, |postings| postings.keys().cloned().collect())
    }

    /// Values of one tag of a measurement, sorted.
    pub fn tag_values(&self, measurement: MeasurementId, key: &str) -> Vec<String> {
        self.with_postings(measurement, |postings| {
            postings.get(key).map(|tag| tag.by_value.keys().cloned().collect()).unwrap_or_default()
        })
    }

    fn with_postings<T>(&self, measurement: MeasurementId, f: impl FnOnce(&Postings) -> T) -> T {
        let mut indexes = self.tag_indexes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = indexes.entry(measurement).or_default();
        let series = self.series_of(measurement);
        for id in series.iter().skip(index.indexed) {
            let parsed = self.series_key(*id).and_then(|key| SeriesKey::parse(key).ok());
            for (key, value) in parsed.into_iter().flat_map(SeriesKey::tags) {
                index.add(&key, &value, *id);
            }
        }
        index.indexed = series.len();
        f(&index.postings)
    }
}

impl TagIndex {
    /// NOTE: looked up before it is inserted: most keys and values are there already, and inserting takes an owned name.
    fn add(&mut self, key: &str, value: &str, series: SeriesId) {
        if !self.postings.contains_key(key) {
            self.postings.insert(key.to_owned(), TagSeries::default());
        }
        let Some(tag) = self.postings.get_mut(key) else { return };
        tag.all.insert(series.0);
        match tag.by_value.get_mut(value) {
            Some(known) => _ = known.insert(series.0),
            None => _ = tag.by_value.insert(value.to_owned(), [series.0].into_iter().collect()),
        }
    }
}

impl TagSeries {
    fn with_values(&self, values: &[String]) -> RoaringBitmap {
        let mut found = RoaringBitmap::new();
        values.iter().filter_map(|value| self.by_value.get(value)).for_each(|series| found |= series);
        found
    }

    fn accepted_by(&self, test: &dyn Fn(&str) -> bool) -> RoaringBitmap {
        let mut found = RoaringBitmap::new();
        self.by_value.iter().filter(|(value, _)| test(value)).for_each(|(_, series)| found |= series);
        found
    }
}

fn has_empty(values: &[String]) -> bool {
    values.iter().any(String::is_empty)
}

/// Those of `among` whose tag is as wanted; `tag` is `None` when no series has it.
fn fulfilling(tag: Option<&TagSeries>, among: RoaringBitmap, wanted: TagWanted<'_>) -> RoaringBitmap {
    let (with_tag, takes_missing) = match wanted {
        TagWanted::In(values) => (tag.map(|t| t.with_values(values)), has_empty(values)),
        TagWanted::NotIn(values) => (tag.map(|t| &t.all - t.with_values(values)), !has_empty(values)),
        TagWanted::Test(test) => (tag.map(|t| t.accepted_by(test)), test("")),
    };
    let mut accepted = with_tag.unwrap_or_default() & &among;
    if takes_missing {
        accepted |= match tag {
            Some(tag) => among - &tag.all,
            None => among,
        };
    }
    accepted
}
