//! Policies kept in step with what is wished.

use std::time::{SystemTime, UNIX_EPOCH};

use model::FieldValue::Integer;

use super::*;
use crate::{Database, Manage, Policy, Rollup, RollupColumn, Step, Wanted};

const HOUR: i64 = 3_600_000_000_000;
const DAY: i64 = 24 * HOUR;

fn wanted(database: &str, kept: Option<Duration>) -> Wanted {
    let policy = Policy { name: "autogen".to_owned(), duration: kept, shard_duration: None, replication: 1 };
    let (name, default_policy) = (database.to_owned(), "autogen".to_owned());
    Wanted { databases: vec![Database { name, default_policy, policies: vec![policy] }], rollups: Vec::new() }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

#[test]
fn what_is_older_than_a_policy_keeps_is_dropped_and_nothing_else() {
    let (store, to) = (store(), to("kept"));
    assert!(matches!(store.keep_in_step(&wanted("kept", None)).unwrap().as_slice(), [Step::Done(_)]));
    let mut session = store.session();
    let now = now();
    for measurement in ["m", "n"] {
        let list: Vec<_> = (0..12).map(|day| point(measurement, "v", Integer(day), now - day * DAY + HOUR)).collect();
        write(&mut *session, &to, &list).unwrap();
    }
    assert!(store.keep_in_step(&wanted("kept", None)).unwrap().is_empty());
    let week = wanted("kept", Some(Duration::from_hours(7 * 24)));
    let steps = store.keep_in_step(&week).unwrap();
    let done = |step: &Step| matches!(step, Step::Done(text) if text.contains("partitions of") && text.contains("1w"));
    assert!(steps.len() == 2 && steps.iter().all(done), "{steps:?}");
    assert!(store.keep_in_step(&week).unwrap().is_empty());
    let mut client = client(server());
    let rows = rows(&mut client, "SELECT count(*) FILTER (WHERE v <= 7), max(v) <= 8 FROM kept.m");
    assert_eq!(rows, ["(8,t)"], "a week and at most a day more is there");
    // What comes late is stored all the same, and goes with the next step.
    write(&mut *session, &to, &[point("m", "v", Integer(99), now - 11 * DAY)]).unwrap();
    assert!(matches!(store.keep_in_step(&week).unwrap().as_slice(), [Step::Done(_)]));
}

#[test]
fn a_long_query_keeps_expired_partitions_but_holds_up_no_writer_for_long() {
    let (store, to) = (store(), to("busy"));
    let mut session = store.session();
    let now = now();
    write(&mut *session, &to, &[point("m", "v", Integer(1), now), point("m", "v", Integer(2), now - 30 * DAY)])
        .unwrap();
    let mut other = client(server());
    let mut held = other.transaction().unwrap();
    held.batch_execute("SELECT * FROM busy.m").unwrap();
    let week = wanted("busy", Some(Duration::from_hours(7 * 24)));
    assert!(matches!(store.keep_in_step(&week).unwrap().as_slice(), [Step::Impossible(_)]));
    write(&mut *session, &to, &[point("m", "v", Integer(3), now + 1_000_000)]).unwrap();
    held.commit().unwrap();
    assert!(matches!(store.keep_in_step(&week).unwrap().as_slice(), [Step::Done(_)]));
}

#[test]
fn rollups_and_copies_are_said_to_be_impossible() {
    let mut wish = wanted("rolled", None);
    wish.databases[0].policies[0].replication = 2;
    let column = RollupColumn { function: "mean".to_owned(), field: "v".to_owned(), alias: "mean".to_owned() };
    wish.rollups.push(Rollup {
        name: "hourly".to_owned(),
        database: "rolled".to_owned(),
        source: "autogen".to_owned(),
        target: "hourly".to_owned(),
        interval: Duration::from_hours(1),
        columns: vec![column],
    });
    let steps = store().keep_in_step(&wish).unwrap();
    let [Step::Done(_), Step::Impossible(copies), Step::Impossible(rollup)] = steps.as_slice() else {
        panic!("{steps:?}")
    };
    assert!(copies.contains("replication") && rollup.contains("TimescaleDB"), "{steps:?}");
}
