//! Names that a store could take for others, or for its own.

use backend::Destination;
use model::FieldValue::{Float, Integer};
use query::Cell;

use crate::data::{HOUR, SECOND, START, key, list, name, point, text};
use crate::subjects::{Subject, wanted};
use crate::trial::Trial;

/// What tables, columns, labels and columns of answers are called in one store or another.
const TAKEN: [&str; 26] = [
    "series",
    "hissrv_names",
    "m_view",
    "m_pkey",
    "pg_class",
    "public",
    "select",
    "user",
    "tableoid",
    "xmin",
    "ctid",
    "id",
    "key",
    "tags",
    "value",
    "values",
    "name",
    "__name__",
    "db",
    "rp",
    "le",
    "job",
    "instance",
    "_field",
    "_measurement",
    "time_1",
];

pub(crate) fn measurements_and_fields_that_join_alike_are_kept_apart(subject: &dyn Subject) {
    if subject.abilities().joins_names {
        return;
    }
    let trial = Trial::new(subject);
    let pairs = [
        ("a", "b_c"),
        ("a_b", "c"),
        ("a_b_c", "value"),
        ("a", "b.c"),
        ("a.b", "c"),
        ("a", "b/c"),
        ("a/b", "c"),
        ("a", "b:c"),
        ("a:b", "c"),
        ("a", "value"),
        ("a_value", "value"),
        ("_a", "b"),
        ("a", "_b"),
        ("a_", "b"),
    ];
    let points: Vec<_> =
        (0..).zip(pairs).map(|(n, (measurement, field))| point(measurement, field, Integer(n), START)).collect();
    trial.write(&points);
    for (number, (measurement, field)) in (0..).zip(pairs) {
        let question = format!("SELECT {} FROM {}", name(field), name(measurement));
        let expected = subject.keeps(Integer(number)).map(|kept| (START, Cell::from(kept)));
        assert_eq!(trial.column(&question), Vec::from_iter(expected), "{question}");
        trial.same_rows(&format!("SELECT * FROM {}", name(measurement)), 1);
    }
    trial.same_rows("SELECT * FROM /.*/", 9);
}

pub(crate) fn names_that_stores_use_themselves_are_data(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let joins = |measurement: &str, other: &str| {
        subject.abilities().joins_names && other.starts_with(&format!("{measurement}_"))
    };
    trial.write(&[point("m,a=x", "v", Float(1.0), START)]);
    for (number, taken) in (0..).zip(TAKEN).filter(|(_, taken)| !joins("m", taken)) {
        let field = format!("f{number}");
        let series = [key(taken, &[("a", "x")]), key("m", &[(taken, "x")]), key("m", &[("a", taken)])];
        let value = Float(f64::from(number));
        let points = [
            point(&series[0], "v", value, START + SECOND),
            point(&series[1], &field, value, START + SECOND),
            point("m,a=x", taken, value, START + SECOND),
            point(&series[2], &field, value, START + SECOND),
        ];
        if let Err(error) = trial.try_write(&points) {
            trial.broken(format!("{taken}: {error:?}"));
        }
    }
    for taken in TAKEN {
        for question in [
            format!("SELECT v FROM {}", name(taken)),
            format!("SELECT * FROM m WHERE {} = 'x'", name(taken)),
            format!("SELECT {}::field FROM m", name(taken)),
            format!("SELECT * FROM m WHERE a = {}", text(taken)),
            format!("SELECT count({}::field) FROM m GROUP BY {}", name(taken), name(taken)),
        ] {
            trial.same(&question);
        }
    }
    trial.same("SELECT * FROM m GROUP BY *");
}

pub(crate) fn long_names_that_begin_alike_are_kept_apart(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    let long = |end: &str| format!("{}{end}", "gemessener Wert der Anlage \u{fc} ".repeat(8));
    let ends = if subject.abilities().joins_names {
        ["", "1", "2", " view", "x_view", "x_pkey"]
    } else {
        ["", "1", "2", " view", "_view", "_pkey"]
    };
    let names = ends.map(long);
    for (number, text) in (0..).zip(&names) {
        let series = [key(text, &[("a", "x")]), key("m", &[(text, "x")]), key("m", &[("a", text)])];
        trial.write(&[
            point(&series[0], "v", Integer(number), START + number * SECOND),
            point(&series[1], "v", Integer(number), START + number * SECOND),
            point(&series[2], text, Integer(number), START + HOUR + number * SECOND),
        ]);
    }
    for long in &names {
        trial.same_rows(&format!("SELECT * FROM {}", name(long)), 1);
        trial.same_rows(&format!("SELECT v FROM m WHERE {}::tag = 'x'", name(long)), 1);
        trial.same_rows(&format!("SELECT {} FROM m WHERE a = {}", name(long), text(long)), 1);
    }
    trial.same("SELECT * FROM m");
}

pub(crate) fn a_field_may_have_the_name_of_a_tag(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write(&[
        point("m,a=x", "a", Float(1.0), START),
        point("m,a=x", "v", Float(2.0), START),
        point("m,a=y", "v", Float(3.0), START + SECOND),
    ]);
    trial.same_rows("SELECT * FROM m", 2);
    trial.same_rows("SELECT a::field, a::tag FROM m", 1);
    trial.same_rows("SELECT v FROM m WHERE a::tag = 'y'", 1);
    trial.same_rows("SELECT v FROM m GROUP BY a", 2);
    trial.same_rows("SELECT v FROM m WHERE a > 0.5", 1);
}

pub(crate) fn a_database_of_a_hostile_name_is_one_like_others(subject: &dyn Subject) {
    let Some(remote) = subject.remote() else { return };
    let trial = Trial::new(subject);
    let database = format!("{} \"it's\"; DROP %20&rp=x 温度", trial.place().database);
    let place = Destination { database, policy: "every 'thing'; \"x\"".to_owned(), is_default: true };
    remote.store.keep_in_step(&wanted(&place)).unwrap();
    let again = remote.store.keep_in_step(&wanted(&place)).unwrap();
    assert!(again.iter().all(|step| matches!(step, backend::Step::Impossible(_))), "{again:?}");
    subject.write(&list(&place, &[point("m,a=x", "v", Float(2.0), START)])).unwrap();
    for source in
        [format!("{}..m", name(&place.database)), format!("{}.{}.m", name(&place.database), name(&place.policy))]
    {
        assert_eq!(trial.column(&format!("SELECT v FROM {source}")), [(START, Cell::Float(2.0))], "{source}");
    }
}
