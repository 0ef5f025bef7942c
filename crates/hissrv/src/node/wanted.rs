//! What is wished of remote stores: databases and retention policies as the catalog has them, rollups of the configuration.

use std::time::Duration;

use backend::{Database, Policy, Rollup, RollupColumn, Wanted};
use catalog::Catalog;

use crate::config::{Config, DownsamplingTask};

/// Field that holds the value of a data point.
const VALUE: &str = "value";

/// Everything wished at this moment.
pub(super) fn wanted(catalog: &Catalog, rollups: &[Rollup]) -> Wanted {
    let databases = catalog.meta().databases().iter().map(database).collect();
    Wanted { databases, rollups: rollups.to_vec() }
}

fn database(known: &catalog::Database) -> Database {
    let policies = known.policies.iter().map(|p| Policy {
        name: p.name.clone(),
        duration: positive(p.duration_ns),
        shard_duration: positive(p.shard_duration_ns),
        replication: p.replication,
    });
    Database { name: known.name.clone(), default_policy: known.default_policy.clone(), policies: policies.collect() }
}

fn positive(ns: i64) -> Option<Duration> {
    u64::try_from(ns).ok().filter(|ns| *ns > 0).map(Duration::from_nanos)
}

/// The tasks of the configuration, sources before what is made of them; none where hissrv makes the rollups itself and the store is fed
/// with them.
pub(super) fn rollups(config: &Config) -> Vec<Rollup> {
    if config.feeds_embedded() {
        return Vec::new();
    }
    let mut left: Vec<&DownsamplingTask> = config.downsampling.tasks.iter().collect();
    let mut ordered = Vec::new();
    while !left.is_empty() {
        let targets: Vec<&str> = left.iter().map(|task| task.target.as_str()).collect();
        let (mut ready, mut later): (Vec<_>, Vec<_>) =
            left.into_iter().partition(|task| !targets.contains(&task.source.as_str()));
        if ready.is_empty() {
            // Tasks in a circle have no first one; the order written is as good as any.
            ready = std::mem::take(&mut later);
        }
        ordered.extend(ready);
        left = later;
    }
    ordered.iter().filter_map(|task| rollup(config, task)).collect()
}

/// `None` for windows of the calendar.
fn rollup(config: &Config, task: &DownsamplingTask) -> Option<Rollup> {
    let source = config.downsampling.tasks.iter().find(|other| other.target == task.source);
    let columns = task.aggregations.iter().map(|wanted| RollupColumn {
        function: wanted.function.to_lowercase(),
        field: source.map_or_else(|| VALUE.to_owned(), |source| field_for(&wanted.function, source)),
        alias: wanted.alias.clone(),
    });
    Some(Rollup {
        name: task.name.clone(),
        database: config.database().to_owned(),
        source: task.source.clone(),
        target: task.target.clone(),
        interval: task.fixed()?,
        columns: columns.collect(),
    })
}

/// The field of a rollup that a rollup of it reads: what the same function made, else the first field there is.
fn field_for(function: &str, source: &DownsamplingTask) -> String {
    let same = source.aggregations.iter().find(|a| a.function.eq_ignore_ascii_case(function));
    same.or(source.aggregations.first()).map_or_else(|| VALUE.to_owned(), |a| a.alias.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use std::path::Path;

    const SEED: &str = include_str!("../../tests/hissrv/seed/downsampling.yaml");

    #[test]
    fn a_rollup_of_a_rollup_reads_the_fields_that_the_first_one_writes() {
        let text = format!("{SEED}\nstorage: {{embedded: {{enabled: false}}, postgres: {{url: postgres://h/d}}}}\n");
        let config = parse(&text, Path::new("seed.yaml"), &|_| None).unwrap().config;
        let found = rollups(&config);
        let columns = |n: usize| -> Vec<(String, String, String)> {
            found[n].columns.iter().map(|c| (c.function.clone(), c.field.clone(), c.alias.clone())).collect()
        };
        let owned = |rows: &[(&str, &str, &str)]| -> Vec<_> {
            rows.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
        };
        assert_eq!((found[0].name.as_str(), found[1].name.as_str()), ("hourly_avg", "daily_summary"));
        assert_eq!(columns(0), owned(&[("mean", "value", "avg"), ("max", "value", "max"), ("min", "value", "min")]));
        assert_eq!(columns(1), owned(&[("mean", "avg", "avg"), ("sum", "avg", "total")]));
    }
}
