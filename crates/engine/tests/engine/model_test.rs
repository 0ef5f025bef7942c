//! Any sequence of writes, deletions, flushes, merges, restarts and power cuts reads back as the model says.

use std::time::Duration;

use model::{ByteSize, TimeRange};
use proptest::prelude::*;
use vfs::FaultFs;

use crate::support::{
    Column, Journal, Model, Record, Value, check, check_all, define, open, open_catalog, quiet, range,
};

#[derive(Debug, Clone)]
enum Step {
    Points(Vec<(usize, i64, i64)>),
    Delete(Vec<bool>, i64, i64),
    /// Single points of single columns, a record each.
    Pick(Vec<(usize, i64)>),
    Flush,
    Compact,
    DropBefore(usize, i64),
    Reopen,
    Crash(u64),
}

fn any_time() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => 0i64..6000,
        3 => -3000i64..3000,
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, i64::MIN + 807, i64::MIN + 999, i64::MAX - 1, i64::MAX - 806]),
        1 => any::<i64>().prop_map(|t| t.min(i64::MAX - 1)),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    let point = (0usize..10, any_time(), prop_oneof![4 => -300i64..300, 1 => any::<i64>()]);
    // Points of a poll: all columns at regular times, so that chunks have shared times and summaries.
    let poll = (0i64..4000, 1i64..60, -50i64..50).prop_map(|(from, count, seed)| {
        Step::Points((0..count).flat_map(|i| (0..10).map(move |c| (c, from + i * 10, seed + i))).collect())
    });
    prop_oneof![
        6 => prop::collection::vec(point, 1..60).prop_map(Step::Points),
        4 => poll,
        2 => (prop::collection::vec(any::<bool>(), 10), any_time(), any_time()).prop_map(|(c, a, b)| Step::Delete(c, a, b)),
        2 => prop::collection::vec((0usize..10, any_time()), 1..40).prop_map(Step::Pick),
        3 => Just(Step::Flush),
        2 => Just(Step::Compact),
        1 => (0usize..10, -1000i64..4000).prop_map(|(c, t)| Step::DropBefore(c, t)),
        1 => Just(Step::Reopen),
        1 => (0u64..100).prop_map(Step::Crash),
    ]
}

fn records(step: &Step, columns: &[Column]) -> Vec<Record> {
    match step {
        Step::Points(points) => {
            let value =
                |(c, time, seed): &(usize, i64, i64)| (columns[*c], *time, Value::from_seed(columns[*c].kind, *seed));
            // The encoder puts types one after the other, so within a batch only the order inside a column counts.
            vec![Record::Points(points.iter().map(value).collect())]
        }
        Step::Delete(chosen, a, b) => {
            let ids = columns.iter().zip(chosen).filter(|(_, yes)| **yes).map(|(c, _)| c.id).collect();
            vec![Record::Delete(ids, range(*a.min(b), *a.max(b)))]
        }
        Step::Pick(points) => {
            points.iter().map(|(c, time)| Record::Delete(vec![columns[*c].id], range(*time, *time + 1))).collect()
        }
        _ => Vec::new(),
    }
}

fn run(steps: &[Step], head_max: u64, merges: bool, ranges: &[(i64, i64)]) {
    let mut config = quiet();
    config.head_max = ByteSize(head_max);
    if merges {
        (config.merge_at, config.cold_after) = (2, Duration::ZERO);
    }
    let mut fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let mut engine = open(&fs, config.clone());
    let (mut journal, mut model) = (Journal::default(), Model::default());
    for step in steps {
        for record in records(step, &columns) {
            model.apply(&record);
            let batch = record.encode();
            let seq = journal.append(record);
            engine.apply(seq, &batch).unwrap();
        }
        match step {
            Step::Points(_) | Step::Delete(..) | Step::Pick(_) => {}
            Step::Flush => engine.flush().unwrap(),
            Step::Compact => engine.compact_all().unwrap(),
            Step::DropBefore(column, cutoff) => {
                engine.flush().unwrap();
                let bucket = columns[*column].bucket;
                engine.drop_before(bucket, model::TimestampNs(*cutoff)).unwrap();
                model.drop_before(&columns, bucket, *cutoff);
            }
            Step::Reopen => {
                engine.close().unwrap();
                engine = open(&fs, config.clone());
                assert_eq!(engine.applied_seq().0, journal.0.len() as u64);
            }
            Step::Crash(seed) => {
                drop(engine);
                fs = fs.crash(*seed);
                engine = open(&fs, config.clone());
                journal.replay(&engine);
            }
        }
        let context = format!("after {step:?}");
        for (a, b) in ranges {
            columns.iter().for_each(|c| check(&engine, *c, &model, range(*a.min(b), *a.max(b)), &context));
        }
        check_all(&engine, &columns, &model, &context);
    }
    engine.close().unwrap();
    assert_eq!(engine::verify(&fs, std::path::Path::new(crate::support::ENGINE)).unwrap(), Vec::<String>::new());
    let engine = open(&fs, config);
    columns.iter().for_each(|c| check(&engine, *c, &model, TimeRange::ALL, "at the end"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]
    #[test]
    fn whatever_happens_the_store_reads_back_as_the_model_says(
        steps in prop::collection::vec(any_step(), 1..25),
        head_max in prop::sample::select(vec![2_000u64, 30_000, 16 << 20]),
        merges in any::<bool>(),
        ranges in prop::collection::vec((any_time(), any_time()), 2),
    ) {
        run(&steps, head_max, merges, &ranges);
    }
}
