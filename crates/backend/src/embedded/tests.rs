//! Values are seen exactly as long as their retention policy keeps them, by the nanosecond.

use std::cell::Cell as Slot;
use std::path::Path;
use std::sync::Arc;

use catalog::{Catalog, Homes, Pattern, PolicySpec, Wanted};
use engine::{Engine, EngineConfig};
use model::wire::BatchEncoder;
use model::{BucketId, ColumnId, FieldType, FieldValue, Seq, TimestampNs};
use query::aggregate::Registry;
use query::execute::Options;
use query::store::{Place, SeriesQuery, Store};
use query::{
    AggregateRequest, Cancel, Cell, Limits, Parts, Piece, QueryResult, RequestContext, SeriesRequest, Shortcuts, Wish,
    collect,
};
use vfs::FaultFs;

use super::Embedded;
use crate::Query;

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

thread_local! {
    static NOW: Slot<TimestampNs> = const { Slot::new(TimestampNs(0)) };
}

fn set_now(now: i64) {
    NOW.set(TimestampNs(now));
}

/// A database `d` of which the default policy keeps a day, and an engine with values in files.
struct Plant {
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
    store: Embedded,
}

impl Plant {
    /// A value 1, 2, ... at each of the times.
    fn new(times: &[i64]) -> Self {
        let disk = Arc::new(FaultFs::default());
        let catalog = Arc::new(Catalog::open(disk.clone(), Path::new("catalog")).unwrap().0);
        let opened = Engine::open(disk, Path::new("engine"), Arc::clone(&catalog), EngineConfig::default());
        let engine = Arc::new(opened.unwrap().0);
        catalog.create_database("d", Some((None, &kept(DAY)))).unwrap();
        let store = Embedded::new(Arc::clone(&catalog), Arc::clone(&engine), || NOW.get());
        let plant = Self { catalog, engine, store };
        plant.write(plant.catalog.bucket_of("d", None).unwrap(), times);
        plant
    }

    fn write(&self, bucket: BucketId, times: &[i64]) {
        let wanted = Wanted { key: b"m,site=a", field: "value", kind: FieldType::Float };
        self.catalog.define(bucket, &[wanted]).unwrap();
        let names = self.catalog.read();
        let (column, _) = names.column(names.series(bucket, b"m,site=a").unwrap(), 0, "value").unwrap();
        drop(names);
        let mut batch = BatchEncoder::default();
        for (time, n) in times.iter().zip(1..) {
            batch.push(column, TimestampNs(*time), FieldValue::Float(f64::from(n)));
        }
        self.engine.apply(Seq(self.engine.applied_seq().0 + 1), &batch.finish()).unwrap();
        self.engine.flush().unwrap();
    }

    fn ask(&self, plan: &query::Select) -> QueryResult {
        collect(plan, &Limits::default(), |plan, limits, sink| {
            let (cancel, registry) = (&Cancel::new(), Registry::shared());
            let options =
                Options { limits, cancel, registry, threads: 2, into: false, shortcuts: Shortcuts::ALL, cache: None };
            self.store.query(plan, &options, sink)
        })
        .unwrap()
    }

    /// Times of the points seen.
    fn times(&self) -> Vec<i64> {
        let request = SeriesRequest::parse(br#"{"measurement":"m","start":0,"order":"asc"}"#).unwrap();
        let result = self.ask(&request.into_plan(&context()).unwrap());
        result.series.iter().flat_map(|s| s.times.iter().map(|t| t.0)).collect()
    }

    /// Count and sum over all times.
    fn count_and_sum(&self) -> Vec<Cell> {
        let body = br#"{"aggregate_type":"statistical","measurement":"m"}"#;
        let result = self.ask(&AggregateRequest::parse(body).unwrap().into_plan(&context()).unwrap());
        let columns = result.series.iter().flat_map(|s| &s.columns);
        columns.filter(|c| ["count", "sum"].contains(&c.name.as_str())).flat_map(|c| c.cells.clone()).collect()
    }

    fn column(&self) -> ColumnId {
        let query = SeriesQuery { fields: vec!["value".to_owned()], ..of_m() };
        self.store.series(&place(None), &query).unwrap()[0].columns[0].unwrap()
    }

    fn latest(&self) -> Vec<i64> {
        let found = self.store.latest(&place(None), of_m(), &Cancel::new()).unwrap();
        found.series.iter().flat_map(|s| s.times.iter().map(|t| t.0)).collect()
    }
}

fn of_m() -> SeriesQuery {
    SeriesQuery { measurement: "m".to_owned(), ..SeriesQuery::default() }
}

fn kept(duration_ns: i64) -> PolicySpec {
    PolicySpec { duration_ns: Some(duration_ns), ..PolicySpec::default() }
}

fn place(policy: Option<&str>) -> Place {
    Place { database: "d".to_owned(), policy: policy.map(str::to_owned) }
}

fn context() -> RequestContext {
    RequestContext { database: "d".to_owned(), now: NOW.get(), epoch: Some(model::Precision::Nanosecond) }
}

#[test]
fn a_point_is_seen_until_its_age_passes_the_duration() {
    let plant = Plant::new(&[HOUR, 2 * HOUR]);
    for (now, seen) in [
        (DAY, &[HOUR, 2 * HOUR][..]),
        (DAY + HOUR, &[HOUR, 2 * HOUR]),
        (DAY + HOUR + 1, &[2 * HOUR]),
        (DAY + 2 * HOUR, &[2 * HOUR]),
        (DAY + 2 * HOUR + 1, &[]),
    ] {
        set_now(now);
        assert_eq!(plant.times(), seen, "{now}");
        assert_eq!(plant.latest(), seen.last().copied().into_iter().collect::<Vec<_>>(), "{now}");
    }
}

#[test]
fn a_chunk_that_the_cutoff_cuts_does_not_come_as_a_summary() {
    let plant = Plant::new(&[HOUR, 2 * HOUR, 3 * HOUR]);
    let summaries = || {
        let store = plant.store.for_query();
        let column = plant.column();
        let mut found = Vec::new();
        let wish = Wish { parts: Some(Parts::BASIC), suffices: &|_, _| true };
        store.reader().scan(column, model::TimeRange::ALL, &wish, &mut |piece| {
            found.push(match piece {
                Piece::Summary(s) => (true, s.count),
                Piece::Points { times, .. } => (false, times.len() as u64),
            });
            std::ops::ControlFlow::Continue(())
        });
        found
    };
    set_now(DAY + HOUR);
    assert_eq!((summaries(), plant.count_and_sum()), (vec![(true, 3)], vec![Cell::Integer(3), Cell::Float(6.0)]));
    set_now(DAY + HOUR + 1);
    assert_eq!((summaries(), plant.count_and_sum()), (vec![(false, 2)], vec![Cell::Integer(2), Cell::Float(5.0)]));
    set_now(DAY + 3 * HOUR + 1);
    assert_eq!((summaries(), plant.count_and_sum()), (vec![], vec![]));
}

#[test]
fn what_is_seen_does_not_change_while_a_query_runs() {
    let plant = Plant::new(&[HOUR, 2 * HOUR]);
    set_now(DAY + HOUR);
    let store = plant.store.for_query();
    set_now(9 * DAY);
    let column = plant.column();
    let mut extents = Vec::new();
    store.reader().extents(column, model::TimeRange::ALL, &mut extents);
    assert_eq!(extents.iter().map(|e| e.count).sum::<u64>(), 2);
    extents.clear();
    plant.store.reader().extents(column, model::TimeRange::ALL, &mut extents);
    assert_eq!(extents, []);
}

#[test]
fn a_policy_that_is_altered_is_altered_for_the_next_query() {
    let plant = Plant::new(&[HOUR, 2 * HOUR]);
    set_now(3 * DAY);
    assert!(plant.times().is_empty());
    plant.catalog.alter_policy("d", "autogen", &kept(4 * DAY), false).unwrap();
    assert_eq!(plant.times(), [HOUR, 2 * HOUR]);
    plant.catalog.alter_policy("d", "autogen", &kept(3 * DAY - 2 * HOUR), false).unwrap();
    assert_eq!(plant.times(), [2 * HOUR]);
    plant.catalog.alter_policy("d", "autogen", &kept(0), false).unwrap();
    assert_eq!(plant.times(), [HOUR, 2 * HOUR]);
}

#[test]
fn hidden_buckets_are_not_cut() {
    let plant = Plant::new(&[]);
    let hidden = plant.catalog.ensure_hidden_bucket("d", "rollup").unwrap();
    plant.write(hidden, &[HOUR]);
    set_now(99 * DAY);
    let names = plant.catalog.read();
    let (column, _) = names.column(names.series(hidden, b"m,site=a").unwrap(), 0, "value").unwrap();
    drop(names);
    let mut extents = Vec::new();
    plant.store.reader().extents(column, model::TimeRange::ALL, &mut extents);
    assert_eq!(extents.len(), 1);
}

#[test]
fn a_measurement_is_looked_for_at_home_where_no_policy_is_named() {
    let plant = Plant::new(&[HOUR]);
    plant.catalog.create_policy("d", "long", &kept(9 * DAY), false).unwrap();
    plant.catalog.settle(Homes::new("d", vec![(Pattern::Name("m".to_owned()), "long".to_owned())]));
    set_now(2 * HOUR);
    assert!(plant.times().is_empty());
    plant.write(plant.catalog.bucket_of("d", Some("long")).unwrap(), &[90 * HOUR]);
    set_now(91 * HOUR);
    assert_eq!((plant.times(), plant.latest()), (vec![90 * HOUR], vec![90 * HOUR]));
    assert_eq!(plant.store.measurements(&place(None)).unwrap(), ["m"]);
    assert_eq!(plant.store.measurements(&place(Some("autogen"))).unwrap(), ["m"]);
    assert_eq!(plant.store.schema(&place(None), "m").unwrap().fields.len(), 1);
}
