//! SHOW TAG KEYS and SHOW TAG VALUES, one table a measurement.

use std::collections::{BTreeMap, BTreeSet};

use influxql::ast::{KeyCondition, Scope};
use model::key::SeriesKey;
use model::{MeasurementId, SeriesId};
use regex::Regex;

use super::database_of;
use crate::condition::Condition;
use crate::failure::Failure;
use crate::measurements::{From, Search, by_name};
use crate::rows::{Rows, page, text};
use crate::series::FieldConditions;
use crate::task::{Sink, Task};

/// Tag keys with their values.
pub(super) type Values = BTreeMap<String, BTreeSet<String>>;

pub(super) fn keys(task: &Task<'_>, with: Option<&KeyCondition>, scope: &Scope, sink: Sink<'_>) -> Result<(), Failure> {
    let found = find(task, &KeyTest::read(with)?, scope)?;
    for (name, values) in found {
        let mut rows = Rows::new(&name, &["tagKey"]);
        page(values.into_keys(), scope.offset, scope.limit).for_each(|key| rows.push([text(key)]));
        rows.send_unless_empty(sink)?;
    }
    Ok(())
}

pub(super) fn values(task: &Task<'_>, with: &KeyCondition, scope: &Scope, sink: Sink<'_>) -> Result<(), Failure> {
    let found = find(task, &KeyTest::read(Some(with))?, scope)?;
    for (name, values) in found {
        let mut rows = Rows::new(&name, &["key", "value"]);
        let pairs = values.iter().flat_map(|(key, values)| values.iter().map(move |value| (key, value)));
        page(pairs, scope.offset, scope.limit).for_each(|(key, value)| rows.push([text(key), text(value)]));
        rows.send_unless_empty(sink)?;
    }
    Ok(())
}

/// Tags by the name of their measurement.
fn find(task: &Task<'_>, test: &KeyTest, scope: &Scope) -> Result<BTreeMap<String, Values>, Failure> {
    let database = database_of(task, scope)?;
    let buckets = task.buckets(database);
    let condition = Condition::read(task, scope.condition.as_ref())?;
    let from = From::read(&scope.sources)?;
    if condition.is_empty() {
        let names = task.parts.catalog.read();
        let all = by_name(&names, &buckets, &from).into_iter();
        return Ok(all.map(|(name, ids)| (name, of_measurements(&names, &ids, test))).collect());
    }
    let search = Search { buckets: &buckets, from: &from, condition: &condition, fields: FieldConditions::TakeAll };
    let found = search.run(task)?;
    Ok(found.into_iter().map(|(name, series)| (name, of_series(task, &series, test))).collect())
}

/// All tags of measurements, from the index.
fn of_measurements(names: &catalog::Names, ids: &[MeasurementId], test: &KeyTest) -> Values {
    let mut found = Values::new();
    for id in ids {
        for key in names.tag_keys(*id).into_iter().filter(|key| test.takes(key)) {
            let values = names.tag_values(*id, &key);
            found.entry(key).or_default().extend(values);
        }
    }
    found
}

/// Tags of some series, from their keys.
pub(super) fn of_series(task: &Task<'_>, series: &[SeriesId], test: &KeyTest) -> Values {
    let names = task.parts.catalog.read();
    let mut found = Values::new();
    for key in series.iter().filter_map(|id| SeriesKey::parse(names.series_key(*id)?).ok()) {
        for (key, value) in key.tags().filter(|(key, _)| test.takes(key)) {
            found.entry(key.into_owned()).or_default().insert(value.into_owned());
        }
    }
    found
}

/// WITH KEY ...
pub(super) enum KeyTest {
    All,
    In(Vec<String>),
    IsNot(String),
    Matches(Regex),
    NotMatches(Regex),
}

impl KeyTest {
    pub(super) fn read(condition: Option<&KeyCondition>) -> Result<Self, Failure> {
        let pattern = |text: &str| Regex::new(text).map_err(|e| Failure::message(format!("error parsing regexp: {e}")));
        Ok(match condition {
            None => Self::All,
            Some(KeyCondition::Is(key)) => Self::In(vec![key.clone()]),
            Some(KeyCondition::In(keys)) => Self::In(keys.clone()),
            Some(KeyCondition::IsNot(key)) => Self::IsNot(key.clone()),
            Some(KeyCondition::Matches(text)) => Self::Matches(pattern(text)?),
            Some(KeyCondition::NotMatches(text)) => Self::NotMatches(pattern(text)?),
        })
    }

    fn takes(&self, key: &str) -> bool {
        match self {
            Self::All => true,
            Self::In(keys) => keys.iter().any(|k| k == key),
            Self::IsNot(unwanted) => key != unwanted,
            Self::Matches(pattern) => pattern.is_match(key),
            Self::NotMatches(pattern) => !pattern.is_match(key),
        }
    }
}
