//! Requests in JSON and the plans they become.

use model::{TimeRange, TimestampNs};
use query::plan::{CalendarUnit, Fill, GroupBy, Order, Plan, TagMatch, Window};
use query::{AggregatePlan, AggregateRequest, QueryError, RequestContext, SeriesPlan, SeriesRequest};

const NOW_NS: i64 = 1_755_820_800_000_000_000;
const HOUR_NS: i64 = 3_600_000_000_000;

fn context() -> RequestContext {
    RequestContext { database: "telemetry".to_owned(), now: TimestampNs(NOW_NS), epoch: None }
}

fn series(body: &str) -> Result<SeriesPlan, QueryError> {
    match SeriesRequest::parse(body.as_bytes())?.into_plan(&context())? {
        Plan::Series(plan) => Ok(plan),
        Plan::Aggregate(_) => panic!("a series plan"),
    }
}

fn aggregate(body: &str) -> Result<AggregatePlan, QueryError> {
    match AggregateRequest::parse(body.as_bytes())?.into_plan(&context())? {
        Plan::Aggregate(plan) => Ok(plan),
        Plan::Series(_) => panic!("an aggregate plan"),
    }
}

fn columns(plan: &AggregatePlan) -> Vec<String> {
    plan.aggregates.iter().map(|a| format!("{}={}({})", a.alias, a.function, a.field)).collect()
}

#[test]
fn the_shortest_series_request_asks_for_everything_newest_first() {
    let plan = series(r#"{"measurement": "m"}"#).unwrap();
    assert_eq!(plan.selection.database, "telemetry");
    assert_eq!(plan.selection.range, TimeRange::ALL);
    assert_eq!(plan.selection.group_by, GroupBy::Nothing);
    assert!(plan.selection.fields.is_empty() && plan.selection.filter.is_empty());
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
    let selection = &plan.selection;
    assert_eq!((selection.database.as_str(), selection.retention_policy.as_deref()), ("d", Some("r")));
    assert_eq!(selection.fields, ["b", "a"]);
    assert!(matches!(&selection.filter[0].matches, TagMatch::Is(v) if v == "1001"));
    assert!(matches!(&selection.filter[1].matches, TagMatch::In(v) if v == &["m", "s"]));
    assert_eq!(selection.group_by, GroupBy::Tags(vec!["channel".to_owned()]));
    assert_eq!((plan.order, plan.limit, plan.offset), (Order::Ascending, Some(5), 2));
}

#[test]
fn the_end_is_inside() {
    let plan = series(r#"{"measurement": "m", "start_time": "now-1h", "end_time": "now"}"#).unwrap();
    assert_eq!(plan.selection.range, TimeRange::new(TimestampNs(NOW_NS - HOUR_NS), TimestampNs(NOW_NS + 1)));
}

#[test]
fn one_name_may_stand_without_a_list_and_a_star_for_all() {
    let plan = series(r#"{"measurement": "m", "fields": "value", "group_by": "*"}"#).unwrap();
    assert_eq!(plan.selection.fields, ["value"]);
    assert_eq!(plan.selection.group_by, GroupBy::All);
    assert!(series(r#"{"measurement": "m", "fields": ["*"]}"#).unwrap().selection.fields.is_empty());
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
    assert!(matches!(plan.window, Some(Window::Fixed { width, offset_ns: 0 }) if width.get() == HOUR_NS));
    assert_eq!(plan.selection.group_by, GroupBy::All);
    assert_eq!((plan.fill, plan.order, plan.limit), (Fill::None, Order::Ascending, None));
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
    assert_eq!((plan.aggregates[0].arguments.as_slice(), plan.aggregates[1].arguments.len()), ([95.0].as_slice(), 0));
    let Some(Window::Calendar { count: 1, unit: CalendarUnit::Day, time_zone }) = &plan.window else { panic!("days") };
    assert_eq!(time_zone, "Europe/Berlin");
    // From midnight to midnight in Berlin, of which the last is inside.
    assert_eq!(plan.selection.range.end.0 - plan.selection.range.start.0, 23 * HOUR_NS + 1);
    assert_eq!((plan.fill, plan.order, plan.limit), (Fill::Linear, Order::Descending, Some(3)));
    assert_eq!((plan.selection.filter.len(), plan.selection.group_by), (1, GroupBy::Nothing));
}

#[test]
fn a_statistical_request_has_one_row_of_everything_or_of_one_function() {
    let plan = aggregate(r#"{"aggregate_type": "statistical", "measurement": "m", "tags": {"a": "b"}}"#).unwrap();
    let names: Vec<_> = plan.aggregates.iter().map(|a| a.alias.as_str()).collect();
    let expected = "count mean min max stddev sum median spread first last p95";
    assert_eq!(names.join(" "), expected);
    assert!(plan.window.is_none());
    assert_eq!((plan.selection.range, plan.selection.filter.len()), (TimeRange::ALL, 1));
    let one = r#"{"aggregate_type": "statistical", "measurement": "m", "function": "median"}"#;
    assert_eq!(columns(&aggregate(one).unwrap()), ["median=median(value)"]);
}

#[test]
fn fill_is_a_word_or_a_number() {
    let fill = |fill: &str| {
        let body = r#"{"aggregate_type": "time_window", "measurement": "m", "start": 0, "fill": FILL}"#;
        aggregate(&body.replace("FILL", fill)).map(|plan| plan.fill)
    };
    assert_eq!(fill(r#""none""#).unwrap(), Fill::None);
    assert_eq!(fill(r#""null""#).unwrap(), Fill::Null);
    assert_eq!(fill("null").unwrap(), Fill::Null);
    assert_eq!(fill(r#""previous""#).unwrap(), Fill::Previous);
    assert_eq!(fill("-1.5").unwrap(), Fill::Value(-1.5));
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
        error(r#""aggregate_type": "custom", "custom_query": "SELECT 1""#),
        "`aggregate_type` is `custom`: queries in InfluxQL are not supported by this version"
    );
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
