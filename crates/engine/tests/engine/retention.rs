//! What would go is told before it goes.

use std::path::Path;
use std::sync::Arc;

use engine::{Ended, Engine, EngineConfig, Holding};
use model::{BucketId, TimestampNs, WindowNs};
use vfs::FaultFs;

use crate::support::{ENGINE, Journal, Record, Value, define, open_catalog, quiet};

const DAY: i64 = 86_400_000_000_000;

#[test]
fn what_partitions_hold_is_told_by_when_they_ended_and_is_what_then_goes() {
    let fs = FaultFs::new();
    let catalog = open_catalog(&fs);
    let config = EngineConfig { partition: WindowNs::new(DAY).unwrap(), ..quiet() };
    let (engine, _) = Engine::open(Arc::new(fs), Path::new(ENGINE), Arc::clone(&catalog), config).unwrap();
    let columns = define(&catalog);
    let bucket: BucketId = catalog.read().column_info(columns[0].id).unwrap().bucket;
    let mut journal = Journal::default();
    for (day, columns) in [(0, &columns[..3]), (1, &columns[..1]), (2, &columns[..])] {
        let points = columns.iter().map(|c| (*c, day * DAY + 7, Value::from_seed(c.kind, day)));
        let record = Record::Points(points.collect());
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
    }
    engine.flush().unwrap();
    let by = |days: i64| Ended::by(TimestampNs(days * DAY));
    assert_eq!(engine.holding(bucket, by(0)), Holding::default());
    let (one, two) = (engine.holding(bucket, by(1)), engine.holding(bucket, by(2)));
    assert_eq!((one.files, one.values, one.times), (1, 3, Some((TimestampNs(7), TimestampNs(7)))));
    assert_eq!((two.files, two.values, two.times), (2, 4, Some((TimestampNs(7), TimestampNs(DAY + 7)))));
    let second = Ended { after: TimestampNs(DAY), by: TimestampNs(2 * DAY) };
    assert_eq!(engine.holding(bucket, second).bytes, two.bytes - one.bytes);
    assert_eq!(engine.columns_ended(bucket, second), [columns[0].id]);
    assert_eq!(engine.columns_ended(bucket, by(2)).len(), 3);
    // A partition goes once all of it is old.
    assert_eq!(engine.holding(bucket, Ended::by(TimestampNs(2 * DAY - 1))), one);
    let removed = engine.drop_before(bucket, TimestampNs(2 * DAY)).unwrap();
    assert_eq!((removed.files, removed.values, removed.bytes), (two.files, two.values, two.bytes));
    assert_eq!(engine.holding(bucket, by(2)), Holding::default());
}
