//! Stored points as rows.

use backend::Destination;
use model::FieldValue::{Float, Integer};
use query::Cell;

use crate::data::{SECOND, START, list, plant, point};
use crate::subjects::Subject;
use crate::trial::Trial;

pub(crate) fn a_time_range_is_half_open(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let grain = subject.abilities().grain_ns;
    let points: Vec<_> = (0..10).map(|n| point("m,a=x", "v", Integer(n), START + n * grain)).collect();
    trial.write(&points);
    let (from, to) = (START + 3 * grain, START + 6 * grain);
    for (condition, rows) in [
        (format!("time >= {from} AND time < {to}"), 3),
        (format!("time > {from} AND time <= {to}"), 3),
        (format!("time >= {from}"), 7),
        (format!("time < {to}"), 6),
        (format!("time = {from}"), 1),
        (format!("time >= {from} AND time < {from}"), 0),
        (format!("time >= {to} AND time < {from}"), 0),
    ] {
        trial.same_rows(&format!("SELECT v FROM m WHERE {condition}"), rows);
        trial.alike(&format!("SELECT count(v), sum(v), min(v), last(v) FROM m WHERE {condition}"));
    }
}

pub(crate) fn limit_and_offset_count_rows_of_a_series(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    for order in ["ASC", "DESC"] {
        for slice in ["LIMIT 1", "LIMIT 7", "LIMIT 5 OFFSET 3", "OFFSET 20", "LIMIT 100000", "OFFSET 100000"] {
            trial.same(&format!("SELECT power, state FROM m GROUP BY device ORDER BY time {order} {slice}"));
            trial.same(&format!("SELECT power FROM m WHERE device = '2' ORDER BY time {order} {slice}"));
        }
    }
    trial.same_rows("SELECT power FROM m GROUP BY device LIMIT 5 OFFSET 3", 15);
    trial.same("SELECT power FROM m LIMIT 5");
}

pub(crate) fn descending_order_starts_with_the_newest(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let points: Vec<_> = (0..3).map(|n| point("m,a=x", "v", Integer(n), START + n * SECOND)).collect();
    trial.write(&points);
    let found = trial.column("SELECT v FROM m ORDER BY time DESC");
    let times: Vec<i64> = found.iter().map(|row| row.0).collect();
    assert_eq!(times, [START + 2 * SECOND, START + SECOND, START]);
    trial.write_list(&plant(trial.place()));
    trial.same("SELECT power FROM m GROUP BY device ORDER BY time DESC");
    trial.same("SELECT * FROM m WHERE device != '' ORDER BY time DESC");
    trial.alike(&format!("SELECT mean(power) FROM m WHERE time >= {START} GROUP BY time(5m) ORDER BY time DESC"));
}

pub(crate) fn several_measurements_are_answered_together(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write(&[
        point("first,a=x", "v", Float(1.0), START),
        point("second,a=x", "v", Float(2.0), START + SECOND),
        point("second,b=y", "w", Integer(3), START + 2 * SECOND),
        point("third,a=x", "v", Float(4.0), START + 3 * SECOND),
    ]);
    trial.same_rows("SELECT v FROM \"first\", second", 2);
    trial.same_rows("SELECT * FROM \"first\", second", 3);
    trial.same_rows("SELECT v FROM /^(first|third)$/", 2);
    trial.same_rows("SELECT mean(v) FROM /.*/ GROUP BY a", 4 - 1);
    trial.same_rows("SELECT v FROM /nothing/", 0);
}

pub(crate) fn missing_measurements_fields_and_tags_are_no_error(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.same_rows("SELECT v FROM m", 0);
    trial.write(&[point("m,a=x", "v", Float(1.0), START)]);
    trial.same_rows("SELECT v FROM nowhere", 0);
    trial.same_rows("SELECT nothing FROM m", 0);
    trial.same_rows("SELECT v, nothing FROM m", 1);
    trial.same_rows("SELECT v FROM m WHERE nothing = 'x'", 0);
    trial.same_rows("SELECT v FROM m WHERE nothing = ''", 1);
    trial.same_rows("SELECT v FROM m WHERE nothing > 1", 0);
    trial.same_rows("SELECT v FROM m GROUP BY nothing", 1);
    trial.same_rows("SELECT count(nothing) FROM m", 0);
    trial.same_rows("SELECT v FROM m WHERE time < '2001-01-01'", 0);
    trial.same_rows("SELECT mean(v) FROM m WHERE time < '2001-01-01'", 0);
}

pub(crate) fn columns_of_rows_are_fields_tags_and_sums_of_them(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    for columns in [
        "*",
        "*::field",
        "power, device",
        "power * 2 + state AS x",
        "/^(power|state)$/",
        "abs(power), state",
        "power::integer",
    ] {
        trial.alike(&format!("SELECT {columns} FROM m WHERE device = '1'"));
        trial.alike(&format!("SELECT {columns} FROM m GROUP BY device LIMIT 10"));
    }
    trial.same("SELECT power FROM m GROUP BY device fill(0)");
    trial.same("SELECT power, state, \"on\" FROM m WHERE device = '1' fill(previous)");
}

pub(crate) fn databases_are_kept_apart(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let trial = Trial::new(subject);
    trial.write(&[point("m,a=x", "v", Float(1.0), START)]);
    let other = Destination { database: format!("{}_other", trial.place().database), ..trial.place().clone() };
    let wanted = crate::subjects::wanted(&other);
    remote.store.keep_in_step(&wanted).unwrap();
    subject.write(&list(&other, &[point("m,a=x", "v", Float(2.0), START + SECOND)])).unwrap();
    assert_eq!(trial.column("SELECT v FROM m"), [(START, Cell::Float(1.0))]);
    let question = format!("SELECT v FROM {}..m", other.database);
    assert_eq!(trial.column(&question), [(START + SECOND, Cell::Float(2.0))]);
}
