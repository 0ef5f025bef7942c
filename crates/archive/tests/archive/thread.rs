//! The archiver's thread.

use std::time::{Duration, Instant};

use archive::ArchiveConfig;
use model::TimestampNs;

use crate::support::{DAY, DAY_NS, Plant, folder_config};

fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not reached: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn days_are_archived_by_themselves_and_the_thread_stops_at_once() {
    let mut plant = Plant::new();
    plant.put_power(&[(DAY, 1.0)]);
    plant.archiver.start(|| true).unwrap();
    eventually("a run", || plant.archiver.status().files == 1);
    let started = Instant::now();
    plant.archiver.stop();
    assert!(started.elapsed() < Duration::from_secs(1));
    plant.check();
    let status = plant.archiver.status();
    assert_eq!((status.runs, status.rows, status.failures, status.is_running), (1, 1, 0, false));
    assert!(status.last_run_ns.is_some());
}

#[test]
fn retention_has_its_days_archived_when_nothing_is_scheduled() {
    let config = |folder: &std::path::Path| ArchiveConfig {
        schedule: "never".parse().unwrap(),
        before_deletion: true,
        ..folder_config(folder)
    };
    let mut plant = Plant::with(config);
    plant.put_power(&[(DAY - 3 * DAY_NS, 1.0), (DAY, 1.0)]);
    let bucket = plant.bucket("plant", "autogen");
    plant.archiver.start(|| true).unwrap();
    let until = TimestampNs(DAY - 2 * DAY_NS);
    plant.archiver.hurry(bucket, until);
    eventually("the day is archived", || plant.archiver.is_archived(bucket, until));
    plant.archiver.stop();
    assert_eq!(plant.days(), ["2026-11-17"]);
}
