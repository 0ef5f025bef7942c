//! Every form in which producers leave values in Redis, put into a real Redis and read back over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Client, Folder, PATIENCE, Redis, Series, Service, wait_for};

/// What producers do, and a point that follows: `measurement,tags field=value time`. Times are milliseconds, or `now`.
struct Form {
    commands: &'static [&'static [&'static str]],
    points: &'static [&'static str],
}

const fn form(commands: &'static [&'static [&'static str]], points: &'static [&'static str]) -> Form {
    Form { commands, points }
}

/// Each form has channels or points of its own, so that a point has one row.
const PUBLISHED: &[Form] = &[
    form(
        &[&[
            "point:update:1001:m",
            r#"{"channel_id":"1001","point_type":"m","point_id":"10001","value":25.6,"timestamp":1752633600000}"#,
        ]],
        &["measurement,channel=1001,type=m,point=10001 value=25.6 1752633600000"],
    ),
    form(
        &[&[
            "point:update:1002:s",
            r#"{"channel_id":1002,"point_type":"s","point_id":20001,"value":1,"timestamp":1752633600000}"#,
        ]],
        &["signal,channel=1002,type=s,point=20001 value=1 1752633600000"],
    ),
    form(&[&["point:update:10003", "25.6"]], &["unknown,point=10003 value=25.6 now"]),
    form(
        &[&["point:update", r#"{"point_id":"10004","value":25.6,"timestamp":1704956400000,"quality":192}"#]],
        &["unknown,point=10004 value=25.6 1704956400000"],
    ),
    form(
        &[&[
            "1005:m:10001",
            r#"{"point_id":10001,"value":25.6,"timestamp":1753180800000,"quality":64,"raw_value":25.1}"#,
        ]],
        &[
            "measurement,channel=1005,type=m,point=10001 value=25.6 1753180800000",
            "measurement,channel=1005,type=m,point=10001 raw=25.1 1753180800000",
            "measurement,channel=1005,type=m,point=10001 quality=64 1753180800000",
        ],
    ),
    form(
        &[&["comsrv:1006:s:20001", r#"{"value":1,"timestamp":1753180800000,"quality":"bad"}"#]],
        &[
            "signal,channel=1006,type=s,point=20001 value=1 1753180800000",
            "signal,channel=1006,type=s,point=20001 quality=0 1753180800000",
        ],
    ),
    form(
        &[&["data:1007:a", r#"{"point_id":40001,"value":50.5,"timestamp":1753180800000,"quality":192}"#]],
        &["adjustment,channel=1007,type=a,point=40001 value=50.5 1753180800000"],
    ),
    form(
        &[&["comsrv:1008:m", "10001:25.123456"]],
        &["measurement,channel=1008,type=m,point=10001 value=25.123456 now"],
    ),
    form(
        &[&["comsrv:1009:c", "30001:1:1642592400000"]],
        &["control,channel=1009,type=c,point=30001 value=1 1642592400000"],
    ),
    form(
        &[&["comsrv:1010:T", r#"{"point_id":1,"value":-25.6,"timestamp":1754530782}"#]],
        &["measurement,channel=1010,type=m,point=1 value=-25.6 1754530782000"],
    ),
    form(
        &[&["modsrv:pv11:measurement", "total_power:1250.500000"]],
        &["measurement,channel=pv11,type=m,point=total_power value=1250.5 now"],
    ),
    form(
        &[&["modsrv:pv12:update", "total_power:1250.500000"]],
        &["measurement,channel=pv12,type=m,point=total_power value=1250.5 now"],
    ),
    form(
        &[&[
            "modsrv:outputs:m13",
            r#"{"model_id":"m13","output":"efficiency","value":0.82,"timestamp":"2025-07-16T10:00:00.123456"}"#,
        ]],
        // Written without a zone: 8 hours ahead of UTC by `redis.time_zone`.
        &["measurement,channel=m13,type=m,point=efficiency value=0.82 1752631200123"],
    ),
    form(
        &[&["modsrv:outputs:m14", r#"{"value":42.5,"unit":"kW"}"#]],
        &["measurement,channel=m14,type=m value=42.5 now"],
    ),
    form(
        &[&[
            "modsrv:updates:module:p15",
            r#"{"module_id":"p15","points":[{"point_id":"p1","value":1.0},{"point_id":"p2","value":2.5}],"timestamp":"2025-07-10T10:30:01.456Z"}"#,
        ]],
        &[
            "measurement,channel=p15,type=m,point=p1 value=1 1752143401456",
            "measurement,channel=p15,type=m,point=p2 value=2.5 1752143401456",
        ],
    ),
    form(
        &[&[
            "alarmsrv:check",
            r#"{"source":"comsrv","channel_id":"1016","telemetry_type":"T","points":{"1":25.6,"2":1}}"#,
        ]],
        &[
            "measurement,channel=1016,type=m,point=1 value=25.6 now",
            "measurement,channel=1016,type=m,point=2 value=1 now",
        ],
    ),
    form(&[&["calc:result:loss17", "42.5"]], &["unknown,point=loss17 value=42.5 now"]),
    form(
        &[&["calc:result:loss18", r#"{"a":1.5,"b":2,"timestamp":1704956400}"#]],
        &[
            "unknown,channel=loss18,point=a value=1.5 1704956400000",
            "unknown,channel=loss18,point=b value=2 1704956400000",
        ],
    ),
    form(
        &[&[
            "alarm:event:a19",
            r#"{"alarm_id":"a19","type":"temperature","level":"warning","message":"hot, 热","timestamp":"2025-07-16T10:00:00.1","status":"active"}"#,
        ]],
        &[
            "events,source=a19,type=temperature,level=warning alarm_id=\"a19\" 1752631200100",
            "events,source=a19,type=temperature,level=warning message=\"hot, 热\" 1752631200100",
            "events,source=a19,type=temperature,level=warning status=\"active\" 1752631200100",
        ],
    ),
    form(
        &[&["event:door20", r#"{"level":"info","message":"open","timestamp":1753180800}"#]],
        &["events,type=door20,level=info message=\"open\" 1753180800000"],
    ),
];

const KEPT: &[Form] = &[
    form(
        &[
            &["HSET", "comsrv:2001:T:ts", "1", "1767859200123"],
            &["HSET", "comsrv:2001:T:raw", "1", "2305.0"],
            &["HSET", "comsrv:2001:T", "1", "230.5", "3", "inf", "4", "NaN"],
        ],
        &[
            "measurement,channel=2001,type=m,point=1 value=230.5 1767859200123",
            "measurement,channel=2001,type=m,point=1 raw=2305 1767859200123",
        ],
    ),
    form(&[&["HSET", "comsrv:2002:S", "2", "1"]], &["signal,channel=2002,type=s,point=2 value=1 now"]),
    form(&[&["HSET", "comsrv:2003:T", "2", "1e-7"]], &["measurement,channel=2003,type=m,point=2 value=1e-7 now"]),
    form(
        &[&["HSET", "comsrv:2004:m", "10001", "25.123456"]],
        &["measurement,channel=2004,type=m,point=10001 value=25.123456 now"],
    ),
    form(
        &[&["HSET", "inst:2005:M", "101", "230.5", "_updated_at", "1767859200123"]],
        &["measurement,channel=2005,type=m,point=101,source=inst value=230.5 1767859200123"],
    ),
    form(
        &[&["HSET", "inst:2006:A", "5", "1.25"]],
        &["adjustment,channel=2006,type=a,point=5,source=inst value=1.25 now"],
    ),
    form(
        &[&["HSET", "modsrv:pv2007:measurement", "total_power", "1200.500000", "__updated", "1767859200"]],
        &["measurement,channel=pv2007,type=m,point=total_power value=1200.5 1767859200000"],
    ),
    form(
        &[&["HSET", "modsrv:pv2008:control", "start", "1:1642592400000:operator"]],
        &["control,channel=pv2008,type=c,point=start value=1 1642592400000"],
    ),
    form(
        &[&["SET", "2009:m:10001", "25.6:1704956400"]],
        &["measurement,channel=2009,type=m,point=10001 value=25.6 1704956400000"],
    ),
    form(
        &[&["SET", "2010:s:10001", r#"{"v":1,"t":1753180800000}"#]],
        &["signal,channel=2010,type=s,point=10001 value=1 1753180800000"],
    ),
    form(
        &[&["SET", "2011:m:10001", r#"{"raw":123.45,"processed":120.0,"timestamp":"2023-12-01T10:30:00Z"}"#]],
        &[
            "measurement,channel=2011,type=m,point=10001 value=120 1701426600000",
            "measurement,channel=2011,type=m,point=10001 raw=123.45 1701426600000",
        ],
    ),
    form(
        &[&["SET", "2012:m:10001", "25.123456:1642592400000:64:model"]],
        &[
            "measurement,channel=2012,type=m,point=10001 value=25.123456 1642592400000",
            "measurement,channel=2012,type=m,point=10001 quality=64 1642592400000",
        ],
    ),
    form(
        &[&[
            "RPUSH",
            "archive:pending",
            r#"{"timestamp":1753747200,"measurement":"custom_metrics","tags":{"z":"1","a":"x"},"fields":{"x":1.5}}"#,
        ]],
        &["custom_metrics,z=1,a=x x=1.5 1753747200000"],
    ),
];

/// Keys and messages that hold no points; a point of one of these channels would be an error.
const POINTLESS: &[&[&str]] = &[
    &["HSET", "comsrv:3001:T:meta", "1", "5"],
    &["HSET", "inst:3002:name", "x", "1"],
    &["HSET", "route:c2m", "3003:T:1", "23:M:101"],
    &["HSET", "comsrv:stats:3004", "1", "5"],
    &["PUBLISH", "comsrv:3005:C:TODO", r#"{"point_id":2,"value":1}"#],
    &["PUBLISH", "comsrv:3006:T", "nonsense"],
];

const SECTIONS: &str =
    "  patterns: [\"*\"]\n  time_zone: Asia/Shanghai\n  snapshot: {interval: 200ms, scan_interval: 200ms}\n";

fn start(folder: &Folder, redis: &Redis, sections: &str) -> Service {
    let service = Service::start(folder, &format!("redis:\n  url: {}\n{sections}", redis.url()));
    wait_for("the subscription", || service.status()["sources"][0]["state"]["connected"] == true);
    service
}

#[test]
fn every_published_form_is_stored_with_measurement_tags_value_and_time() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis, SECTIONS);
    for command in PUBLISHED.iter().flat_map(|form| form.commands) {
        redis.command(&[&["PUBLISH"], *command].concat());
    }
    let mut client = service.client();
    PUBLISHED.iter().flat_map(|form| form.points).for_each(|point| expect_point(&mut client, point));
    service.stop();
}

#[test]
fn every_form_of_hash_string_and_list_is_stored_with_measurement_tags_value_and_time() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis, SECTIONS);
    for command in KEPT.iter().flat_map(|form| form.commands) {
        redis.command(command);
    }
    let mut client = service.client();
    KEPT.iter().flat_map(|form| form.points).for_each(|point| expect_point(&mut client, point));
    service.stop();
}

#[test]
fn what_holds_no_points_is_skipped_or_counted_as_malformed() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis, SECTIONS);
    POINTLESS.iter().for_each(|command| drop(redis.command(command)));
    redis.command(&["HSET", "comsrv:3000:T", "1", "5", "3", "inf"]);
    redis.command(&["PUBLISH", "comsrv:3000:T", "2:6"]);
    let mut client = service.client();
    expect_point(&mut client, "measurement,channel=3000,type=m,point=1 value=5 now");
    expect_point(&mut client, "measurement,channel=3000,type=m,point=2 value=6 now");
    let tags = client.get("/api/v1/tags?measurement=measurement").ok().json();
    assert_eq!(tags["tags"]["channel"], json!(["3000"]));
    let measurements = client.get("/api/v1/measurements").ok().json();
    assert_eq!(measurements["measurements"], json!(["measurement"]));
    let state = &service.status()["sources"][0]["state"];
    let reasons: Vec<&Value> = state["malformed"].as_array().unwrap().iter().map(|m| &m["reason"]).collect();
    assert!(reasons.contains(&&json!("not_finite")) && reasons.len() >= 2, "{state}");
    assert!(state["skipped"].as_u64() >= Some(1), "{state}");
    service.stop();
}

#[test]
fn a_notice_has_the_hash_read_at_once() {
    let (folder, redis) = (Folder::new(), Redis::start());
    redis.command(&["HSET", "comsrv:4001:T", "1", "1.5"]);
    let rare = "  patterns: [\"comsrv:*\", \"data:*\"]\n  snapshot: {interval: 1h, scan_interval: 1h}\n";
    let service = start(&folder, &redis, rare);
    let mut client = service.client();
    expect_point(&mut client, "measurement,channel=4001,type=m,point=1 value=1.5 now");
    for (value, channel, notice) in [
        (2.5, "comsrv:update:4001:T", r#"{"count":1,"timestamp":1753180800}"#),
        (3.5, "comsrv:4001:T", "updated:1"),
        (4.5, "data:4001:update", r#"{"count":1,"timestamp":1753180800}"#),
    ] {
        redis.command(&["HSET", "comsrv:4001:T", "1", &value.to_string()]);
        redis.command(&["PUBLISH", channel, notice]);
        wait_for(&format!("the value {value} after {channel}"), || {
            let rows = rows(&mut client, "measurement", &json!({ "channel": "4001" }), "value");
            rows.iter().any(|(_, _, v)| v.as_f64() == Some(value))
        });
    }
    service.stop();
}

#[test]
fn numbers_are_stored_to_the_last_bit() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis, SECTIONS);
    let digits = ["10.198039027185569", "0.1", "-123456789.12345679", "1.7976931348623157e308", "5e-324"];
    for (index, digits) in digits.iter().enumerate() {
        redis.command(&["PUBLISH", &format!("comsrv:5{index}:T"), &format!(r#"{{"point_id":1,"value":{digits}}}"#)]);
        redis.command(&["PUBLISH", &format!("comsrv:6{index}:T"), &format!("1:{digits}")]);
        redis.command(&["HSET", &format!("comsrv:7{index}:T"), "1", digits]);
    }
    let mut client = service.client();
    for (index, digits) in digits.iter().enumerate() {
        for channel in [format!("5{index}"), format!("6{index}"), format!("7{index}")] {
            let path = format!("/api/v1/latest?measurement=measurement&field=value&tag.channel={channel}&epoch=ms");
            wait_for(&format!("{digits} in channel {channel}"), || {
                client.get(&path).text().replace("e+", "e").contains(&format!(",{digits}]]"))
            });
        }
    }
    service.stop();
}

/// A point as it should be read back.
struct Expected {
    measurement: String,
    tags: BTreeMap<String, String>,
    field: String,
    value: Value,
    /// `None`: about now.
    time_ms: Option<i64>,
}

impl Expected {
    fn parse(text: &str) -> Self {
        let (key, rest) = text.split_once(' ').unwrap();
        let (assignment, time) = rest.rsplit_once(' ').unwrap();
        let (field, value) = assignment.split_once('=').unwrap();
        let (measurement, tags) = key.split_once(',').unwrap();
        let tag = |tag: &str| tag.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned())).unwrap();
        Self {
            measurement: measurement.to_owned(),
            tags: tags.split(',').map(tag).collect(),
            field: field.to_owned(),
            value: serde_json::from_str(value).unwrap(),
            time_ms: (time != "now").then(|| time.parse().unwrap()),
        }
    }
}

type Found = (BTreeMap<String, String>, i64, Value);

/// Tags, time in milliseconds and value of all rows of a field.
fn rows(client: &mut Client, measurement: &str, tags: &Value, field: &str) -> Vec<Found> {
    let question =
        json!({ "measurement": measurement, "tags": tags, "fields": [field], "group_by": ["*"], "order": "asc" });
    let answer = client.post("/api/v1/query/series?epoch=ms", question.to_string());
    if answer.status == 404 {
        return Vec::new();
    }
    let series = Series::read(&answer.ok());
    let rows_of = |s: Series| {
        let tags = s.tags;
        s.rows.into_iter().filter_map(move |row| Some((tags.clone(), row.time, row.values.into_values().next()?)))
    };
    series.into_iter().flat_map(rows_of).collect()
}

/// Waits for the one row that a point must have, and judges it.
#[track_caller]
fn expect_point(client: &mut Client, text: &str) {
    let expected = Expected::parse(text);
    let deadline = Instant::now() + PATIENCE;
    let found = loop {
        let mut found = rows(client, &expected.measurement, &json!(expected.tags), &expected.field);
        // A filter does not speak of other tags; those with more are other series.
        found.retain(|(tags, ..)| *tags == expected.tags);
        if !found.is_empty() {
            break found;
        }
        assert!(Instant::now() < deadline, "{text}: nothing was stored");
        std::thread::sleep(Duration::from_millis(20));
    };
    let [(_, time, value)] = found.as_slice() else { panic!("{text}: {found:?}") };
    assert_eq!((value.as_f64(), value.as_str()), (expected.value.as_f64(), expected.value.as_str()), "{text}");
    match expected.time_ms {
        Some(expected) => assert_eq!(*time, expected, "{text}"),
        None => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64;
            assert!((now - 60_000..=now).contains(time), "{text}: {time}, but it is {now}");
        }
    }
}
