//! Names of every kind reach a real server as they are.

use super::plans::plant;
use super::reference::{POLICY, Pair, Points, START, Value, plan};

/// Names and texts with which a question could be made another one.
const HOSTILE: [&str; 11] = [
    "'; DROP DATABASE plant; --",
    "\"; DROP DATABASE plant; --",
    "a b",
    "a,b=c",
    "a\\b",
    "it's",
    "温度 °C ☃",
    "/x/",
    "SELECT",
    "$x",
    "*",
];

#[test]
fn hostile_names_are_asked_for_as_they_are() {
    let mut points = Points::default();
    for (number, name) in (0..).zip(HOSTILE) {
        points.add(name, &[(name, name)], name, Value::Text(name.to_owned()), START + number);
        points.add("all", &[("channel", name)], "v", Value::Integer(number), START + number);
    }
    let pair = Pair::new(&points);
    let mut plans = vec![(plan("SELECT v FROM \"all\" GROUP BY channel"), "all".to_owned())];
    for name in HOSTILE {
        let ident = format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""));
        let text = format!("'{}'", name.replace('\\', "\\\\").replace('\'', "\\'"));
        for query in [
            format!("SELECT {ident} FROM {ident} WHERE {ident}::field = {text} GROUP BY {ident}"),
            format!("SELECT {ident}::field AS {ident} FROM {ident} WHERE {ident}::tag = {text}"),
            format!("SELECT * FROM {ident}"),
            format!("SELECT v FROM \"all\" WHERE channel = {text}"),
            format!("SELECT time_weighted_mean(v) FROM \"all\" WHERE channel = {text} GROUP BY channel"),
            format!("SELECT count({ident}) FROM {ident} GROUP BY time('1mo'), {ident}"),
        ] {
            plans.push((plan(&query), query));
        }
    }
    pair.compare_all(plans, Pair::answers);
}

#[test]
fn a_tag_with_a_carriage_return_is_found_when_its_points_are_fetched() {
    let mut points = Points::default();
    points.add("m", &[("channel", "a\rb")], "v", Value::Float(2.0), START);
    points.add("m", &[("channel", "a"), ("x", "y")], "v", Value::Float(4.0), START);
    points.add("m", &[("channel", "a")], "v", Value::Float(8.0), START);
    let pair = Pair::new(&points);
    let texts = ["SELECT time_weighted_mean(v) FROM m GROUP BY *", "SELECT v FROM m GROUP BY channel, x"];
    pair.compare_all(texts.map(|text| (plan(text), text.to_owned())), Pair::answers);
}

#[test]
fn policies_are_read_from() {
    let pair = Pair::new(&plant());
    pair.server.command("CREATE RETENTION POLICY hourly ON plant DURATION INF REPLICATION 1");
    let mut points = Points::default();
    points.add("m", &[("host", "a")], "v", Value::Float(1.0), START);
    pair.write("hourly", &points);
    let texts = [
        "SELECT v FROM hourly.m",
        "SELECT count(v) FROM hourly.m, autogen.m",
        "SELECT time_weighted_mean(v) FROM hourly.m, autogen.m GROUP BY host",
    ];
    pair.compare_all(texts.map(|text| (plan(text), text.to_owned())), Pair::answers);
    for (text, message) in [
        ("SELECT v FROM nosuch..m", "database not found: nosuch"),
        ("SELECT v FROM nosuch.m", "retention policy not found: nosuch"),
        ("SELECT time_weighted_mean(v) FROM nosuch.m", "retention policy not found: nosuch"),
    ] {
        let (_, found) = pair.answers(&plan(text));
        assert_eq!(found, format!("error: {message}"), "{text}");
    }
}

#[test]
fn a_tag_and_a_field_of_a_moment_ago_are_known_at_once() {
    let mut points = Points::default();
    points.add("m", &[("host", "a")], "v", Value::Float(2.0), START);
    let pair = Pair::new(&points);
    let computed = "SELECT time_weighted_mean(v) FROM m GROUP BY *".to_owned();
    let plans = || [(plan(&computed), computed.clone()), (plan("SELECT w, v FROM m"), "w".to_owned())];
    pair.compare_all(plans(), Pair::answers);
    let mut more = Points::default();
    more.add("m", &[("host", "a"), ("new", "x")], "v", Value::Float(4.0), START);
    more.add("m", &[("host", "a")], "w", Value::Float(4.5), START);
    pair.write(POLICY, &more);
    pair.compare_all(plans(), Pair::answers);
}
