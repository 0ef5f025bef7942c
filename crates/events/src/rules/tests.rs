//! What is watched, and which configurations are refused.

use super::*;
use crate::thresholds::Thresholds;

fn config(yaml: &str) -> Config {
    serde_saphyr::from_str(yaml).unwrap()
}

fn rules(yaml: &str) -> Rules {
    Rules::new(&config(yaml)).unwrap()
}

fn refused(yaml: &str) -> String {
    Rules::new(&config(yaml)).unwrap_err().to_string()
}

fn watch(rules: &Rules, series: &str) -> Option<(String, String, String)> {
    let watch = rules.watch(&SeriesKey::parse(series.as_bytes()).unwrap(), "value")?;
    Some((watch.node_id().to_owned(), watch.node_type().to_owned(), watch.metric().to_owned()))
}

fn watched(node_id: &str, node_type: &str, metric: &str) -> Option<(String, String, String)> {
    Some((node_id.to_owned(), node_type.to_owned(), metric.to_owned()))
}

#[test]
fn every_metric_of_the_table_is_watched_without_any_configuration() {
    let rules = Rules::new(&Config::default()).unwrap();
    for (node_type, metrics) in NODE_TYPES {
        for built_in in *metrics {
            let lower = node_type.to_lowercase();
            let series = format!("{lower}_metrics,metric={},node_id=n-1,node_type={node_type}", built_in.metric);
            assert_eq!(watch(&rules, &series), watched("n-1", node_type, built_in.metric));
        }
    }
}

#[test]
fn it_metrics_are_told_by_measurement_tags_and_field() {
    let rules = Rules::new(&Config::default()).unwrap();
    assert_eq!(watch(&rules, "vm_metrics,metric=cpu_usage,node_id=a"), watched("a", "VM", "cpu_usage"));
    assert_eq!(
        watch(&rules, "vm_metrics,metric=cpu_usage,node_id=a,node_type=host"),
        watched("a", "HOST", "cpu_usage")
    );
    assert_eq!(watch(&rules, "vm_metrics,metric=cpu_usage"), None);
    assert_eq!(watch(&rules, "vm_metrics,node_id=a,node_type=VM"), None);
    assert_eq!(watch(&rules, "vm_metrics,metric=uptime,node_id=a"), None);
    assert_eq!(watch(&rules, "vm,metric=cpu_usage,node_id=a,node_type=VM"), None);
    assert_eq!(watch(&rules, "node_logs,level=INFO,metric=cpu_usage,node_id=a,node_type=VM,source=info"), None);
    let series = SeriesKey::parse(b"vm_metrics,metric=cpu_usage,node_id=a").unwrap();
    assert!(rules.watch(&series, "unit").is_none());
}

#[test]
fn ems_points_are_matched_in_order_and_the_configurations_matches_come_first() {
    let rules = rules(
        "points:
  match:
    - {channel: '10*', point: '1000?', kind: temperature}
    - {point: secret_voltage, kind: none}
    - {measurement: signal, point: '7', kind: breaker}
  kinds:
    breaker: {warning: 1, anomalies: false}
",
    );
    let point = |text: &str| watch(&rules, text);
    assert_eq!(point("measurement,channel=1001,point=10001,type=m"), watched("1001:m:10001", "EMS", "temperature"));
    assert_eq!(point("measurement,channel=2001,point=10001,type=m"), None);
    assert_eq!(
        point("measurement,channel=2001,point=bus_voltage,type=m"),
        watched("2001:m:bus_voltage", "EMS", "voltage")
    );
    assert_eq!(point("measurement,channel=2001,point=secret_voltage,type=m"), None);
    assert_eq!(point("signal,channel=1,point=7"), watched("1:s:7", "EMS", "breaker"));
    assert_eq!(point("signal,channel=1,point=comm_ok,type=s"), watched("1:s:comm_ok", "EMS", "comms"));
    assert_eq!(point("control,channel=1,point=voltage,type=c"), None);
    assert_eq!(point("measurement,point=voltage,type=m"), None);
    assert_eq!(point("other,channel=1,point=voltage,type=m"), None);
}

#[test]
fn metrics_and_types_may_be_added_and_left_out() {
    let rules = rules(
        "node_types:
  vm: {cpu_usage: {watch: false}, gpu_usage: {warning: 90}}
  PDU: {power: {warning: 5, unit: kW}}
",
    );
    assert_eq!(watch(&rules, "vm_metrics,metric=cpu_usage,node_id=a"), None);
    assert_eq!(watch(&rules, "vm_metrics,metric=gpu_usage,node_id=a"), watched("a", "VM", "gpu_usage"));
    assert_eq!(watch(&rules, "vm_metrics,metric=disk_io,node_id=a"), watched("a", "VM", "disk_io"));
    assert_eq!(watch(&rules, "pdu_metrics,metric=power,node_id=a"), watched("a", "PDU", "power"));
}

#[test]
fn a_built_in_recovery_threshold_that_does_not_fit_is_left_out() {
    let rule = |yaml: &str| {
        let rules = rules(yaml);
        let series = SeriesKey::parse(b"vm_metrics,metric=cpu_usage,node_id=a").unwrap();
        rules.watch(&series, "value").unwrap().rule().thresholds
    };
    let thresholds = |warning, recovery| {
        let high = crate::Bounds { warning, error: Some(90.0), critical: Some(98.0), recovery };
        Thresholds::new("x", high, crate::Bounds::default()).unwrap()
    };
    assert_eq!(rule("node_types: {VM: {cpu_usage: {warning: 75}}}"), thresholds(Some(75.0), Some(70.0)));
    assert_eq!(rule("node_types: {VM: {cpu_usage: {warning: 60}}}"), thresholds(Some(60.0), Some(60.0)));
    assert_eq!(rule("node_types: {VM: {cpu_usage: {warning: .inf}}}"), thresholds(None, Some(70.0)));
    let low = crate::Bounds { warning: Some(5.0), ..crate::Bounds::default() };
    let inverse = Thresholds::new("x", crate::Bounds::default(), low).unwrap();
    assert_eq!(rule("node_types: {VM: {cpu_usage: {inverse: true, warning: 5}}}"), inverse);
}

#[test]
fn a_wrong_configuration_is_refused_with_its_key_and_what_to_do() {
    for (yaml, expected) in [
        (
            "node_types: {VM: {cpu_usage: {warning: 95}}}",
            "events.node_types.VM.cpu_usage: warning 95 is above error 90; give recovery <= warning <= error <= critical",
        ),
        (
            "node_types: {NE: {success_rate: {recovery: 40}}}",
            "events.node_types.NE.success_rate: recovery 40 is below warning 50; give recovery >= warning >= error >= critical, since low values are the bad ones",
        ),
        (
            "node_types: {NE: {success_rate: {low: {warning: 1}}}}",
            "events.node_types.NE.success_rate.low: low values are the bad ones already, since inverse is true; remove either inverse or low",
        ),
        (
            "node_types: {NE: {success_rate: {error: .inf}}}",
            "events.node_types.NE.success_rate.error: inf is out of range: give a number, or -.inf for no such level",
        ),
        (
            "node_types: {TRU: {iops: {recovery: 5}}}",
            "events.node_types.TRU.iops.recovery: there is a recovery threshold but no level; give warning, error or critical, or remove it",
        ),
        ("node_types: {'': {}}", "events.node_types: empty; give a name or remove the entry"),
        (
            "node_types: {vm: {}, VM: {}}",
            "events.node_types.vm: the type stands there twice, in upper and lower case; put both into one",
        ),
        (
            "points: {match: [{kind: volts}]}",
            "events.points.match[0].kind: `volts` is not known; give one of analog, comms, current, power, soc, temperature, voltage, none",
        ),
        ("points: {match: [{point: '1'}]}", "events.points.match[0].kind: empty; give a name or remove the entry"),
        ("anomalies: {window: 5}", "events.anomalies.window: 5 is out of range: give 8 to 10000 samples"),
        ("anomalies: {sigma: .nan}", "events.anomalies.sigma: NaN is out of range: give 1 to 100"),
        (
            "status_interval: 10ms",
            "events.status_interval: 0.01 is out of range: give at least 1s, or 0s for no status",
        ),
        (
            "points: {match: [{measurement: signals, kind: comms}]}",
            "events.points.match[0].measurement: `signals` is not known; give one of measurement, signal, control, adjustment",
        ),
        ("max_columns: 0", "events.max_columns: 0 is out of range: give at least 1"),
        ("random: {per_day: 25}", "events.random.per_day: 25 is out of range: give 0 to 24"),
        (
            "templates: {zh: {warn: {default: x}}}",
            "events.templates.zh.warn: `warn` is not known; give one of info, warning, error, critical, anomaly, change_point, status, abnormal, normal, event",
        ),
        (
            "templates: {zh: {warning: {cpu_usage: '{val}'}}}",
            "events.templates.zh.warning.cpu_usage: {val} is not known; give one of value, threshold, mean, sigmas, duration, unit, name, metric, node, type, level, side, bias",
        ),
    ] {
        assert_eq!(refused(yaml), expected, "{yaml}");
    }
}

#[test]
fn a_text_for_a_metric_that_there_is_not_is_refused() {
    let text = |metric: &str| format!("templates: {{en: {{warning: {{{metric}: x}}}}}}");
    let message = refused(&text("cpu_usag"));
    assert!(
        message.starts_with("events.templates.en.warning: `cpu_usag` is not known; give one of default, "),
        "{message}"
    );
    let unwatched = text("disk_io") + "\nnode_types: {VM: {disk_io: {watch: false}, own: {warning: 1}}}";
    for right in [
        text("default"),
        text("cpu_usage"),
        text("voltage"),
        text("restart"),
        unwatched,
        text("own") + "\nnode_types: {X: {own: {}}}",
    ] {
        rules(&right);
    }
}

#[test]
fn an_unknown_key_is_refused() {
    for yaml in ["enable: true", "node_types: {VM: {cpu_usage: {warn: 1}}}", "points: {matches: []}", "language: de"] {
        assert!(serde_saphyr::from_str::<Config>(yaml).is_err(), "{yaml}");
    }
}

#[test]
fn a_configuration_that_is_written_is_read_back() {
    let text = serde_json::to_string(&Config::default()).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), Config::default());
    assert_eq!(config("{}"), Config::default());
}

#[test]
fn the_fingerprint_changes_with_what_decides_about_events_and_not_with_words() {
    let base = rules("{}").fingerprint();
    for same in [
        "language: zh",
        "templates: {en: {info: {default: fine}}}",
        "enabled: true",
        "max_columns: 5",
        "node_types: {VM: {cpu_usage: {name: CPU, warning: 80}}}",
    ] {
        assert_eq!(rules(same).fingerprint(), base, "{same}");
    }
    for other in [
        "node_types: {VM: {cpu_usage: {warning: 81}}}",
        "node_types: {VM: {cpu_usage: {anomalies: false}}}",
        "points: {match: [{point: x, kind: analog}]}",
        "anomalies: {method: robust}",
        "anomalies: {quiet: 6m}",
        "status_interval: 0",
        "state_changes: false",
        "random: {enabled: true}",
    ] {
        assert_ne!(rules(other).fingerprint(), base, "{other}");
    }
}
