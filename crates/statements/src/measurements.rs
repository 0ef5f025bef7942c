//! Measurements by FROM, and their series by WHERE. Under one name stand the measurements of all buckets looked at.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use catalog::Names;
use engine::ScanCache;
use influxql::ast::{Measurement, MeasurementName};
use model::{BucketId, MeasurementId, SeriesId, TimeRange};
use regex::Regex;

use crate::condition::Condition;
use crate::failure::Failure;
use crate::series::{FieldConditions, Matcher};
use crate::task::Task;
use crate::time::whole_shards;

/// Names of measurements that are meant; none named: all.
pub(crate) struct From(Vec<NameOrPattern>);

enum NameOrPattern {
    Name(String),
    Pattern(Arc<Regex>),
}

impl From {
    /// What is named in a statement.
    pub(crate) fn read(sources: &[Measurement]) -> Result<Self, Failure> {
        sources.iter().map(|source| NameOrPattern::read(&source.name)).collect::<Result<_, _>>().map(Self)
    }

    fn takes(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|n| n.takes(name))
    }
}

impl NameOrPattern {
    fn read(name: &MeasurementName) -> Result<Self, Failure> {
        match name {
            MeasurementName::Name(name) => Ok(Self::Name(name.clone())),
            MeasurementName::Pattern(text) => {
                let pattern = Regex::new(text).map_err(|e| Failure::message(format!("error parsing regexp: {e}")))?;
                Ok(Self::Pattern(Arc::new(pattern)))
            }
            MeasurementName::FromSource => Err(Failure::message("invalid measurement")),
        }
    }

    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Pattern(pattern) => pattern.is_match(name),
        }
    }
}

/// Measurements that have series, by name.
pub(crate) fn by_name(names: &Names, buckets: &[BucketId], from: &From) -> BTreeMap<String, Vec<MeasurementId>> {
    let mut found: BTreeMap<String, Vec<MeasurementId>> = BTreeMap::new();
    for (id, name) in buckets.iter().flat_map(|bucket| names.measurements(*bucket)) {
        if from.takes(name) {
            found.entry(name.to_owned()).or_default().push(id);
        }
    }
    found
}

/// Where series are looked for.
pub(crate) struct Search<'a> {
    pub(crate) buckets: &'a [BucketId],
    pub(crate) from: &'a From,
    pub(crate) condition: &'a Condition,
    pub(crate) fields: FieldConditions,
}

impl Search<'_> {
    /// The series found, by the name of their measurement; no name without a series.
    pub(crate) fn run(&self, task: &Task<'_>) -> Result<BTreeMap<String, Vec<SeriesId>>, Failure> {
        let mut found = self.by_tags(task)?;
        if self.condition.has_time {
            let mut times = Times::new(task, self.buckets, self.condition.range);
            for series in found.values_mut() {
                task.request.cancel.check()?;
                series.retain(|id| times.has_values(task, *id));
            }
        }
        found.retain(|_, series| !series.is_empty());
        Ok(found)
    }

    fn by_tags(&self, task: &Task<'_>) -> Result<BTreeMap<String, Vec<SeriesId>>, Failure> {
        let names = task.parts.catalog.read();
        let mut found = BTreeMap::new();
        for (name, ids) in by_name(&names, self.buckets, self.from) {
            task.request.cancel.check()?;
            let mut series = Vec::new();
            for measurement in ids {
                let matcher = Matcher { names: &names, measurement, name: &name, fields: self.fields };
                series.extend(matcher.matching(self.condition.filter.as_ref())?);
            }
            found.insert(name, series);
        }
        Ok(found)
    }
}

/// Which series have values at the times wanted, to the length of a shard.
struct Times {
    ranges: HashMap<BucketId, TimeRange>,
    cache: ScanCache,
}

impl Times {
    fn new(task: &Task<'_>, buckets: &[BucketId], range: TimeRange) -> Self {
        let wide = |bucket: &BucketId| {
            let policy = task.parts.catalog.policy_of(*bucket)?;
            Some((*bucket, whole_shards(range, policy.shard_duration_ns)))
        };
        let ranges = if range.is_empty() { HashMap::new() } else { buckets.iter().filter_map(wide).collect() };
        Self { ranges, cache: ScanCache::default() }
    }

    /// NOTE: the names are let go of before the engine is asked, which looks at them itself.
    fn has_values(&mut self, task: &Task<'_>, series: SeriesId) -> bool {
        if !task.has_values_here() {
            return true;
        }
        let columns: Vec<_> = {
            let names = task.parts.catalog.read();
            let known = names.columns_of(series).iter();
            known.filter_map(|(_, id)| Some((*id, names.column_info(*id)?.bucket))).collect()
        };
        columns.into_iter().any(|(column, bucket)| {
            let range = self.ranges.get(&bucket).copied();
            range.is_some_and(|range| task.parts.engine.has_values(column, range, &mut self.cache))
        })
    }
}
