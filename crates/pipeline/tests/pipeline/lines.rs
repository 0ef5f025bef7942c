//! What becomes of each line of a body.

use ::model::{ByteSize, Precision, Seq};
use journal::JournalConfig;
use pipeline::{Origin, Outcome};
use vfs::FaultFs;

use crate::support::{NOW, Plant, assert_accounted, floats, last_seq};

fn plant() -> (Plant, pipeline::Applier) {
    let plant = Plant::open(&FaultFs::new(), JournalConfig::default());
    let applier = plant.start_applier();
    (plant, applier)
}

/// Numbers of the rejected lines, and whether they were malformed.
fn rejected(outcome: &Outcome) -> Vec<(u64, bool)> {
    outcome.rejected.iter().map(|r| (r.line, r.malformed)).collect()
}

#[test]
fn known_and_new_series_and_fields_stand_in_one_body() {
    let (plant, _applier) = plant();
    plant.write("m,d=1 a=1 10").unwrap();
    let outcome =
        plant.write("m,d=1 a=2 20\nm,d=2 a=3 20\nm,d=1 a=4,b=true 30\n\n# note\nn s=\"x\",c=5i,e=6u 40").unwrap();
    assert_eq!((outcome.lines, outcome.values, outcome.rejected.len()), (4, 7, 0));
    assert_eq!(plant.read("m,d=1", "a"), floats(&[(10, 1.0), (20, 2.0), (30, 4.0)]));
    assert_eq!(plant.read("m,d=1", "b"), [(30, "Boolean(true)".to_owned())]);
    assert_eq!(plant.read("m,d=2", "a"), floats(&[(20, 3.0)]));
    assert_eq!(plant.read("n", "s"), [(40, "String(\"x\")".to_owned())]);
    assert_eq!(plant.read("n", "c"), [(40, "Integer(5)".to_owned())]);
    assert_eq!(plant.read("n", "e"), [(40, "Unsigned(6)".to_owned())]);
}

#[test]
fn rejected_lines_are_numbered_as_in_the_body_also_after_names_were_defined() {
    let (plant, _applier) = plant();
    plant.write("m a=1 1").unwrap();
    let body = "m a=1 2\nbroken\n\nm a=2i 3\nnew x=1 4\nm a= 5\n# note\nm,d=2 a=\"text\" 6\nm s=\"two\nlines\" 7\nnew x=true 8\nalso broken";
    let outcome = plant.write(body).unwrap();
    assert_eq!((outcome.lines, outcome.malformed, outcome.dropped), (3, 3, 3));
    assert_eq!(rejected(&outcome), [(2, true), (4, false), (6, true), (8, false), (11, false), (12, true)]);
    let conflict = &outcome.rejected[1].message;
    assert!(
        conflict.contains("input field \"a\" on measurement \"m\" is type integer, already exists as type float"),
        "{conflict}"
    );
    assert_eq!(plant.read("new", "x"), floats(&[(4, 1.0)]));
    let counts = plant.counts(Origin::Http);
    assert_accounted(counts);
    assert_eq!((counts.journaled, counts.rejected, counts.dropped), (4, 6, 0));
}

#[test]
fn of_two_types_in_one_body_the_first_line_counts() {
    let (plant, _applier) = plant();
    let outcome = plant.write("z,d=2 v=1i 1\na,d=1 v=2 2\nz,d=1 v=3.5 3\nz,d=1 v=4i 4").unwrap();
    assert_eq!(rejected(&outcome), [(3, false)]);
    assert_eq!(plant.read("z,d=1", "v"), [(4, "Integer(4)".to_owned())]);
    assert_eq!(plant.read("z,d=2", "v"), [(1, "Integer(1)".to_owned())]);
}

#[test]
fn the_last_of_equal_times_wins_also_across_a_definition() {
    let (plant, _applier) = plant();
    plant.write("m v=0 5").unwrap();
    plant.write("m v=1 5\nm v=2 5\nnew w=1 5\nm v=3 5\nnew w=2 5\nm v=4,v=5 5").unwrap();
    assert_eq!(plant.read("m", "v"), floats(&[(5, 5.0)]));
    assert_eq!(plant.read("new", "w"), floats(&[(5, 2.0)]));
}

#[test]
fn tags_in_any_order_are_one_series_and_a_tag_given_twice_is_refused() {
    let (plant, _applier) = plant();
    let outcome = plant.write("m,b=2,a=1 v=1 1\nm,a=1,b=2 v=2 2\nm,a=1,a=2 v=3 3\nm,b=2,a=1 v=4 4").unwrap();
    assert_eq!((outcome.lines, rejected(&outcome)), (3, vec![(3, true)]));
    assert!(outcome.rejected[0].message.contains("duplicate tags"), "{:?}", outcome.rejected);
    assert_eq!(plant.read("m,a=1,b=2", "v"), floats(&[(1, 1.0), (2, 2.0), (4, 4.0)]));
    assert_eq!(plant.catalog.read().series_count(), 1);
}

#[test]
fn times_follow_the_precision_and_those_out_of_range_are_refused() {
    let (plant, _applier) = plant();
    plant.write_in(b"m v=1 3\nm v=2 -2\nm v=3", Precision::Millisecond).unwrap();
    assert_eq!(plant.read("m", "v"), floats(&[(-2_000_000, 2.0), (0, 3.0), (3_000_000, 1.0)]));
    plant.write("now v=1").unwrap();
    assert_eq!(plant.read("now", "v"), floats(&[(NOW, 1.0)]));
    let outcome = plant.write_in(b"m v=4 9223372036855\nm v=5 1", Precision::Millisecond).unwrap();
    assert_eq!((outcome.lines, rejected(&outcome)), (1, vec![(1, false)]));
    assert!(outcome.rejected[0].message.contains("time outside range"), "{:?}", outcome.rejected);
    let latest = i64::MAX - 1;
    let outcome = plant.write(&format!("edge v=1 {latest}\nedge v=2 {}", i64::MAX)).unwrap();
    assert_eq!((outcome.lines, outcome.rejected.len()), (1, 1));
    assert_eq!(plant.read("edge", "v"), floats(&[(latest, 1.0)]));
}

#[test]
fn a_body_without_values_is_answered_and_leaves_no_record() {
    let (plant, _applier) = plant();
    for body in ["", "\n\n", "# only a note\n"] {
        assert_eq!(plant.write(body).unwrap(), Outcome::default());
    }
    assert_eq!(plant.write("broken").unwrap().malformed, 1);
    assert_eq!(last_seq(&plant), Seq(0));
    assert_accounted(plant.counts(Origin::Http));
}

#[test]
fn a_long_body_is_split_into_records_that_the_journal_takes() {
    let config = JournalConfig { segment_max: ByteSize(10_000), ..JournalConfig::default() };
    let plant = Plant::open(&FaultFs::new(), config);
    let _applier = plant.start_applier();
    let body: String = (0..5000).map(|n| format!("m v={n} {}\n", n % 2500)).collect();
    let outcome = plant.write(&body).unwrap();
    assert_eq!((outcome.lines, outcome.values), (5000, 5000));
    assert!(last_seq(&plant) > Seq(8), "{}", last_seq(&plant));
    let expected: Vec<(i64, f64)> = (0..2500).map(|n| (n, (n + 2500) as f64)).collect();
    assert_eq!(plant.read("m", "v"), floats(&expected));
    assert_eq!(plant.counts(Origin::Http).journaled, 5000);
}

#[test]
fn a_closed_journal_is_told_and_the_values_count_as_dropped() {
    let (plant, _applier) = plant();
    plant.write("m v=1 1").unwrap();
    plant.journal.close();
    assert!(!plant.write("m v=2 2\nbroken").unwrap_err().is_retryable());
    let counts = plant.counts(Origin::Http);
    assert_accounted(counts);
    assert_eq!((counts.journaled, counts.rejected, counts.dropped), (1, 1, 1));
}

#[test]
fn rejected_lines_are_all_counted_and_the_first_hundred_described() {
    let (plant, _applier) = plant();
    let outcome = plant.write(&"broken\n".repeat(250)).unwrap();
    assert_eq!((outcome.malformed, outcome.rejected.len()), (250, 100));
}
