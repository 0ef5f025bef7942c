//! After an outage live values go first, the backlog follows, and nothing is sent again without need.

use std::time::Duration;

use model::{ByteSize, ColumnId, FieldValue, HumanDuration};
use writer::{State, StoreWriter, WriterConfig};

use crate::store::MemoryStore;
use crate::support::{MS, NOW_S, Plant, S, assert_balanced, at, eventually, key, quick, stop};

const NOW: i64 = NOW_S * 1_000_000_000;
/// Some time before now, when the backlog is from.
const BEFORE: i64 = NOW - 3_600_000_000_000;

/// One worker with small requests, so that a backlog takes its time.
fn small() -> WriterConfig {
    WriterConfig { num_workers: 1, batch_size: 100, max_wait: HumanDuration(10 * MS), ..quick() }
}

/// A writer that comes back to a backlog of so many records of 100 values each.
fn with_backlog(plant: &Plant, columns: &[ColumnId], records: i64, config: WriterConfig) -> StoreWriter {
    plant.store.set_latency(10 * MS);
    (0..records).for_each(|n| _ = plant.write_all(columns, BEFORE + n, 0.0));
    let writer = plant.start(config);
    eventually("there are two lanes", || writer.status().state == State::Recovering);
    writer
}

fn settled(writer: &StoreWriter, values: u64) {
    eventually("all is stored", || {
        let status = writer.status();
        status.fates.stored == values && status.lanes.is_none() && status.on_the_way == 0
    });
}

#[test]
fn live_values_do_not_wait_for_the_backlog_of_an_outage() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let writer = with_backlog(&plant, &columns, 1_000, small());
    for n in 0..20 {
        plant.write_all(&columns, NOW + n, 1.0);
        eventually("they are there", || at(&plant.store.content(), 99, NOW + n).is_some());
    }
    let status = writer.status();
    let lanes = status.lanes.unwrap();
    assert!(lanes.backlog < lanes.backlog_to && lanes.fresh > lanes.backlog_to, "{lanes:?}");
    assert!(status.lag_values > 10_000, "{}", status.lag_values);
    settled(&writer, 102_000);
    assert_eq!(plant.store.len(), 102_000);
    let status = stop(&writer);
    assert_eq!((status.taken, status.resent), (102_000, 0));
    assert_eq!(plant.store.points(), 102_000);
}

#[test]
fn late_values_that_come_while_there_are_two_lanes_arrive_with_the_backlog() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let writer = with_backlog(&plant, &columns, 500, small());
    for n in 0..50 {
        plant.write_all(&columns, BEFORE + n, 2.0);
        plant.write_all(&columns, NOW + n, 1.0);
    }
    settled(&writer, 60_000);
    let content = plant.store.content();
    assert!((0..50).all(|n| at(&content, 7, BEFORE + n) == Some("Float(2.0)")));
    assert_eq!(stop(&writer).resent, 0);
}

#[test]
fn a_restart_continues_both_lanes_and_sends_nothing_again() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let writer = with_backlog(&plant, &columns, 600, small());
    (0..30).for_each(|n| _ = plant.write_all(&columns, NOW + n, 1.0));
    eventually("live values are there", || at(&plant.store.content(), 99, NOW + 29).is_some());
    writer.stop(std::time::Instant::now() + 5 * S);
    assert!(plant.committed().0 < 600 && plant.store.len() < 60_000);
    (30..60).for_each(|n| _ = plant.write_all(&columns, NOW + n, 1.0));
    let writer = plant.start(small());
    eventually("live values are there", || at(&plant.store.content(), 99, NOW + 59).is_some());
    eventually("all is there", || plant.store.len() == 66_000 && plant.committed().0 == 660);
    assert_eq!(stop(&writer).resent, 0);
    assert_eq!(plant.store.points(), 66_000);
}

#[test]
fn a_forecast_in_the_backlog_never_overwrites_a_later_one() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let tomorrow = NOW + 86_400_000_000_000;
    (0..100).for_each(|n| _ = plant.write_all(&columns, BEFORE - 1_000 + n, 0.0));
    plant.write(&[(columns[3], tomorrow, FieldValue::Float(1.0)), (columns[4], NOW + 5, FieldValue::Float(1.0))]);
    let writer = with_backlog(&plant, &columns, 100, small());
    plant.write(&[(columns[3], tomorrow, FieldValue::Float(2.0)), (columns[4], NOW + 5, FieldValue::Float(2.0))]);
    plant.write_all(&columns, NOW + 2_000_000_000, 9.0);
    settled(&writer, 20_104);
    let content = plant.store.content();
    for key in [key(3, tomorrow), key(4, NOW + 5)] {
        assert_eq!(content.get(&key).map(String::as_str), Some("Float(2.0)"), "{key:?}");
    }
    stop(&writer);
}

#[test]
fn a_second_outage_does_not_make_live_values_wait() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let writer = with_backlog(&plant, &columns, 800, small());
    plant.write_all(&columns, NOW, 1.0);
    eventually("it is there", || at(&plant.store.content(), 99, NOW).is_some());
    plant.store.set_up(false);
    eventually("it is away", || writer.status().state == State::Waiting);
    (1..800).for_each(|n| _ = plant.write_all(&columns, NOW + n, 1.0));
    plant.store.set_up(true);
    eventually("it is back", || writer.status().state == State::Recovering);
    plant.write_all(&columns, NOW + 10_000, 1.0);
    eventually("it is there", || at(&plant.store.content(), 99, NOW + 10_000).is_some());
    assert!(plant.store.len() < 120_000, "{}", plant.store.len());
    settled(&writer, 160_100);
    assert_eq!(plant.store.len(), 160_100);
    stop(&writer);
}

#[test]
fn the_backlog_keeps_to_its_rate() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    let config = WriterConfig { backlog_rate: Some(2_000), ..small() };
    let writer = with_backlog(&plant, &columns, 200, config);
    let before = plant.store.len();
    std::thread::sleep(Duration::from_millis(1_500));
    let sent = plant.store.len() - before;
    assert!((1_500..6_500).contains(&sent), "{sent}");
    plant.write_all(&columns, NOW, 1.0);
    eventually("live values are there", || at(&plant.store.content(), 99, NOW).is_some());
    stop(&writer);
}

#[test]
fn what_a_store_lost_when_it_was_killed_is_sent_once_more() {
    let plant = Plant::new(MemoryStore::losing(Duration::from_millis(1_500)));
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    (0..100).for_each(|n| _ = plant.write_all(&columns, BEFORE + n, 0.0));
    eventually("all is stored", || plant.store.len() == 1_000);
    eventually("it is safe", || plant.committed().0 == 100);
    (100..200).for_each(|n| _ = plant.write_all(&columns, BEFORE + n, 0.0));
    eventually("all is stored", || plant.store.len() == 2_000);
    assert_eq!(plant.committed().0, 100);
    plant.store.kill_and_restart();
    assert_eq!(plant.store.len(), 1_000);
    eventually("all is stored again", || plant.store.len() == 2_000);
    eventually("it is safe", || plant.committed().0 == 200);
    let status = stop(&writer);
    assert_eq!((status.taken, status.fates.stored, status.resent), (2_000, 2_000, 1_000));
}

#[test]
fn a_store_that_does_not_tell_its_process_is_doubted_after_a_failure() {
    let plant = Plant::new(MemoryStore::losing(Duration::from_millis(1_500)));
    plant.store.hide_incarnation();
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    (0..100).for_each(|n| _ = plant.write_all(&columns, BEFORE + n, 0.0));
    eventually("all is stored", || plant.store.len() == 1_000);
    plant.store.set_up(false);
    plant.write_all(&columns, BEFORE + 100, 0.0);
    eventually("it is away", || writer.status().state == State::Waiting);
    plant.store.kill_and_restart();
    plant.store.set_up(true);
    eventually("all is stored again", || plant.store.len() == 1_010);
    let status = stop(&writer);
    assert!(status.resent >= 1_000, "{}", status.resent);
}

#[test]
fn a_paused_writer_sends_nothing_and_goes_on_where_it_was() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    plant.write_all(&columns, 0, 0.0);
    eventually("it works", || plant.store.len() == 10);
    writer.pause();
    eventually("it says so", || writer.status().state == State::Paused);
    plant.write_all(&columns, 1, 0.0);
    std::thread::sleep(200 * MS);
    assert_eq!(plant.store.len(), 10);
    writer.resume();
    eventually("it goes on", || plant.store.len() == 20);
    assert_eq!(stop(&writer).resent, 0);
}

#[test]
fn what_is_given_up_is_counted_and_what_comes_later_arrives() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(100);
    plant.store.set_up(false);
    let config = WriterConfig { max_memory: ByteSize(4_000_000), ..small() };
    let writer = plant.start(config);
    (0..1_000).for_each(|n| _ = plant.write_all(&columns, BEFORE + n, 0.0));
    eventually("some of it is read", || writer.status().taken > 0);
    writer.skip();
    eventually("it is given up", || writer.status().fates.skipped > 0);
    plant.store.set_up(true);
    plant.write_all(&columns, NOW, 1.0);
    eventually("later values arrive", || plant.store.len() == 100);
    let status = stop(&writer);
    assert_eq!(status.fates.skipped + status.skipped_unread, 100_000);
    assert_eq!(plant.committed().0, 1_001);
}

#[test]
fn what_is_written_after_giving_up_arrives() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    for n in 0..20 {
        writer.pause();
        plant.write_all(&columns, 2 * n, 0.0);
        writer.skip();
        plant.write_all(&columns, 2 * n + 1, 1.0);
        writer.resume();
        let want = 10 * (n as usize + 1);
        eventually("what came later is stored", || {
            plant.store.content().values().filter(|value| *value == "Float(1.0)").count() == want
        });
    }
    let status = stop(&writer);
    assert_eq!(status.fates.stored + status.fates.skipped + status.skipped_unread, 400, "{status:?}");
    assert_balanced(&status);
}

#[test]
fn a_request_under_way_is_awaited_before_the_rest_is_given_up() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(10);
    let writer = plant.start(quick());
    plant.store.set_latency(300 * MS);
    plant.write_all(&columns, 0, 0.0);
    eventually("a request is under way", || writer.status().in_flight > 0);
    writer.pause();
    plant.write_all(&columns, 1, 0.0);
    writer.skip();
    plant.write_all(&columns, 2, 0.0);
    writer.resume();
    eventually("all but what was given up is stored", || plant.store.len() == 20);
    let status = stop(&writer);
    assert_eq!((status.fates.stored, status.fates.skipped + status.skipped_unread), (20, 10), "{status:?}");
    assert_balanced(&status);
}

#[test]
fn memory_is_bounded_while_the_store_is_away() {
    let plant = Plant::new(MemoryStore::new());
    let columns = plant.columns(1_000);
    plant.store.set_up(false);
    let config = WriterConfig { max_memory: ByteSize(4_000_000), batch_size: 10_000, num_workers: 16, ..quick() };
    let writer = plant.start(config);
    (0..400).for_each(|n| _ = plant.write_all(&columns, BEFORE + n, 0.0));
    eventually("the memory is used", || writer.status().memory > 3_900_000);
    std::thread::sleep(300 * MS);
    let status = writer.status();
    assert!(status.memory < 4_100_000, "{}", status.memory);
    assert_balanced(&status);
    plant.store.set_up(true);
    eventually("all is stored", || plant.store.len() == 400_000);
    stop(&writer);
}
