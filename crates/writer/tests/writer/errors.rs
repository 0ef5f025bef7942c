//! What goes wrong, and what becomes of the values.

use std::time::{Duration, Instant};

use backend::{Blame, WriteError};
use journal::{FsyncPolicy, JournalConfig, WhenFull};
use model::{ByteSize, FieldType, FieldValue, TimeRange};
use writer::State;
use writer::dead_letters::Limits;

use crate::store::{MemoryStore, away};
use crate::support::{MS, NOW_S, Plant, S, eventually, quick, stop};

fn refused() -> WriteError {
    WriteError::Points { message: "field type conflict".to_owned(), blame: Blame::Column }
}

#[test]
fn one_point_that_the_store_refuses_becomes_a_dead_letter_and_all_others_are_stored() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(5_000);
    plant.store.script(|request| {
        let is_bad = |((.., series, _, _), _): &((String, String, String, String, i64), String)| series == "m,n=1234";
        if request.points.iter().any(is_bad) { Err(refused()) } else { Ok(()) }
    });
    plant.write_all(&columns, 77, 1.0);
    let writer = plant.start(quick());
    eventually("the others are stored", || plant.store.len() == 4_999);
    eventually("the bad one is kept", || plant.letters().len() == 1);
    let letter = &plant.letters()[0];
    assert_eq!((letter.line.as_str(), letter.reason.as_str()), ("m,n=1234 value=1 77", "field type conflict"));
    assert_eq!(
        (letter.store.as_str(), letter.database.as_str(), letter.policy.as_str()),
        ("memory", "plant", "autogen")
    );
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.dead), (4_999, 1));
    assert!(status.bisections >= 10 && status.bisections < 20, "{}", status.bisections);
    assert_eq!(plant.committed(), plant.journal.stats().last_seq);
}

#[test]
fn a_column_that_is_refused_again_and_again_is_not_searched_for_each_time() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    plant.store.script(
        |request| {
            if request.points.iter().any(|(key, _)| key.2 == "m,n=7") { Err(refused()) } else { Ok(()) }
        },
    );
    (0..100).for_each(|time| _ = plant.write_all(&columns, NOW_S * 1_000_000_000 + time, 1.0));
    let writer = plant.start(quick());
    eventually("the others are stored", || plant.store.len() == 9_900);
    eventually("the bad ones are kept", || plant.letters().len() == 100);
    assert!(plant.store.requests() < 60, "{}", plant.store.requests());
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.dead), (9_900, 100));
}

#[test]
fn a_request_that_is_too_large_is_halved_and_later_ones_are_smaller() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    plant.store.script(|request| match request.points.len() {
        0..=700 => Ok(()),
        _ => Err(WriteError::TooLarge { message: "too large".to_owned() }),
    });
    (0..300).for_each(|time| _ = plant.write_all(&columns, time, 1.0));
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 30_000);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.dead), (30_000, 0));
    assert!(status.batch_size <= 700, "{}", status.batch_size);
}

#[test]
fn a_single_point_that_is_too_large_becomes_a_dead_letter() {
    let plant = Plant::new(MemoryStore::new());
    let text = plant.column("m", "text", FieldType::String);
    plant.store.script(|request| {
        let is_large = request.points.iter().any(|(_, value)| value.len() > 1_000);
        if is_large { Err(WriteError::TooLarge { message: "too large".to_owned() }) } else { Ok(()) }
    });
    let long = "x".repeat(2_000);
    for time in 0..10 {
        plant.write(&[(text, time, FieldValue::String(if time == 3 { &long } else { "short" }))]);
    }
    let writer = plant.start(quick());
    eventually("the others are stored", || plant.store.len() == 9);
    eventually("it is kept", || plant.letters().len() == 1);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.dead), (9, 1));
}

#[test]
fn values_wait_while_the_store_is_away_and_arrive_when_it_is_back() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    plant.write_all(&columns, 0, 0.0);
    eventually("it works", || plant.store.len() == 10);
    plant.store.set_up(false);
    (1..100).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    eventually("it says so", || writer.status().state == State::Waiting);
    assert_eq!(writer.status().last_error.as_deref(), Some("connection refused"));
    std::thread::sleep(300 * MS);
    let (requests, probes) = (plant.store.requests(), plant.store.probes());
    assert!(requests < 10, "{requests} requests");
    std::thread::sleep(200 * MS);
    assert_eq!(plant.store.requests(), requests);
    assert!(plant.store.probes() - probes < 40);
    plant.store.set_up(true);
    eventually("all is stored", || plant.store.len() == 1_000);
    eventually("it says so", || writer.status().state == State::Writing);
    eventually("nothing is left", || writer.status().on_the_way == 0);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.last_error), (1_000, None));
}

#[test]
fn a_store_that_is_not_there_at_the_start_gets_everything_later() {
    let plant = Plant::new(MemoryStore::new());
    plant.store.set_up(false);
    let columns = plant.columns(10);
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("it was looked for", || plant.store.probes() > 2);
    assert_eq!(writer.status().state, State::Waiting);
    assert_eq!(plant.store.requests(), 0);
    plant.store.set_up(true);
    eventually("all is stored", || plant.store.len() == 10);
    stop(&writer);
}

#[test]
fn a_store_that_comes_late_is_fine_also_when_there_is_nothing_to_write() {
    let plant = Plant::new(MemoryStore::new());
    plant.store.set_up(false);
    let writer = plant.start(quick());
    eventually("it waits", || writer.status().state == State::Waiting);
    plant.store.set_up(true);
    eventually("it is fine", || writer.status().state == State::Writing && writer.status().last_error.is_none());
    stop(&writer);
}

#[test]
fn a_store_that_goes_away_while_nothing_is_to_be_written_is_missed_and_found_again() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("it works", || plant.store.len() == 10 && writer.status().state == State::Writing);
    plant.store.set_up(false);
    eventually("it says so", || writer.status().state == State::Waiting);
    assert_eq!(writer.status().last_error.as_deref(), Some("connection refused"));
    plant.store.set_up(true);
    eventually("it is fine", || writer.status().state == State::Writing && writer.status().last_error.is_none());
    plant.write_all(&columns, 1, 0.0);
    eventually("all is stored", || plant.store.len() == 20);
    assert_eq!(plant.store.requests(), 2);
    stop(&writer);
}

#[test]
fn a_person_who_mended_something_need_not_wait() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.store.script(|_| Err(WriteError::Denied { message: "wrong token".to_owned() }));
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("it says so", || writer.status().state == State::Denied);
    plant.store.script(|_| Ok(()));
    writer.resume();
    eventually("all is stored", || plant.store.len() == 10);
    stop(&writer);
}

#[test]
fn a_denied_writer_asks_rarely_and_keeps_everything() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(1_000);
    plant.store.script(|_| Err(WriteError::Denied { message: "wrong token: see influxdb.token".to_owned() }));
    (0..50).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    let writer = plant.start(quick());
    eventually("it says so", || writer.status().state == State::Denied);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(plant.store.requests() <= 4, "{}", plant.store.requests());
    assert!(plant.store.probes() <= 2, "{}", plant.store.probes());
    let status = stop(&writer);
    assert_eq!((status.fates.sum(), status.last_error.as_deref()), (0, Some("wrong token: see influxdb.token")));
    assert_eq!(plant.committed().0, 0);
    assert!(plant.letters().is_empty());
}

#[test]
fn failures_now_and_then_are_retried_and_nothing_is_lost_or_counted_twice() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    plant.store.script(|request| match request.number % 5 {
        1 => Err(away()),
        3 => Err(WriteError::Busy { message: "slow down".to_owned(), retry_after: Some(5 * MS) }),
        _ => Ok(()),
    });
    (0..500).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 50_000);
    eventually("nothing is left", || writer.status().fates.stored == 50_000);
    let status = stop(&writer);
    assert!(status.retries > 0);
    assert_eq!((status.taken, status.fates.stored, status.resent), (50_000, 50_000, 0));
}

#[test]
fn a_missing_place_is_made_and_the_values_arrive() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let store = plant.store.clone();
    plant.store.script({
        let mut times = 0;
        move |_| {
            times += 1;
            if times == 1 { Err(WriteError::NoPlace { message: "database not found".to_owned() }) } else { Ok(()) }
        }
    });
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 10);
    assert!(store.steps().len() >= 2, "once at the start, once for the place");
    stop(&writer);
}

#[test]
fn a_place_that_stays_missing_is_a_matter_for_a_person() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.store.script(|_| Err(WriteError::NoPlace { message: "database not found".to_owned() }));
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("it says so", || writer.status().state == State::Denied);
    assert!(plant.store.requests() <= 2);
    stop(&writer);
}

#[test]
fn a_store_that_may_be_written_but_not_managed_is_written() {
    let plant = Plant::new(MemoryStore::new());
    plant.store.deny_steps();
    let columns = plant.columns(10);
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 10);
    stop(&writer);
}

#[test]
fn values_older_than_their_policy_keeps_are_not_sent() {
    let plant = Plant::new(MemoryStore::new());
    let spec = catalog::PolicySpec { duration_ns: Some(3_600_000_000_000), ..catalog::PolicySpec::default() };
    plant.catalog.create_policy("plant", "hour", &spec, false).unwrap();
    let bucket = plant.catalog.bucket_of("plant", Some("hour")).unwrap();
    let column = plant.column_in(bucket, "m", "value", FieldType::Float);
    for minutes in [0, 59, 61, 1_000] {
        plant.write(&[(column, (NOW_S - minutes * 60) * 1_000_000_000, FieldValue::Float(0.0))]);
    }
    let writer = plant.start(quick());
    eventually("all is done", || writer.status().fates.sum() == 4);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.expired, plant.store.len()), (2, 2, 2));
}

#[test]
fn values_whose_names_were_dropped_are_left_out() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let gone = plant.catalog.ensure_bucket("gone", "autogen").unwrap();
    let column = plant.column_in(gone, "m", "value", FieldType::Float);
    plant.write_all(&columns, 0, 0.0);
    plant.write_all(&[column], 0, 0.0);
    plant.catalog.drop_database("gone").unwrap();
    let writer = plant.start(quick());
    eventually("all is done", || writer.status().fates.sum() == 11);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.filtered), (10, 1));
}

#[test]
fn waits_end_at_once_when_it_is_told_to_stop() {
    let plant = Plant::new(MemoryStore::new());
    plant.store.set_up(false);
    let columns = plant.columns(10);
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(writer::WriterConfig::default());
    eventually("it waits", || writer.status().state == State::Waiting);
    let before = Instant::now();
    writer.stop(before + 20 * S);
    assert!(before.elapsed() < 100 * MS, "{:?}", before.elapsed());
}

#[test]
fn a_store_that_names_a_time_is_left_alone_until_then() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(1_000);
    plant.store.script(|request| match request.number {
        0 => Err(WriteError::Busy { message: "slow down".to_owned(), retry_after: Some(400 * MS) }),
        _ => Ok(()),
    });
    (0..20).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    let before = Instant::now();
    let writer = plant.start(quick());
    eventually("it was asked", || plant.store.requests() == 1);
    eventually("it is asked again", || plant.store.requests() > 1);
    assert!(before.elapsed() >= 400 * MS);
    eventually("all is stored", || plant.store.len() == 20_000);
    stop(&writer);
}

#[test]
fn a_request_that_fails_again_and_again_goes_on_in_smaller_parts() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(1_000);
    plant.store.script(|request| if request.points.len() > 300 { Err(away()) } else { Ok(()) });
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 1_000);
    stop(&writer);
}

#[test]
fn a_fault_in_the_client_of_a_store_counts_as_a_failure() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.store.script(|request| {
        assert!(request.points.is_empty(), "this panic is part of the test");
        Ok(())
    });
    plant.write_all(&columns, 0, 0.0);
    let writer = plant.start(quick());
    eventually("it says so", || writer.status().failures > 3);
    assert_eq!(stop(&writer).fates.sum(), 0);
}

#[test]
fn what_the_journal_dropped_is_counted_as_lost_and_the_rest_arrives() {
    let config = JournalConfig {
        fsync: FsyncPolicy::Interval(S),
        segment_max: ByteSize(20_000),
        max_disk: ByteSize(60_000),
        when_full: WhenFull::DropOldest,
        tail_max: ByteSize(0),
        ..JournalConfig::default()
    };
    let plant = Plant::with_journal(MemoryStore::new(), config);
    let columns = plant.columns(100);
    (0..200).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    let writer = plant.start(quick());
    eventually("all is done", || plant.committed().0 == 200);
    let status = stop(&writer);
    assert!(status.fates.stored > 1_000 && status.fates.stored < 10_000, "{}", status.fates.stored);
    assert_eq!(plant.store.len() as u64, status.fates.stored);
    // The journal does not know of what a cursor has missed that never read anything.
    assert!(status.lost == 0 || status.lost + status.fates.stored == 20_000, "{}", status.lost);
}

#[test]
fn deletions_are_counted_and_not_forwarded() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.write_all(&columns, 0, 0.0);
    plant.journal.append_wait(model::wire::encode_delete(&columns, TimeRange::ALL), 0).unwrap();
    plant.write_all(&columns, 1, 0.0);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 20);
    assert_eq!(stop(&writer).deletes, 1);
}

#[test]
fn a_record_that_cannot_be_read_is_passed_over_and_counted_as_lost() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.journal.append_wait(b"\x01\x00\x77".to_vec(), 7).unwrap();
    plant.write_all(&columns, 1, 0.0);
    let writer = plant.start(quick());
    eventually("the rest is stored", || plant.store.len() == 10);
    let status = stop(&writer);
    assert_eq!((status.lost, status.fates.stored), (7, 10));
}

#[test]
fn points_that_cannot_be_kept_as_dead_letters_yet_are_not_lost() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    plant.store.script(
        |request| {
            if request.points.iter().any(|(key, _)| key.2 == "m,n=3") { Err(refused()) } else { Ok(()) }
        },
    );
    // A file where the folder of the dead letters should be.
    let blocked = plant.dir.path().join("dead-letter");
    std::fs::remove_dir_all(&blocked).unwrap();
    std::fs::write(&blocked, "").unwrap();
    plant.write_all(&columns, 1, 0.0);
    let writer = plant.start(quick());
    eventually("the others are stored", || plant.store.len() == 9);
    eventually("it says so", || writer.status().last_error.is_some_and(|e| e.contains("dead-letter")));
    assert_eq!(plant.committed().0, 0);
    std::fs::remove_file(&blocked).unwrap();
    std::fs::create_dir_all(blocked.join("memory")).unwrap();
    eventually("it is kept", || plant.letters().len() == 1);
    assert_eq!(stop(&writer).fates.dead, 1);
}

#[test]
fn dead_letters_without_space_are_counted_as_lost() {
    let config = JournalConfig { fsync: FsyncPolicy::Interval(S), ..JournalConfig::default() };
    let plant = Plant::with_limits(MemoryStore::new(), config, Limits { max_bytes: ByteSize(1_000) });
    let columns = plant.columns(20);
    plant.store.script(|_| Err(refused()));
    plant.write_all(&columns, 1, 0.0);
    let writer = plant.start(quick());
    eventually("all have a fate", || writer.status().fates.sum() == 20);
    let status = stop(&writer);
    assert!(status.fates.dead >= 1 && status.fates.lost_dead >= 1, "{:?}", status.fates);
    assert_eq!(plant.letters().len() as u64, status.fates.dead);
}
