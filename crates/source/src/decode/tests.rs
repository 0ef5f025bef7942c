//! The golden list: every form of FORMS.md and the points it gives.

use jiff::tz::TimeZone;
use model::FieldValue;

use super::*;
use crate::config::TimeUnit;
use crate::sink::{PointRef, SinkError};

const ARRIVAL: TimestampNs = TimestampNs(1_760_000_000_000_000_000);

#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn push(&mut self, point: PointRef<'_>) {
        let value = match point.value {
            FieldValue::Float(number) => number.to_string(),
            FieldValue::Integer(number) => format!("{number}i"),
            FieldValue::String(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        };
        let time = if point.time == ARRIVAL { "now".to_owned() } else { (point.time.0 / 1_000_000).to_string() };
        self.0.push(format!("{} {}={value} {time}", std::str::from_utf8(point.series).unwrap(), point.field));
    }

    fn pending(&self) -> usize {
        self.0.len()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

fn decoder() -> Decoder {
    let time = TimeRules { unit: TimeUnit::Auto, zone: TimeZone::get("Asia/Shanghai").unwrap() };
    Decoder::new(DecodeRules { time, decoders: Vec::new() })
}

/// What a message gives: its points, a notice, `skipped`, and the reasons of what was malformed.
fn outcome(decoder: &mut Decoder, run: impl FnOnce(&mut Decoder, &mut Lines) -> Option<Notice>) -> Vec<String> {
    let mut sink = Lines::default();
    let notice = run(decoder, &mut sink);
    let mut lines = sink.0;
    let text = |part: &Option<Box<str>>| part.as_deref().unwrap_or("*").to_owned();
    lines.extend(notice.map(|notice| format!("notice {}:{}", text(&notice.channel), text(&notice.kind))));
    lines.extend((decoder.tally.skipped > 0).then(|| "skipped".to_owned()));
    for (reason, count) in Reason::ALL.iter().zip(decoder.tally.take_malformed().unwrap_or_default()) {
        lines.extend((0..count).map(|_| format!("malformed {}", reason.as_str())));
    }
    lines
}

fn message(name: &str, text: &str) -> Vec<String> {
    outcome(&mut decoder(), |decoder, sink| decoder.message(name.as_bytes(), text.as_bytes(), ARRIVAL, sink))
}

fn hash(key: &str, field: HashField<'_>, hash_time: Option<(&str, &str)>) -> Vec<String> {
    outcome(&mut decoder(), |decoder, sink| {
        let time = hash_time.and_then(|(name, value)| decoder.hash_time(name.as_bytes(), value.as_bytes()));
        decoder.hash_field(key.as_bytes(), field, time, ARRIVAL, sink);
        None
    })
}

#[test]
fn every_form_of_message_gives_its_points() {
    let forms: &[(&str, &str, &[&str])] = &[
        (
            "point:update:1001:m",
            r#"{"channel_id":"1001","point_type":"m","point_id":"10001","value":25.6,"timestamp":1752633600000}"#,
            &["measurement,channel=1001,point=10001,type=m value=25.6 1752633600000"],
        ),
        (
            "point:update:1001:m",
            r#"{"channel_id":1002,"point_type":"YX","point_id":7,"value":true,"timestamp":1752633600000}"#,
            &["signal,channel=1002,point=7,type=s value=1 1752633600000"],
        ),
        ("point:update:10001", "25.6", &["unknown,point=10001 value=25.6 now"]),
        (
            "point:update",
            r#"{"point_id":"10001","value":25.6,"timestamp":1704956400000,"quality":192}"#,
            &["unknown,point=10001 value=25.6 1704956400000"],
        ),
        (
            "1001:m:10001",
            r#"{"point_id":10001,"value":25.6,"timestamp":1753180800000,"quality":64,"raw_value":25.1}"#,
            &[
                "measurement,channel=1001,point=10001,type=m value=25.6 1753180800000",
                "measurement,channel=1001,point=10001,type=m raw=25.1 1753180800000",
                "measurement,channel=1001,point=10001,type=m quality=64i 1753180800000",
            ],
        ),
        (
            "comsrv:1001:s:20001",
            r#"{"value":1,"timestamp":1753180800000,"quality":"bad","raw_value":null}"#,
            &[
                "signal,channel=1001,point=20001,type=s value=1 1753180800000",
                "signal,channel=1001,point=20001,type=s quality=0i 1753180800000",
            ],
        ),
        (
            "data:1001:a",
            r#"{"point_id":40001,"value":50,"timestamp":1753180800000,"quality":192}"#,
            &["adjustment,channel=1001,point=40001,type=a value=50 1753180800000"],
        ),
        ("comsrv:1001:m", "10001:25.123456", &["measurement,channel=1001,point=10001,type=m value=25.123456 now"]),
        (
            "comsrv:1001:m",
            "10001:25.123456:1642592400000",
            &["measurement,channel=1001,point=10001,type=m value=25.123456 1642592400000"],
        ),
        (
            "comsrv:1001:T",
            r#"{"point_id":1,"value":25.6,"timestamp":1754530782}"#,
            &["measurement,channel=1001,point=1,type=m value=25.6 1754530782000"],
        ),
        ("comsrv:1001:m", "updated:12", &["notice 1001:m"]),
        ("comsrv:1001:z", "5:1e-7", &["unknown,channel=1001,point=5,type=z value=0.0000001 now"]),
        (
            "modsrv:pv:measurement",
            "total_power:1250.500000",
            &["measurement,channel=pv,point=total_power,type=m value=1250.5 now"],
        ),
        (
            "modsrv:pv:update",
            "total_power:1250.500000",
            &["measurement,channel=pv,point=total_power,type=m value=1250.5 now"],
        ),
        ("modsrv:pv:control", "mode:auto", &[r#"control,channel=pv,point=mode,type=c text="auto" now"#]),
        (
            "modsrv:outputs:m1",
            r#"{"model_id":"m1","output":"efficiency","value":0.82,"timestamp":"2025-07-16T10:00:00.123456"}"#,
            &["measurement,channel=m1,point=efficiency,type=m value=0.82 1752631200123"],
        ),
        ("modsrv:outputs:m1", r#"{"value":42.5,"unit":"kW"}"#, &["measurement,channel=m1,type=m value=42.5 now"]),
        (
            "modsrv:outputs:m1",
            r#"{"output":"o","value":{"a":1,"b":2}}"#,
            &["measurement,channel=m1,point=a,type=m value=1 now", "measurement,channel=m1,point=b,type=m value=2 now"],
        ),
        ("modsrv:outputs:m1", r#"{"module_id":"m1","timestamp":1752633600000,"point_count":3}"#, &["notice m1:m"]),
        (
            "modsrv:updates:module:p",
            r#"{"module_id":"p","points":[{"point_id":"p1","value":1.0},{"point_id":"p2","value":2}],"timestamp":"2025-07-10T10:30:01.456Z"}"#,
            &[
                "measurement,channel=p,point=p1,type=m value=1 1752143401456",
                "measurement,channel=p,point=p2,type=m value=2 1752143401456",
            ],
        ),
        (
            "alarmsrv:check",
            r#"{"source":"comsrv","channel_id":"1001","telemetry_type":"T","points":{"1":25.6,"2":1}}"#,
            &[
                "measurement,channel=1001,point=1,type=m value=25.6 now",
                "measurement,channel=1001,point=2,type=m value=1 now",
            ],
        ),
        ("calc:result:loss", "42.5", &["unknown,point=loss value=42.5 now"]),
        ("calc:result:loss", "42.5:1704956400", &["unknown,point=loss value=42.5 1704956400000"]),
        ("calc:result:loss", "total:42.5", &["unknown,channel=loss,point=total value=42.5 now"]),
        ("calc:result:loss", "10001:42.5:1704956400", &["unknown,channel=loss,point=10001 value=42.5 1704956400000"]),
        (
            "calc:result:loss",
            r#"{"value":1.5,"timestamp":1704956400}"#,
            &["unknown,point=loss value=1.5 1704956400000"],
        ),
        (
            "calc:result:loss",
            r#"{"a":1.5,"b":"2","timestamp":1704956400}"#,
            &[
                "unknown,channel=loss,point=a value=1.5 1704956400000",
                "unknown,channel=loss,point=b value=2 1704956400000",
            ],
        ),
        ("calc:result:loss", r#"[{"point_id":"x","value":3}]"#, &["unknown,point=x value=3 now"]),
        (
            "alarm:event:temp_alarm_1",
            r#"{"alarm_id":"temp_alarm_1","type":"temperature","level":"warning","message":"hot","timestamp":"2025-07-16T10:00:00.1","status":"active"}"#,
            &[
                r#"events,level=warning,source=temp_alarm_1,type=temperature alarm_id="temp_alarm_1" 1752631200100"#,
                r#"events,level=warning,source=temp_alarm_1,type=temperature message="hot" 1752631200100"#,
                r#"events,level=warning,source=temp_alarm_1,type=temperature status="active" 1752631200100"#,
            ],
        ),
        (
            "event:door",
            r#"{"data":"open","timestamp":1753180800,"source":"gate"}"#,
            &[r#"events,source=gate,type=door message="open" 1753180800000"#],
        ),
        ("data:1001:update", r#"{"count":12,"timestamp":1753180800}"#, &["notice 1001:*"]),
        (
            "comsrv:update:1001:T",
            r#"{"channel_id":"1001","telemetry_type":"T","count":10,"timestamp":"1754530782"}"#,
            &["notice 1001:m"],
        ),
        ("comsrv:1001:C:TODO", r#"{"point_id":2,"value":1}"#, &["skipped"]),
        ("voltage:grid", "230.5", &["unknown,point=voltage:grid value=230.5 now"]),
        ("channel:7:telemetry", "3:4", &["measurement,channel=7,point=3,type=m value=4 now"]),
    ];
    for (name, text, expected) in forms {
        assert_eq!(message(name, text), *expected, "{name} {text}");
    }
}

#[test]
fn every_form_of_string_and_list_item_gives_its_points() {
    let forms: &[(&str, &str, &[&str])] = &[
        ("1001:m:10001", "25.6:1704956400", &["measurement,channel=1001,point=10001,type=m value=25.6 1704956400000"]),
        (
            "1001:m:10001",
            r#"{"v":25.6,"t":1753180800000}"#,
            &["measurement,channel=1001,point=10001,type=m value=25.6 1753180800000"],
        ),
        (
            "1001:m:10001",
            r#"{"raw":123.45,"processed":120.0,"timestamp":"2023-12-01T10:30:00Z"}"#,
            &[
                "measurement,channel=1001,point=10001,type=m value=120 1701426600000",
                "measurement,channel=1001,point=10001,type=m raw=123.45 1701426600000",
            ],
        ),
        (
            "modsrv:pv:mv:m:7",
            "25.123456:1642592400000:192:model",
            &["measurement,channel=pv,point=7,type=m value=25.123456 1642592400000"],
        ),
        (
            "modsrv:pv:mv:m:7",
            "25.123456:1642592400000:0:model",
            &[
                "measurement,channel=pv,point=7,type=m value=25.123456 1642592400000",
                "measurement,channel=pv,point=7,type=m quality=0i 1642592400000",
            ],
        ),
        (
            "archive:pending",
            r#"{"timestamp":1753747200,"measurement":"custom_metrics","tags":{"z":"1","a":2},"fields":{"x":1.5,"s":"on"}}"#,
            &["custom_metrics,a=2,z=1 x=1.5 1753747200000", r#"custom_metrics,a=2,z=1 s="on" 1753747200000"#],
        ),
    ];
    for (name, text, expected) in forms {
        assert_eq!(message(name, text), *expected, "{name} {text}");
    }
}

#[test]
fn every_form_of_hash_gives_its_points() {
    let field = |name: &'static str, value: &'static str| HashField {
        name: name.as_bytes(),
        value: value.as_bytes(),
        time: None,
        raw: None,
    };
    let joined = HashField { time: Some(b"1767859200123"), raw: Some(b"2305.0"), ..field("1", "230.5") };
    for (key, field, time, expected) in [
        (
            "comsrv:1001:T",
            joined,
            None,
            vec![
                "measurement,channel=1001,point=1,type=m value=230.5 1767859200123",
                "measurement,channel=1001,point=1,type=m raw=2305 1767859200123",
            ],
        ),
        (
            "comsrv:1001:m",
            field("10001", "25.123456"),
            None,
            vec!["measurement,channel=1001,point=10001,type=m value=25.123456 now"],
        ),
        ("comsrv:1001:T", field("1", "NaN"), None, vec!["malformed not_finite"]),
        ("comsrv:1001:T", field("1", "inf"), None, vec!["malformed not_finite"]),
        (
            "inst:23:M",
            field("101", "230.5"),
            Some(("_updated_at", "1767859200123")),
            vec!["measurement,channel=23,point=101,source=inst,type=m value=230.5 1767859200123"],
        ),
        ("inst:23:A", field("5", "1"), None, vec!["adjustment,channel=23,point=5,source=inst,type=a value=1 now"]),
        ("inst:23:M", field("_updated_at", "1767859200123"), None, vec![]),
        (
            "modsrv:pv:measurement",
            field("total_power", "1200.500000"),
            Some(("__updated", "1767859200")),
            vec!["measurement,channel=pv,point=total_power,type=m value=1200.5 1767859200000"],
        ),
        (
            "modsrv:pv:control",
            field("start", "1:1642592400000:operator"),
            None,
            vec!["control,channel=pv,point=start,type=c value=1 1642592400000"],
        ),
        ("calc:result:loss", field("total", "1.5"), None, vec!["unknown,channel=loss,point=total value=1.5 now"]),
    ] {
        assert_eq!(hash(key, field, time), expected, "{key}");
    }
}

#[test]
fn stream_entries_are_flat_fields_or_one_json() {
    let entry = |fields: &[(&str, &str)]| {
        outcome(&mut decoder(), |decoder, sink| {
            let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
            decoder.stream_entry(b"plant", fields, ARRIVAL, sink);
            None
        })
    };
    assert_eq!(
        entry(&[
            ("ch", "1001"),
            ("type", "T"),
            ("t", "1753180800"),
            ("id", "1"),
            ("v", "2.5"),
            ("q", "64"),
            ("id", "2"),
            ("v", "3")
        ]),
        [
            "measurement,channel=1001,point=1,type=m value=2.5 1753180800000",
            "measurement,channel=1001,point=1,type=m quality=64i 1753180800000",
            "measurement,channel=1001,point=2,type=m value=3 1753180800000",
        ]
    );
    assert_eq!(
        entry(&[("data", r#"{"channel_id":"1","point_type":"s","point_id":2,"value":1}"#)]),
        ["signal,channel=1,point=2,type=s value=1 now"]
    );
    assert_eq!(entry(&[("ch", "1"), ("v", "1")]), ["malformed no_point"]);
}

#[test]
fn what_is_malformed_is_counted_with_its_reason() {
    for (name, text, expected) in [
        ("comsrv:1001:m", "", vec!["malformed no_value"]),
        ("comsrv:1001:m", "25.6", vec!["malformed no_point"]),
        ("comsrv:1001:m", ":25.6", vec!["malformed no_point"]),
        ("comsrv:1001:m", "1:", vec!["malformed no_value"]),
        ("comsrv:1001:m", "1:NaN", vec!["malformed not_finite"]),
        ("comsrv:1001:m", "{", vec!["malformed bad_json"]),
        ("comsrv:1001:m", "[1]", vec!["malformed unknown_shape"]),
        ("comsrv:1001:m", r#"{"value":1}"#, vec!["malformed no_point"]),
        ("comsrv:1001:m", r#"{"point_id":1}"#, vec!["malformed no_value"]),
        ("comsrv:1001:m", r#"{"point_id":1,"value":[1]}"#, vec!["malformed unknown_shape"]),
        ("calc:result:x", r#"{"timestamp":1}"#, vec!["malformed no_value"]),
        ("event:x", "text", vec!["malformed bad_json"]),
        (
            "comsrv:1001:m",
            "1:2:soon",
            vec!["measurement,channel=1001,point=1,type=m value=2 now", "malformed bad_time"],
        ),
        (
            "comsrv:1001:m",
            r#"{"point_id":1,"value":2,"quality":"odd","raw":"x"}"#,
            vec!["measurement,channel=1001,point=1,type=m value=2 now", "malformed bad_quality", "malformed bad_raw"],
        ),
    ] {
        assert_eq!(message(name, text), expected, "{name} {text}");
    }
    let bytes = outcome(&mut decoder(), |decoder, sink| decoder.message(b"comsrv:1:m", b"1:\xff", ARRIVAL, sink));
    assert_eq!(bytes, ["malformed not_utf8"]);
}

#[test]
fn times_far_in_the_future_are_stored_and_counted() {
    let mut decoder = decoder();
    let lines =
        outcome(&mut decoder, |decoder, sink| decoder.message(b"comsrv:1:m", b"1:2:1760000601000", ARRIVAL, sink));
    assert_eq!(lines, ["measurement,channel=1,point=1,type=m value=2 1760000601000"]);
    assert_eq!((decoder.tally.future, decoder.tally.points), (1, 1));
}

#[test]
fn configured_decoders_override_the_names() {
    let mut decoder = decoder();
    decoder.rules.decoders = vec![DecoderConfig { pattern: "plant/*".to_owned(), preset: Preset::Ignore }];
    let lines = outcome(&mut decoder, |decoder, sink| decoder.message(b"plant/x", b"1", ARRIVAL, sink));
    assert_eq!(lines, ["skipped"]);
}

proptest::proptest! {
    #[test]
    fn no_message_panics(name in "(comsrv|inst|calc:result|event|point:update|modsrv)?(:[a-z0-9]{0,4}){0,4}", text in r#"[\[\]{}:",.a-z0-9eN+-]{0,60}"#) {
        let mut decoder = decoder();
        let mut sink = Lines::default();
        decoder.message(name.as_bytes(), text.as_bytes(), ARRIVAL, &mut sink);
        for line in &sink.0 {
            proptest::prop_assert!(!line.contains("value=NaN") && !line.contains("value=inf"));
        }
    }
}
