//! Whatever is written, deleted, and cut off, in whatever order: rows answer as points do, and are the same bit by bit.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use engine::ScanCache;
use model::{TimeRange, TimestampNs};
use proptest::prelude::*;
use rollup::Order;
use vfs::Fs;

use crate::support::{Node, hours_and_days, memory};

/// Midnight of a day on which Berlin's clocks change.
const START: i64 = 1_774_652_400;
const HOUR: i64 = 3600;
const FUNCTIONS: &str = "count(v), sum(v), mean(v), min(v), max(v), first(v), last(v), spread(v), stddev(v)";

#[derive(Debug, Clone)]
enum Step {
    /// Points: series, hour and second in it, value.
    Write(Vec<(u8, i64, i64, i32)>),
    /// Of a series, from an hour on so many.
    Delete(u8, i64, i64),
    Settle,
    /// A question over hours, with windows of so many minutes.
    Ask(i64, i64, i64),
    Restart,
    Kill,
    Flush,
}

fn step() -> impl Strategy<Value = Step> {
    let point = (0..3u8, 0..72i64, 0..HOUR, -50..50i32);
    prop_oneof![
        6 => proptest::collection::vec(point, 1..40).prop_map(Step::Write),
        2 => (0..3u8, 0..72i64, 1..30i64).prop_map(|(series, from, hours)| Step::Delete(series, from, hours)),
        2 => Just(Step::Settle),
        5 => (0..60i64, 1..72i64, prop_oneof![Just(60), Just(1440), Just(180), Just(20)]).prop_map(|(a, b, c)| Step::Ask(a, b, c)),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        1 => Just(Step::Flush),
    ]
}

fn lines(points: &[(u8, i64, i64, i32)]) -> String {
    let line = |(series, hour, second, value): &(u8, i64, i64, i32)| {
        let time = START + hour * HOUR + second;
        format!("m,s={series} v={} {time}\n", f64::from(*value) / 4.0)
    };
    points.iter().map(line).collect()
}

fn delete(node: &Node, series: u8, from: i64, hours: i64) {
    // As DELETE does: in all buckets, and series without values left go.
    let (all, columns): (Vec<_>, Vec<_>) = {
        let names = node.catalog.read();
        let key = format!("m,s={series}");
        let all: Vec<_> = names.buckets().filter_map(|(bucket, ..)| names.series(bucket, key.as_bytes())).collect();
        let columns = all.iter().flat_map(|id| names.columns_of(*id)).map(|(_, column)| *column).collect();
        (all, columns)
    };
    let at = |hour: i64| TimestampNs((START + hour * HOUR + 600) * 1_000_000_000);
    if !columns.is_empty() {
        node.intake.delete(&columns, TimeRange::new(at(from), at(from + hours))).unwrap();
        node.intake.drop_empty_series(&node.engine, &all).unwrap();
    }
}

fn ask(node: &Node, from: i64, hours: i64, minutes: i64) {
    let (start, end) = (START + from * HOUR + 100, START + (from + hours) * HOUR + 100);
    let range = format!("time >= {start}s AND time < {end}s");
    node.same(&format!("SELECT {FUNCTIONS} FROM m WHERE {range} GROUP BY time({minutes}m), s fill(none)"));
    node.same(&format!("SELECT {FUNCTIONS} FROM m WHERE {range} GROUP BY time({minutes}m) fill(none)"));
    node.same(&format!("SELECT {FUNCTIONS} FROM m WHERE {range}"));
}

fn run(steps: &[Step], order: Order) {
    let (fs, dir) = memory();
    let zone = Some("Europe/Berlin");
    let open = || Node::open_with(&fs, &dir, hours_and_days(zone), order);
    let mut node = open();
    for step in steps {
        match step {
            Step::Write(points) => node.write(&lines(points)),
            Step::Delete(series, from, hours) => delete(&node, *series, *from, *hours),
            Step::Settle => node.settle(),
            Step::Ask(from, hours, minutes) => ask(&node, *from, *hours, *minutes),
            Step::Flush => node.engine.flush().unwrap(),
            Step::Restart => {
                node.close();
                node = open();
            }
            Step::Kill => {
                node.kill();
                node = open();
            }
        }
    }
    node.settle();
    for minutes in [60, 1440, 20] {
        ask(&node, 0, 72, minutes);
    }
    node.close();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn answers_from_rows_are_those_from_points(steps in proptest::collection::vec(step(), 1..14), newest in any::<bool>()) {
        run(&steps, if newest { Order::NewestFirst } else { Order::OldestFirst });
    }

    #[test]
    fn the_same_points_in_any_order_and_any_number_of_times_make_the_same_rows(
        points in proptest::collection::vec((0..3u8, 0..48i64, 0..HOUR, -50..50i32), 1..120),
        shuffled in any::<u64>(),
        settles in proptest::collection::vec(any::<bool>(), 6),
    ) {
        // One value a time: which of two stays is decided by the order.
        let mut points: Vec<_> = points;
        points.sort_by_key(|(series, hour, second, _)| (*series, *hour, *second));
        points.dedup_by_key(|(series, hour, second, _)| (*series, *hour, *second));
        let (fs, dir) = memory();
        let in_order = rows_after(&fs, &dir, &[points.clone()], &[true]);
        let mut mixed = points.clone();
        mixed.sort_by_key(|(series, hour, second, _)| {
            (i64::from(*series) * 7919 + hour * 104_729 + second * 1_299_709).wrapping_mul(shuffled.cast_signed() | 1)
        });
        let mut portions: Vec<Vec<_>> = mixed.chunks(points.len().div_ceil(5)).map(<[_]>::to_vec).collect();
        portions.push(points.iter().step_by(3).copied().collect());
        let (fs, dir) = memory();
        let in_portions = rows_after(&fs, &dir, &portions, &settles);
        prop_assert_eq!(in_order, in_portions);
    }
}

/// Bits of all values of the hidden buckets and of the policies that rollups write, by column and time.
type Rows = BTreeMap<(String, String, Vec<u8>), Vec<(TimestampNs, String)>>;

fn rows_after(fs: &Arc<dyn Fs>, dir: &Path, portions: &[Vec<(u8, i64, i64, i32)>], settles: &[bool]) -> Rows {
    let node = Node::open(fs, dir, hours_and_days(None));
    for (portion, settle) in portions.iter().zip(settles.iter().chain(std::iter::repeat(&false))) {
        if !portion.is_empty() {
            node.write(&lines(portion));
        }
        if *settle {
            node.settle();
            node.engine.flush().unwrap();
        }
    }
    node.settle();
    let rows = rows_of(&node);
    node.close();
    rows
}

fn rows_of(node: &Node) -> Rows {
    let mut columns = Vec::new();
    {
        let names = node.catalog.read();
        for (bucket, _, policy) in names.buckets().filter(|(_, _, policy)| *policy != "autogen") {
            for (measurement, _) in names.measurements(bucket) {
                for series in names.series_of(measurement) {
                    let key = names.series_key(*series).unwrap().to_vec();
                    for (field, column) in names.columns_of(*series) {
                        let field = names.fields(measurement)[usize::from(*field)].name.clone();
                        columns.push(((policy.to_owned(), field, key.clone()), *column));
                    }
                }
            }
        }
    }
    let mut rows = Rows::new();
    for (name, column) in columns {
        let found = rows.entry(name).or_default();
        node.engine.scan(column, TimeRange::ALL, &mut ScanCache::default(), &|_, _| false, &mut |piece| {
            if let engine::Piece::Points { times, values } = piece {
                found.extend(times.iter().enumerate().map(|(i, time)| (*time, bits(values.get(i).unwrap()))));
            }
            std::ops::ControlFlow::Continue(())
        });
    }
    rows.retain(|_, values| !values.is_empty());
    rows
}

fn bits(value: model::FieldValue<'_>) -> String {
    match value {
        model::FieldValue::Float(value) => format!("{:016x}", value.to_bits()),
        other => format!("{other:?}"),
    }
}
