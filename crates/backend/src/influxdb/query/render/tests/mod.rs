//! What is said means the plan again: the text is parsed and compiled, and the plans are compared. The texts are random ones of a
//! small grammar, and names that would do harm were they not quoted.

mod grammar;

use std::sync::Arc;

use influxql::ast::Statement;
use model::TimestampNs;
use proptest::prelude::*;
use query::compile::{Context, Dialect, compile};
use query::plan::expr::{BinaryOp, Cast, Expr, Reference};
use query::plan::{Column, MeasurementRef, NameOrPattern, Source};
use query::{AggregateRequest, RequestContext, SeriesRequest};
use regex::Regex;

use super::*;
use grammar::query;

const NOW: TimestampNs = TimestampNs(1_710_072_000_000_000_000);

fn compiled(text: &str, database: &str, policy: Option<&str>) -> Result<Select, String> {
    let statements = influxql::parse(text, &influxql::Params::default(), &influxql::Limits::default());
    let context = Context {
        now: NOW,
        database: Some(database.to_owned()),
        policy: policy.map(str::to_owned),
        dialect: Dialect::Strict,
        into: false,
    };
    match statements.map_err(|error| error.to_string())?.as_slice() {
        [Statement::Select(select)] => compile(select, &context).map_err(|error| error.to_string()),
        other => Err(format!("{} statements", other.len())),
    }
}

fn plan(text: &str) -> Select {
    compiled(text, "plant", None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn say(plan: &Select) -> Said<Question> {
    question(plan, &Scene { into: false, kinds: &[] })
}

/// The text that a text becomes.
fn said(text: &str) -> String {
    say(&plan(text)).unwrap().text
}

fn refused(text: &str) -> String {
    say(&plan(text)).unwrap_err().to_string()
}

/// Says a plan and reads it again.
fn round(plan: &Select) -> Result<(String, Select), String> {
    let said = say(plan).map_err(|error| error.to_string())?;
    let again = compiled(&said.text, &said.database, said.policy.as_deref());
    Ok((said.text.clone(), again.map_err(|error| format!("{}: {error}", said.text))?))
}

/// What the grammar makes and InfluxQL has no words for.
const EXPECTED: [&str; 5] = [
    "InfluxQL cannot say shifted windows from the first point on",
    "InfluxQL cannot say a condition that compares nothing",
    "InfluxQL cannot say a tag called `time`",
    "InfluxQL cannot say a constant without a value",
    "InfluxQL cannot say an integral of groups",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_is_the_same_plan_again(text in query()) {
        let plan = compiled(&text, "plant", None);
        prop_assume!(plan.is_ok());
        let plan = plan.unwrap();
        match round(&plan) {
            Ok((said, again)) => prop_assert_eq!(format!("{again:?}"), format!("{plan:?}"), "{} became {}", text, said),
            Err(error) => prop_assert!(EXPECTED.contains(&error.as_str()), "{text}: {error}"),
        }
    }
}

/// A plan with the same hostile text in every place where a text can stand.
fn hostile(text: &str) -> Select {
    let mut plan = plan("SELECT v FROM m WHERE h::tag = 'x' GROUP BY h");
    plan.columns = vec![Column {
        expr: Expr::Reference(Reference { name: text.to_owned(), cast: Some(Cast::Field) }),
        alias: Some(text.to_owned()),
    }];
    plan.time_name = text.to_owned();
    plan.sources = vec![Source::Measurement(MeasurementRef {
        database: "plant".to_owned(),
        policy: Some(text.to_owned()),
        name: NameOrPattern::Name(text.to_owned()),
    })];
    plan.filter = Some(Expr::Binary {
        op: BinaryOp::Eq,
        left: Box::new(Expr::Reference(Reference { name: text.to_owned(), cast: Some(Cast::Tag) })),
        right: Box::new(Expr::Literal(Cell::String(text.to_owned()))),
    });
    plan.group_by = vec![Dimension::Tag(text.to_owned())];
    plan.time_zone = None;
    plan
}

const HOSTILE: [&str; 14] = [
    "'; DROP DATABASE x",
    "\"; DROP DATABASE x; --",
    "\\",
    "\\\"",
    "\\'",
    "\\n",
    "a\nb",
    "/* x */",
    "-- x",
    "$param",
    "数据点 ☃ \u{1F600}",
    "\u{feff}",
    "a.b.\"c",
    "SELECT",
];

#[test]
fn hostile_names_stay_names() {
    for text in HOSTILE {
        let plan = hostile(text);
        let (said, again) = round(&plan).unwrap();
        assert_eq!(format!("{again:?}"), format!("{plan:?}"), "{said}");
    }
}

proptest! {
    #[test]
    fn any_name_stays_a_name_or_is_not_sayable(text in "\\PC{1,12}|[\\x01-\\x7f]{1,6}") {
        prop_assume!(!text.eq_ignore_ascii_case("time"));
        let plan = hostile(&text);
        match round(&plan) {
            Ok((said, again)) => prop_assert_eq!(format!("{again:?}"), format!("{plan:?}"), "{}", said),
            Err(error) => prop_assert!(text.contains('\r'), "{error}"),
        }
    }
}

#[test]
fn what_a_reader_would_change_is_not_said_but_as_a_pattern() {
    for text in ["a\rb", "a\0b"] {
        assert!(say(&hostile(text)).is_err());
        let pattern = equals("h", text).unwrap().to_string();
        let escaped = pattern.strip_prefix("h::tag =~ /").and_then(|rest| rest.strip_suffix('/')).unwrap();
        assert!(!pattern.contains(['\r', '\0']));
        assert!(Regex::new(escaped).unwrap().is_match(text), "{pattern}");
    }
    let mut plan = plan("SELECT v FROM m");
    plan.filter = Some(Expr::Binary {
        op: BinaryOp::Matches,
        left: Box::new(Expr::Reference(Reference { name: "h".to_owned(), cast: None })),
        right: Box::new(Expr::Pattern(Arc::new(Regex::new("a\nb").unwrap()))),
    });
    assert_eq!(say(&plan).unwrap_err().to_string(), "InfluxQL cannot say a pattern with a line break");
}

#[test]
fn names_are_looked_for_in_the_place_that_all_measurements_have() {
    let place = |text: &str| {
        let said = say(&plan(text)).unwrap();
        (said.database, said.policy, said.text)
    };
    let own = |database: &str, policy: Option<&str>, text: &str| {
        (database.to_owned(), policy.map(str::to_owned), text.to_owned())
    };
    assert_eq!(place("SELECT v FROM m"), own("plant", None, "SELECT v FROM m"));
    assert_eq!(place("SELECT v FROM other.month.m"), own("other", Some("month"), "SELECT v FROM m"));
    assert_eq!(
        place("SELECT v FROM m, other.month./n/"),
        own("plant", None, "SELECT v FROM plant..m, other.month./n/")
    );
}

#[test]
fn long_lists_become_patterns() {
    let list = |count: usize| (0..count).map(|i| format!("h = 'a.{i}'")).collect::<Vec<_>>().join(" OR ");
    assert!(said(&format!("SELECT v FROM m WHERE {}", list(100))).contains(" OR "));
    let long = said(&format!("SELECT v FROM m WHERE v > 1 AND ({})", list(150)));
    assert!(long.contains("v > 1") && long.contains(r"h =~ /^(?:a\.0|a\.1|"), "{long}");
    let mixed = format!("SELECT v FROM m WHERE {} OR g = 'x'", list(150));
    assert!(said(&mixed).contains(" OR "), "of two tags");
}

#[test]
fn bounds_that_the_query_around_has_are_left_to_it() {
    let inner = "SELECT mean(v) FROM m WHERE time >= 5 AND time < 9 GROUP BY time(1m)";
    let text = format!("SELECT difference(max(mean)) FROM ({inner}) WHERE time >= 5 AND time < 8 GROUP BY time(1m)");
    let said = said(&text);
    assert_eq!((said.matches("time >= 5").count(), said.matches("time < 8").count()), (1, 1), "{said}");
}

fn context() -> RequestContext {
    RequestContext { database: "plant".to_owned(), now: NOW, epoch: None }
}

fn aggregate_request(text: &str) -> Select {
    AggregateRequest::parse(text.as_bytes()).unwrap().into_plan(&context()).unwrap()
}

#[test]
fn requests_are_said_too() {
    let series = r#"{"measurement":"m","tags":{"channel":["1","2"]},"start":0,"end":10,"limit":5}"#;
    let plan = SeriesRequest::parse(series.as_bytes()).unwrap().into_plan(&context()).unwrap();
    assert_eq!(
        say(&plan).unwrap().text,
        "SELECT *::field, *::tag FROM m WHERE (channel::tag = '1' OR channel::tag = '2') AND time >= 0 AND \
         time < 10000000001 ORDER BY time DESC LIMIT 5"
    );
    let windows = r#"{"aggregate_type":"time_window","measurement":"m","start":0,"interval":"1d","fill":"none"}"#;
    assert_eq!(
        say(&aggregate_request(windows)).unwrap().text,
        "SELECT mean(value::field) AS value, count(value::field) AS count, min(value::field) AS min, \
         max(value::field) AS max, stddev(value::field) AS stddev FROM m WHERE time >= 0 AND \
         time < 9223372036854775807 GROUP BY time(1d, 0s), * fill(none)"
    );
}

#[test]
fn days_and_weeks_of_a_zone_are_said_where_its_clocks_are_not_changed() {
    let request = |interval: &str, zone: &str, start: &str, end: &str| {
        aggregate_request(&format!(
            r#"{{"aggregate_type":"time_window","measurement":"m","interval":"{interval}","time_zone":"{zone}","start":"{start}","end":"{end}"}}"#
        ))
    };
    let dimension = |plan: &Select| say(plan).map(|said| said.text.split("GROUP BY ").nth(1).unwrap().to_owned());
    let shanghai = request("1d", "Asia/Shanghai", "2024-01-01", "2025-01-01");
    assert_eq!(dimension(&shanghai).unwrap(), "time(1d, -8h), * fill(none)");
    let weeks = request("2w", "Asia/Shanghai", "2024-01-01", "2025-01-01");
    assert_eq!(dimension(&weeks).unwrap(), "time(2w, -80h), * fill(none)");
    let berlin = request("1d", "Europe/Berlin", "2024-01-01", "2024-03-01");
    assert_eq!(dimension(&berlin).unwrap(), "time(1d, -1h), * fill(none)");
    for (interval, end) in [("1d", "2024-05-01"), ("5w", "2024-03-25"), ("1mo", "2024-03-01")] {
        assert!(say(&request(interval, "Europe/Berlin", "2024-01-01", end)).is_err(), "{interval} {end}");
    }
}

#[test]
fn what_influxql_has_no_words_for_is_not_said() {
    let request = |text: &str| say(&aggregate_request(text)).map(|said| said.text).unwrap_err().0;
    let function = r#"{"aggregate_type":"statistical","measurement":"m","function":"time_weighted_mean"}"#;
    assert_eq!(request(function), "the function time_weighted_mean");
    let open = r#"{"aggregate_type":"time_window","measurement":"m","start":0,"fill":"null"}"#;
    assert_eq!(request(open), "windows up to the last point");
    let half = r#"{"aggregate_type":"time_window","measurement":"m","start":0,"end":9,"fill":0.5}"#;
    assert_eq!(request(half), "a fill with a number of another type");
    let field = r#"{"aggregate_type":"statistical","measurement":"m","function":"mean","filters":{"time":"x"}}"#;
    assert_eq!(request(field), "a tag called `time`");
    assert_eq!(refused("SELECT mean(v) FROM m GROUP BY time(1m, 5s)"), EXPECTED[0]);
}

#[test]
fn a_number_that_fits_all_columns_fills_them() {
    let fill = |number: &str, kinds: &[FieldType]| {
        let text = format!(r#"{{"aggregate_type":"time_window","measurement":"m","start":0,"end":9,"fill":{number}}}"#);
        let kinds: Vec<_> = kinds.iter().map(|kind| Some(*kind)).collect();
        question(&aggregate_request(&text), &Scene { into: false, kinds: &kinds }).is_ok()
    };
    assert!(fill("7", &[FieldType::Float, FieldType::Integer]));
    assert!(fill("7.0", &[FieldType::Float, FieldType::Integer]));
    assert!(!fill("7.5", &[FieldType::Float, FieldType::Integer]));
    assert!(fill("7.5", &[FieldType::Float]));
    assert!(!fill("7", &[FieldType::String]));
    assert!(!fill("7", &[]));
}

#[test]
fn rows_and_series_that_are_turned_are_turned_afterwards() {
    let of = |text: &str| After::of(&aggregate_request(text));
    let windows = r#"{"aggregate_type":"time_window","measurement":"m","start":0,"order":"desc","limit":3}"#;
    assert!(of(windows).rows_are_turned && of(windows).cut.is_some());
    assert!(!say(&aggregate_request(windows)).unwrap().text.contains("DESC"));
    assert!(After::of(&plan("SELECT mean(v), max(i) FROM m ORDER BY time DESC LIMIT 2")).is_nothing());
}
