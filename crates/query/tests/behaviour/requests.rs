//! Requests in JSON and the plans they become.

use model::{TimeRange, TimestampNs};
use query::plan::expr::{BinaryOp, Cast, Expr, Kinds};
use query::plan::{CalendarUnit, Dimension, FillWith, MeasurementRef, NameOrPattern, Order, Select, Source, Windowing};
use query::result::Cell;
use query::{AggregateRequest, QueryError, RequestContext, SeriesRequest};

const NOW_NS: i64 = 1_755_820_800_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;

fn context() -> RequestContext {
    RequestContext { database: "telemetry".to_owned(), now: TimestampNs(NOW_NS), epoch: None }
}

fn series(body: &str) -> Result<Select, QueryError> {
    SeriesRequest::parse(body.as_bytes())?.into_plan(&context())
}

fn aggregate(body: &str) -> Result<Select, QueryError> {
    AggregateRequest::parse(body.as_bytes())?.into_plan(&context())
}

/// Columns as `alias=function(field)`, `field` or `*`.
fn columns(plan: &Select) -> Vec<String> {
    let text = |expr: &Expr| match expr {
        Expr::All(Kinds::Fields) => "fields".to_owned(),
        Expr::All(Kinds::Tags) => "tags".to_owned(),
        Expr::Reference(field) if field.cast == Some(Cast::Field) => field.name.clone(),
        Expr::Aggregate(call) => match &*call.of {
            Expr::Reference(field) if field.cast == Some(Cast::Field) => format!("{}({})", call.function, field.name),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let column = |c: &query::plan::Column| match &c.alias {
        Some(alias) => format!("{alias}={}", text(&c.expr)),
        None => text(&c.expr),
    };
    plan.columns.iter().map(column).collect()
}

fn source(plan: &Select) -> &MeasurementRef {
    let [Source::Measurement(source)] = plan.sources.as_slice() else { panic!("one measurement") };
    source
}

/// Tags grouped by; `*` for all.
fn group_by(plan: &Select) -> Vec<&str> {
    let key = |dimension: &'_ Dimension| match dimension {
        Dimension::Tag(key) => key.clone(),
        Dimension::All => "*".to_owned(),
        Dimension::Like(pattern) => panic!("{pattern}"),
    };
    plan.group_by.iter().map(|d| &*key(d).leak()).collect()
}

/// A filter as text.
fn filter(expr: &Expr) -> String {
    match expr {
        Expr::Binary { op: BinaryOp::And, left, right } => format!("{} AND {}", filter(left), filter(right)),
        Expr::Binary { op: BinaryOp::Or, left, right } => format!("({} OR {})", filter(left), filter(right)),
        Expr::Binary { op: BinaryOp::Eq, left, right } => format!("{}={}", filter(left), filter(right)),
        Expr::Reference(tag) if tag.cast == Some(Cast::Tag) => tag.name.clone(),
        Expr::Literal(Cell::String(text)) => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_shortest_series_request_asks_for_everything_newest_first() {
    let plan = series(r#"{"measurement": "m"}"#).unwrap();
    assert_eq!(source(&plan).database, "telemetry");
    assert!(matches!(&source(&plan).name, NameOrPattern::Name(name) if name == "m"));
    assert_eq!((plan.range, columns(&plan)), (TimeRange::ALL, vec!["fields".to_owned(), "tags".to_owned()]));
    assert!(plan.group_by.is_empty() && plan.filter.is_none());
    assert_eq!((plan.order, plan.limit, plan.offset), (Order::Descending, None, 0));
    assert!(SeriesRequest::parse(br#"{"measurement": "m"}"#).unwrap().cacheable);
}

#[test]
fn a_series_request_with_every_key_becomes_its_plan() {
    let plan = series(
        r#"{"database": "d", "retention_policy": "r", "measurement": "m", "fields": ["b", "a"],
            "tags": {"channel": "1001", "type": ["m", "s"]}, "start": "now-1h", "end": "now",
            "group_by": ["channel"], "order": "asc", "limit": 5, "offset": 2, "cacheable": false}"#,
    )
    .unwrap();
    assert_eq!((source(&plan).database.as_str(), source(&plan).policy.as_deref()), ("d", Some("r")));
    assert_eq!(columns(&plan), ["b=b", "a=a"]);
    assert_eq!(filter(plan.filter.as_ref().unwrap()), "channel=1001 AND (type=m OR type=s)");
    assert_eq!(group_by(&plan), ["channel"]);
    assert_eq!((plan.order, plan.limit, plan.offset), (Order::Ascending, Some(5), 2));
}

#[test]
fn the_end_is_inside() {
    let plan = series(r#"{"measurement": "m", "start_time": "now-1h", "end_time": "now"}"#).unwrap();
    assert_eq!(plan.range, TimeRange::new(TimestampNs(NOW_NS - HOUR_NS), TimestampNs(NOW_NS + 1)));
}

#[test]
fn one_name_may_stand_without_a_list_and_a_star_for_all() {
    let plan = series(r#"{"measurement": "m", "fields": "value", "group_by": "*"}"#).unwrap();
    assert_eq!((columns(&plan), group_by(&plan)), (vec!["value=value".to_owned()], vec!["*"]));
    let all = series(r#"{"measurement": "m", "fields": ["*"], "group_by": []}"#).unwrap();
    assert_eq!(columns(&all), ["fields", "tags"]);
}

#[test]
fn a_wrong_series_request_is_answered_with_what_is_expected() {
    let error = |body: &str| series(body).unwrap_err().to_string();
    assert_eq!(error(r#"{"measurement": "m", "limit": 0}"#), "`limit` is 0: expected at least 1");
    assert_eq!(error(r#"{"measurement": ""}"#), "`measurement` is empty: expected the name of a measurement");
    assert_eq!(
        error(r#"{"measurement": "m", "tags": {"a": []}}"#),
        "the list of values of tag `a` is empty: expected at least one"
    );
    assert_eq!(
        error(r#"{"measurement": "m", "group_by": ["a", "*"]}"#),
        "`group_by` has `*` beside other tags: expected `*` alone, or names of tags"
    );
    assert!(error(r#"{"measurement": "m", "start": "soon"}"#).starts_with("`start` is `soon`: expected RFC 3339"));
    assert_eq!(
        error(r#"{"measurement": "m", "start": 20, "end": 10}"#),
        "`end` (10000000000 ns) is before `start` (20000000000 ns)"
    );
    let unknown = error(r#"{"measurement": "m", "mesurement": "m"}"#);
    assert!(unknown.starts_with("request body: unknown field `mesurement`, expected one of `database`"), "{unknown}");
    assert_eq!(error("{}"), "request body: missing field `measurement` at line 1 column 2");
    assert!(error(r#"{"measurement": "m", "fields": 5}"#).contains("a string or a list of strings"));
    assert!(error(r#"{"measurement": "m", "order": "up"}"#).contains("unknown variant `up`, expected `asc` or `desc`"));
}

#[test]
fn a_time_window_has_the_seeds_columns_and_defaults() {
    let plan = aggregate(r#"{"aggregate_type": "time_window", "measurement": "m", "start": "now-1d"}"#).unwrap();
    let expected =
        ["value=mean(value)", "count=count(value)", "min=min(value)", "max=max(value)", "stddev=stddev(value)"];
    assert_eq!(columns(&plan), expected);
    assert!(matches!(plan.window, Some(Windowing::Fixed { width, offset_ns: 0 }) if width.get() == HOUR_NS));
    assert_eq!(group_by(&plan), ["*"]);
    assert_eq!((plan.fill, plan.order, plan.limit), (FillWith::None, Order::Ascending, None));
}

#[test]
fn a_time_window_with_every_key_becomes_its_plan() {
    let plan = aggregate(
        r#"{"aggregate_type": "time_window", "function": "PERCENTILE", "arguments": [95], "measurement": "m",
            "fields": ["u", "i"], "filters": {"channel": "1"}, "start": "2026-03-29", "end": "2026-03-30", "interval": "1d",
            "time_zone": "Europe/Berlin", "fill": "linear", "group_by": [], "order": "desc", "limit": 3}"#,
    )
    .unwrap();
    assert_eq!(columns(&plan)[0], "u_value=percentile(u)");
    assert_eq!(columns(&plan)[9], "i_stddev=stddev(i)");
    let arguments = |column: usize| match &plan.columns[column].expr {
        Expr::Aggregate(call) => call.arguments.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!((arguments(0), arguments(1)), (vec![Cell::Float(95.0)], Vec::new()));
    assert_eq!(plan.window, Some(Windowing::Calendar { count: 1, unit: CalendarUnit::Day }));
    assert_eq!(plan.time_zone.as_deref(), Some("Europe/Berlin"));
    // From midnight to midnight in Berlin, of which the last is inside.
    assert_eq!(plan.range.end.0 - plan.range.start.0, 23 * HOUR_NS + 1);
    assert_eq!((&plan.fill, plan.order, plan.limit), (&FillWith::Linear, Order::Descending, Some(3)));
    assert_eq!((filter(plan.filter.as_ref().unwrap()), plan.group_by.len()), ("channel=1".to_owned(), 0));
}

#[test]
fn hours_are_those_of_the_epoch_also_where_a_zone_is_given() {
    let body = r#"{"aggregate_type": "time_window", "measurement": "m", "start": 0, "interval": "6h", "time_zone": "Asia/Kolkata"}"#;
    assert_eq!(aggregate(body).unwrap().time_zone, None);
}

#[test]
fn a_statistical_request_has_one_row_of_everything_or_of_one_function() {
    let plan = aggregate(r#"{"aggregate_type": "statistical", "measurement": "m", "tags": {"a": "b"}}"#).unwrap();
    let names: Vec<_> = plan.columns.iter().filter_map(|column| column.alias.as_deref()).collect();
    let expected = "count mean min max stddev sum q1 median q3 spread first last p95 coverage";
    assert_eq!(names.join(" "), expected);
    assert!(plan.window.is_none());
    assert_eq!((plan.range, plan.filter.is_some()), (TimeRange::ALL, true));
    let one = r#"{"aggregate_type": "statistical", "measurement": "m", "function": "median"}"#;
    assert_eq!(columns(&aggregate(one).unwrap()), ["median=median(value)"]);
}

#[test]
fn fill_is_a_word_or_a_number() {
    let fill = |fill: &str| {
        let body = r#"{"aggregate_type": "time_window", "measurement": "m", "start": 0, "fill": FILL}"#;
        aggregate(&body.replace("FILL", fill)).map(|plan| plan.fill)
    };
    assert_eq!(fill(r#""none""#).unwrap(), FillWith::None);
    assert_eq!(fill(r#""null""#).unwrap(), FillWith::Null);
    assert_eq!(fill("null").unwrap(), FillWith::Null);
    assert_eq!(fill(r#""previous""#).unwrap(), FillWith::Previous);
    assert_eq!(fill("-1.5").unwrap(), FillWith::Exactly(Cell::Float(-1.5)));
    assert_eq!(fill("7").unwrap(), FillWith::Exactly(Cell::Integer(7)));
    let error = fill(r#""zero""#).unwrap_err().to_string();
    assert!(
        error.contains(r#"`fill` is "zero": expected `none`, `null`, `previous`, `linear` or a number"#),
        "{error}"
    );
}

#[test]
fn a_wrong_aggregate_request_is_answered_with_what_is_expected() {
    let error = |rest: &str| aggregate(&format!(r#"{{"measurement": "m", {rest}}}"#)).unwrap_err().to_string();
    assert_eq!(
        error(r#""aggregate_type": "time_window""#),
        "`start` is missing: expected the first time of the windows, such as `now-24h`"
    );
    let statistical = r#""aggregate_type": "statistical""#;
    assert_eq!(
        error(&format!(r#"{statistical}, "custom_query": "SELECT 1""#)),
        "`custom_query` is only for the `aggregate_type` `custom`"
    );
    assert_eq!(
        error(&format!(r#"{statistical}, "interval": "1h""#)),
        "`interval` is only for the `aggregate_type` `time_window`"
    );
    assert_eq!(error(&format!(r#"{statistical}, "fill": 0"#)), "`fill` is only for the `aggregate_type` `time_window`");
    assert_eq!(
        error(&format!(r#"{statistical}, "arguments": [5]"#)),
        "`function` is missing: expected the function that `arguments` are for"
    );
    assert_eq!(error(&format!(r#"{statistical}, "fields": []"#)), "`fields` must name the fields to compute of");
    assert_eq!(error(&format!(r#"{statistical}, "time_zone": "X/Y""#)), "unknown time zone `X/Y`");
    assert!(error(r#""aggregate_type": "weekly""#).contains("unknown variant `weekly`, expected one of `time_window`"));
}

#[test]
fn functions_are_known_whatever_is_stored_and_those_of_influxql_alone_are_not() {
    let error = |function: &str| {
        let body = r#"{"aggregate_type": "statistical", "measurement": "m", "function": FUNCTION}"#;
        aggregate(&body.replace("FUNCTION", function)).unwrap_err().to_string()
    };
    assert_eq!(error(r#""average""#), "unknown aggregate function `average`");
    assert_eq!(error(r#""top", "arguments": [3]"#), "unknown aggregate function `top`");
    assert_eq!(
        error(r#""percentile", "arguments": [101]"#),
        "percentile() takes one argument from 0 to 100, found [101.0]"
    );
    let own = r#"{"aggregate_type": "statistical", "measurement": "m", "function": "integral", "arguments": [60]}"#;
    assert_eq!(columns(&aggregate(own).unwrap()), ["integral=integral(value)"]);
}

fn custom(query: &str) -> Result<Select, QueryError> {
    aggregate(&serde_json::json!({ "aggregate_type": "custom", "custom_query": query }).to_string())
}

#[test]
fn a_custom_query_is_a_select_in_influxql_of_the_requests_database() {
    let plan =
        custom("SELECT integral(value) FROM m WHERE time >= 0 GROUP BY time('1mo') tz('Asia/Shanghai')").unwrap();
    assert_eq!(source(&plan).database, "telemetry");
    assert_eq!(plan.window, Some(Windowing::Calendar { count: 1, unit: CalendarUnit::Month }));
    let Expr::Aggregate(call) = &plan.columns[0].expr else { panic!("a function") };
    assert_eq!((call.function.as_str(), call.label.as_str()), ("integral_of_windows", "integral"));
    let elsewhere =
        r#"{"aggregate_type": "custom", "database": "d", "retention_policy": "r", "custom_query": "SELECT v FROM m"}"#;
    let plan = aggregate(elsewhere).unwrap();
    assert_eq!((source(&plan).database.as_str(), source(&plan).policy.as_deref()), ("d", Some("r")));
}

#[test]
fn a_wrong_custom_query_is_answered_with_what_is_expected() {
    let error = |query: &str| custom(query).unwrap_err().to_string();
    assert_eq!(
        error("SELECT v FROM"),
        "`custom_query`: error parsing query: found EOF, expected identifier at line 1, char 15"
    );
    assert_eq!(error("SELECT nosuch(v) FROM m"), "`custom_query`: undefined function nosuch()");
    assert_eq!(error("SHOW DATABASES"), "`custom_query`: it is no SELECT, which is expected");
    assert_eq!(error("SELECT v FROM m; SELECT w FROM m"), "`custom_query`: it has 2 statements: expected one SELECT");
    assert_eq!(
        error("SELECT v INTO n FROM m"),
        "`custom_query`: it writes INTO a measurement: expected a SELECT that only reads"
    );
    let missing = aggregate(r#"{"aggregate_type": "custom"}"#).unwrap_err().to_string();
    assert_eq!(missing, "`custom_query` is missing: expected a SELECT in InfluxQL");
    let both = aggregate(r#"{"aggregate_type": "custom", "custom_query": "SELECT v FROM m", "limit": 5}"#);
    assert_eq!(both.unwrap_err().to_string(), "`limit` is not for the `aggregate_type` `custom`");
}
