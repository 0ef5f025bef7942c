use model::TimestampNs;
use proptest::prelude::*;

use super::*;
use crate::config::{Missing, RuleConfig};
use crate::level::Level;
use crate::notification::Status;
use crate::silence::Silence;
use crate::text::Text;
use crate::{Config, Labels};

const S: i64 = 1_000_000_000;

fn rule(json: &str) -> Rule {
    let rule: RuleConfig = serde_json::from_str(json).unwrap();
    Config { rules: vec![rule], ..Config::default() }.rules().unwrap().remove(0)
}

/// Above 10 is bad, 5 is well again.
fn hot(more: &str) -> Rule {
    rule(&format!(
        r#"{{"name":"hot","query":{{"database":"d","text":"q","above":10,"clear":5}},"channels":["x"]{more}}}"#
    ))
}

fn host(name: &str) -> Labels {
    [("host".to_owned(), name.to_owned())].into()
}

fn row(name: &str, value: f64) -> Observation {
    Observation { labels: host(name), seen: Seen::Row { time: TimestampNs(0), value: Some(value) } }
}

fn event(level: Level, time_s: i64) -> Observation {
    let labels = [("source", "threshold"), ("metric", "cpu"), ("node_id", "vm-1")];
    Observation {
        labels: labels.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        seen: Seen::Event(Event {
            time: TimestampNs(time_s * S),
            level,
            value: Some(97.0),
            message: Text::new("CPU is busy", "CPU 繁忙"),
        }),
    }
}

/// An engine, its rule, and what it said.
struct Bench {
    engine: Engine,
    rule: Rule,
    silences: Vec<Silence>,
    room: usize,
}

impl Bench {
    fn new(rule: Rule) -> Self {
        Self { engine: Engine::new(TimestampNs(0), 3), rule, silences: Vec::new(), room: 100 }
    }

    fn look(&mut self, at_s: i64, sight: Sight<'_>) -> Evaluation {
        let at = Circumstances { now: TimestampNs(at_s * S), silences: &self.silences, room: self.room };
        self.engine.evaluate(&self.rule, sight, &at)
    }

    fn see(&mut self, at_s: i64, observations: &[Observation]) -> Vec<(Status, u32)> {
        said(&self.look(at_s, Sight::Seen(observations)))
    }

    fn value(&mut self, at_s: i64, value: f64) -> Vec<(Status, u32)> {
        self.see(at_s, &[row("a", value)])
    }
}

fn said(evaluation: &Evaluation) -> Vec<(Status, u32)> {
    evaluation.notices.iter().map(|notice| (notice.notification.status, notice.notification.repeat)).collect()
}

const FIRING: (Status, u32) = (Status::Firing, 0);
const RESOLVED: (Status, u32) = (Status::Resolved, 0);

#[test]
fn an_alert_fires_once_the_condition_has_held_for_long_enough_and_ends_with_it() {
    let mut bench = Bench::new(hot(r#","for":"1m""#));
    assert_eq!(bench.value(0, 11.0), []);
    assert_eq!(bench.value(59, 11.0), []);
    assert_eq!(bench.value(60, 11.0), [FIRING]);
    assert_eq!(bench.value(90, 11.0), []);
    assert_eq!(bench.value(120, 5.0), [RESOLVED]);
    assert_eq!(bench.value(150, 5.0), []);
}

#[test]
fn a_pending_alert_that_comes_back_behind_the_threshold_starts_anew() {
    let mut bench = Bench::new(hot(r#","for":"1m""#));
    assert_eq!(bench.value(0, 11.0), []);
    assert_eq!(bench.value(30, 8.0), []);
    assert_eq!(bench.value(60, 11.0), []);
    assert_eq!(bench.value(119, 11.0), []);
    assert_eq!(bench.value(120, 11.0), [FIRING]);
}

#[test]
fn between_threshold_and_clear_an_alert_goes_on() {
    let mut bench = Bench::new(hot(""));
    assert_eq!(bench.value(0, 10.0), []);
    assert_eq!(bench.value(1, 10.1), [FIRING]);
    assert_eq!(bench.value(2, 9.0), []);
    assert_eq!(bench.value(3, 5.1), []);
    assert_eq!(bench.value(4, 5.0), [RESOLVED]);
    assert_eq!(bench.value(5, 9.0), []);
}

#[test]
fn low_can_be_bad() {
    let mut bench = Bench::new(rule(
        r#"{"name":"low","query":{"database":"d","text":"q","below":20,"clear":25},"channels":["x"]}"#,
    ));
    assert_eq!(bench.value(0, 20.0), []);
    assert_eq!(bench.value(1, 19.0), [FIRING]);
    assert_eq!(bench.value(2, 24.0), []);
    assert_eq!(bench.value(3, 25.0), [RESOLVED]);
}

#[test]
fn an_alert_ends_only_when_the_condition_has_been_over_for_long_enough() {
    let mut bench = Bench::new(hot(r#","keep_firing_for":"1m""#));
    assert_eq!(bench.value(0, 11.0), [FIRING]);
    assert_eq!(bench.value(10, 1.0), []);
    assert_eq!(bench.value(60, 11.0), []);
    assert_eq!(bench.value(70, 1.0), []);
    let evaluation = bench.look(130, Sight::Seen(&[row("a", 1.0)]));
    assert_eq!(said(&evaluation), [RESOLVED]);
    assert_eq!(evaluation.notices[0].notification.until.unwrap().0, TimestampNs(70 * S));
}

#[test]
fn an_alert_that_goes_on_is_repeated_in_its_interval() {
    let mut bench = Bench::new(hot(r#","repeat":"1m""#));
    assert_eq!(bench.value(0, 11.0), [FIRING]);
    assert_eq!(bench.value(59, 11.0), []);
    assert_eq!(bench.value(60, 11.0), [(Status::Firing, 1)]);
    assert_eq!(bench.value(150, 11.0), [(Status::Firing, 2)]);
    assert_eq!(bench.value(151, 1.0), [RESOLVED]);
    let mut never = Bench::new(hot(r#","repeat":"never""#));
    assert_eq!(never.value(0, 11.0), [FIRING]);
    assert_eq!(never.value(1_000_000, 11.0), []);
}

#[test]
fn series_have_alerts_of_their_own() {
    let mut bench = Bench::new(hot(""));
    assert_eq!(bench.see(0, &[row("a", 11.0), row("b", 11.0), row("c", 1.0)]), [FIRING, FIRING]);
    assert_eq!(bench.see(1, &[row("a", 11.0), row("b", 1.0), row("c", 11.0)]).len(), 2);
    assert_eq!(bench.see(2, &[row("a", 1.0), row("b", 1.0), row("c", 1.0)]), [RESOLVED, RESOLVED]);
}

#[test]
fn a_silenced_alert_fires_silently_and_is_told_when_the_silence_ends() {
    let mut bench = Bench::new(hot(r#","repeat":"1m""#));
    let silence = r#"{"labels":{"rule":"hot","host":"a"},"until":"1970-01-01T00:01:00Z"}"#;
    bench.silences = vec![Silence::new(serde_json::from_str(silence).unwrap()).unwrap()];
    assert_eq!(bench.see(0, &[row("a", 11.0), row("b", 11.0)]), [FIRING]);
    assert_eq!(bench.see(30, &[row("a", 11.0), row("b", 1.0)]), [RESOLVED]);
    assert_eq!(bench.engine.alerts().filter(|alert| alert.phase.is_firing()).count(), 1);
    let evaluation = bench.look(60, Sight::Seen(&[row("a", 11.0)]));
    assert_eq!(said(&evaluation), [FIRING]);
    assert_eq!(evaluation.notices[0].notification.since.0, TimestampNs(0));
}

#[test]
fn what_nobody_heard_of_ends_silently_and_what_was_told_is_told_to_be_over() {
    let mut bench = Bench::new(hot(""));
    let silence = Silence::new(serde_json::from_str(r#"{"labels":{"rule":"*"}}"#).unwrap()).unwrap();
    bench.silences = vec![silence.clone()];
    assert_eq!(bench.value(0, 11.0), []);
    assert_eq!(bench.value(1, 1.0), []);
    bench.silences.clear();
    assert_eq!(bench.value(2, 11.0), [FIRING]);
    bench.silences = vec![silence];
    assert_eq!(bench.value(3, 1.0), [RESOLVED]);
}

#[test]
fn a_series_that_is_missing_stays_as_it_is_ends_or_fires() {
    let mut keep = Bench::new(hot(r#","for":"1m""#));
    keep.value(0, 11.0);
    assert_eq!(keep.see(60, &[]), [], "nobody knows whether it still is");
    assert_eq!(keep.value(61, 11.0), [FIRING]);
    assert_eq!(keep.see(1_000, &[]), []);
    let mut resolve = Bench::new(hot(r#","on_missing":"resolve""#));
    assert_eq!(resolve.value(0, 11.0), [FIRING]);
    assert_eq!(resolve.see(1, &[]), [RESOLVED]);
    let mut fire = Bench::new(hot(r#","on_missing":"fire""#));
    assert_eq!(fire.value(0, 1.0), []);
    assert_eq!(fire.see(1, &[]), [FIRING]);
    assert_eq!(fire.value(2, 1.0), [RESOLVED]);
    assert_eq!(Bench::new(hot(r#","on_missing":"fire""#)).see(0, &[]), [FIRING], "there is no series at all");
}

#[test]
fn a_failed_look_changes_nothing() {
    let mut bench = Bench::new(hot(r#","on_missing":"resolve","repeat":"1m""#));
    assert_eq!(bench.value(0, 11.0), [FIRING]);
    assert_eq!(said(&bench.look(1, Sight::Failed)), []);
    assert_eq!(said(&bench.look(60, Sight::Failed)), [(Status::Firing, 1)]);
    assert_eq!(bench.value(61, f64::NAN), []);
    let mut fire = Bench::new(hot(r#","on_missing":"fire""#));
    assert_eq!(said(&fire.look(0, Sight::Failed)), []);
}

#[test]
fn further_series_are_counted_and_take_the_place_of_what_is_over() {
    let mut bench = Bench::new(hot(""));
    let all: Vec<Observation> = ["a", "b", "c", "d", "e"].map(|name| row(name, 11.0)).into();
    let evaluation = bench.look(0, Sight::Seen(&all));
    assert_eq!((evaluation.notices.len(), evaluation.beyond_limit), (3, 2));
    let known: Vec<Observation> = bench.engine.alerts().map(|alert| row(&alert.series["host"], 1.0)).collect();
    assert_eq!(bench.see(1, &known).len(), 3);
    let evaluation = bench.look(2, Sight::Seen(&all));
    assert_eq!(evaluation.notices.len(), 3);
    assert!(bench.engine.alerts().count() <= 3);
}

#[test]
fn without_room_an_alert_is_told_later_and_its_end_always() {
    let mut bench = Bench::new(hot(""));
    bench.room = 1;
    let evaluation = bench.look(0, Sight::Seen(&[row("a", 11.0), row("b", 11.0)]));
    assert_eq!((evaluation.notices.len(), evaluation.held_back), (1, 1));
    bench.room = 0;
    assert_eq!(bench.see(1, &[row("a", 1.0), row("b", 1.0)]), [RESOLVED]);
}

#[test]
fn an_alert_that_is_over_is_forgotten_after_an_hour() {
    let mut bench = Bench::new(hot(""));
    bench.value(0, 11.0);
    bench.value(1, 1.0);
    bench.value(3600, 1.0);
    assert_eq!(bench.engine.alerts().count(), 1);
    let evaluation = bench.look(3601, Sight::Seen(&[row("a", 1.0)]));
    assert_eq!((evaluation.forgotten.len(), bench.engine.alerts().count()), (1, 0));
}

fn absence(more: &str) -> Bench {
    Bench::new(rule(&format!(
        r#"{{"name":"gone","absence":{{"database":"d","measurement":"m","after":"5m"}},"channels":["x"]{more}}}"#
    )))
}

fn newest(name: &str, at_s: i64) -> Observation {
    Observation { labels: host(name), seen: Seen::Row { time: TimestampNs(at_s * S), value: None } }
}

#[test]
fn a_series_without_new_points_fires_until_it_has_some() {
    let mut bench = absence("");
    assert_eq!(bench.see(1_000, &[newest("a", 900), newest("b", 701)]), []);
    assert_eq!(bench.see(1_001, &[newest("a", 1_000), newest("b", 701)]), [FIRING]);
    assert_eq!(bench.see(2_000, &[newest("a", 1_900)]), [], "too old even to be found");
    assert_eq!(bench.see(2_001, &[newest("a", 1_900), newest("b", 2_000)]), [RESOLVED]);
}

#[test]
fn time_before_the_start_is_no_absence_and_ends_none() {
    let mut bench = absence("");
    assert_eq!(bench.see(299, &[newest("a", -5_000)]), []);
    assert_eq!(bench.see(300, &[newest("a", -5_000)]), [FIRING]);
    let alerts: Vec<Alert> = bench.engine.alerts().cloned().collect();
    bench.engine = Engine::new(TimestampNs(400 * S), 3);
    alerts.into_iter().for_each(|alert| bench.engine.restore(alert));
    assert_eq!(bench.see(401, &[newest("a", -5_000)]), []);
    assert_eq!(bench.engine.alerts().filter(|alert| alert.phase.is_firing()).count(), 1);
    assert_eq!(bench.see(402, &[newest("a", 401)]), [RESOLVED]);
}

#[test]
fn a_measurement_without_any_series_fires_until_it_has_one() {
    let mut bench = absence("");
    assert_eq!(bench.see(299, &[]), []);
    assert_eq!(bench.see(300, &[]), [FIRING]);
    assert_eq!(bench.see(301, &[]), []);
    assert_eq!(bench.see(302, &[newest("a", 302)]), [RESOLVED]);
}

fn events(more: &str) -> Bench {
    Bench::new(rule(&format!(
        r#"{{"name":"busy","event":{{"level":"error","source":"thr*","hold":"10m"}},"channels":["x"]{more}}}"#
    )))
}

#[test]
fn an_event_fires_and_ends_with_one_of_a_lower_level_or_after_a_while() {
    let mut bench = events("");
    assert_eq!(bench.see(10, &[event(Level::Warning, 10)]), []);
    assert_eq!(bench.see(20, &[event(Level::Critical, 20)]), [FIRING]);
    assert_eq!(bench.see(30, &[event(Level::Info, 30)]), [RESOLVED]);
    assert_eq!(bench.see(40, &[event(Level::Error, 40)]), [FIRING]);
    assert_eq!(bench.see(639, &[]), []);
    assert_eq!(bench.see(640, &[]), [RESOLVED]);
}

#[test]
fn what_is_told_to_end_lasts_until_then_and_what_is_told_once_is_over_after_a_while() {
    let mut bench = Bench::new(rule(r#"{"name":"any","event":{"level":"error"},"repeat":"never","channels":["x"]}"#));
    let of = |source: &str, level, time_s| {
        let mut event = event(level, time_s);
        event.labels.insert("source".to_owned(), source.to_owned());
        event
    };
    let all = [of("threshold", Level::Critical, 10), of("anomaly", Level::Error, 10)];
    assert_eq!(bench.see(10, &all), [FIRING, FIRING]);
    assert_eq!(bench.see(909, &[]), []);
    assert_eq!(bench.see(910, &[]), [RESOLVED], "the anomaly");
    assert_eq!(bench.see(80_000, &[of("threshold", Level::Info, 80_000)]), [RESOLVED], "the threshold");
    // What comes once more finds it, however late.
    assert_eq!(bench.see(86_000, &all), []);
    assert_eq!(bench.engine.alerts().filter(|alert| alert.is_shown(TimestampNs(86_000 * S))).count(), 0);
    // Nobody tells of nodes that are gone.
    assert_eq!(bench.see(90_000, &[of("state", Level::Error, 90_000)]), [FIRING]);
    assert_eq!(bench.see(90_000 + 86_399, &[]), []);
    assert_eq!(bench.see(90_000 + 86_400, &[]), [RESOLVED]);
}

#[test]
fn an_alert_that_the_rule_is_not_about_any_more_is_over() {
    let mut bench = events("");
    assert_eq!(bench.see(10, &[event(Level::Critical, 10)]), [FIRING]);
    bench.rule = rule(r#"{"name":"busy","event":{"node":"host-*"},"channels":["x"]}"#);
    assert_eq!(bench.see(20, &[]), [RESOLVED]);
}

#[test]
fn events_that_come_again_or_in_another_order_change_nothing() {
    let mut bench = events("");
    let all = [event(Level::Info, 30), event(Level::Critical, 20)];
    let evaluation = bench.look(31, Sight::Seen(&all));
    assert_eq!(said(&evaluation), [FIRING, RESOLVED]);
    assert_eq!(evaluation.notices[0].notification.since.0, TimestampNs(20 * S));
    assert_eq!(bench.see(32, &all), []);
    assert_eq!(bench.see(33, &[event(Level::Critical, 25)]), []);
    assert_eq!(bench.see(2_000, &[event(Level::Critical, 1_000)]), [], "too old to alert about");
}

#[test]
fn events_of_other_sources_are_none_of_the_rules_business() {
    let mut bench = events("");
    let mut other = event(Level::Critical, 10);
    other.labels.insert("source".to_owned(), "anomaly".to_owned());
    assert_eq!(bench.see(10, &[other]), []);
}

#[test]
fn an_event_can_have_to_last() {
    let mut bench = events(r#","for":"1m""#);
    assert_eq!(bench.see(10, &[event(Level::Critical, 10)]), []);
    assert_eq!(bench.see(69, &[]), []);
    assert_eq!(bench.see(70, &[]), [FIRING]);
}

#[test]
fn the_built_in_rule_tells_of_a_store_that_is_away_once_and_once_when_it_is_back() {
    let mut bench = Bench::new(Rule::store_away(vec!["x".to_owned()]));
    let away = |value| {
        let labels = [("store".to_owned(), "influxdb".to_owned())].into();
        [Observation { labels, seen: Seen::Fact(value) }]
    };
    assert_eq!(bench.see(0, &away(0.0)), []);
    assert_eq!(bench.see(5, &away(1.0)), []);
    let evaluation = bench.look(35, Sight::Seen(&away(1.0)));
    assert_eq!(said(&evaluation), [FIRING]);
    let text = &evaluation.notices[0].notification.text;
    assert_eq!(
        text.en,
        "[FIRING] store_away (critical): store influxdb cannot be written to; values stay in the journal until it can \
         (store=influxdb)"
    );
    assert_eq!(
        text.zh,
        "[告警] store_away（严重）：存储 influxdb 无法写入；恢复之前数据保留在预写日志中 (store=influxdb)"
    );
    assert_eq!(bench.see(600, &away(1.0)), []);
    assert_eq!(bench.see(605, &away(0.0)), [RESOLVED]);
    assert_eq!(bench.see(610, &away(0.0)), []);
}

#[test]
fn texts_say_the_value_the_labels_and_the_event() {
    let more = r#","labels":{"site":"north"},"severity":"critical","annotations":{"summary":{"en":"{host} at {site}: {value}","zh":"{site}的{host}：{value}"}}"#;
    let evaluation = Bench::new(hot(more)).look(0, Sight::Seen(&[row("a", 11.5)]));
    let said = &evaluation.notices[0].notification;
    assert_eq!(said.text.en, "[FIRING] hot (critical): a at north: 11.5 (host=a, site=north)");
    assert_eq!(said.text.zh, "[告警] hot（严重）：north的a：11.5 (host=a, site=north)");
    assert_eq!(said.value, Some(11.5));
    let evaluation = Bench::new(hot("")).look(0, Sight::Seen(&[row("a", 11.5)]));
    assert!(evaluation.notices[0].notification.text.zh.contains("当前值 11.5，上限 10"));
    let more = r#","annotations":{"summary":"{level}: {message} ({value})"}"#;
    let evaluation = events(more).look(10, Sight::Seen(&[event(Level::Error, 10)]));
    let said = &evaluation.notices[0].notification;
    assert!(said.text.en.contains("error: CPU is busy (97)") && said.text.zh.contains("错误: CPU 繁忙 (97)"));
}

#[test]
fn those_who_were_told_first_hear_of_the_end_too() {
    let mut bench = Bench::new(hot(""));
    bench.value(0, 11.0);
    bench.rule.channels = vec!["y".to_owned()];
    let evaluation = bench.look(1, Sight::Seen(&[row("a", 1.0)]));
    assert_eq!(evaluation.notices[0].channels, ["x"]);
}

#[test]
fn alerts_of_a_rule_that_is_gone_are_over() {
    let mut bench = Bench::new(hot(r#","keep_firing_for":"1h""#));
    bench.see(0, &[row("a", 11.0), row("b", 11.0)]);
    let at = Circumstances { now: TimestampNs(S), silences: &[], room: 0 };
    let evaluation = bench.engine.retire("hot", &at);
    assert_eq!(said(&evaluation), [RESOLVED, RESOLVED]);
    assert_eq!((evaluation.forgotten.len(), bench.engine.alerts().count()), (2, 0));
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Value(f64),
    Missing,
    Failed,
}

/// What has been told by a rule without hysteresis of its own, written down without states: looks at all of history each time.
fn model(history: &[(i64, Step, bool)], pending_s: i64, keep_s: i64, repeat_s: i64) -> Vec<Vec<(Status, u32)>> {
    let mut told: Vec<Vec<(Status, u32)>> = Vec::new();
    let (mut is_firing, mut is_told, mut last_told, mut repeats, mut begin) = (false, false, 0, 0, 0);
    for (index, (now, step, is_silenced)) in history.iter().enumerate() {
        let past = &history[begin..=index];
        let known: Vec<(i64, f64)> =
            past.iter().filter_map(|(t, s, _)| if let Step::Value(v) = s { Some((*t, *v)) } else { None }).collect();
        let is_seen = matches!(step, Step::Value(_));
        let run_start =
            |is_in: &dyn Fn(f64) -> bool| known.iter().rev().take_while(|(_, v)| is_in(*v)).last().map(|(t, _)| *t);
        let mut said = Vec::new();
        if is_seen && !is_firing && run_start(&|v| v > 10.0).is_some_and(|start| now - start >= pending_s) {
            (is_firing, is_told, repeats, begin) = (true, false, 0, index);
        } else if is_seen && is_firing && run_start(&|v| v <= 5.0).is_some_and(|start| now - start >= keep_s) {
            (is_firing, begin) = (false, index + 1);
            if is_told {
                said.push(RESOLVED);
            }
        }
        if is_firing && !is_silenced && !is_told {
            (is_told, last_told) = (true, *now);
            said.push(FIRING);
        } else if is_firing && !is_silenced && now - last_told >= repeat_s {
            (repeats, last_told) = (repeats + 1, *now);
            said.push((Status::Firing, repeats));
        }
        told.push(said);
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_told_is_what_a_look_at_all_of_history_says(
        steps in prop::collection::vec(
            (1..40i64, prop_oneof![
                4 => Just(Step::Value(11.0)),
                2 => Just(Step::Value(7.0)),
                3 => Just(Step::Value(1.0)),
                1 => Just(Step::Missing),
                1 => Just(Step::Failed),
            ], prop::bool::weighted(0.2)),
            1..80,
        ),
        pending_s in prop_oneof![Just(0), Just(45)],
        keep_s in prop_oneof![Just(0), Just(30)],
    ) {
        let more = format!(r#","for":"{pending_s}s","keep_firing_for":"{keep_s}s","repeat":"1m","on_missing":"keep""#);
        let mut bench = Bench::new(hot(&more));
        prop_assert_eq!(bench.rule.on_missing, Missing::Keep);
        let silence = Silence::new(serde_json::from_str(r#"{"labels":{"rule":"*"}}"#).unwrap()).unwrap();
        let (mut now, mut history) = (0, Vec::new());
        let mut ids = std::collections::BTreeSet::new();
        let mut told = Vec::new();
        for (pause, step, is_silenced) in steps {
            now += pause;
            history.push((now, step, is_silenced));
            bench.silences = if is_silenced { vec![silence.clone()] } else { Vec::new() };
            let evaluation = match step {
                Step::Value(value) => bench.look(now, Sight::Seen(&[row("a", value)])),
                Step::Missing => bench.look(now, Sight::Seen(&[])),
                Step::Failed => bench.look(now, Sight::Failed),
            };
            for notice in &evaluation.notices {
                prop_assert!(ids.insert(notice.notification.id.clone()), "an id came twice: {}", notice.notification.id);
            }
            told.push(said(&evaluation));
        }
        prop_assert_eq!(told, model(&history, pending_s, keep_s, 60));
    }
}
