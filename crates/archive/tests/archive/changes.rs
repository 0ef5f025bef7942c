//! Late values, deletions, restarts: the archive has everything that ever was in the store when a day was archived.

use archive::{Ledger, Scope};
use model::{FieldType, TimeRange, TimestampNs};
use pipeline::Observer;
use std::path::Path;
use std::sync::Arc;

use crate::support::{DAY, DAY_NS, Plant, Value, folder_config};

#[test]
fn a_late_value_has_its_day_archived_again_and_wins() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 1, 1.0), (DAY + 3, 3.0)]);
    plant.run();
    plant.put_power(&[(DAY + 3, 30.0), (DAY + 2, 20.0)]);
    assert_eq!(plant.run(), 1);
    plant.check();
    assert_eq!(plant.list()[0].rows, 3);
}

#[test]
fn a_value_that_comes_while_its_day_is_archived_is_not_missed() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 1, 1.0)]);
    plant.run();
    let ledger = Arc::clone(&plant.ledger);
    // The day is due before the run reads it and again after.
    plant.put_power(&[(DAY + 2, 2.0)]);
    plant.run();
    ledger.changed(&engine::Touched { written: vec![(plant.power(), TimestampNs(DAY + 2))], deleted: Vec::new() });
    assert_eq!(plant.run(), 1);
    plant.check();
}

#[test]
fn what_retention_removed_stays_in_the_file_when_its_day_is_archived_again() {
    let mut plant = Plant::new();
    let column = plant.power();
    plant.put_power(&[(DAY + 1, 1.0), (DAY + DAY_NS / 2, 2.0)]);
    plant.run();
    plant.delete(column, TimeRange::new(TimestampNs(DAY), TimestampNs(DAY + 10)));
    plant.put_power(&[(DAY + DAY_NS / 2, 20.0), (DAY + DAY_NS / 2 + 1, 3.0)]);
    plant.run();
    let values: Vec<_> = plant.restored().into_values().collect();
    assert_eq!(values, [1.0f64, 20.0, 3.0].map(|v| Value::Float(v.to_bits())));
}

#[test]
fn a_field_that_comes_back_with_another_type_is_another_column() {
    let mut plant = Plant::new();
    let bucket = plant.bucket("plant", "autogen");
    plant.put_power(&[(DAY + 1, 1.0)]);
    plant.run();
    let measurement = plant.catalog.read().measurement(bucket, "pcs").unwrap();
    plant.catalog.drop_measurements(&[measurement]).unwrap();
    let column = plant.column(bucket, b"pcs,unit=1", "power", FieldType::Integer);
    plant.put(column, &[(DAY + 2, Value::Integer(2))]);
    plant.run();
    let values: Vec<_> = plant.restored().into_values().collect();
    assert_eq!(values, [Value::Float(1.0f64.to_bits()), Value::Integer(2)]);
    let manifest = plant.list().remove(0);
    let columns: Vec<_> = manifest.content.columns.iter().map(|c| c.column.as_str()).collect();
    assert_eq!(columns, ["time", "unit", "power", "power_field"]);
}

#[test]
fn what_is_dropped_stays_in_the_archive_and_is_no_longer_due() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 1, 1.0)]);
    plant.run();
    plant.put_power(&[(DAY + 2, 1.0)]);
    let bucket = plant.bucket("plant", "autogen");
    plant.catalog.drop_database("plant").unwrap();
    plant.engine.drop_bucket(bucket).unwrap();
    assert_eq!(plant.run(), 0);
    assert_eq!((plant.restored().len(), plant.ledger.due_runs()), (1, 0));
}

#[test]
fn days_stay_due_over_a_restart_and_archived_ones_archived() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - DAY_NS, 1.0)]);
    plant.run();
    plant.put_power(&[(DAY + 1, 1.0)]);
    plant.ledger.persist().unwrap();
    let config = folder_config(plant.folder.path());
    let plant = plant.reopen(config);
    assert_eq!(plant.archiver.run(&Scope::All).files, 1);
    plant.check();
}

#[test]
fn without_a_ledger_everything_is_due() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - DAY_NS, 1.0), (DAY, 1.0)]);
    plant.run();
    let config = folder_config(plant.folder.path());
    Ledger::forget(&plant.disk, Path::new("engine/archive.due")).unwrap();
    plant.engine.flush().unwrap();
    let (disk, Plant { folder, archiver, .. }) = (plant.disk.clone(), plant);
    drop(archiver);
    let plant = Plant::open(disk, folder, config, 1);
    assert_eq!(plant.run(), 2);
    plant.check();
}

#[test]
fn when_track_is_lost_everything_is_archived_again() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - DAY_NS, 1.0), (DAY, 1.0)]);
    plant.run();
    plant.ledger.lost_track();
    assert_eq!(plant.run(), 2);
    plant.check();
    assert_eq!(plant.run(), 0);
}

#[test]
fn rows_of_rollups_are_neither_archived_nor_due() {
    let mut plant = Plant::new();
    let bucket = plant.catalog.ensure_hidden_bucket("plant", "rows").unwrap();
    let column = plant.column(bucket, b"pcs,unit=1", "power", FieldType::Integer);
    plant.run();
    plant.put(column, &[(DAY + 1, Value::Integer(1))]);
    assert_eq!((plant.ledger.due_runs(), plant.archiver.first_missing(bucket), plant.run()), (0, None, 0));
}
