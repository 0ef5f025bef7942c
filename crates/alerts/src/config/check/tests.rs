use super::*;
use crate::config::{Missing, Repeat};
use crate::level::Level;

const FACTS: [&str; 2] = ["store_away", "journal_full"];

fn read(json: &str) -> Result<Config, String> {
    let config: Config = serde_json::from_str(json).map_err(|e| e.to_string())?;
    config.check(&FACTS).map_err(|e| e.to_string())?;
    Ok(config)
}

fn wrong(rule: &str) -> String {
    read(&format!(r#"{{"rules":[{rule}],"channels":{{"ops":{{"log":{{}}}}}}}}"#)).unwrap_err()
}

#[test]
fn a_whole_section_is_read() {
    let config = read(
        r#"{
            "rules": [
                {"name": "hot", "query": {"database": "ems", "text": "SELECT last(v) FROM t GROUP BY *", "above": 55, "clear": 50},
                 "for": "1m", "every": "10s", "repeat": "never", "severity": "critical", "on_missing": "fire",
                 "labels": {"site": "north"}, "annotations": {"summary": {"en": "{value}", "zh": "{value}"}}, "channels": ["ops", "mail"]},
                {"name": "silent", "absence": {"database": "ems", "policy": "raw", "measurement": "a\"b", "where": "x = 'y'", "by": ["host"], "after": "5m"}},
                {"name": "events", "event": {"level": "ERROR", "node": "vm-*"}},
                {"name": "full", "health": {"fact": "journal_full", "above": 0.8}}
            ],
            "channels": {
                "ops": {"webhook": {"url": "https://example.com/hook?key=1", "headers": {"Authorization": "Bearer x"},
                        "body": {"msgtype": "text", "text": {"content": "{text}"}}, "language": "zh"}},
                "mail": {"email": {"server": "smtp.example.com:587", "username": "u", "password": "p",
                         "from": "hissrv@example.com", "to": ["ops@example.com"]}},
                "bus": {"redis": {"url": "redis://:secret@localhost:6379/0"}},
                "log": {"log": {}}
            },
            "silences": [{"labels": {"site": "north"}, "weekly": [{"days": ["sun"], "from": "02:00", "until": "04:00", "zone": "Asia/Shanghai"}], "comment": "tests"}]
        }"#,
    )
    .unwrap();
    let rules = config.rules().unwrap();
    assert_eq!(
        rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(),
        ["hot", "silent", "events", "full", "store_away"]
    );
    assert_eq!((rules[0].severity, rules[0].on_missing, rules[0].repeat_ns), (Level::Critical, Missing::Fire, None));
    assert_eq!(rules[4].channels, ["bus", "log", "mail", "ops"]);
    let Expression::Absence(absence) = &rules[1].expression else { panic!("an absence") };
    assert_eq!(
        absence.text,
        "SELECT * FROM \"raw\".\"a\\\"b\" WHERE time > now() - 1d AND (x = 'y') GROUP BY \"host\" ORDER BY time DESC LIMIT 1"
    );
    let shown = serde_json::to_string(&config).unwrap();
    for secret in ["key=1", "Bearer", "secret", "\"p\""] {
        assert!(!shown.contains(secret), "{secret}");
        assert!(!format!("{config:?}").contains(secret), "{secret}");
    }
}

#[test]
fn without_channels_there_is_no_rule_and_one_of_the_same_name_replaces_the_built_in_one() {
    assert_eq!(read("{}").unwrap().rules().unwrap(), []);
    let config = read(
        r#"{"rules":[{"name":"store_away","health":{"fact":"store_away"},"for":"10m"}],"channels":{"ops":{"log":{}}}}"#,
    );
    let rules = config.unwrap().rules().unwrap();
    assert_eq!((rules.len(), rules[0].pending_ns), (1, 600_000_000_000));
    let config = read(r#"{"store_outage":false,"channels":{"ops":{"log":{}}}}"#);
    assert_eq!(config.unwrap().rules().unwrap(), []);
}

#[test]
fn what_cannot_work_is_named_with_its_key() {
    let query = r#""query":{"database":"d","text":"q","above":1}"#;
    assert!(wrong(r#"{"name":"a"}"#).starts_with("alerts.rules[0].query: expected exactly one of"));
    assert!(wrong(&format!(r#"{{"name":"a",{query},"event":{{}}}}"#)).contains("exactly one"));
    assert!(wrong(&format!(r#"{{"name":"",{query}}}"#)).starts_with("alerts.rules[0].name"));
    assert!(wrong(&format!(r#"{{"name":"a",{query},"every":"0s"}}"#)).starts_with("alerts.rules[0].every"));
    assert!(wrong(&format!(r#"{{"name":"a",{query},"repeat":"1s"}}"#)).starts_with("alerts.rules[0].repeat"));
    assert!(wrong(&format!(r#"{{"name":"a",{query},"channels":["opps"]}}"#)).contains("there is no channel `opps`"));
    assert!(wrong(&format!(r#"{{"name":"a",{query}}},{{"name":"a",{query}}}"#)).contains("alerts.rules[1].name"));
    assert!(wrong(r#"{"name":"a","query":{"database":"d","text":"q"}}"#).contains("one of above and below"));
    assert!(wrong(r#"{"name":"a","query":{"database":"d","text":"q","above":1,"clear":2}}"#).contains("good side"));
    assert!(
        wrong(r#"{"name":"a","health":{"fact":"weather"}}"#).contains("`weather` is none of store_away, journal_full")
    );
    assert!(wrong(r#"{"name":"a","event":{"hold":"1m"},"for":"1m"}"#).contains("event.hold"));
    assert!(wrong(r#"{"name":"a","event":{},"for":"1h"}"#).contains("event.hold"));
    assert!(read(r#"{"rules":[{"name":"a","event":{"source":"threshold"},"for":"1h"}]}"#).is_ok());
    assert!(
        wrong(r#"{"name":"a","event":{"source":"treshold"}}"#)
            .contains("event.source: `treshold` fits none of threshold,")
    );
    assert!(
        wrong(r#"{"name":"a","absence":{"database":"d","measurement":"m","after":"2d"}}"#).contains("absence.after")
    );
    assert!(wrong(r#"{"name":"a","queries":1}"#).contains("unknown field `queries`"));
    let channel = |json: &str| read(&format!(r#"{{"channels":{{"ops":{json}}}}}"#)).unwrap_err();
    assert!(channel(r#"{"pigeon":{}}"#).contains("pigeon"));
    assert!(channel(r#"{"log":{"x":1}}"#).contains("unknown field `x`"));
    assert!(channel(r#"{"webhook":{"url":"x"}}"#).starts_with("alerts.channels.ops.webhook.url"));
    assert!(channel(r#"{"redis":{"url":"http://a"}}"#).starts_with("alerts.channels.ops.redis.url"));
    assert!(read(r#"{"silences":[{}]}"#).unwrap_err().starts_with("alerts.silences[0]: labels"));
    assert!(read(r#"{"max_alerts":0}"#).unwrap_err().starts_with("alerts.max_alerts"));
    assert!(read(r#"{"retry":{"first":"10m"}}"#).unwrap_err().starts_with("alerts.retry.first"));
}

#[test]
fn what_is_written_can_be_read_again() {
    let config = read(r#"{"rules":[{"name":"a","health":{"fact":"store_away"},"repeat":"never"}]}"#).unwrap();
    let again: Config = serde_json::from_str(&serde_json::to_string(&config).unwrap()).unwrap();
    assert_eq!(again, config);
    assert_eq!(config.rules[0].repeat, Repeat(None));
}
