//! What policies and reserved names do to lines, and what dropping does to those who write.

use ::model::{FieldValue, Precision, TimeRange, TimestampNs};
use catalog::{Homes, Pattern, PolicySpec};
use journal::JournalConfig;
use pipeline::{
    Due, Hold, LineWrite, Origin, Outcome, Retention, Target, drop_database, drop_policy, enforce_retention,
};
use vfs::FaultFs;

use crate::support::{Plant, assert_accounted, floats};

const HOUR: i64 = 3_600_000_000_000;

fn plant() -> (Plant, pipeline::Applier) {
    let plant = Plant::open(&FaultFs::new(), JournalConfig::default());
    let applier = plant.start_applier();
    (plant, applier)
}

fn messages(outcome: &Outcome) -> Vec<(u64, &str)> {
    outcome.rejected.iter().map(|r| (r.line, r.message.as_str())).collect()
}

fn kept(hours: i64) -> PolicySpec {
    PolicySpec { duration_ns: Some(hours * HOUR), ..PolicySpec::default() }
}

/// Writes at `now` to the plant's bucket and waits.
fn write_at(plant: &Plant, text: &str, now: i64) -> Outcome {
    write_targeted(plant, &plant.bucket.into(), text, now)
}

/// Writes to a policy of the plant's database, or to none in particular.
fn write_to(plant: &Plant, policy: Option<&str>, text: &str) -> Result<Outcome, catalog::MetaError> {
    Ok(write_targeted(plant, &plant.intake.target("plant", policy)?, text, 0))
}

fn write_targeted(plant: &Plant, target: &Target, text: &str, now: i64) -> Outcome {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let now = TimestampNs(now);
    let write = LineWrite { target, text: text.as_bytes(), precision: Precision::Nanosecond, now };
    plant.intake.write_lines(write, move |outcome| sender.send(outcome).unwrap());
    receiver.recv().unwrap().unwrap()
}

#[test]
fn a_field_called_time_is_left_out_and_a_point_of_nothing_else_is_refused() {
    let (plant, _applier) = plant();
    let body = "m time=1,v=2 10\nm time=1 20\nm,a=1 time=1,v=3 30\nn time=4i 40\nm v=5,time=\"x\" 50";
    let outcome = plant.write(body).unwrap();
    let refused = |m: &str| format!("invalid field name: input field \"time\" on measurement \"{m}\" is invalid");
    assert_eq!(messages(&outcome), [(2, refused("m").as_str()), (4, refused("n").as_str())]);
    assert_eq!((outcome.lines, outcome.values, outcome.dropped), (3, 3, 2));
    assert_eq!(plant.read("m", "v"), floats(&[(10, 2.0), (50, 5.0)]));
    assert_eq!((plant.column("m", "time"), plant.column("n", "time")), (None, None));
    assert_accounted(plant.counts(Origin::Http));
}

#[test]
fn a_tag_called_time_is_refused_and_the_other_lines_are_written() {
    let (plant, _applier) = plant();
    let outcome = plant.write("m,time=3 v=2 10\nm,a=1 v=7 20\nm,b=1,time=x v=1,time=2 30").unwrap();
    let refused = "invalid tag key: input tag \"time\" on measurement \"m\" is invalid";
    assert_eq!(messages(&outcome), [(1, refused), (3, refused)]);
    assert_eq!(plant.read("m,a=1", "v"), floats(&[(20, 7.0)]));
    assert_eq!(plant.catalog.read().series_count(), 1);
}

#[test]
fn a_line_with_one_field_of_another_type_loses_its_good_fields_too() {
    let (plant, _applier) = plant();
    plant.write("m v=1,w=1 1").unwrap();
    let outcome = plant.write("m v=2i,w=2 2\nm v=3,w=3 3").unwrap();
    assert_eq!((outcome.lines, outcome.dropped), (1, 1));
    assert_eq!(plant.read("m", "w"), floats(&[(1, 1.0), (3, 3.0)]));
}

#[test]
fn points_older_than_the_policy_keeps_are_refused_and_define_nothing() {
    let (plant, _applier) = plant();
    let hour = PolicySpec { shard_duration_ns: Some(HOUR), ..kept(1) };
    plant.catalog.alter_policy("plant", "autogen", &hour, false).unwrap();
    let outcome = write_at(&plant, &format!("old v=1 {}\nm v=2 {}\nm v=3", HOUR - 1, HOUR), 2 * HOUR);
    assert_eq!(messages(&outcome), [(1, "points beyond retention policy")]);
    assert_eq!((outcome.lines, outcome.dropped), (2, 1));
    assert_eq!(plant.read("m", "v"), floats(&[(HOUR, 2.0), (2 * HOUR, 3.0)]));
    assert_eq!(plant.catalog.read().series_count(), 1);
}

#[test]
fn the_default_policy_is_meant_where_none_is_named() {
    let (plant, _applier) = plant();
    plant.catalog.create_policy("plant", "day", &kept(24), true).unwrap();
    let day = plant.catalog.bucket_of("plant", Some("day")).unwrap();
    assert_eq!(plant.intake.target("plant", Some("day")).unwrap(), day.into());
    assert_eq!(plant.intake.target("plant", Some("autogen")).unwrap(), plant.bucket.into());
    write_to(&plant, None, "m v=1 1").unwrap();
    assert!(plant.catalog.read().measurement(day, "m").is_some());
    drop_policy(&plant.catalog, &plant.engine, "plant", "day").unwrap();
    let missing = plant.intake.target("plant", None).unwrap_err();
    assert_eq!(missing.to_string(), "retention policy not found: day");
    assert_eq!(plant.intake.target("other", None).unwrap_err().to_string(), "database not found: other");
}

/// Ten days later; `hold` is the day from which on values must stay.
fn retention(plant: &Plant, hold: Option<i64>, forced: bool) -> Vec<(Due, u64)> {
    let holds = |bucket| {
        let of_plant = hold.filter(|_| bucket == plant.bucket);
        of_plant.map(|day| Hold { from: TimestampNs(day * 24 * HOUR), why: "not rolled up".to_owned() })
    };
    let now = TimestampNs(10 * 24 * HOUR);
    let retention = Retention { catalog: &plant.catalog, engine: &plant.engine, now, holds: &holds, forced };
    let outcomes = enforce_retention(&retention).into_iter();
    outcomes.map(|(due, removed)| (due, removed.unwrap().values)).collect()
}

fn keep_two_days(plant: &Plant) {
    let spec = PolicySpec { shard_duration_ns: Some(HOUR), ..kept(48) };
    plant.catalog.alter_policy("plant", "autogen", &spec, false).unwrap();
}

#[test]
fn retention_removes_partitions_that_ended_before_what_the_policy_keeps() {
    let (plant, _applier) = plant();
    let day = 24 * HOUR;
    plant.write(&format!("m v=1 {}\nm v=2 {}", day, 9 * day)).unwrap();
    plant.engine.flush().unwrap();
    assert_eq!(retention(&plant, None, false), []);
    keep_two_days(&plant);
    let outcomes = retention(&plant, None, false);
    assert!(matches!(outcomes.as_slice(), [(due, 1)] if due.bucket == plant.bucket && due.held.is_none()));
    assert_eq!(plant.read("m", "v"), floats(&[(9 * day, 2.0)]));
    assert!(matches!(retention(&plant, None, false).as_slice(), [(due, 0)] if due.goes.holding.files == 0));
}

#[test]
fn what_is_still_needed_stays_until_it_is_not_or_somebody_insists() {
    let (plant, _applier) = plant();
    let day = 24 * HOUR;
    plant.write(&format!("m v=1 {}\nm v=2 {}\nm v=3 {}\nm v=4 {}", day, 2 * day, 3 * day, 9 * day)).unwrap();
    plant.engine.flush().unwrap();
    keep_two_days(&plant);
    // The partition of day 2 begins before the hold and ends after it.
    let outcomes = retention(&plant, Some(2), false);
    let [(due, 1)] = outcomes.as_slice() else { panic!("{outcomes:?}") };
    assert_eq!((due.cutoff, due.goes.ended.by), (TimestampNs(8 * day), TimestampNs(2 * day)));
    let held = due.held.clone().unwrap();
    assert_eq!((held.hold.from, held.old.holding.files, held.old.holding.values), (TimestampNs(2 * day), 2, 2));
    assert!(held.old.holding.bytes > 0);
    assert_eq!(retention(&plant, Some(2), false), [(Due { goes: due_nothing(due), ..due.clone() }, 0)]);
    // A hold later than what the policy keeps holds nothing back.
    let outcomes = retention(&plant, Some(9), false);
    assert!(matches!(outcomes.as_slice(), [(due, 2)] if due.held.is_none()), "{outcomes:?}");
    plant.write(&format!("m v=5 {day}")).unwrap();
    plant.engine.flush().unwrap();
    assert!(matches!(retention(&plant, Some(0), false).as_slice(), [(due, 0)] if due.held.is_some()));
    assert!(matches!(retention(&plant, Some(0), true).as_slice(), [(due, 1)] if due.held.is_none()));
    assert_eq!(plant.read("m", "v"), floats(&[(9 * day, 4.0)]));
}

fn due_nothing(due: &Due) -> pipeline::Old {
    pipeline::Old { holding: engine::Holding::default(), ..due.goes }
}

#[test]
fn a_batch_follows_its_database_when_that_is_dropped_and_made_again() {
    let (plant, _applier) = plant();
    let mut batch = plant.intake.batch(plant.bucket, Origin::Redis);
    let mut push = |time| {
        batch.push(b"m,d=1", "v", FieldValue::Float(1.0), TimestampNs(time));
        batch.flush()
    };
    push(1).unwrap();
    plant.settle();
    drop_database(&plant.catalog, &plant.engine, "plant").unwrap();
    assert!(!push(2).unwrap_err().is_retryable());
    plant.catalog.create_database("plant", None).unwrap();
    push(3).unwrap();
    plant.settle();
    let plant = Plant { bucket: plant.catalog.bucket_of("plant", None).unwrap(), ..plant };
    assert_eq!(plant.read("m,d=1", "v"), floats(&[(3, 1.0)]));
    let counts = plant.counts(Origin::Redis);
    assert_accounted(counts);
    assert_eq!((counts.journaled, counts.dropped), (2, 1));
}

#[test]
fn series_without_values_are_dropped_and_their_fields_keep_their_types() {
    let (plant, _applier) = plant();
    plant.write("m,d=1 v=1 1\nm,d=2 v=2 2\nm,d=2 v=3 3").unwrap();
    let columns = [plant.column("m,d=1", "v").unwrap(), plant.column("m,d=2", "v").unwrap()];
    plant.intake.delete(&columns, TimeRange::new(TimestampNs(0), TimestampNs(3))).unwrap();
    let series = [b"m,d=1", b"m,d=2"].map(|key| plant.catalog.read().series(plant.bucket, key).unwrap());
    plant.settle();
    let dropped = plant.intake.drop_empty_series(&plant.engine, &series).unwrap();
    assert_eq!(dropped, series[..1]);
    assert_eq!(plant.column("m,d=1", "v"), None);
    assert_eq!(plant.read("m,d=2", "v"), floats(&[(3, 3.0)]));
    assert_eq!(plant.write("m,d=1 v=1i 4").unwrap().dropped, 1);
    assert_eq!(plant.write("m,d=1 v=4 4").unwrap().lines, 1);
    assert_eq!(plant.read("m,d=1", "v"), floats(&[(4, 4.0)]));
}

#[test]
fn no_acknowledged_value_is_lost_to_the_search_for_empty_series() {
    let (plant, _applier) = plant();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for time in 0..200 {
                plant.write(&format!("m,d=1 v=1 {time}")).unwrap();
                let column = plant.column("m,d=1", "v").unwrap();
                if time % 2 == 0 {
                    plant.intake.delete(&[column], TimeRange::ALL).unwrap();
                }
            }
        });
        while !writer.is_finished() {
            let series: Vec<_> = plant.catalog.read().series(plant.bucket, b"m,d=1").into_iter().collect();
            plant.intake.drop_empty_series(&plant.engine, &series).unwrap();
        }
    });
    plant.settle();
    assert_eq!(plant.read("m,d=1", "v"), floats(&[(199, 1.0)]));
}

/// A plant whose measurements `sig*` and `alarm` are at home in a policy of a day.
fn plant_with_homes() -> (Plant, pipeline::Applier) {
    let (plant, applier) = plant();
    plant.catalog.create_policy("plant", "day", &kept(24), false).unwrap();
    let rule = |text: &str| (Pattern::parse(text).unwrap(), "day".to_owned());
    plant.catalog.settle(Homes::new("plant", vec![rule("sig*"), rule("alarm")]));
    (plant, applier)
}

/// Names of the measurements of a policy, sorted.
fn measurements(plant: &Plant, policy: &str) -> Vec<String> {
    plant.catalog.measurements_of("plant", Some(policy)).unwrap()
}

#[test]
fn lines_of_one_body_go_to_the_homes_of_their_measurements() {
    let (plant, _applier) = plant_with_homes();
    let body = "signal,b=2,a=1 v=1 5\nother v=2 5\nalarm v=3 5\nalarms v=4 5\nsig\\ nal v=5 5\nother v=\"x\" 6";
    let outcome = write_to(&plant, None, body).unwrap();
    assert_eq!((outcome.lines, outcome.dropped), (5, 1));
    assert_eq!(measurements(&plant, "autogen"), ["alarms", "other"]);
    assert_eq!(measurements(&plant, "day"), ["alarm", "sig nal", "signal"]);
    let day = Plant { bucket: plant.catalog.bucket_of("plant", Some("day")).unwrap(), ..plant };
    assert_eq!(day.read("signal,a=1,b=2", "v"), floats(&[(5, 1.0)]));
    // Known names, too, and a policy that is named wins.
    assert_eq!(write_to(&day, None, body).unwrap().lines, 5);
    assert_eq!(write_to(&day, Some("autogen"), "signal v=1 5").unwrap().lines, 1);
    assert_eq!(measurements(&day, "autogen"), ["alarms", "other", "signal"]);
    assert_accounted(day.counts(Origin::Http));
}

#[test]
fn each_line_is_as_old_as_its_own_policy_takes() {
    let (plant, _applier) = plant_with_homes();
    let target = plant.intake.target("plant", None).unwrap();
    let outcome = write_targeted(&plant, &target, "signal v=1 5\nother v=1 5", 30 * HOUR);
    assert_eq!(messages(&outcome), [(1, "points beyond retention policy")]);
    assert_eq!(measurements(&plant, "autogen"), ["other"]);
    assert!(measurements(&plant, "day").is_empty());
}

#[test]
fn points_of_a_source_go_home_and_to_the_default_policy_while_there_is_no_home() {
    let (plant, _applier) = plant_with_homes();
    let mut batch = plant.intake.batch(plant.intake.target("plant", None).unwrap(), Origin::Redis);
    let mut push = |time| {
        for key in [&b"signal,d=1"[..], b"other"] {
            batch.push(key, "v", FieldValue::Float(1.0), TimestampNs(time));
        }
        batch.flush().unwrap();
        plant.settle();
    };
    push(1);
    assert_eq!(
        (measurements(&plant, "autogen"), measurements(&plant, "day")),
        (vec!["other".to_owned()], vec!["signal".to_owned()])
    );
    drop_policy(&plant.catalog, &plant.engine, "plant", "day").unwrap();
    push(2);
    assert_eq!(measurements(&plant, "autogen"), ["other", "signal"]);
    plant.catalog.create_policy("plant", "day", &kept(24), false).unwrap();
    push(3);
    assert_eq!(measurements(&plant, "day"), ["signal"]);
    assert_eq!(plant.read("signal,d=1", "v"), floats(&[(2, 1.0)]));
    let counts = plant.counts(Origin::Redis);
    assert_accounted(counts);
    assert_eq!((counts.received, counts.journaled), (6, 6));
}
