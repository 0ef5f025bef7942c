//! Several threads append while one consumes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{open, small_from_files};
use journal::{AppendError, Delivery, JournalConfig};
use model::{ByteSize, Seq};
use vfs::FaultFs;

const THREADS: u64 = 4;
const EACH: u64 = 500;

fn check_order_and_completeness(config: &JournalConfig) {
    let journal = open(&FaultFs::new(), config);
    let mut consumer = journal.consumer("store").unwrap();
    let appenders: Vec<_> = (0..THREADS)
        .map(|thread| {
            let journal = Arc::clone(&journal);
            thread::spawn(move || {
                for n in 0..EACH {
                    journal.append_wait(format!("{thread} {n}").into_bytes(), 1).unwrap();
                }
            })
        })
        .collect();
    let mut next = vec![0; THREADS as usize];
    for expected in 1..=THREADS * EACH {
        let Delivery::Record { seq, payload, .. } = consumer.next(Duration::from_secs(30)).unwrap() else {
            panic!("record {expected} is missing");
        };
        assert_eq!(seq, Seq(expected));
        let text = String::from_utf8(payload.to_vec()).unwrap();
        let (thread, n) = text.split_once(' ').unwrap();
        let next = &mut next[thread.parse::<usize>().unwrap()];
        assert_eq!(*next, n.parse::<u64>().unwrap(), "order of thread {thread}");
        *next += 1;
        if expected % 100 == 0 {
            consumer.commit(seq).unwrap();
        }
    }
    appenders.into_iter().for_each(|a| a.join().unwrap());
    assert!(next.iter().all(|n| *n == EACH));
}

#[test]
fn every_record_of_every_thread_arrives_once_and_in_order() {
    check_order_and_completeness(&JournalConfig::default());
}

#[test]
fn the_same_holds_when_everything_is_read_from_files() {
    check_order_and_completeness(&JournalConfig { segment_max: ByteSize(5000), ..small_from_files() });
}

#[test]
fn appends_wait_for_room_in_a_small_queue() {
    check_order_and_completeness(&JournalConfig { queue_max: ByteSize(300), ..JournalConfig::default() });
}

#[test]
fn a_full_queue_refuses_and_calls_done_at_once() {
    let config = JournalConfig { queue_max: ByteSize(10_000), ..JournalConfig::default() };
    let journal = open(&FaultFs::new(), &config);
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    // The committer is held inside the first `done`, so that the queue fills up.
    let (release, held) = std::sync::mpsc::sync_channel::<()>(0);
    let (entering, entered) = std::sync::mpsc::sync_channel::<()>(0);
    journal.append(vec![1], 1, move |_| {
        entering.send(()).unwrap();
        held.recv().unwrap();
    });
    entered.recv().unwrap();
    for _ in 0..50 {
        let outcomes = Arc::clone(&outcomes);
        journal.append(vec![0; 1000], 1, move |outcome| {
            outcomes.lock().unwrap().push(outcome.map_err(|e| e.is_retryable()))
        });
    }
    let refused = outcomes.lock().unwrap().clone();
    assert!(refused.len() >= 40 && refused.iter().all(|o| *o == Err(true)), "{refused:?}");
    assert!(journal.stats().queue <= ByteSize(10_000));
    release.send(()).unwrap();
    journal.close();
    let outcomes = outcomes.lock().unwrap();
    assert_eq!(outcomes.len(), 50);
    assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 50 - refused.len());
}

#[test]
fn appends_during_a_close_are_committed_or_refused() {
    for _ in 0..50 {
        let journal = open(&FaultFs::new(), &JournalConfig::default());
        let appender = {
            let journal = Arc::clone(&journal);
            thread::spawn(move || {
                let mut accepted = 0;
                loop {
                    match journal.append_wait(vec![0; 10], 1) {
                        Ok(seq) => accepted = seq.0,
                        Err(AppendError::Closed) => return accepted,
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        };
        thread::yield_now();
        journal.close();
        assert_eq!(journal.stats().last_seq.0, appender.join().unwrap());
    }
}
