//! InfluxDB 1.x is tested against the real server. The servers of 2.x and 3.x cannot be had where these tests are run: there the
//! requests are checked, and answered, as their documented interfaces say.

mod v1;
mod v1_manage;
mod v2;
mod v3;

use std::time::Duration;

use model::{FieldValue, HumanDuration, TimestampNs};

use super::query::Ask;
use super::*;
use crate::{Database, Destination, Point, PointList, Points, Policy, Rollup, RollupColumn, Step, Wanted, Write};
use crate::{WriteError, Written};

fn config(url: &str) -> InfluxdbConfig {
    InfluxdbConfig {
        url: url.parse().unwrap(),
        timeout: HumanDuration(Duration::from_secs(5)),
        ..InfluxdbConfig::default()
    }
}

fn store(url: &str) -> InfluxDb {
    InfluxDb::new(&config(url)).unwrap()
}

fn place(database: &str, policy: &str, is_default: bool) -> Destination {
    Destination { database: database.to_owned(), policy: policy.to_owned(), is_default }
}

/// Points of the default policy `realtime` of `telemetry`.
fn points(given: &[(&str, &str, FieldValue<'_>, i64)]) -> PointList {
    points_for(place("telemetry", "realtime", true), given)
}

fn points_for(place: Destination, given: &[(&str, &str, FieldValue<'_>, i64)]) -> PointList {
    let mut list = PointList::new(place);
    for (series, field, value, time) in given {
        list.push(Point { series: series.as_bytes(), field, value: *value, time: TimestampNs(*time) });
    }
    list
}

fn write(store: &InfluxDb, points: &PointList) -> Result<Written, WriteError> {
    store.session().write(points, 0..points.len())
}

fn days(days: u64) -> Duration {
    Duration::from_secs(days * 24 * 3600)
}

fn policy(name: &str, duration: Option<Duration>) -> Policy {
    Policy { name: name.to_owned(), duration, shard_duration: None, replication: 1 }
}

/// `telemetry` with the default policy `realtime` and the policy `hourly`.
fn wanted() -> Wanted {
    let policies = vec![policy("realtime", Some(days(7))), policy("hourly", None)];
    let database = Database { name: "telemetry".to_owned(), default_policy: "realtime".to_owned(), policies };
    Wanted { databases: vec![database], rollups: Vec::new() }
}

fn rollup(columns: &[(&str, &str)]) -> Rollup {
    let column = |(function, alias): &(&str, &str)| RollupColumn {
        function: (*function).to_owned(),
        field: "value".to_owned(),
        alias: (*alias).to_owned(),
    };
    Rollup {
        name: "hourly_avg".to_owned(),
        database: "telemetry".to_owned(),
        source: "realtime".to_owned(),
        target: "hourly".to_owned(),
        interval: Duration::from_secs(3600),
        columns: columns.iter().map(column).collect(),
    }
}

fn done(text: &str) -> Step {
    Step::Done(text.to_owned())
}
