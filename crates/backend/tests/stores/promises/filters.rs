//! Conditions choose the same series and points.

use model::FieldValue::{Boolean, Float, Integer, String as Text};

use crate::data::{SECOND, START, plant, point};
use crate::subjects::Subject;
use crate::trial::Trial;

/// Series with and without tags; the value is the number of the point.
fn tagged(subject: &dyn Subject) -> Trial<'_> {
    let trial = Trial::new(subject);
    let series = ["m", "m,a=1", "m,a=10", "m,a=2,b=x", "m,b=x", "m,b=y", "m,a=\\ ,b=y"];
    let points: Vec<_> = (0..).zip(series).map(|(n, key)| point(key, "v", Integer(n), START + n * SECOND)).collect();
    trial.write(&points);
    trial
}

fn all_same(trial: &Trial<'_>, conditions: &[(&str, usize)]) {
    for (condition, rows) in conditions {
        trial.same_rows(&format!("SELECT v FROM m WHERE {condition}"), *rows);
        trial.same(&format!("SELECT sum(v) FROM m WHERE {condition} GROUP BY a, b"));
    }
}

pub(crate) fn tags_are_compared_with_values(subject: &dyn Subject) {
    all_same(
        &tagged(subject),
        &[
            ("a = '1'", 1),
            ("a != '1'", 6),
            ("a = '1' OR a = '2'", 2),
            ("a = '2' AND b = 'x'", 1),
            ("a = '1' AND b = 'x'", 0),
            ("a = ' '", 1),
            ("a = 'nowhere'", 0),
            ("a != 'nowhere'", 7),
            ("(a = '1' OR b = 'y') AND a != ' '", 2),
            ("a = '1' OR v = 5", 2),
            ("NOW = '1'", 0),
        ],
    );
}

pub(crate) fn tags_are_compared_with_patterns(subject: &dyn Subject) {
    all_same(
        &tagged(subject),
        &[
            ("a =~ /^1$/", 1),
            ("a =~ /1/", 2),
            ("a !~ /1/", 5),
            ("a =~ /^(1|2)$/", 2),
            ("a =~ /.+/", 4),
            ("a =~ /.*/", 7),
            ("a !~ /.+/", 3),
            ("a =~ /^$/", 3),
            ("a =~ /(?i)X/ OR b =~ /(?i)^X$/", 2),
            ("a =~ /\\d{2}/", 1),
            ("b =~ /[xy]/ AND a !~ /2/", 3),
        ],
    );
}

pub(crate) fn a_series_without_a_tag_has_it_empty(subject: &dyn Subject) {
    all_same(
        &tagged(subject),
        &[("a = ''", 3), ("a != ''", 4), ("a = '' AND b = ''", 1), ("a = '' OR b = ''", 5), ("nowhere = ''", 7)],
    );
}

pub(crate) fn fields_are_compared(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    trial.write(&[
        point("m,device=1,site=a", "note", Text("50%_[x]"), START - SECOND),
        point("m,device=1,site=a", "power", Float(0.0), START - SECOND),
        point("m,device=1,site=a", "on", Boolean(false), START - SECOND),
    ]);
    for condition in [
        "power > 100",
        "power <= 0",
        "power = 0",
        "power != 0",
        "state = 3",
        "state > power",
        "state = 3.0",
        "power * 2 > 100 AND state < 2",
        "\"on\" = true",
        "\"on\" != true",
        "note = 'run'",
        "note != 'run'",
        "note =~ /^error/",
        "note !~ /^error/",
        "note = '50%_[x]'",
        "note =~ /%_/",
        "note = 3",
        "power = 'run'",
    ] {
        trial.same(&format!("SELECT power, state FROM m WHERE {condition} GROUP BY device"));
        trial.alike(&format!("SELECT count(power), mean(power) FROM m WHERE {condition} GROUP BY device"));
    }
}

pub(crate) fn conditions_are_joined(subject: &dyn Subject) {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    for condition in [
        "device = '1' AND power > 0",
        "device = '1' OR power > 100",
        "(device = '1' OR site = 'b') AND (power > 100 OR state < 0)",
        "device =~ /1|3/ AND site = ''",
        "time >= '2024-03-09T16:10:00Z' AND device = '2' AND state > 1",
    ] {
        trial.same(&format!("SELECT power, state FROM m WHERE {condition} GROUP BY device"));
        trial.alike(&format!("SELECT mean(power) FROM m WHERE {condition}"));
    }
}
