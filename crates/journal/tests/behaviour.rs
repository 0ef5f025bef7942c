//! What the journal promises while it runs and across clean restarts.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{DIR, append, drain, eventually, open, payload, segment_files, seqs, small, small_from_files};
use journal::{
    AppendError, CommitError, ConsumerError, Delivery, FsyncPolicy, GapReason, Journal, JournalConfig, OpenError,
    WhenFull,
};
use model::{ByteSize, Seq};
use vfs::{FaultFs, RealFs};

#[test]
fn appended_records_are_delivered_in_order_with_their_content() {
    let fs = FaultFs::new();
    for config in [small(), small_from_files()] {
        let journal = open(&fs.crash(0), &config);
        let mut consumer = journal.consumer("store").unwrap();
        append(&journal, 1..11);
        let expected: Vec<Delivery> =
            (1..11).map(|n| Delivery::Record { seq: Seq(n), points: 3, payload: payload(n).into() }).collect();
        assert_eq!(drain(&mut consumer), expected);
        assert!(journal.stats().segments > 2);
    }
}

#[test]
fn a_restart_continues_after_the_committed_position() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..11);
    assert_eq!(drain(&mut consumer).len(), 10);
    consumer.commit(Seq(7)).unwrap();
    journal.close();
    let (journal, report) = common::open_with_report(&fs, &small());
    assert_eq!((report.torn, report.damage.len(), report.broken_cursors.len()), (None, 0, 0));
    let mut consumer = journal.consumer("store").unwrap();
    assert_eq!(consumer.committed_seq(), Seq(7));
    assert_eq!(seqs(&drain(&mut consumer)), [8, 9, 10]);
    assert_eq!(journal.append_wait(payload(11), 1).unwrap(), Seq(11));
    assert_eq!(seqs(&drain(&mut consumer)), [11]);
}

#[test]
fn a_restart_continues_the_last_segment() {
    let fs = FaultFs::new();
    for n in 1..4 {
        let journal = open(&fs, &small());
        append(&journal, n..n + 1);
        journal.close();
    }
    assert_eq!(segment_files(&fs).len(), 1);
    let journal = open(&fs, &small());
    assert_eq!(seqs(&drain(&mut journal.consumer("late").unwrap())), [1, 2, 3]);
}

#[test]
fn segments_go_when_every_consumer_has_committed_them() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    let (mut fast, mut slow) = (journal.consumer("fast").unwrap(), journal.consumer("slow").unwrap());
    append(&journal, 1..21);
    assert_eq!((drain(&mut fast).len(), drain(&mut slow).len()), (20, 20));
    fast.commit(Seq(20)).unwrap();
    assert_eq!(journal.stats().first_seq, Seq(1));
    slow.commit(Seq(10)).unwrap();
    eventually(&journal, |s| s.first_seq > Seq(5));
    assert!(journal.stats().first_seq <= Seq(11));
    drop(slow);
    journal.remove_consumer("slow").unwrap();
    eventually(&journal, |s| s.segments == 1);
    assert_eq!(journal.stats().dropped_records, 0);
}

/// A segment without records.
const EMPTY: ByteSize = ByteSize(24);

#[test]
fn a_long_segment_in_use_goes_when_every_consumer_has_committed_all_of_it() {
    let fs = FaultFs::new();
    let config = JournalConfig { tail_max: ByteSize(0), ..JournalConfig::default() };
    let journal = open(&fs, &config);
    let (mut a, mut b) = (journal.consumer("a").unwrap(), journal.consumer("b").unwrap());
    for _ in 0..3 {
        journal.append_wait(vec![7; 400 << 10], 1).unwrap();
    }
    assert_eq!((drain(&mut a).len(), drain(&mut b).len()), (3, 3));
    a.commit(Seq(3)).unwrap();
    b.commit(Seq(2)).unwrap();
    assert_eq!(journal.stats().segments, 1);
    assert!(journal.stats().disk > ByteSize(1 << 20), "one consumer still needs a record");
    b.commit(Seq(3)).unwrap();
    eventually(&journal, |s| s.disk == EMPTY);
    let stats = journal.stats();
    assert_eq!((stats.first_seq, stats.last_seq, stats.dropped_records), (Seq(4), Seq(3), 0));
    assert_eq!(journal.append_wait(payload(4), 1).unwrap(), Seq(4));
    assert_eq!((seqs(&drain(&mut a)), seqs(&drain(&mut b))), (vec![4], vec![4]));
    drop((a, b, journal));
    let reopened = open(&fs.crash(0), &config);
    assert_eq!(seqs(&drain(&mut reopened.consumer("a").unwrap())), [4]);
}

#[test]
fn a_short_segment_in_use_stays_until_the_journal_is_closed() {
    let fs = FaultFs::new();
    let journal = open(&fs, &JournalConfig::default());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..4);
    drain(&mut consumer);
    consumer.commit(Seq(3)).unwrap();
    // The append goes through the committer after whatever the commit asked of it.
    append(&journal, 4..5);
    assert_eq!(journal.stats().first_seq, Seq(1));
    drain(&mut consumer);
    consumer.commit(Seq(4)).unwrap();
    journal.close();
    assert_eq!((journal.stats().disk, segment_files(&fs).len()), (EMPTY, 1));
    drop((consumer, journal));
    let (journal, report) = common::open_with_report(&fs.crash(0), &JournalConfig::default());
    assert_eq!((report.segments, report.records, report.torn, report.damage.len()), (1, 0, None, 0));
    assert_eq!(journal.append_wait(payload(5), 1).unwrap(), Seq(5));
    assert_eq!(segment_files(&fs).len(), 1);
}

#[test]
fn commits_after_the_close_still_delete_what_was_passed() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    let (mut a, mut b) = (journal.consumer("a").unwrap(), journal.consumer("b").unwrap());
    append(&journal, 1..21);
    journal.close();
    assert_eq!((drain(&mut a).len(), drain(&mut b).len()), (20, 20));
    a.commit(Seq(20)).unwrap();
    assert_eq!(journal.stats().first_seq, Seq(1));
    b.commit(Seq(10)).unwrap();
    assert!(journal.stats().first_seq > Seq(5), "deleted by the call itself");
    b.commit(Seq(20)).unwrap();
    assert_eq!((journal.stats().disk, segment_files(&fs).len()), (EMPTY, 1));
    assert_eq!(a.next(Duration::ZERO).unwrap(), Delivery::Closed);
    drop((a, b, journal));
    assert_eq!(open(&fs.crash(0), &small()).append_wait(payload(21), 1).unwrap(), Seq(21));
}

#[test]
fn removing_the_last_consumer_that_lags_frees_a_closed_journal_too() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    let mut fast = journal.consumer("fast").unwrap();
    drop(journal.consumer("slow").unwrap());
    append(&journal, 1..11);
    drain(&mut fast);
    fast.commit(Seq(10)).unwrap();
    journal.close();
    assert_eq!(journal.stats().first_seq, Seq(1));
    journal.remove_consumer("slow").unwrap();
    assert_eq!((journal.stats().disk, journal.stats().dropped_records), (EMPTY, 0));
}

#[test]
fn a_disk_without_room_for_another_segment_keeps_the_passed_one() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..4);
    drain(&mut consumer);
    fs.limit_space(journal.stats().disk.0);
    journal.close();
    consumer.commit(Seq(3)).unwrap();
    assert_eq!(journal.stats().first_seq, Seq(1));
    drop((consumer, journal));
    fs.limit_space(u64::MAX);
    let (journal, report) = common::open_with_report(&fs.crash(0), &small());
    assert_eq!((report.records, report.damage.len()), (3, 0));
    assert_eq!(journal.append_wait(payload(4), 1).unwrap(), Seq(4));
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), [4]);
}

#[test]
fn without_consumers_nothing_is_deleted_and_a_new_one_gets_everything() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    append(&journal, 1..21);
    let mut consumer = journal.consumer("late").unwrap();
    assert_eq!(seqs(&drain(&mut consumer)), (1..21).collect::<Vec<_>>());
}

#[test]
fn sequence_numbers_stay_above_the_floor_and_every_cursor() {
    let fs: Arc<FaultFs> = Arc::new(FaultFs::new());
    let reopen = |floor| Journal::open(fs.clone(), Path::new(DIR), small(), Seq(floor)).unwrap().0;
    let journal = reopen(100);
    assert_eq!(journal.append_wait(payload(1), 1).unwrap(), Seq(101));
    let mut consumer = journal.consumer("store").unwrap();
    assert_eq!(seqs(&drain(&mut consumer)), [101]);
    consumer.seek(Seq(500));
    consumer.commit(Seq(500)).unwrap();
    drop((consumer, journal));
    assert_eq!(reopen(0).append_wait(payload(2), 1).unwrap(), Seq(501));
    let journal = reopen(0);
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), [501]);
}

#[test]
fn seeking_moves_the_reading_position_both_ways() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..11);
    consumer.seek(Seq(8));
    assert_eq!(seqs(&drain(&mut consumer)), [9, 10]);
    consumer.seek(Seq(4));
    assert_eq!(seqs(&drain(&mut consumer)), [5, 6, 7, 8, 9, 10]);
}

#[test]
fn what_is_read_again_after_seeking_back_is_not_deleted() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    let (mut a, mut b) = (journal.consumer("a").unwrap(), journal.consumer("b").unwrap());
    append(&journal, 1..21);
    drain(&mut a);
    a.commit(Seq(20)).unwrap();
    a.seek(Seq(0));
    drain(&mut b);
    b.commit(Seq(20)).unwrap();
    append(&journal, 21..22);
    assert_eq!(seqs(&drain(&mut a)), (1..22).collect::<Vec<_>>());
}

#[test]
fn a_position_not_read_cannot_be_committed_and_an_old_one_changes_nothing() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..4);
    assert!(matches!(consumer.commit(Seq(1)), Err(CommitError::NotRead { .. })));
    drain(&mut consumer);
    consumer.commit(Seq(3)).unwrap();
    consumer.commit(Seq(1)).unwrap();
    assert_eq!(consumer.committed_seq(), Seq(3));
}

#[test]
fn a_consumer_is_held_once_and_has_a_plain_name() {
    let journal = open(&FaultFs::new(), &small());
    let held = journal.consumer("store-1_a").unwrap();
    assert!(matches!(journal.consumer("store-1_a"), Err(ConsumerError::InUse(_))));
    assert!(matches!(journal.remove_consumer("store-1_a"), Err(ConsumerError::InUse(_))));
    drop(held);
    assert!(journal.consumer("store-1_a").is_ok());
    for name in ["", "A", "../x", "a b"] {
        assert!(matches!(journal.consumer(name), Err(ConsumerError::Name(_))), "{name}");
    }
}

#[test]
fn a_full_journal_blocks_then_resumes_when_consumers_commit() {
    let fs = FaultFs::new();
    let config = JournalConfig { max_disk: ByteSize(1500), ..small() };
    let journal = open(&fs, &config);
    let mut consumer = journal.consumer("store").unwrap();
    let mut accepted = 0;
    let error = loop {
        match journal.append_wait(payload(accepted + 1), 1) {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AppendError::Full { limit: ByteSize(1500), .. }), "{error}");
    assert!(error.is_retryable() && journal.stats().full && accepted > 5);
    assert!(journal.stats().disk <= ByteSize(1500));
    assert_eq!(drain(&mut consumer).len() as u64, accepted);
    consumer.commit(Seq(accepted)).unwrap();
    assert_eq!(journal.append_wait(payload(0), 1).unwrap(), Seq(accepted + 1));
    assert!(!journal.stats().full);
}

#[test]
fn a_single_segment_that_uses_the_whole_space_is_given_free_too() {
    let fs = FaultFs::new();
    let config = JournalConfig { max_disk: ByteSize(500), ..JournalConfig::default() };
    let journal = open(&fs, &config);
    let mut consumer = journal.consumer("store").unwrap();
    for n in 1..50 {
        assert_eq!(journal.append_wait(payload(n), 1).unwrap(), Seq(n));
        assert_eq!(seqs(&drain(&mut consumer)), [n]);
        consumer.commit(Seq(n)).unwrap();
    }
    assert_eq!(journal.stats().dropped_records, 0);
}

#[test]
fn dropping_the_oldest_tells_the_consumer_how_many_points_it_lost() {
    let fs = FaultFs::new();
    let config = JournalConfig { max_disk: ByteSize(1500), when_full: WhenFull::DropOldest, ..small_from_files() };
    let journal = open(&fs, &config);
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..3);
    assert!(matches!(consumer.next(Duration::ZERO).unwrap(), Delivery::Record { seq: Seq(1), .. }));
    append(&journal, 3..101);
    let deliveries = drain(&mut consumer);
    let Delivery::Gap { from: Seq(2), to, points: Some(points), reason: GapReason::Dropped } = deliveries[0] else {
        panic!("{:?}", deliveries[0]);
    };
    assert_eq!(points, (to.0 - 1) * 3);
    assert_eq!(seqs(&deliveries), (to.0 + 1..101).collect::<Vec<_>>());
    let stats = journal.stats();
    assert!(stats.dropped_records >= to.0 - 1 && stats.dropped_points >= points, "{stats:?}");
    assert!(stats.disk <= ByteSize(1500));
}

#[test]
fn a_full_disk_refuses_without_poisoning_and_resumes() {
    let fs = FaultFs::new();
    let journal = open(&fs, &JournalConfig::default());
    append(&journal, 1..4);
    fs.limit_space(journal.stats().disk.0 + 50);
    let error = journal.append_wait(payload(4), 1).unwrap_err();
    assert!(matches!(error, AppendError::Full { .. }), "{error}");
    assert!(!journal.stats().poisoned && journal.stats().full);
    assert_eq!(journal::verify(&fs, Path::new(DIR)).unwrap(), [], "nothing of the refused record is left");
    fs.limit_space(u64::MAX);
    assert_eq!(journal.append_wait(payload(4), 1).unwrap(), Seq(4));
    drop(journal);
    let (journal, report) = common::open_with_report(&fs.crash(0), &small());
    assert_eq!((report.records, report.torn), (4, None));
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), [1, 2, 3, 4]);
}

#[test]
fn a_disk_too_full_for_a_new_segment_refuses_without_poisoning() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    append(&journal, 1..4);
    assert_eq!(journal.stats().segments, 1);
    fs.limit_space(journal.stats().disk.0 + 10);
    assert!(journal.append_wait(payload(4), 1).unwrap_err().is_retryable());
    fs.limit_space(u64::MAX);
    assert_eq!(journal.append_wait(payload(4), 1).unwrap(), Seq(4));
}

#[test]
fn a_full_disk_drops_the_oldest_when_that_is_the_policy() {
    let fs = FaultFs::new();
    let journal = open(&fs, &JournalConfig { when_full: WhenFull::DropOldest, ..small() });
    append(&journal, 1..11);
    fs.limit_space(journal.stats().disk.0);
    append(&journal, 11..31);
    let stats = journal.stats();
    assert!(stats.first_seq > Seq(15) && stats.last_seq == Seq(30) && !stats.poisoned, "{stats:?}");
}

#[test]
fn a_failed_sync_poisons_until_restart_and_loses_nothing_acknowledged() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    append(&journal, 1..3);
    fs.fail_next_sync();
    let error = journal.append_wait(payload(3), 1).unwrap_err();
    assert!(matches!(&error, AppendError::Io { op: "sync segment", .. }), "{error}");
    assert!(!error.is_retryable());
    assert!(matches!(journal.append_wait(payload(4), 1), Err(AppendError::Poisoned)));
    assert!(journal.stats().poisoned);
    assert_eq!(journal.durable_seq(), Seq(2));
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), [1, 2]);
    drop(journal);
    let journal = open(&fs.crash(0), &small());
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), [1, 2]);
    assert_eq!(journal.append_wait(payload(3), 1).unwrap(), Seq(3));
}

#[test]
fn a_record_larger_than_a_segment_is_refused_for_good() {
    let journal = open(&FaultFs::new(), &small());
    let error = journal.append_wait(vec![0; 400], 1).unwrap_err();
    let AppendError::TooLarge { limit, .. } = error else { panic!("{error}") };
    assert!(!error.is_retryable());
    assert_eq!(journal.append_wait(vec![0; limit.0 as usize], 1).unwrap(), Seq(1));
    assert!(journal.append_wait(vec![0; limit.0 as usize + 1], 1).is_err());
}

#[test]
fn limits_without_room_for_a_record_are_refused() {
    let config = JournalConfig { segment_max: ByteSize(44), ..JournalConfig::default() };
    let error = Journal::open(Arc::new(FaultFs::new()), Path::new(DIR), config, Seq(0)).err().unwrap();
    assert!(matches!(error, OpenError::TooSmall { .. }), "{error}");
}

#[test]
fn a_closed_journal_refuses_appends_and_delivers_the_rest() {
    let journal = open(&FaultFs::new(), &small_from_files());
    let mut consumer = journal.consumer("store").unwrap();
    let (sender, receiver) = std::sync::mpsc::sync_channel(100);
    for n in 1..21 {
        let sender = sender.clone();
        journal.append(payload(n), 1, move |outcome| sender.send(outcome.unwrap()).unwrap());
    }
    journal.close();
    let done: Vec<u64> = receiver.try_iter().map(|seq| seq.0).collect();
    assert_eq!(done, (1..21).collect::<Vec<_>>(), "all that was queued is committed, in order");
    assert!(matches!(journal.append_wait(payload(0), 1), Err(AppendError::Closed)));
    assert_eq!(seqs(&drain(&mut consumer)).len(), 20);
    assert_eq!(consumer.next(Duration::from_secs(60)).unwrap(), Delivery::Closed);
}

#[test]
fn the_interval_policy_syncs_soon_after_acknowledging() {
    let fs = FaultFs::new();
    let interval = FsyncPolicy::Interval(Duration::from_millis(20));
    let journal = open(&fs, &JournalConfig { fsync: interval, ..JournalConfig::default() });
    append(&journal, 1..51);
    eventually(&journal, |s| s.durable_seq == Seq(50));
    let stats = journal.stats();
    assert!(stats.fsyncs < 50, "{stats:?}");
    drop(journal);
    let journal = open(&fs.crash(0), &small());
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())).len(), 50);
}

#[test]
fn a_waiting_consumer_is_woken_by_an_append() {
    let journal = open(&FaultFs::new(), &small());
    let mut consumer = journal.consumer("store").unwrap();
    assert_eq!(consumer.next(Duration::from_millis(5)).unwrap(), Delivery::Idle);
    let waiting = std::thread::spawn(move || consumer.next(Duration::from_secs(60)).unwrap());
    append(&journal, 1..2);
    assert!(matches!(waiting.join().unwrap(), Delivery::Record { seq: Seq(1), .. }));
}

#[test]
fn statistics_say_how_far_behind_a_consumer_is() {
    let journal = open(&FaultFs::new(), &small_from_files());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..11);
    assert_eq!(drain(&mut consumer).len(), 10);
    consumer.commit(Seq(4)).unwrap();
    let stats = journal.stats();
    let of = &stats.consumers[0];
    assert_eq!((of.name.as_str(), of.open, of.committed_seq, of.read_seq), ("store", true, Seq(4), Seq(10)));
    assert_eq!((of.lag_records, of.lag, of.lag_points), (6, ByteSize(6 * 120), 18));
    assert_eq!((stats.appended.records, stats.appended.points, stats.appended.bytes), (10, 30, 1000));
    assert_eq!((stats.last_seq, stats.durable_seq, stats.queue_items), (Seq(10), Seq(10), 0));
    assert!(stats.fsyncs >= 1 && stats.fsync_max <= stats.fsync_sum);
    consumer.commit(Seq(10)).unwrap();
    assert_eq!(journal.stats().consumers[0].lag_points, 0);
}

#[test]
fn it_works_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let config =
        JournalConfig { segment_max: ByteSize(1 << 20), tail_max: ByteSize(100_000), ..JournalConfig::default() };
    let reopen = || Journal::open(Arc::new(RealFs), &path, config.clone(), Seq(0)).unwrap();
    let (journal, _) = reopen();
    for n in 1..101 {
        let (payload, last) = (vec![n as u8; 50_000], n == 100);
        if last {
            journal.append_wait(payload, 500).unwrap();
        } else {
            journal.append(payload, 500, |outcome| assert!(outcome.is_ok()));
        }
    }
    drop(journal);
    let (journal, report) = reopen();
    assert_eq!((report.records, report.points, report.torn), (100, 50_000, None));
    let mut consumer = journal.consumer("store").unwrap();
    let found = common::records(&drain(&mut consumer));
    assert!((1..101).zip(&found).all(|(n, (seq, payload))| n == *seq && payload == &vec![n as u8; 50_000]));
    consumer.commit(Seq(100)).unwrap();
    eventually(&journal, |s| s.segments == 1);
    assert!(journal::verify(&RealFs, &path).unwrap().is_empty());
}
