//! What is written is there, once, and the latest wins.

use backend::Written;
use model::FieldValue::{Boolean, Float, Integer};
use query::Cell;

use crate::data::{MILLISECOND, Random, SECOND, START, list, plant, point};
use crate::subjects::Subject;
use crate::trial::Trial;

pub(crate) fn points_come_back_in_order_of_time_whatever_the_order_they_were_written_in(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    for step in [5, 1, 9, 3] {
        trial.write(&[point("m,a=x", "v", Float(step as f64), START + step * SECOND)]);
    }
    let batch: Vec<_> =
        [8, 0, 7, 2, 6, 4].map(|step| point("m,a=x", "v", Float(step as f64), START + step * SECOND)).to_vec();
    trial.write(&batch);
    let expected: Vec<_> = (0..10).map(|step| (START + step * SECOND, Cell::Float(step as f64))).collect();
    assert_eq!(trial.column("SELECT v FROM m"), expected);
}

pub(crate) fn a_duplicate_changes_nothing(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let one = point("m,a=x", "v", Float(1.5), START);
    trial.write(&[one, one]);
    trial.write(&[one]);
    trial.write(&[point("m,a=x", "v", Float(2.5), START + SECOND), one]);
    assert_eq!(trial.column("SELECT v FROM m"), [(START, Cell::Float(1.5)), (START + SECOND, Cell::Float(2.5))]);
    assert_eq!(trial.column("SELECT count(v) FROM m"), [(0, Cell::Integer(2))]);
}

pub(crate) fn the_later_of_two_values_stays(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    // Smaller and larger than what they replace: the larger one is not what stays.
    let values = [2.0, 1.0, 9.0, 4.0];
    for value in values {
        trial.write(&[point("m,a=x", "v", Float(value), START), point("m,a=y", "v", Float(-value), START)]);
    }
    the_last_stays(&trial, "SELECT v FROM m WHERE a = 'x'", START, &values);
    the_last_stays(&trial, "SELECT v FROM m WHERE a = 'y'", START, &values.map(|value| -value));
}

pub(crate) fn the_later_of_two_values_of_one_batch_stays(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let (up_and_down, down) = ([1.0, 3.0, 2.0], [3.0, 2.0, 1.0]);
    let first = up_and_down.map(|value| point("m,a=x", "v", Float(value), START));
    let second = down.map(|value| point("m,a=x", "v", Float(value), START + SECOND));
    let other = [point("m,a=x", "w", Float(7.0), START), point("m,a=y", "v", Float(8.0), START)];
    trial.write(&[&first[..], &other, &second].concat());
    let question = |time: i64| format!("SELECT v FROM m WHERE a = 'x' AND time = {time}");
    the_last_stays(&trial, &question(START), START, &up_and_down);
    the_last_stays(&trial, &question(START + SECOND), START + SECOND, &down);
    trial.same("SELECT w FROM m GROUP BY a");
    trial.same("SELECT v FROM m WHERE a = 'y'");
}

/// One value is there, and where the store keeps an order it is the last one written.
fn the_last_stays(trial: &Trial<'_>, question: &str, time: i64, written: &[f64]) {
    let found = trial.column(question);
    let may_stay = if trial.subject.abilities().overwrites { &written[written.len() - 1..] } else { written };
    let stayed = may_stay.iter().any(|value| found == [(time, Cell::Float(*value))]);
    assert!(stayed, "{question}: of {written:?} stayed {found:?}");
}

pub(crate) fn fields_of_one_series_and_time_stand_in_one_row(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write(&[
        point("m,a=x", "v", Float(1.0), START),
        point("m,a=x", "w", Integer(2), START),
        point("m,a=x", "on", Boolean(true), START),
        point("m,a=x", "w", Integer(3), START + SECOND),
    ]);
    // A field that comes later joins the row.
    trial.write(&[point("m,a=x", "late", Float(4.0), START)]);
    trial.same_rows("SELECT * FROM m", 2);
    trial.same_rows("SELECT v, w, late FROM m", 2);
    trial.same_rows("SELECT v FROM m", 1);
}

pub(crate) fn a_batch_of_ten_thousand_points_is_taken(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let series: Vec<String> = (0..20).map(|number| format!("m,device=d{number:02}")).collect();
    let mut random = Random(1);
    let points: Vec<_> = (0..10_000)
        .map(|n| {
            point(&series[n % 20], "v", Float(random.below(1 << 20) as f64 / 16.0), START + n as i64 * MILLISECOND)
        })
        .collect();
    trial.write(&points);
    assert_eq!(trial.column("SELECT count(v) FROM m"), [(0, Cell::Integer(10_000))]);
    trial.same_rows("SELECT v FROM m GROUP BY device", 10_000);
}

pub(crate) fn a_part_of_a_list_is_written_without_the_rest(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let trial = Trial::new(subject);
    let points: Vec<_> = (0..5).map(|n| point("m,a=x", "v", Float(n as f64), START + n * SECOND)).collect();
    let list = list(trial.place(), &points);
    let mut session = remote.store.session();
    assert_eq!(session.write(&list, 1..3), Ok(Written::default()));
    assert_eq!(session.write(&list, 4..5), Ok(Written::default()));
    remote.make_visible();
    let times: Vec<i64> = trial.column("SELECT v FROM m").iter().map(|row| (row.0 - START) / SECOND).collect();
    assert_eq!(times, [1, 2, 4]);
}

pub(crate) fn nothing_to_write_is_fine(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write(&[]);
    trial.write_list(&plant(trial.place()));
    trial.write(&[]);
    trial.same("SELECT power FROM m GROUP BY device");
}
