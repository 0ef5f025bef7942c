//! Values come back as they were, or are told to be left out.

use backend::{PointList, WriteError, Written};
use model::FieldValue;
use model::FieldValue::{Boolean, Float, Integer, String as Text, Unsigned};
use query::Cell;

use crate::data::{SECOND, START, list, point};
use crate::subjects::Subject;
use crate::trial::Trial;

/// One of each type.
const ONE_OF_EACH: [(&str, FieldValue<'static>); 5] = [
    ("float", Float(1.5)),
    ("integer", Integer(-3)),
    ("unsigned", Unsigned(7)),
    ("boolean", Boolean(true)),
    ("text", Text("run")),
];

pub(crate) fn every_type_comes_back_as_what_it_was(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let points: Vec<_> = ONE_OF_EACH.iter().map(|(field, value)| point("m,a=x", field, *value, START)).collect();
    trial.write(&points);
    for (field, value) in ONE_OF_EACH {
        let found = trial.column(&format!("SELECT {field} FROM m"));
        let expected = subject.keeps(value).map(|kept| (START, Cell::from(kept)));
        assert_eq!(found, Vec::from_iter(expected), "{field}");
    }
    trial.same("SELECT * FROM m");
}

pub(crate) fn values_at_the_limits_come_back(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let long = "0123456789abcde\u{fc}".repeat(4096);
    let (long, _) = long.split_at(long.floor_char_boundary(64 * 1024));
    let floats = [0.0, 1.0 / 3.0, 1e22, -1.0e-7, f64::MIN_POSITIVE, 0.1 + 0.2, 1e15 + 0.3, 9_007_199_254_740_993.0];
    let extremes = [f64::MAX, f64::MIN, 5e-324, -5e-324, f64::EPSILON];
    let values = [
        ("floats", floats.map(Float).to_vec()),
        ("extremes", extremes.map(Float).to_vec()),
        ("minus_zero", vec![Float(-0.0)]),
        ("integers", [i64::MIN + 1, i64::MAX, -1, 0, (1 << 53) + 1].map(Integer).to_vec()),
        ("unsigned", [0, u64::MAX, i64::MAX as u64 + 1].map(Unsigned).to_vec()),
        ("texts", ["", " ", long, "\n\r\t\u{1}", "\u{10ffff}"].map(Text).to_vec()),
    ];
    for (field, values) in values {
        for (row, value) in (0..).zip(values) {
            let series = format!("{field},row={row}");
            if field == "minus_zero" && !subject.abilities().minus_zero {
                continue;
            }
            if let Some(breach) = breach(&trial, &series, value) {
                trial.broken(format!("{series}: {breach}"));
            }
        }
    }
}

/// Writes a value and reads it; says what is wrong.
fn breach(trial: &Trial<'_>, series: &str, value: FieldValue<'_>) -> Option<String> {
    let expected = trial.subject.keeps(value);
    match trial.subject.write(&list(trial.place(), &[point(series, "v", value, START)])) {
        Ok(written) if written.filtered == u64::from(expected.is_none()) => {}
        other => return Some(format!("write: {other:?}")),
    }
    let measurement = series.split(',').next().unwrap();
    let row = series.rsplit('=').next().unwrap();
    let question = format!("SELECT v FROM {measurement} WHERE row = '{row}'");
    let found = trial.column(&question).pop().map(|row| row.1);
    let expected = expected.map(Cell::from);
    let is_same = match (&expected, &found) {
        (Some(Cell::Float(a)), Some(Cell::Float(b))) => {
            let error = trial.subject.abilities().error;
            // What keeps numbers roughly keeps the smallest as 0.
            a.to_bits() == b.to_bits() || (error > 0.0 && (a - b).abs() <= error * a.abs().max(1e-290))
        }
        (expected, found) => expected == found,
    };
    let shown = |cell: &Option<Cell>| cell.as_ref().map(crate::difference::short);
    (!is_same).then(|| format!("wrote {:?}, found {:?}", shown(&expected), shown(&found)))
}

pub(crate) fn what_the_store_has_no_type_for_is_counted_and_the_rest_stored(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let points: Vec<_> = (0..30)
        .map(|n| {
            let (field, value) = ONE_OF_EACH[n % ONE_OF_EACH.len()];
            point("m,a=x", field, value, START + n as i64 * SECOND)
        })
        .collect();
    // The trial counts.
    trial.write(&points);
    trial.same("SELECT * FROM m");
    let texts: Vec<_> = (0..4).map(|n| point("texts", "v", Text("only"), START + n * SECOND)).collect();
    trial.write(&texts);
    trial.same("SELECT * FROM texts");
}

pub(crate) fn a_value_of_another_type_than_its_field_is_refused_and_the_rest_stored(subject: &dyn Subject) {
    if !subject.abilities().types {
        return;
    }
    let trial = Trial::new(subject);
    trial.write(&[point("m,a=x", "level", Float(1.0), START), point("m,a=x", "count", Integer(1), START)]);
    for wrong in [Integer(2), Boolean(true), Text("2")] {
        refuses(&trial, "level", &list(trial.place(), &[point("m,a=x", "level", wrong, START + SECOND)]));
    }
    refuses(&trial, "count", &list(trial.place(), &[point("m,a=y", "count", Float(2.0), START + SECOND)]));
    let good = [point("m,a=x", "level", Float(3.0), START + SECOND), point("m,a=x", "count", Integer(4), START)];
    let bad = point("m,a=x", "count", Text("5"), START + 2 * SECOND);
    refuses(&trial, "count", &list(trial.place(), &[good[0], bad, good[1]]));
    trial.write(&good);
    trial.same_rows("SELECT level, count FROM m", 2);
}

fn refuses(trial: &Trial<'_>, field: &str, points: &PointList) {
    match trial.subject.write(points) {
        Err(WriteError::Points { message, .. }) => {
            let names_it = trial.subject.remote().is_none() || message.contains(field);
            assert!(names_it, "the message does not name the field {field}: {message}");
        }
        other => panic!("{field}: {other:?} ({:?} would be right)", Err::<Written, _>("Points")),
    }
}
