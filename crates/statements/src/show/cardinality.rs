//! SHOW ... CARDINALITY: how many there are. Counted exactly in all forms; the names of the columns tell what was asked for.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use influxql::ast::{Countable, Expr, KeyCondition, Scope};
use model::SeriesId;
use model::key::SeriesKey;

use super::place_in;
use super::tags::{KeyTest, of_series};
use crate::condition::Condition;
use crate::failure::Failure;
use crate::measurements::{From, Search, by_name};
use crate::rows::{Rows, count, page};
use crate::series::FieldConditions;
use crate::task::{Sink, Task};

/// Name of the only column where InfluxDB estimates.
const ESTIMATION: &str = "cardinality estimation";
/// And where it counts.
const COUNT: &str = "count";

/// What is to be counted.
pub(super) struct Count<'a> {
    pub(super) of: Countable,
    pub(super) exact: bool,
    pub(super) with: Option<&'a KeyCondition>,
    pub(super) dimensions: &'a [Expr],
    pub(super) scope: &'a Scope,
}

/// Series by the name of their measurement.
type Found = BTreeMap<String, Vec<SeriesId>>;

impl Count<'_> {
    pub(super) fn run(&self, task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
        if self.is_estimate() {
            let mut rows = Rows::new("", &[ESTIMATION]);
            rows.push([count(self.estimate(task)?)]);
            return Ok(rows.send(sink)?);
        }
        let Some(found) = self.find(task)? else { return Ok(()) };
        match self.of {
            Countable::Series => self.series(task, &found, sink),
            Countable::Measurements => self.send("", Vec::new(), found.len(), sink),
            Countable::TagKeys => self.each(&found, |series| of_series(task, series, &KeyTest::All).len(), sink),
            Countable::TagValues => {
                let test = KeyTest::read(self.with)?;
                let distinct = |series: &[SeriesId]| {
                    of_series(task, series, &test).into_values().flatten().collect::<HashSet<_>>().len()
                };
                self.each(&found, distinct, sink)
            }
            Countable::FieldKeys => self.each(&found, |series| fields_of(task, series), sink),
        }
    }

    /// Series and measurements of a whole database are told without looking closely.
    fn is_estimate(&self) -> bool {
        let is_whole = self.scope.sources.is_empty() && self.scope.condition.is_none() && self.dimensions.is_empty();
        is_whole && !self.exact && matches!(self.of, Countable::Series | Countable::Measurements)
    }

    fn estimate(&self, task: &Task<'_>) -> Result<usize, Failure> {
        let database = task.database(self.scope.database.as_deref())?;
        let buckets = task.buckets(database);
        let names = task.parts.catalog.read();
        if self.of == Countable::Measurements {
            return Ok(by_name(&names, &buckets, &From::read(&[])?).len());
        }
        let of_bucket = |bucket| names.measurements(bucket).flat_map(|(id, _)| names.series_of(id));
        if let [only] = buckets.as_slice() {
            return Ok(of_bucket(*only).count());
        }
        let keys = buckets.iter().flat_map(|bucket| of_bucket(*bucket)).filter_map(|id| names.series_key(*id));
        Ok(keys.collect::<HashSet<_>>().len())
    }

    /// The series that count, of the retention policy that is meant; `None` where InfluxDB has no answer.
    fn find(&self, task: &Task<'_>) -> Result<Option<Found>, Failure> {
        let (database, policy) = place_in(&self.scope.sources);
        let database = task.database(database.or(self.scope.database.as_deref()))?;
        let buckets = task.buckets_of(database, policy)?;
        let condition = Condition::read(task, self.scope.condition.as_ref())?;
        let statement = match self.of {
            Countable::Series => "SHOW SERIES EXACT CARDINALITY",
            Countable::Measurements => "SHOW MEASUREMENT EXACT CARDINALITY",
            Countable::TagKeys => "SHOW TAG KEY EXACT CARDINALITY",
            Countable::FieldKeys => "SHOW FIELD KEY CARDINALITY",
            Countable::TagValues if condition.has_time => return Ok(None),
            Countable::TagValues => "SHOW TAG VALUES CARDINALITY",
        };
        let condition = condition.without_time(statement)?;
        let (from, fields) = (From::read(&self.scope.sources)?, FieldConditions::TakeNone);
        Search { buckets: &buckets, from: &from, condition: &condition, fields }.run(task).map(Some)
    }

    /// One count a measurement, and a combination of the tags grouped by.
    fn series(&self, task: &Task<'_>, found: &Found, sink: Sink<'_>) -> Result<(), Failure> {
        let tags: BTreeSet<&str> = self.dimensions.iter().filter_map(tag_of).collect();
        for (name, series) in found {
            let mut groups: BTreeMap<Vec<(String, String)>, usize> = BTreeMap::new();
            {
                let names = task.parts.catalog.read();
                for key in series.iter().filter_map(|id| SeriesKey::parse(names.series_key(*id)?).ok()) {
                    let value = |tag: &str| key.tag(tag).unwrap_or_default().into_owned();
                    *groups.entry(tags.iter().map(|tag| ((*tag).to_owned(), value(tag))).collect()).or_default() += 1;
                }
            }
            for (tags, number) in groups {
                self.send(name, tags, number, sink)?;
            }
        }
        Ok(())
    }

    fn each(&self, found: &Found, number: impl Fn(&[SeriesId]) -> usize, sink: Sink<'_>) -> Result<(), Failure> {
        for (name, series) in found {
            self.send(name, Vec::new(), number(series), sink)?;
        }
        Ok(())
    }

    /// A count of 0 is not shown.
    fn send(&self, name: &str, tags: Vec<(String, String)>, number: usize, sink: Sink<'_>) -> Result<(), Failure> {
        let mut rows = Rows::new(name, &[COUNT]).with_tags(tags);
        let number = Some(number).filter(|number| *number > 0);
        page(number, self.scope.offset, self.scope.limit).for_each(|number| rows.push([count(number)]));
        Ok(rows.send_unless_empty(sink)?)
    }
}

fn tag_of(dimension: &Expr) -> Option<&str> {
    match dimension {
        Expr::Reference { name, .. } => Some(name),
        _ => None,
    }
}

/// Fields of the measurement that the series are of.
fn fields_of(task: &Task<'_>, series: &[SeriesId]) -> usize {
    let names = task.parts.catalog.read();
    let measurement = series.first().and_then(|id| names.measurement_of(*id));
    measurement.map_or(0, |id| names.fields(id).iter().filter(|f| !f.name.is_empty()).count())
}
