//! Scenarios: what is told, when, and in which words.

use events::{Added, Detector, Event, Level, Source, Stats};
use model::TimestampNs;

use crate::{MINUTE, columns, events_of, rules, watch};

const VM_CPU: &str = "vm_metrics,metric=cpu_usage,node_id=vm-1,node_type=VM";
const NE_RATE: &str = "ne_metrics,metric=success_rate,node_id=ne-1,node_type=NE";
const COMMS: &str = "signal,channel=1001,point=comm_ok,type=s";

/// Only thresholds and states.
const PLAIN: &str = "{status_interval: 0, anomalies: {enabled: false}}";
const PLAIN_ZH: &str = "{language: zh, status_interval: 0, anomalies: {enabled: false}}";

/// Minute, source, level and message of each event.
fn told(events: &[Event]) -> Vec<String> {
    let line = |e: &Event| format!("{} {} {} {}", e.time.0 / MINUTE, e.source, e.level, e.message);
    events.iter().map(line).collect()
}

#[test]
fn a_change_of_level_is_told_once_with_its_threshold_and_the_end_with_how_long_it_lasted() {
    let samples = [(0, 50.0), (1, 80.0), (2, 85.0), (3, 99.0), (4, 85.0), (5, 71.0), (6, 69.0), (7, 50.0), (90, 91.5)];
    let events = events_of(&rules(PLAIN), VM_CPU, &samples);
    assert_eq!(
        told(&events),
        [
            "1 threshold WARNING CPU usage high: 80.0%, above the warning threshold 80%",
            "1 state WARNING CPU usage became abnormal: 80.0%, warning",
            "3 threshold CRITICAL CPU usage critical: 99.0%, above the critical threshold 98%",
            "6 threshold INFO CPU usage normal: 69.0%",
            "6 state INFO CPU usage normal again: 69.0%, abnormal for 5m",
            "90 threshold ERROR CPU usage too high: 91.5%, above the error threshold 90%",
            "90 state ERROR CPU usage became abnormal: 91.5%, error",
        ]
    );
    assert_eq!(events[0].threshold, Some(80.0));
    assert_eq!((events[3].threshold, events[3].duration), (Some(70.0), None));
    assert_eq!((events[4].value, events[4].duration), (Some(69.0), Some(300.0)));
}

#[test]
fn an_inverse_metric_is_told_in_chinese() {
    let events = events_of(&rules(PLAIN_ZH), NE_RATE, &[(0, 95.0), (10, 50.0), (20, 29.9), (30, 70.0), (45, 70.5)]);
    assert_eq!(
        told(&events),
        [
            "10 threshold WARNING 成功率偏低: 50.0%, 低于警告阈值 50%",
            "10 state WARNING 成功率由正常变为警告: 50.0%",
            "20 threshold ERROR 成功率过低: 29.9%, 低于错误阈值 30%",
            "45 threshold INFO 成功率正常: 70.5%",
            "45 state INFO 成功率恢复正常: 70.5%, 异常持续 35m",
        ]
    );
}

#[test]
fn a_link_that_is_down_is_an_error_until_it_is_up_again() {
    let events = events_of(&rules("status_interval: 0"), COMMS, &[(0, 1.0), (1, 0.0), (2, 0.0), (4, 1.0)]);
    assert_eq!(told(&events).len(), 4);
    assert_eq!(
        (events[0].level, events[0].node_id.as_str(), events[0].metric.as_str()),
        (Level::Error, "1001:s:comm_ok", "comms")
    );
    assert_eq!(events[3].duration, Some(180.0));
}

#[test]
fn both_sides_of_a_voltage_are_told() {
    let series = "measurement,channel=1,point=bus_voltage,type=m";
    let events = events_of(&rules(PLAIN), series, &[(0, 230.0), (1, 254.0), (2, 230.0), (3, 195.0), (4, 230.0)]);
    let thresholds: Vec<_> = events.iter().filter(|e| e.source == Source::Threshold).cloned().collect();
    assert_eq!(
        told(&thresholds),
        [
            "1 threshold WARNING Voltage high: 254.0 V, above the warning threshold 253 V",
            "2 threshold INFO Voltage normal: 230.0 V",
            "3 threshold ERROR Voltage too low: 195.0 V, below the error threshold 195.5 V",
            "4 threshold INFO Voltage normal: 230.0 V",
        ]
    );
}

#[test]
fn state_changes_can_be_switched_off() {
    let yaml = "{status_interval: 0, state_changes: false, anomalies: {enabled: false}}";
    let events = events_of(&rules(yaml), VM_CPU, &[(0, 85.0), (1, 50.0)]);
    assert!(events.iter().all(|e| e.source == Source::Threshold));
    assert_eq!(events.len(), 2);
}

/// Steady around 30, at most 3 away from it.
fn steady(n: i64) -> f64 {
    30.0 + [0.0, 2.0, -1.0, 3.0, -2.0, 1.0, -3.0][n.rem_euclid(7) as usize]
}

#[test]
fn an_anomaly_is_told_as_a_warning_with_the_bound() {
    let samples: Vec<_> = (0..60).map(|n| (n, if n == 50 { 60.0 } else { steady(n) })).collect();
    let events = events_of(&rules("status_interval: 0"), VM_CPU, &samples);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.source, event.level, event.time), (Source::Anomaly, Level::Warning, TimestampNs(50 * MINUTE)));
    assert!(event.threshold.is_some_and(|bound| (33.0..40.0).contains(&bound)), "{event:?}");
    assert!(event.message.starts_with("CPU usage unusual: 60.0%, 15."), "{}", event.message);
    assert!(event.message.ends_with("deviations above the usual 30.0%"), "{}", event.message);
}

#[test]
fn an_anomaly_is_not_told_within_the_quiet_time_after_a_threshold() {
    // A threshold event at 50 and its recovery at 51; a spike below the threshold 4 or 5 minutes after that.
    let with_spike_at = |minute: i64| -> Vec<_> {
        (0..70)
            .map(|n| {
                (
                    n,
                    if n == 50 {
                        85.0
                    } else if n == minute {
                        65.0
                    } else {
                        steady(n)
                    },
                )
            })
            .collect()
    };
    let anomalies = |samples: &[(i64, f64)]| {
        let events = events_of(&rules("status_interval: 0"), VM_CPU, samples);
        events.iter().filter(|e| e.source == Source::Anomaly).count()
    };
    assert_eq!(anomalies(&with_spike_at(55)), 0);
    assert_eq!(anomalies(&with_spike_at(56)), 1);
}

#[test]
fn status_comes_at_multiples_of_its_interval() {
    let yaml = "{status_interval: 15m, anomalies: {enabled: false}}";
    // Nothing for the interval that was under way at the first sample, nor for those without samples.
    let samples = [(7, 20.0), (14, 21.0), (15, 22.0), (16, 23.0), (31, 85.0), (100, 50.0), (101, 51.0)];
    let events = events_of(&rules(yaml), VM_CPU, &samples);
    let status: Vec<_> = events.iter().filter(|e| e.source == Source::Info).cloned().collect();
    assert_eq!(
        told(&status),
        [
            "15 info INFO CPU usage: 22.0%, normal",
            "30 info INFO CPU usage: 85.0%, warning",
            "90 info INFO CPU usage: 50.0%, normal"
        ]
    );
    let aligned = events_of(&rules(yaml), VM_CPU, &[(45, 20.0)]);
    assert_eq!(told(&aligned), ["45 info INFO CPU usage: 20.0%, normal"]);
}

#[test]
fn status_is_the_same_when_history_is_read_from_later_on() {
    let yaml = "{status_interval: 15m, anomalies: {enabled: false}}";
    let samples: Vec<_> = (0..200).map(|n| (n * 2, 20.0 + n as f64 / 10.0)).collect();
    let whole = events_of(&rules(yaml), VM_CPU, &samples);
    for from in [1, 7, 8, 33] {
        let part = events_of(&rules(yaml), VM_CPU, &samples[from..]);
        assert_eq!(part, whole[whole.len() - part.len()..]);
        assert!(whole.len() - part.len() <= from * 2 / 15 + 1);
    }
}

#[test]
fn invented_events_come_with_one_metric_of_a_node_and_never_twice() {
    let rules = rules("{status_interval: 0, anomalies: {enabled: false}, random: {enabled: true, per_day: 12}}");
    let samples: Vec<_> = (0..960).map(|n| (n * 15, 20.0)).collect();
    let events = events_of(&rules, VM_CPU, &samples);
    assert!((80..160).contains(&events.len()), "{}", events.len());
    assert!(events.iter().all(|e| e.source == Source::Event && e.value.is_none()));
    assert!(events.is_sorted_by(|a, b| a.time < b.time && a.id != b.id));
    let migration = events.iter().find(|e| e.metric == "migrate").unwrap();
    assert_eq!(migration.message, "VM vm-1: migrated to another host");
    let memory = "vm_metrics,metric=memory_usage,node_id=vm-1,node_type=VM";
    assert_eq!(events_of(&rules, memory, &samples), []);
    let other = "vm_metrics,metric=cpu_usage,node_id=vm-2,node_type=VM";
    assert_ne!(events_of(&rules, other, &samples).len(), 0);
    // Read again from some time on, they are the same.
    let late = events_of(&rules, VM_CPU, &samples[480..]);
    assert_eq!(late, events[events.len() - late.len()..]);
}

#[test]
fn invented_events_of_a_long_pause_are_left_out() {
    let rules = rules("{status_interval: 0, anomalies: {enabled: false}, random: {enabled: true, per_day: 24}}");
    let events = events_of(&rules, VM_CPU, &[(0, 20.0), (60 * 24 * 3650, 20.0), (60 * 24 * 3650 + 120, 20.0)]);
    assert!((1..=3).contains(&events.len()), "{events:?}");
}

#[test]
fn texts_of_the_configuration_replace_the_built_in_ones() {
    let yaml = "
status_interval: 0
state_changes: false
anomalies: {enabled: false}
templates:
  en:
    warning: {cpu_usage: '{node} ({type}) {metric} at {value:.2f} > {threshold:.1f}, {level}'}
    error: {default: 'E {name}', memory_usage: never}
  zh:
    warning: {default: unused}
";
    let events = events_of(&rules(yaml), VM_CPU, &[(0, 85.0), (1, 95.0)]);
    assert_eq!(
        told(&events),
        ["0 threshold WARNING vm-1 (VM) cpu_usage at 85.00 > 80.0, warning", "1 threshold ERROR E CPU usage"]
    );
}

#[test]
fn names_and_units_of_the_configuration_are_used() {
    let yaml = "{status_interval: 0, node_types: {VM: {cpu_usage: {name: Load, unit: pts}}}}";
    let events = events_of(&rules(yaml), VM_CPU, &[(0, 85.0)]);
    assert_eq!(events[0].message, "Load high: 85.0 pts, above the warning threshold 80 pts");
}

#[test]
fn what_is_not_looked_at_is_counted() {
    let rules = rules("max_columns: 1");
    let mut detector = Detector::new(&rules);
    assert_eq!(detector.add(1, watch(&rules, VM_CPU)), Added::New);
    assert_eq!(detector.add(1, watch(&rules, VM_CPU)), Added::Known);
    assert_eq!(detector.add(2, watch(&rules, NE_RATE)), Added::Full);
    let (times, values) = columns(&[(1, 1.0), (1, 2.0), (0, 3.0), (2, f64::NAN), (3, f64::INFINITY), (2, 5.0)]);
    let mut events = Vec::new();
    detector.feed(1, &times, &values, &mut events);
    detector.feed(2, &times, &values, &mut events);
    let expected = Stats { samples: 2, late: 2, not_finite: 2, unknown: 6, refused_columns: 1, events: 0 };
    assert_eq!((detector.stats(), events.len(), detector.len()), (expected, 0, 1));
    assert_eq!(detector.add(1, watch(&rules, NE_RATE)), Added::Replaced);
    detector.feed(1, &times, &values, &mut events);
    assert_eq!(events.len(), 2, "the replaced column begins anew, and 1 % is an error of a success rate");
    assert!(detector.remove(1) && !detector.watches(1) && detector.is_empty());
}

#[test]
fn the_ends_of_time_and_of_numbers_are_taken() {
    let rules = rules("random: {enabled: true, per_day: 24}");
    let mut detector = Detector::new(&rules);
    detector.add(1, watch(&rules, VM_CPU));
    let times = [i64::MIN, i64::MIN + 1, -1, 0, i64::MAX - 1, i64::MAX].map(TimestampNs);
    let mut events = Vec::new();
    detector.feed(1, &times, &[f64::MAX, f64::MIN, -0.0, 0.0, f64::MAX, f64::MIN], &mut events);
    assert_eq!(detector.stats().samples, 6);
    let mut lines = Vec::new();
    events.iter().for_each(|event| event.write_line(&mut lines));
    assert_eq!(String::from_utf8(lines).unwrap().lines().count(), events.len());
}
