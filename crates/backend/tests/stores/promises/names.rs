//! Names and texts are data, whatever they look like.

use backend::WriteError;
use model::FieldValue::{Float, String as Text};
use query::Cell;

use crate::data::{HOSTILE, SECOND, START, key, name, pattern, point, text};
use crate::subjects::Subject;
use crate::trial::Trial;

pub(crate) fn hostile_names_and_texts_come_back_as_they_were(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let takes_name = subject.abilities().takes_name;
    for (number, hostile) in HOSTILE.iter().enumerate() {
        let everywhere = key(hostile, &[(hostile, hostile)]);
        let field = format!("{hostile}#");
        let points =
            [point(&everywhere, &field, Float(number as f64), START), point(&everywhere, "text", Text(hostile), START)];
        match trial.try_write(&points) {
            Err(WriteError::Points { .. }) if !takes_name(hostile) => {}
            Err(error) => trial.broken(format!("{hostile}: {error:?}")),
            Ok(()) => trial.same(&format!("SELECT * FROM {} GROUP BY *", name(hostile))),
        }
    }
}

pub(crate) fn a_hostile_tag_value_in_a_filter_matches_only_itself(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let mut keys: Vec<String> = HOSTILE.iter().map(|hostile| key("m", &[("host", hostile)])).collect();
    keys.extend(["m,host=harmless".to_owned(), "m".to_owned()]);
    let points: Vec<_> =
        (0..).zip(&keys).map(|(n, key)| point(key, "v", Float(n as f64), START + n * SECOND)).collect();
    trial.write(&points);
    for (number, hostile) in (0..).zip(HOSTILE) {
        let itself = [(START + number * SECOND, Cell::Float(number as f64))];
        for condition in [format!("= {}", text(hostile)), format!("=~ {}", pattern(hostile))] {
            let question = format!("SELECT v FROM m WHERE host {condition}");
            assert_eq!(trial.column(&question), itself, "{question}");
        }
        for condition in [format!("!= {}", text(hostile)), format!("!~ {}", pattern(hostile))] {
            let question = format!("SELECT v FROM m WHERE host {condition}");
            trial.same_rows(&question, keys.len() - 1);
        }
    }
}

pub(crate) fn a_hostile_text_in_a_filter_matches_only_itself(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let mut points: Vec<_> =
        (0..).zip(HOSTILE).map(|(n, hostile)| point("m,a=x", "note", Text(hostile), START + n * SECOND)).collect();
    points.push(point("m,a=x", "note", Text(""), START - SECOND));
    points.push(point("m,a=x", "v", Float(1.0), START));
    trial.write(&points);
    let keeps = usize::from(subject.keeps(Text("")).is_some());
    for hostile in HOSTILE {
        trial.same_rows(&format!("SELECT note FROM m WHERE note = {}", text(hostile)), keeps);
        trial.same_rows(&format!("SELECT note FROM m WHERE note =~ {}", pattern(hostile)), keeps);
        trial.same_rows(&format!("SELECT note FROM m WHERE note != {}", text(hostile)), HOSTILE.len() * keeps);
    }
}

pub(crate) fn hostile_measurements_are_kept_apart(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let takes_name = subject.abilities().takes_name;
    let mut taken = 0;
    for (number, hostile) in (0..).zip(HOSTILE) {
        let key = key(hostile, &[("a", "x")]);
        match trial.try_write(&[point(&key, "v", Float(number as f64), START + number * SECOND)]) {
            Err(WriteError::Points { .. }) if !takes_name(hostile) => {}
            Err(error) => panic!("{hostile}: {error:?}"),
            Ok(()) => taken += 1,
        }
    }
    for hostile in HOSTILE {
        trial.same(&format!("SELECT v FROM {}", name(hostile)));
    }
    trial.same_rows("SELECT v FROM /.*/", taken);
    trial.same_rows("SELECT v FROM /^C:/", 1);
}

pub(crate) fn names_that_differ_in_case_only_are_kept_apart(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write(&[
        point("m,a=x", "v", Float(1.0), START),
        point("M,a=x", "v", Float(2.0), START),
        point("m,a=X", "v", Float(3.0), START + SECOND),
        point("m,A=x", "v", Float(4.0), START + 2 * SECOND),
        point("m,a=x", "V", Float(5.0), START),
        // Names with and without a space at the end are two names.
        point("m,a=x\\ ", "v", Float(6.0), START + 3 * SECOND),
    ]);
    trial.same_rows("SELECT * FROM m", 4);
    trial.same_rows("SELECT * FROM \"M\"", 1);
    trial.same_rows("SELECT v FROM m WHERE a = 'x'", 1);
    trial.same_rows("SELECT v FROM m WHERE a = 'x '", 1);
    trial.same_rows("SELECT v FROM m WHERE \"A\" = 'x'", 1);
    trial.same_rows("SELECT \"V\" FROM m", 1);
}
