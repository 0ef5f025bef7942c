//! From the journal into the engine: restarts, gaps, commits, the end.

use ::model::{ByteSize, Precision, Seq, TimeRange, TimestampNs};
use journal::{JournalConfig, WhenFull};
use vfs::FaultFs;

use crate::support::{Plant, eventually, floats, last_seq, tiny};

#[test]
fn a_restart_continues_after_what_is_in_files_and_replays_the_rest() {
    let fs = FaultFs::new();
    let plant = Plant::open(&fs, JournalConfig::default());
    let applier = plant.start_applier();
    plant.write("m v=1 1").unwrap();
    plant.engine.flush().unwrap();
    plant.write("m v=2 2\nm v=3 3").unwrap();
    let after_crash = fs.crash(7);
    applier.abandon();
    let plant = Plant::open(&after_crash, JournalConfig::default());
    assert_eq!((plant.engine.flushed_seq(), last_seq(&plant)), (Seq(1), Seq(2)));
    let applier = plant.start_applier();
    plant.settle();
    assert_eq!(applier.stats().values, 2, "what is in files is not taken in again");
    assert_eq!(plant.read("m", "v"), floats(&[(1, 1.0), (2, 2.0), (3, 3.0)]));
}

#[test]
fn a_gap_is_counted_and_what_comes_after_it_is_stored() {
    let fs = FaultFs::new();
    let config = JournalConfig { max_disk: ByteSize(1500), when_full: WhenFull::DropOldest, ..tiny() };
    let plant = Plant::open(&fs, config);
    // Nobody reads yet, so the oldest records make room for later ones; whoever waits for them is told all the same.
    drop(plant.journal.consumer("embedded").unwrap());
    let mut batch = plant.intake.batch(plant.bucket, pipeline::Origin::Simulator);
    for n in 0..100 {
        batch.push(b"m", "v", ::model::FieldValue::Float(n as f64), TimestampNs(n));
        batch.flush().unwrap();
    }
    let dropped = plant.journal.stats().dropped_records;
    assert!(dropped > 10, "{dropped}");
    let applier = plant.start_applier();
    plant.settle();
    let stats = applier.stats();
    assert_eq!((stats.lost_records, stats.values + dropped), (dropped, 100));
    let kept: Vec<(i64, f64)> = (dropped as i64..100).map(|n| (n, n as f64)).collect();
    assert_eq!(plant.read("m", "v"), floats(&kept));
}

#[test]
fn a_commit_follows_the_files_and_trims_the_journal() {
    let plant = Plant::open(&FaultFs::new(), tiny());
    let _applier = plant.start_applier();
    for n in 0..50 {
        plant.write(&format!("m v={n} {n}")).unwrap();
    }
    assert_eq!(plant.journal.stats().first_seq, Seq(1), "nothing is in files yet");
    plant.engine.flush().unwrap();
    eventually("the journal is trimmed", || plant.journal.stats().first_seq > Seq(40));
    assert_eq!(plant.journal.stats().consumers[0].committed_seq, Seq(50));
}

#[test]
fn draining_writes_everything_to_files_and_leaves_an_empty_journal() {
    let fs = FaultFs::new();
    let plant = Plant::open(&fs, tiny());
    let mut batch = plant.intake.batch(plant.bucket, pipeline::Origin::Simulator);
    for n in 0..50 {
        batch.push(b"m", "v", ::model::FieldValue::Float(n as f64), TimestampNs(n));
        batch.flush().unwrap();
    }
    let applier = plant.start_applier();
    assert!(!applier.has_ended());
    plant.journal.close();
    applier.drain();
    assert!(applier.has_ended());
    assert_eq!(plant.engine.flushed_seq(), Seq(50));
    let stats = plant.journal.stats();
    assert_eq!((stats.segments, stats.first_seq, stats.dropped_records), (1, Seq(51), 0));
    drop((applier, plant));
    let reopened = Plant::open(&fs.crash(3), tiny());
    let applier = reopened.start_applier();
    reopened.settle();
    assert_eq!((reopened.read("m", "v").len(), applier.stats().values), (50, 0));
    reopened.write("m v=1 1000").unwrap();
    assert_eq!(last_seq(&reopened), Seq(51), "positions go on");
}

#[test]
fn a_deletion_hides_what_was_written_before_it_and_nothing_after() {
    let plant = Plant::open(&FaultFs::new(), JournalConfig::default());
    let _applier = plant.start_applier();
    plant.write("m v=1 1\nm v=2 2\nm v=3 3\nm,d=2 v=2 2").unwrap();
    let columns: Vec<_> = ["m,d=2", "m"].iter().filter_map(|key| plant.column(key, "v")).collect();
    let range = TimeRange::new(TimestampNs(2), TimestampNs(3));
    let seq = plant.intake.delete(&columns, range).unwrap();
    eventually("the deletion is visible", || plant.applied.seq() >= seq);
    assert_eq!((plant.read("m", "v"), plant.read("m,d=2", "v")), (floats(&[(1, 1.0), (3, 3.0)]), vec![]));
    plant.write_in(b"m v=9 2", Precision::Nanosecond).unwrap();
    assert_eq!(plant.read("m", "v"), floats(&[(1, 1.0), (2, 9.0), (3, 3.0)]));
}

/// Deletions of the odd times of `m`.
fn odd_times(columns: &[::model::ColumnId], until: i64) -> Vec<pipeline::Deletion<'_>> {
    let instant = |time| TimeRange::new(TimestampNs(time), TimestampNs(time + 1));
    (1..until).step_by(2).map(|time| pipeline::Deletion { columns, range: instant(time) }).collect()
}

#[test]
fn many_deletions_share_a_wait() {
    let fs = FaultFs::new();
    let plant = Plant::open(&fs, JournalConfig::default());
    let _applier = plant.start_applier();
    let text: String = (0..2_000).map(|time| format!("m v=1 {time}\n")).collect();
    plant.write(&text).unwrap();
    let columns = [plant.column("m", "v").unwrap()];
    let syncs_of = |deletions: &mut dyn FnMut()| {
        let before = fs.syncs();
        deletions();
        fs.syncs() - before
    };
    let all = odd_times(&columns, 2_000);
    assert_eq!(all.len(), 1_000);
    let together = syncs_of(&mut || plant.intake.delete_all(&all).unwrap());
    assert_eq!(together, 4, "256 share a wait");
    assert_eq!(plant.read("m", "v").len(), 1_000);
    assert!(plant.read("m", "v").iter().all(|(time, _)| time % 2 == 0));
    plant.write("m v=2 1").unwrap();
    assert_eq!(plant.read("m", "v")[1], (1, "Float(2.0)".to_owned()), "what is written later stays");
    let mut one_by_one = || all[..20].iter().for_each(|one| _ = plant.intake.delete(one.columns, one.range).unwrap());
    assert_eq!(syncs_of(&mut one_by_one), 20);
    plant.intake.delete_all(&[]).unwrap();
}

#[test]
fn of_many_deletions_the_first_that_failed_is_named_and_those_before_it_are_done() {
    let fs = FaultFs::new();
    let plant = Plant::open(&fs, tiny());
    let _applier = plant.start_applier();
    plant.write("m v=1 1\nm v=1 3\nm v=1 5").unwrap();
    let (columns, too_many) =
        ([plant.column("m", "v").unwrap()], (0..1_000).map(::model::ColumnId).collect::<Vec<_>>());
    let mut some = odd_times(&columns, 6);
    some[1].columns = &too_many;
    let failed = plant.intake.delete_all(&some).unwrap_err();
    assert_eq!((failed.done, failed.of, failed.source.is_retryable()), (1, 3, false), "{failed}");
    assert!(failed.to_string().starts_with("deletion 2 of 3: record of "), "{failed}");
    plant.settle();
    assert_eq!(plant.read("m", "v"), super::support::floats(&[(3, 1.0), (5, 1.0)]));
    fs.fail_next_sync();
    let failed = plant.intake.delete_all(&odd_times(&columns, 6)).unwrap_err();
    assert_eq!((failed.done, failed.of), (0, 3), "{failed}");
}
