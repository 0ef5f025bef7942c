//! Batches of points as sources hand them over.

use ::model::{ByteSize, FieldValue, TimestampNs};
use journal::JournalConfig;
use pipeline::{Origin, PointBatch};
use vfs::FaultFs;

use crate::support::{Plant, assert_accounted, eventually, floats, last_seq, tiny};

fn push(batch: &mut PointBatch, key: &str, value: f64, time: i64) {
    batch.push(key.as_bytes(), "v", FieldValue::Float(value), TimestampNs(time));
}

#[test]
fn points_are_stored_and_those_of_another_type_or_time_counted() {
    let plant = Plant::open(&FaultFs::new(), JournalConfig::default());
    let _applier = plant.start_applier();
    let mut batch = plant.intake.batch(plant.bucket, Origin::Redis);
    batch.flush().unwrap();
    push(&mut batch, "m,d=1", 1.0, 1);
    batch.push(b"m,d=1", "v", FieldValue::Integer(2), TimestampNs(2));
    batch.push(b"m,d=1", "s", FieldValue::String("on"), TimestampNs(3));
    push(&mut batch, "m,d=1", 3.0, i64::MAX);
    push(&mut batch, "m,d=1", 4.0, i64::MIN);
    push(&mut batch, "m,d=1", 5.0, 1);
    assert_eq!(batch.len(), 6);
    batch.flush().unwrap();
    assert!(batch.is_empty());
    plant.settle();
    assert_eq!(plant.read("m,d=1", "v"), floats(&[(1, 5.0)]));
    assert_eq!(plant.read("m,d=1", "s"), [(3, "String(\"on\")".to_owned())]);
    let counts = plant.counts(Origin::Redis);
    assert_accounted(counts);
    assert_eq!((counts.received, counts.journaled, counts.rejected), (6, 3, 3));
}

#[test]
fn a_full_journal_keeps_the_batch_until_there_is_room() {
    let plant = Plant::open(&FaultFs::new(), JournalConfig { max_disk: ByteSize(1500), ..tiny() });
    let mut batch = plant.intake.batch(plant.bucket, Origin::Redis);
    let mut pushed = 0;
    let error = loop {
        for _ in 0..5 {
            pushed += 1;
            push(&mut batch, "m", 1.0, pushed);
        }
        if let Err(error) = batch.flush() {
            break error;
        }
    };
    assert!(error.is_retryable(), "{error}");
    let kept = batch.len() as u64;
    assert!(kept > 0);
    assert!(batch.flush().unwrap_err().is_retryable());
    let counts = plant.counts(Origin::Redis);
    assert_eq!((batch.len() as u64, counts.in_flight, counts.received), (kept, kept, pushed as u64));
    let applier = plant.start_applier();
    plant.settle();
    plant.engine.flush().unwrap();
    eventually("the journal has room", || batch.flush().is_ok());
    plant.settle();
    assert_eq!(plant.read("m", "v").len(), pushed as usize);
    assert_eq!(plant.counts(Origin::Redis).journaled, pushed as u64);
    assert_accounted(plant.counts(Origin::Redis));
    applier.abandon();
}

#[test]
fn a_long_batch_is_split_into_records_that_the_journal_takes() {
    let plant = Plant::open(&FaultFs::new(), tiny());
    let _applier = plant.start_applier();
    let mut batch = plant.intake.batch(plant.bucket, Origin::Simulator);
    (0..200).for_each(|n| push(&mut batch, "m", n as f64, n % 100));
    batch.flush().unwrap();
    plant.settle();
    assert!(last_seq(&plant).0 > 8);
    let expected: Vec<(i64, f64)> = (0..100).map(|n| (n, (n + 100) as f64)).collect();
    assert_eq!(plant.read("m", "v"), floats(&expected));
    assert_accounted(plant.counts(Origin::Simulator));
}

#[test]
fn a_record_that_is_refused_for_good_is_counted_and_the_rest_stored() {
    let plant = Plant::open(&FaultFs::new(), tiny());
    let _applier = plant.start_applier();
    let mut batch = plant.intake.batch(plant.bucket, Origin::Redis);
    batch.push(b"m", "text", FieldValue::String(&"x".repeat(1000)), TimestampNs(1));
    push(&mut batch, "m", 2.0, 2);
    assert!(!batch.flush().unwrap_err().is_retryable());
    assert!(batch.is_empty());
    plant.settle();
    assert_eq!(plant.read("m", "v"), floats(&[(2, 2.0)]));
    let counts = plant.counts(Origin::Redis);
    assert_accounted(counts);
    assert_eq!((counts.journaled, counts.dropped), (1, 1));
}

#[test]
fn when_names_cannot_be_defined_the_points_of_known_series_are_stored_all_the_same() {
    let fs = FaultFs::new();
    let plant = Plant::open(&fs, JournalConfig::default());
    let _applier = plant.start_applier();
    let mut batch = plant.intake.batch(plant.bucket, Origin::Redis);
    push(&mut batch, "known", 1.0, 1);
    batch.flush().unwrap();
    fs.fail_next_sync();
    push(&mut batch, "new", 2.0, 2);
    push(&mut batch, "known", 3.0, 3);
    while batch.flush().is_err_and(|e| e.is_retryable()) {}
    plant.settle();
    assert_eq!(plant.read("known", "v"), floats(&[(1, 1.0), (3, 3.0)]));
    let counts = plant.counts(Origin::Redis);
    assert_accounted(counts);
    assert_eq!((counts.journaled, counts.dropped, batch.len()), (2, 1, 0));
}
