//! What is written is there, under the names that VictoriaMetrics gives it.

use std::time::Duration;

use super::*;
use crate::{Database, Health, Manage, Points, Policy, Step, Wanted, Write, WriteError, Written};

fn write(store: &VictoriaMetrics, points: &PointList) -> Result<Written, WriteError> {
    store.session().write(points, 0..points.len())
}

/// All series with their values, as they are exported.
fn exported(server: &Server) -> Vec<String> {
    rig::http_get(&format!("{}/internal/force_flush", server.url()));
    let all = rig::encode("{__name__!=\"\"}");
    let text = rig::http_get(&format!("{}/api/v1/export?match[]={all}&start=0.001", server.url()));
    let mut lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

fn line(labels: &str, values: &str, times_ms: &str) -> String {
    format!("{{\"metric\":{{{labels}}},\"values\":[{values}],\"timestamps\":[{times_ms}]}}")
}

#[test]
fn points_are_stored_with_database_and_policy_as_labels_and_texts_are_counted() {
    let server = rig::victoriametrics();
    let store = store(&server);
    store.probe().unwrap();
    let weekly = Destination { policy: "weekly".to_owned(), is_default: false, ..place() };
    let points = [
        ("measurement,channel=1,db=mine", "value", FieldValue::Float(21.5), T),
        ("measurement,channel=1,db=mine", "value", FieldValue::Float(22.0), T + 1_999_999),
        ("measurement,channel=1,db=mine", "unit", FieldValue::String("kW"), T),
        (r"signal,site=a\ b\\c", "on", FieldValue::Boolean(true), T),
        (r"signal,site=a\ b\\c", "count", FieldValue::Integer(-42), T),
    ];
    assert_eq!(write(&store, &list(place(), &points)), Ok(Written { filtered: 1 }));
    assert_eq!(write(&store, &list(weekly, &points[..1])), Ok(Written::default()));
    assert_eq!(write(&store, &list(place(), &points[2..3])), Ok(Written { filtered: 1 }));
    let (t, next) = (T / 1_000_000, T / 1_000_000 + 1);
    let value = r#""__name__":"measurement_value","db":"ems","channel":"1","db_":"mine""#;
    let expected = [
        line(&format!(r#"{value},"rp":"weekly""#), "21.5", &format!("{t}")),
        line(value, "21.5,22", &format!("{t},{next}")),
        line(r#""__name__":"signal_count","db":"ems","site":"a b\\\\c""#, "-42", &format!("{t}")),
        line(r#""__name__":"signal_on","db":"ems","site":"a b\\\\c""#, "1", &format!("{t}")),
    ];
    assert_eq!(exported(&server), expected);
}

#[test]
fn points_that_would_be_passed_over_silently_are_refused_or_left_out() {
    let server = rig::victoriametrics_with(&["-retentionPeriod=30d"]);
    let store = store(&server);
    store.probe().unwrap();
    let now = store.shared.known().writer.unwrap().now_ms().unwrap() * 1_000_000;
    let day = 86_400_000_000_000;
    let at = |time| write(&store, &list(place(), &[("m", "v", FieldValue::Float(1.0), time)]));
    assert_eq!(at(now - 31 * day), Ok(Written { filtered: 1 }));
    assert_eq!(at(now - 29 * day), Ok(Written { filtered: 0 }));
    assert_eq!(at(now + day), Ok(Written { filtered: 0 }));
    assert!(matches!(at(now + 3 * day), Err(WriteError::Points { .. })));
    assert!(store.probe().unwrap().advice.iter().all(|sentence| !sentence.contains("left out rows")));
}

#[test]
fn a_probe_tells_version_start_and_what_to_change() {
    let mut server = rig::victoriametrics();
    let store = store(&server);
    let probe = store.probe().unwrap();
    assert!(probe.version.starts_with("VictoriaMetrics"), "{}", probe.version);
    assert_eq!(probe.advice, Vec::<String>::new());
    std::thread::sleep(Duration::from_millis(1100));
    server.kill();
    assert!(matches!(store.probe(), Err(WriteError::Away { .. })));
    server.start_again();
    let again = store.probe().unwrap();
    assert!(probe.incarnation.is_some() && probe.incarnation != again.incarnation, "{again:?}");

    let server = rig::victoriametrics_with(&["-influxSkipSingleField", "-influxTrimTimestamp=1s"]);
    let advice = self::store(&server).probe().unwrap().advice;
    assert_eq!(advice.len(), 3, "{advice:#?}");
    assert!(advice[0].contains("-influxSkipSingleField") && advice[1].contains("-influxTrimTimestamp=1s"));
    assert!(advice[2].contains("-dedup.minScrapeInterval=1ms"));
}

#[test]
fn a_login_that_is_wrong_and_a_path_that_is_none_are_for_a_person() {
    let server =
        rig::victoriametrics_with(&["-retentionPeriod=100y", "-httpAuth.username=ann", "-httpAuth.password=geheim"]);
    let points = list(place(), &[("m", "v", FieldValue::Float(1.0), T)]);
    let mut config = VictoriaMetricsConfig::new(server.url().parse().unwrap());
    let denied = |config: &VictoriaMetricsConfig| {
        let store = VictoriaMetrics::new(config).unwrap();
        let (write, probe) = (write(&store, &points).unwrap_err(), store.probe().unwrap_err());
        assert!(matches!((&write, &probe), (WriteError::Denied { .. }, WriteError::Denied { .. })), "{write} {probe}");
        assert!(!format!("{store:?} {write} {probe}").contains("geheim"));
        write.to_string()
    };
    assert!(denied(&config).contains("user, password or token"));
    config.username = Some("ann".to_owned());
    config.password = Some("geheim".to_owned().into());
    assert!(write(&VictoriaMetrics::new(&config).unwrap(), &points).is_ok());
    config.url = format!("{}/elsewhere", server.url()).parse().unwrap();
    assert!(denied(&config).contains("look at url"));
}

#[test]
fn a_full_disk_makes_it_busy() {
    let server =
        rig::victoriametrics_with(&["-retentionPeriod=100y", "-storage.minFreeDiskSpaceBytes=1000000000000000"]);
    let error = write(&store(&server), &list(place(), &[("m", "v", FieldValue::Float(1.0), T)])).unwrap_err();
    assert!(matches!(&error, WriteError::Busy { message, .. } if message.contains("read-only")), "{error}");
}

#[test]
fn without_metrics_it_can_still_be_written_to() {
    let server = rig::victoriametrics_with(&["-metricsAuthKey=k"]);
    let store = store(&server);
    let probe = store.probe().unwrap();
    assert_eq!((probe.version.as_str(), probe.incarnation, probe.advice.len()), ("VictoriaMetrics", None, 1));
    assert!(write(&store, &list(place(), &[("m", "v", FieldValue::Float(1.0), T)])).is_ok());
}

#[test]
fn wishes_that_it_cannot_fulfil_are_told_with_the_flag_and_always_the_same() {
    let server = rig::victoriametrics_with(&["-retentionPeriod=30d"]);
    let store = store(&server);
    let policy = |name: &str, days: Option<u64>| Policy {
        name: name.to_owned(),
        duration: days.map(|days| Duration::from_secs(days * 86_400)),
        shard_duration: None,
        replication: 1,
    };
    let database = Database {
        name: "ems".to_owned(),
        default_policy: "raw".to_owned(),
        policies: vec![policy("raw", Some(7)), policy("daily", Some(365))],
    };
    let wanted = Wanted { databases: vec![database], rollups: Vec::new() };
    let steps = store.keep_in_step(&wanted).unwrap();
    assert_eq!(steps, store.keep_in_step(&wanted).unwrap());
    let [Step::Impossible(short), Step::Impossible(long)] = steps.as_slice() else { panic!("{steps:?}") };
    assert!(short.contains("\"daily\"") && short.ends_with("-retentionPeriod=1y"), "{short}");
    assert!(long.contains("\"raw\"") && long.contains("30d"), "{long}");
    assert!(store.probe().unwrap().advice.contains(short));
}

/// Lines that may be sent as they are, with all that is spelled in several ways.
fn plain_lines() -> String {
    let line = |n: i64| {
        let values = [
            "1",
            "-0",
            "-0.0",
            "0012.50",
            "7i",
            "-7i",
            "008i",
            "9007199254740993i",
            "8u",
            "-9.75",
            "123456789.123456",
            "54.130000",
        ];
        let words = ["t", "T", "true", "True", "TRUE", "f", "F", "false", "False", "FALSE"];
        let value = values[n as usize % values.len()];
        let word = words[n as usize % words.len()];
        let long = 10.0 + 1.0 / (n + 3) as f64;
        format!(
            "plain{},b=2,a=ü,dbx={} value={value},on={word},long={long},ß'=1 {}\n",
            n % 2,
            n % 3,
            T + n * 1_234_567_891
        )
    };
    (0..60).map(line).collect()
}

#[test]
fn lines_taken_as_they_are_become_what_their_values_become() {
    let text = plain_lines();
    let found = [true, false].map(|as_they_are| {
        let server = rig::victoriametrics();
        let mut session = store(&server).session();
        for place in [place(), Destination { policy: "weekly".to_owned(), is_default: false, ..place() }] {
            if as_they_are {
                assert_eq!(session.write_lines(&place, text.as_bytes()), Some(Ok(())));
            } else {
                let points = crate::LinePoints::new(place, text.as_bytes());
                assert_eq!(session.write(&points, 0..points.len()), Ok(Written::default()));
            }
        }
        exported(&server)
    });
    assert_eq!(found[0].len(), 2 * 6 * 4);
    assert_eq!(found[0], found[1]);
}

#[test]
fn lines_that_would_be_read_otherwise_are_not_taken_as_they_are() {
    let server = rig::victoriametrics_with(&["-retentionPeriod=30d"]);
    let store = store(&server);
    store.probe().unwrap();
    let now = store.shared.known().writer.unwrap().now_ms().unwrap() * 1_000_000;
    let day = 86_400_000_000_000;
    let mut session = store.session();
    let mut takes = |line: String| session.write_lines(&place(), line.as_bytes()).is_some();
    assert!(takes(format!("m v=1 {now}\nm v=2 {}\n", now - day)));
    for line in [
        format!("m v=1 {}\n", now - 31 * day),
        format!("m v=1 {}\n", now + 3 * day),
        format!("m v=\"text\" {now}\n"),
        format!("m v=.5 {now}\n"),
        format!("m,db=x v=1 {now}\n"),
        format!("m v=1 {now}\nm v=x {now}\n"),
    ] {
        assert!(!takes(line.clone()), "{line}");
    }
}

#[test]
fn what_was_written_to_disk_survives_its_death() {
    let mut server = rig::victoriametrics();
    let store = store(&server);
    let at = |n: i64| write(&store, &list(place(), &[("m", "v", FieldValue::Float(1.0), T + n * 1_000_000_000)]));
    assert_eq!((at(1), store.make_durable()), (Ok(Written::default()), true));
    assert_eq!(rig::http_get(&format!("{}/snapshot/list", server.url())).matches('-').count(), 0);
    server.kill();
    assert!(!store.make_durable());
    server.start_again();
    assert_eq!(exported(&server), [line(r#""__name__":"m_v","db":"ems""#, "1", &(T / 1_000_000 + 1000).to_string())]);
    let guarded = rig::victoriametrics_with(&["-retentionPeriod=100y", "-snapshotAuthKey=k"]);
    assert!(!self::store(&guarded).make_durable());
}
