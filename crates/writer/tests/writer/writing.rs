//! Values reach the store, in order, each counted once.

use model::{FieldType, FieldValue};
use writer::State;

use crate::store::MemoryStore;
use crate::support::{MS, Plant, S, at, eventually, quick, stop};

#[test]
fn what_is_in_the_journal_reaches_the_store_with_its_names() {
    let plant = Plant::new(MemoryStore::new());
    let other = plant.catalog.ensure_bucket("other", "week").unwrap();
    let float = plant.column("m,n=0", "value", FieldType::Float);
    let text = plant.column("m,n=0", "text", FieldType::String);
    let count = plant.column_in(other, "k", "count", FieldType::Unsigned);
    plant.write(&[
        (float, 5, FieldValue::Float(1.5)),
        (text, 5, FieldValue::String("grün")),
        (count, 5, FieldValue::Unsigned(u64::MAX)),
    ]);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 3);
    let content = plant.store.content();
    let texts: Vec<_> = content.iter().map(|((d, p, s, f, t), v)| format!("{d} {p} {s} {f} {t} {v}")).collect();
    assert_eq!(
        texts,
        [
            "other week k count 5 Unsigned(18446744073709551615)",
            "plant autogen m,n=0 text 5 String(\"grün\")",
            "plant autogen m,n=0 value 5 Float(1.5)",
        ]
    );
    eventually("it says so", || writer.status().state == State::Writing);
    let status = stop(&writer);
    assert_eq!((status.taken, status.fates.stored, status.resent), (3, 3, 0));
    assert_eq!((status.version.as_deref(), status.advice.len()), (Some("Memory 1"), 1));
    assert_eq!(status.state, State::Stopped);
}

#[test]
fn values_that_come_while_it_runs_arrive_within_the_longest_wait() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(3);
    let writer = plant.start(quick());
    eventually("it runs", || plant.store.probes() > 0);
    for time in 0..20 {
        plant.write_all(&columns, time, time as f64);
        eventually("they arrive", || plant.store.len() == 3 * (time as usize + 1));
    }
    assert_eq!(at(&plant.store.content(), 2, 7), Some("Float(7.0)"));
    stop(&writer);
}

#[test]
fn few_values_of_many_series_share_a_request() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(50);
    plant.write_all(&columns, 1, 1.0);
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 50);
    assert_eq!(plant.store.requests(), 1);
    stop(&writer);
}

#[test]
fn requests_run_at_once_and_their_number_is_bounded() {
    let plant = Plant::new(MemoryStore::new());
    plant.store.set_latency(20 * MS);
    let columns = plant.columns(200);
    (0..400).for_each(|time| _ = plant.write_all(&columns, time, 0.0));
    let writer = plant.start(quick());
    eventually("all is stored", || plant.store.len() == 80_000);
    assert!((2..=4).contains(&plant.store.at_once_max()), "{}", plant.store.at_once_max());
    let status = stop(&writer);
    assert_eq!((status.taken, status.fates.stored), (80_000, 80_000));
    assert_eq!(status.requests, status.latencies.count);
}

#[test]
fn after_a_restart_nothing_is_sent_again() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    for round in 0..3 {
        let writer = plant.start(quick());
        (0..50).for_each(|time| _ = plant.write_all(&columns, round * 50 + time, 0.0));
        eventually("all is stored", || plant.store.len() == (round as usize + 1) * 500);
        let status = stop(&writer);
        assert_eq!((status.taken, status.fates.stored), (500, 500));
        assert_eq!(plant.committed(), plant.journal.stats().last_seq);
    }
    assert_eq!(plant.store.points(), 1_500);
}

#[test]
fn a_stop_ends_by_its_deadline_also_when_the_store_does_not_answer() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(1);
    plant.store.set_latency(2 * S);
    plant.write_all(&columns, 1, 1.0);
    let writer = plant.start(quick());
    eventually("a request is under way", || plant.store.requests() == 1);
    let before = std::time::Instant::now();
    writer.stop(before + 300 * MS);
    assert!(before.elapsed() < 600 * MS, "{:?}", before.elapsed());
    assert_eq!(plant.committed().0, 0);
}
