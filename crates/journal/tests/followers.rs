//! Followers read without being seen; what they have done ahead is noted with a consumer's cursor.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{
    DIR, append, drain, drain_follower, eventually, open, payload, records, segment_files, seqs, small,
    small_from_files,
};
use journal::{Ahead, CommitError, Delivery, GapReason, JournalConfig, WhenFull};
use model::{ByteSize, Seq, TimestampNs};
use vfs::{FaultFs, Fs};

#[test]
fn a_follower_reads_from_memory_and_from_files_what_a_consumer_reads() {
    for config in [small(), small_from_files()] {
        let journal = open(&FaultFs::new(), &config);
        append(&journal, 1..21);
        let mut follower = journal.follower(Seq(7));
        assert_eq!(follower.position(), Seq(7));
        let expected: Vec<_> = (8..21).map(|n| (n, payload(n))).collect();
        assert_eq!(records(&drain_follower(&mut follower)), expected);
        assert_eq!(follower.position(), Seq(20));
        follower.seek(Seq(3));
        assert_eq!(seqs(&drain_follower(&mut follower)), (4..21).collect::<Vec<_>>());
        append(&journal, 21..22);
        assert_eq!(seqs(&drain_follower(&mut follower)), [21]);
    }
}

#[test]
fn a_follower_waits_is_woken_and_learns_of_the_close() {
    let journal = open(&FaultFs::new(), &small());
    let mut follower = journal.follower(Seq(2));
    append(&journal, 1..3);
    assert_eq!(follower.next(Duration::from_millis(5)).unwrap(), Delivery::Idle);
    let waiting = std::thread::spawn(move || {
        let first = follower.next(Duration::from_secs(60)).unwrap();
        (first, follower.next(Duration::from_secs(60)).unwrap())
    });
    append(&journal, 3..4);
    std::thread::sleep(Duration::from_millis(20));
    journal.close();
    let (first, second) = waiting.join().unwrap();
    assert!(matches!(first, Delivery::Record { seq: Seq(3), .. }));
    assert_eq!(second, Delivery::Closed);
}

#[test]
fn a_follower_holds_nothing_back_and_gets_a_gap_for_what_was_deleted() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    let mut consumer = journal.consumer("store").unwrap();
    append(&journal, 1..21);
    let mut follower = journal.follower(Seq(0));
    assert!(matches!(follower.next(Duration::ZERO).unwrap(), Delivery::Record { seq: Seq(1), .. }));
    drain(&mut consumer);
    consumer.commit(Seq(20)).unwrap();
    eventually(&journal, |s| s.segments == 1);
    let stats = journal.stats();
    assert_eq!((stats.dropped_records, stats.consumers.len()), (0, 1));
    append(&journal, 21..22);
    // The segment that the follower has open is read to its end; then comes what is deleted.
    let deliveries = drain_follower(&mut follower);
    let gap = deliveries.iter().find_map(|d| match d {
        Delivery::Gap { from, to, reason, points } => Some((*from, *to, *reason, *points)),
        _ => None,
    });
    let (from, to, reason, points) = gap.unwrap();
    assert_eq!((to.next(), reason), (stats.first_seq, GapReason::Dropped));
    assert_eq!(points, Some((to.next().0 - from.0) * 3));
    let read = seqs(&deliveries);
    assert!(read.contains(&21) && read.iter().all(|n| Seq(*n) < from || Seq(*n) > to), "{deliveries:?}");
}

#[test]
fn records_that_only_a_follower_has_not_read_are_not_counted_as_dropped() {
    let config = JournalConfig { max_disk: ByteSize(1500), when_full: WhenFull::DropOldest, ..small_from_files() };
    let journal = open(&FaultFs::new(), &config);
    let mut consumer = journal.consumer("store").unwrap();
    let mut follower = journal.follower(Seq(0));
    for n in 1..50 {
        append(&journal, n..n + 1);
        drain(&mut consumer);
        consumer.commit(Seq(n)).unwrap();
    }
    assert_eq!(journal.stats().dropped_records, 0);
    assert!(matches!(drain_follower(&mut follower)[0], Delivery::Gap { from: Seq(1), .. }));
}

#[test]
fn damage_is_counted_for_consumers_only() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    append(&journal, 1..7);
    let path = &segment_files(&fs)[0];
    fs.open(path).unwrap().write_at(b"xxxx", 24 + 120 + 30).unwrap();
    let gap = Delivery::Gap { from: Seq(2), to: Seq(2), points: None, reason: GapReason::Corrupt };
    assert_eq!(drain_follower(&mut journal.follower(Seq(0)))[1], gap);
    assert_eq!(journal.stats().corrupt_records, 0);
    assert_eq!(drain(&mut journal.consumer("store").unwrap())[1], gap);
    assert_eq!(journal.stats().corrupt_records, 1);
}

#[test]
fn a_consumer_is_known_by_its_name_as_long_as_it_has_a_cursor() {
    let journal = open(&FaultFs::new(), &small());
    assert!(!journal.knows_consumer("store"));
    drop(journal.consumer("store").unwrap());
    assert!(journal.knows_consumer("store"));
    journal.remove_consumer("store").unwrap();
    assert!(!journal.knows_consumer("store"));
}

fn range(after: u64, to: u64) -> Ahead {
    Ahead { after: Seq(after), to: Seq(to), since: TimestampNs(1_700_000_000_000_000_000) }
}

#[test]
fn a_range_done_ahead_is_there_after_a_restart_and_when_the_consumer_is_opened_again() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    append(&journal, 1..11);
    let mut consumer = journal.consumer("store").unwrap();
    consumer.next(Duration::ZERO).unwrap();
    assert_eq!((consumer.position(), consumer.ahead()), (Seq(1), None));
    consumer.commit_ahead(Seq(1), Some(range(5, 8))).unwrap();
    drop(consumer);
    let again = journal.consumer("store").unwrap();
    assert_eq!((again.committed_seq(), again.position(), again.ahead()), (Seq(1), Seq(1), Some(range(5, 8))));
    drop((again, journal));
    let journal = open(&fs.crash(0), &small());
    let mut consumer = journal.consumer("store").unwrap();
    assert_eq!((consumer.committed_seq(), consumer.ahead()), (Seq(1), Some(range(5, 8))));
    assert_eq!(
        seqs(&drain(&mut consumer)),
        (2..11).collect::<Vec<_>>(),
        "what is done ahead is delivered all the same"
    );
}

#[test]
fn the_range_is_replaced_with_each_commit_and_forgotten_once_the_cursor_is_in_it() {
    let journal = open(&FaultFs::new(), &small());
    append(&journal, 1..11);
    let mut consumer = journal.consumer("store").unwrap();
    drain(&mut consumer);
    let mut after = |seq, ahead: Option<Ahead>| {
        consumer.commit_ahead(Seq(seq), ahead).unwrap();
        (consumer.committed_seq().0, consumer.ahead())
    };
    assert_eq!(after(1, Some(range(5, 8))), (1, Some(range(5, 8))));
    assert_eq!(after(0, Some(range(4, 9))), (1, Some(range(4, 9))), "the cursor does not go back");
    assert_eq!(after(4, Some(range(4, 9))), (4, Some(range(4, 9))));
    assert_eq!(after(5, Some(range(4, 9))), (5, None), "it begins before the cursor");
    assert_eq!(after(5, Some(range(7, 7))), (5, None), "it is empty");
    assert_eq!(after(6, Some(range(7, 10))), (6, Some(range(7, 10))));
    consumer.commit(Seq(6)).unwrap();
    assert_eq!(consumer.ahead(), None);
}

#[test]
fn what_does_not_change_is_not_written_and_what_does_takes_one_sync() {
    let fs = FaultFs::new();
    let journal = open(&fs, &JournalConfig::default());
    append(&journal, 1..11);
    let mut consumer = journal.consumer("store").unwrap();
    drain(&mut consumer);
    let mut cost = |seq, ahead| {
        let before = (fs.operations(), fs.syncs());
        consumer.commit_ahead(Seq(seq), ahead).unwrap();
        (fs.operations() - before.0, fs.syncs() - before.1)
    };
    assert_eq!(cost(3, Some(range(5, 8))), (2, 1));
    assert_eq!(cost(3, Some(range(5, 8))), (0, 0));
    assert_eq!(cost(2, Some(range(5, 8))), (0, 0));
    assert_eq!(cost(3, Some(range(5, 9))), (2, 1));
    assert_eq!(cost(3, None), (2, 1));
    assert_eq!(cost(1, None), (0, 0));
}

#[test]
fn neither_position_nor_range_may_go_beyond_what_there_is() {
    let journal = open(&FaultFs::new(), &small());
    append(&journal, 1..5);
    let mut consumer = journal.consumer("store").unwrap();
    consumer.next(Duration::ZERO).unwrap();
    let error = consumer.commit_ahead(Seq(2), Some(range(3, 4))).unwrap_err();
    assert!(matches!(error, CommitError::NotRead { seq: Seq(2), read: Seq(1) }), "{error}");
    let error = consumer.commit_ahead(Seq(1), Some(range(3, 5))).unwrap_err();
    assert!(matches!(error, CommitError::NotWritten { to: Seq(5), last: Seq(4) }), "{error}");
    assert!(!error.is_retryable());
    assert_eq!((consumer.committed_seq(), consumer.ahead()), (Seq(0), None));
}

#[test]
fn a_failed_write_leaves_position_and_range_as_they_were() {
    let fs = FaultFs::new();
    let journal = open(&fs, &small());
    append(&journal, 1..11);
    let mut consumer = journal.consumer("store").unwrap();
    drain(&mut consumer);
    consumer.commit_ahead(Seq(3), Some(range(5, 8))).unwrap();
    fs.fail_next_sync();
    assert!(consumer.commit_ahead(Seq(4), Some(range(6, 9))).unwrap_err().is_retryable());
    assert_eq!((consumer.committed_seq(), consumer.ahead()), (Seq(3), Some(range(5, 8))));
    assert!(journal.stats().consumers.iter().all(|c| c.committed_seq == Seq(3)));
    consumer.commit_ahead(Seq(4), Some(range(6, 9))).unwrap();
    let cursor = fs.crash(0).read(&Path::new(DIR).join("store.cursor")).unwrap();
    assert_eq!(cursor.len(), 4096 + 48);
}
