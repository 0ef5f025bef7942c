//! Which days are archived, and when.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use archive::{ArchiveConfig, Scope, Selection};
use model::{FieldType, HumanDuration, TimestampNs};

use crate::support::{DAY, DAY_NS, GO, Plant, Value, folder_config};

#[test]
fn a_day_is_archived_when_it_is_over_and_the_delay_has_passed() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY + 5, 1.5), (DAY + DAY_NS, 2.5), (DAY + 2 * DAY_NS + 1, 3.5)]);
    assert_eq!(plant.run(), 2);
    assert_eq!(plant.days(), ["2026-11-20", "2026-11-21"]);
    plant.check();
    assert_eq!(plant.run(), 0, "nothing has changed");
    plant.now.store(DAY + 3 * DAY_NS + DAY_NS / 24 - 1, Relaxed);
    assert_eq!(plant.run(), 0, "the delay of an hour has not passed");
    plant.now.fetch_add(1, Relaxed);
    assert_eq!(plant.run(), 1);
    plant.check();
}

#[test]
fn the_manifest_says_what_the_file_holds() {
    let mut plant = Plant::new();
    let bucket = plant.bucket("plant", "autogen");
    let state = plant.column(bucket, b"pcs,unit=2", "state", FieldType::String);
    plant.put_power(&[(DAY + 5, 1.5), (DAY + 9, 2.5)]);
    plant.put(state, &[(DAY + 7, Value::Text("run".to_owned()))]);
    plant.run();
    let manifest = plant.list().remove(0);
    assert_eq!((manifest.rows, manifest.values, manifest.series), (3, 3, 2));
    assert_eq!((manifest.first_time_ns, manifest.last_time_ns), (DAY + 5, DAY + 9));
    assert_eq!(manifest.complete_to, plant.engine.applied_seq().0);
    assert_eq!(manifest.bytes, plant.file("2026-11-20").metadata().unwrap().len());
    let columns: Vec<_> = manifest.content.columns.iter().map(|c| c.column.as_str()).collect();
    assert_eq!(columns, ["time", "unit", "power", "state"]);
}

#[test]
fn filters_choose_what_is_archived() {
    let mut plant = Plant::with(|folder| ArchiveConfig {
        databases: vec!["plant".to_owned()],
        measurements: vec!["p*".to_owned()],
        ..folder_config(folder)
    });
    plant.put_power(&[(DAY, 1.0)]);
    for (database, key) in [("site", &b"pcs"[..]), ("plant", b"bms"), ("plant", b"pv")] {
        let bucket = plant.bucket(database, "autogen");
        let column = plant.column(bucket, key, "v", FieldType::Integer);
        plant.put(column, &[(DAY, Value::Integer(1))]);
    }
    let hidden = plant.catalog.ensure_hidden_bucket("plant", "rollup").unwrap();
    let column = plant.column(hidden, b"pcs", "v", FieldType::Integer);
    plant.put(column, &[(DAY, Value::Integer(1))]);
    assert_eq!(plant.run(), 2);
    let names: Vec<_> =
        plant.list().iter().map(|m| format!("{}.{}", m.content.database, m.content.measurement)).collect();
    assert_eq!(names, ["plant.pcs", "plant.pv"]);
    assert!(plant.archiver.is_archived(hidden, TimestampNs::MAX));
}

#[test]
fn what_retention_waits_for_is_archived_before_the_rest() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY - 5 * DAY_NS, 1.0), (DAY, 2.0)]);
    let bucket = plant.bucket("plant", "autogen");
    assert_eq!(plant.archiver.first_missing(bucket), Some(TimestampNs(DAY - 5 * DAY_NS)));
    let until = TimestampNs(DAY - 4 * DAY_NS);
    let report = plant.archiver.run(&Scope::Before(BTreeMap::from([(bucket, until)])));
    assert_eq!(report.files, 1);
    assert!(plant.archiver.is_archived(bucket, until) && plant.archiver.is_archived(bucket, TimestampNs(DAY)));
    assert_eq!(plant.archiver.first_missing(bucket), Some(TimestampNs(DAY)));
    plant.run();
    assert_eq!(plant.archiver.first_missing(bucket), None);
    plant.put_power(&[(DAY - 5 * DAY_NS + 1, 1.0)]);
    assert!(!plant.archiver.is_archived(bucket, until), "a late value is not archived yet");
}

#[test]
fn a_selection_is_by_names_and_days() {
    let mut plant = Plant::new();
    for (database, key) in [("plant", &b"pcs"[..]), ("plant", b"a\\ b/c"), ("p", b"pcs")] {
        let bucket = plant.bucket(database, "autogen");
        let column = plant.column(bucket, key, "v", FieldType::Integer);
        plant.put(column, &[(DAY - DAY_NS, Value::Integer(1)), (DAY, Value::Integer(2))]);
    }
    plant.run();
    let count = |selection: Selection| plant.archiver.archive().list(&selection, &GO).unwrap().len();
    let name = |name: &str| Some(name.to_owned());
    assert_eq!(count(Selection::default()), 6);
    assert_eq!(count(Selection { database: name("p"), ..Selection::default() }), 2);
    assert_eq!(count(Selection { measurement: name("pcs"), ..Selection::default() }), 4);
    let day = "2026-11-20".parse().ok();
    assert_eq!(count(Selection { measurement: name("a b/c"), from: day, to: day, ..Selection::default() }), 1);
    assert_eq!(count(Selection { database: name("none"), ..Selection::default() }), 0);
}

#[test]
fn a_partition_that_is_longer_than_a_day_is_archived_day_by_day() {
    let config = |folder: &std::path::Path| ArchiveConfig { delay: HumanDuration::default(), ..folder_config(folder) };
    let mut plant = Plant::with(config);
    let points: Vec<_> = (0..400).map(|n| (DAY - n * DAY_NS / 8, n as f64)).collect();
    plant.put_power(&points);
    plant.engine.flush().unwrap();
    assert_eq!(plant.run(), 51);
    plant.check();
}
