//! The newest values, compared with those of the embedded engine.

use query::Cancel;
use query::store::{Place, SeriesQuery, TagCondition, TagMatch};

use super::super::latest;
use super::plans::plant;
use super::reference::{DATABASE, POLICY, Pair, SECOND, START, Shown, Value, table};
use crate::Query as _;

#[test]
fn the_newest_values_are_those_of_the_embedded_engine() {
    let mut points = plant();
    points.add("m", &[("host", "it's")], "v", Value::Float(5.0), START - 400 * 86_400 * SECOND);
    let pair = Pair::new(&points);
    let place = Place { database: DATABASE.to_owned(), policy: Some(POLICY.to_owned()) };
    let condition = |key: &str, matches| vec![TagCondition { key: key.to_owned(), matches }];
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>();
    let like = |text: &str| std::sync::Arc::new(regex::Regex::new(text).unwrap());
    for (fields, filter) in [
        (vec![], vec![]),
        (values(&["v"]), vec![]),
        (values(&["note", "nosuch", "i"]), vec![]),
        (vec![], condition("host", TagMatch::In(values(&["a", "it's"])))),
        (vec![], condition("host", TagMatch::In(values(&["a"])))),
        (vec![], condition("host", TagMatch::NotIn(values(&["a", "b"])))),
        (vec![], condition("room", TagMatch::In(values(&["", "1"])))),
        (vec![], condition("room", TagMatch::NotIn(values(&["1"])))),
        (vec![], condition("host", TagMatch::Like(like("^[ab]")))),
        (vec![], condition("nosuch", TagMatch::NotLike(like("x")))),
        (vec![], condition("nosuch", TagMatch::In(values(&["x"])))),
    ] {
        let query = SeriesQuery { measurement: "m".to_owned(), fields, filter, ..SeriesQuery::default() };
        let cancel = Cancel::new();
        let expected = pair.embedded.latest(&place, query.clone(), &cancel).unwrap();
        let found = latest(&pair.server, &pair.schemas, &place, query.clone(), &cancel).unwrap();
        let show = |result: query::QueryResult| {
            let mut shown = Shown::default();
            result.series.into_iter().for_each(|series| shown.add(&table(series)));
            shown.text
        };
        assert_eq!(show(found), show(expected), "{query:?}");
    }
}
