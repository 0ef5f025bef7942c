//! JSON requests, compared with the embedded engine's answers.

use query::{AggregateRequest, RequestContext, Select, SeriesRequest};

use super::plans::plant;
use super::reference::{DATABASE, NOW, Pair, Points, SECOND, START, Value};

fn context() -> RequestContext {
    RequestContext { database: DATABASE.to_owned(), now: NOW, epoch: None }
}

/// The plan of the keys that differ from request to request.
pub(super) fn aggregate(keys: &str) -> (Select, String) {
    let text = format!(r#"{{"measurement":"m",{keys}}}"#);
    let request = AggregateRequest::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
    (request.into_plan(&context()).unwrap_or_else(|error| panic!("{text}: {error}")), text)
}

fn series(keys: &str) -> (Select, String) {
    let text = format!(r#"{{"measurement":"m",{keys}}}"#);
    let request = SeriesRequest::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"));
    (request.into_plan(&context()).unwrap_or_else(|error| panic!("{text}: {error}")), text)
}

const FUNCTIONS: [&str; 18] = [
    "count",
    "derivative",
    "distinct_count",
    "first",
    "integral",
    "last",
    "max",
    "mean",
    "median",
    "min",
    "mode",
    "percentile",
    "percentile_approx",
    "spread",
    "stddev",
    "sum",
    "time_weighted_mean",
    "variance",
];

const RANGE: &str = r#""start":"2024-03-10T00:00:00Z","end":"2024-03-10T00:29:59Z""#;

fn arguments(function: &str) -> &'static str {
    if function.starts_with("percentile") { r#","arguments":[90]"# } else { "" }
}

#[test]
fn every_function_over_windows_and_over_a_whole_range() {
    let pair = Pair::new(&plant());
    let mut requests = Vec::new();
    for function in FUNCTIONS {
        let of = |field: &str| format!(r#""function":"{function}"{},"fields":"{field}",{RANGE}"#, arguments(function));
        for field in ["v", "i"] {
            let of = of(field);
            // Which of equal values is shown with its time as a percentile is not defined.
            if function != "percentile" {
                requests.push(format!(r#""aggregate_type":"statistical",{of}"#));
                requests.push(format!(r#""aggregate_type":"statistical","group_by":[],{of}"#));
            }
            requests.push(format!(r#""aggregate_type":"time_window","interval":"7m",{of}"#));
            requests.push(format!(
                r#""aggregate_type":"time_window","interval":"2m","fill":"null","group_by":["room"],{of}"#
            ));
        }
    }
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
}

#[test]
fn every_key_of_a_request_for_windows() {
    let pair = Pair::new(&plant());
    let mut requests = Vec::new();
    for keys in [
        r#""fields":["v","i"]"#,
        r#""fields":["v","i"],"limit":4"#,
        r#""fields":["v","i"],"limit":4,"order":"desc""#,
        r#""fields":"v","limit":3"#,
        r#""fields":"v","order":"desc""#,
        r#""fields":"v","order":"desc","limit":5"#,
        r#""fields":"v","filters":{"host":["a","c"]}"#,
        r#""fields":"v","filters":{"host":"a","room":"1"}"#,
        r#""fields":"v","filters":{"host":"nosuch"}"#,
        r#""fields":"v","filters":{"nosuch":""}"#,
        r#""fields":"nosuch""#,
        r#""fields":"v","group_by":["host","room"]"#,
        r#""fields":"v","group_by":["room","host"]"#,
        r#""fields":"v","group_by":["nosuch"]"#,
        r#""fields":"v","function":"percentile","arguments":[50]"#,
        r#""fields":"i","function":"first""#,
        r#""fields":"i","function":"sum","interval":"1m30s""#,
    ] {
        for fill in ["none", "null", "previous", "linear"] {
            let interval = if keys.contains("interval") { "" } else { r#","interval":"1m""# };
            requests.push(format!(r#""aggregate_type":"time_window",{keys},{RANGE},"fill":"{fill}"{interval}"#));
        }
        for fill in ["0", "7", "-2.5", "7.0"] {
            requests.push(format!(r#""aggregate_type":"time_window",{keys},{RANGE},"fill":{fill}"#));
        }
    }
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
}

#[test]
fn ranges_and_intervals_of_every_kind() {
    let pair = Pair::new(&plant());
    let mut requests = Vec::new();
    for range in [
        r#""start":"2024-03-10T00:05:00.5Z""#,
        r#""start":"now-50m""#,
        r#""start":"2024-03-10T00:05:00Z","end":"2024-03-10T00:11:00Z""#,
        r#""start":"2024-03-10T00:05:00Z","end":"2024-03-10T00:05:00Z""#,
        r#""start":"2030-03-10T00:05:00Z""#,
        r#""start":0,"end":"now""#,
    ] {
        let statistical = format!(r#""aggregate_type":"statistical","fields":["v","i"],{range}"#);
        requests.push(statistical);
        for interval in ["10m", "1h", "1d", "2w", "1mo", "3mo", "1y"] {
            for zone in ["", r#","time_zone":"Asia/Shanghai""#, r#","time_zone":"Europe/Berlin""#] {
                let interval = format!(r#""interval":"{interval}"{zone}"#);
                requests.push(format!(r#""aggregate_type":"time_window","fields":"v",{range},{interval}"#));
            }
        }
    }
    requests.push(r#""aggregate_type":"statistical","fields":"i""#.to_owned());
    requests.push(r#""aggregate_type":"statistical","fields":"v","end":"2024-03-10T00:05:00Z""#.to_owned());
    requests.push(r#""aggregate_type":"statistical","fields":"i","function":"last""#.to_owned());
    requests.push(r#""aggregate_type":"time_window","fields":"v","start":"now-1h","fill":"null""#.to_owned());
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
}

#[test]
fn custom_queries() {
    let pair = Pair::new(&plant());
    let custom = |query: &str| {
        let text = format!(r#"{{"aggregate_type":"custom","custom_query":"{query}"}}"#);
        (AggregateRequest::parse(text.as_bytes()).unwrap().into_plan(&context()).unwrap(), text)
    };
    let queries = [
        custom("SELECT mean(v) FROM m WHERE time > now() - 50m GROUP BY time(1d), host"),
        custom("SELECT time_weighted_mean(v) FROM m WHERE time > now() - 50m GROUP BY time('1mo')"),
        custom("SELECT max(v) FROM m GROUP BY host"),
        custom(
            "SELECT max(v) - min(v), count(i) FROM m WHERE time > now() - 50m GROUP BY time('1mo'), host fill(none)",
        ),
        custom("SELECT count(i) FROM m WHERE time > now() - 100d GROUP BY time('1mo'), * ORDER BY time DESC LIMIT 3"),
        custom("SELECT count(i), mean(v) FROM m WHERE time > now() - 100d GROUP BY time('1mo'), * LIMIT 3"),
        custom("SELECT max(v), host FROM m WHERE time > now() - 100d GROUP BY time('1mo')"),
    ];
    pair.compare_all(queries, Pair::collected);
}

#[test]
fn functions_of_texts_and_booleans_are_refused_or_answered_alike() {
    let pair = Pair::new(&plant());
    let mut requests = Vec::new();
    for function in ["count", "first", "last", "mode", "distinct_count"] {
        for field in ["note", "live"] {
            let keys = format!(r#""aggregate_type":"statistical","function":"{function}","fields":"{field}",{RANGE}"#);
            requests.push(keys);
        }
    }
    pair.compare_all(requests.iter().map(|keys| aggregate(keys)), Pair::collected);
    let (plan, _) = aggregate(&format!(r#""aggregate_type":"statistical","function":"mean","fields":"note",{RANGE}"#));
    let (expected, found) = pair.answers(&plan);
    assert!(expected.starts_with("error: "), "{expected}");
    assert!(found.starts_with("error: "), "{found}");
}

#[test]
fn requests_for_stored_points() {
    let pair = Pair::new(&plant());
    let mut requests = Vec::new();
    for keys in [
        r#""limit":1000000"#,
        r#""fields":"v""#,
        r#""fields":["v","note"],"limit":5"#,
        r#""fields":["i","v"],"limit":5,"offset":3,"order":"asc""#,
        r#""fields":["nosuch","v"],"limit":2"#,
        r#""fields":"nosuch""#,
        r#""tags":{"host":["a","b"]},"limit":4"#,
        r#""tags":{"room":""},"fields":"v""#,
        r#""group_by":["*"],"fields":"v""#,
        r#""group_by":["*"],"fields":["v","live"],"limit":3"#,
        r#""group_by":["host"],"limit":3,"order":"asc""#,
        r#""group_by":["host"],"limit":3,"offset":2"#,
        r#""group_by":["nosuch","host"],"fields":"v","limit":2"#,
    ] {
        requests.push(keys.to_owned());
        requests.push(format!("{keys},{RANGE}"));
    }
    pair.compare_all(requests.iter().map(|keys| series(keys)), Pair::collected);
}

#[test]
fn a_list_of_thousands_of_channels_is_one_question() {
    let mut points = Points::default();
    for channel in 0..3000 {
        let channel = format!("c.{channel}");
        points.add("m", &[("channel", &channel)], "value", Value::Float(1.5), START + SECOND);
    }
    let pair = Pair::new(&points);
    let wanted: Vec<String> = (0..2000).map(|channel| format!(r#""c.{channel}""#)).collect();
    let wanted = wanted.join(",");
    let keys =
        format!(r#""aggregate_type":"statistical","function":"sum","group_by":[],"filters":{{"channel":[{wanted}]}}"#);
    let (plan, text) = aggregate(&keys);
    pair.compare_all([(plan, text)], Pair::collected);
    assert_eq!(pair.server.asked.lock().unwrap().len(), 2, "one for types and one for the answer");
}

#[test]
fn points_of_many_channels_are_fetched_together() {
    let mut points = Points::default();
    for channel in 0..500 {
        let name = format!("c {channel}'s");
        let tags = [("channel", name.as_str()), ("odd", "yes")];
        let tags = if channel % 2 == 1 { &tags[..] } else { &tags[..1] };
        for step in 0..3 {
            points.add("m", tags, "value", Value::Float(f64::from(step * channel)), START + i64::from(step) * SECOND);
        }
        points.add("m", tags, "other", Value::Integer(i64::from(channel)), START + i64::from(channel));
    }
    let pair = Pair::new(&points);
    for (keys, most) in [
        (r#""aggregate_type":"statistical","function":"time_weighted_mean""#, 20),
        (r#""aggregate_type":"statistical","function":"variance","group_by":[],"fields":["value","other"]"#, 40),
    ] {
        pair.server.asked.lock().unwrap().clear();
        pair.compare_all([aggregate(keys)], Pair::collected);
        let questions = pair.server.asked.lock().unwrap().len();
        assert!(questions < most, "{questions} questions for {keys}");
    }
}
