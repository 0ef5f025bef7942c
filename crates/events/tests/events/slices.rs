//! However samples are cut into slices, and wherever the state is saved and loaded, the events are the same.

use events::{Detector, Event, LoadError, Rules};
use proptest::prelude::*;

use crate::{columns, rules, watch};

const SERIES: [&str; 3] = [
    "vm_metrics,metric=cpu_usage,node_id=vm-1,node_type=VM",
    "ne_metrics,metric=success_rate,node_id=ne-1,node_type=NE",
    "measurement,channel=1,point=bus_voltage,type=m",
];

fn detector(rules: &Rules) -> Detector {
    let mut detector = Detector::new(rules);
    for (key, series) in (0..).zip(SERIES) {
        detector.add(key, watch(rules, series));
    }
    detector
}

fn all_rules() -> [Rules; 2] {
    let yaml = |method: &str| {
        format!(
            "{{status_interval: 10m, random: {{enabled: true, per_day: 24}},
               anomalies: {{method: {method}, window: 12, quiet: 3m, change_threshold: 8}}}}"
        )
    };
    [rules(&yaml("zscore")), rules(&yaml("robust"))]
}

/// One sample of one column: minutes since the column's last, value.
type Step = (u32, i64, f64);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let value = prop_oneof![6 => 20.0f64..60.0, 2 => 60.0f64..110.0, 1 => 180.0f64..280.0, 1 => Just(f64::NAN)];
    proptest::collection::vec((0u32..3, -1i64..8, value), 1..250)
}

/// Samples of each column in the order of coming, as key, minute, value. Some are late.
fn samples(steps: &[Step]) -> Vec<(u32, i64, f64)> {
    let mut minutes = [0i64; 3];
    let mut sample = |&(key, step, value): &Step| {
        minutes[key as usize] += step;
        (key, minutes[key as usize], value)
    };
    steps.iter().map(&mut sample).collect()
}

/// Each column whole, one after the other.
fn at_once(rules: &Rules, samples: &[(u32, i64, f64)]) -> Vec<Event> {
    let mut detector = detector(rules);
    let mut events = Vec::new();
    for key in 0..3 {
        let own: Vec<_> = samples.iter().filter(|s| s.0 == key).map(|&(_, minute, value)| (minute, value)).collect();
        let (times, values) = columns(&own);
        detector.feed(key, &times, &values, &mut events);
    }
    events
}

fn sorted(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by_key(|e| (e.node_id.clone(), e.time, e.id));
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_by_one_or_at_once_the_events_are_the_same(steps in steps()) {
        for rules in all_rules() {
            let samples = samples(&steps);
            let mut detector = detector(&rules);
            let mut events = Vec::new();
            for &(key, minute, value) in &samples {
                let (times, values) = columns(&[(minute, value)]);
                detector.feed(key, &times, &values, &mut events);
            }
            prop_assert_eq!(sorted(events), sorted(at_once(&rules, &samples)));
        }
    }

    #[test]
    fn samples_that_come_twice_give_no_event_twice(steps in steps()) {
        for rules in all_rules() {
            let samples = samples(&steps);
            let once = sorted(at_once(&rules, &samples));
            let twice = samples.iter().chain(&samples).copied().collect::<Vec<_>>();
            prop_assert_eq!(&sorted(at_once(&rules, &twice)), &once);
            prop_assert!(once.windows(2).all(|pair| pair[0].id != pair[1].id));
        }
    }

    #[test]
    fn saved_and_loaded_at_any_point_it_goes_on_as_if_nothing_had_been(steps in steps(), cut in any::<prop::sample::Index>()) {
        for rules in all_rules() {
            let samples = samples(&steps);
            let cut = cut.index(samples.len());
            let mut events = Vec::new();
            let mut detector = detector(&rules);
            for (n, &(key, minute, value)) in samples.iter().enumerate() {
                if n == cut {
                    let saved = detector.save();
                    detector = Detector::load(&rules, &saved).unwrap();
                    prop_assert_eq!(detector.save(), saved);
                }
                let (times, values) = columns(&[(minute, value)]);
                detector.feed(key, &times, &values, &mut events);
            }
            prop_assert_eq!(sorted(events), sorted(at_once(&rules, &samples)));
        }
    }

    #[test]
    fn a_damaged_state_is_refused(steps in steps(), at in any::<prop::sample::Index>(), flip in 1u8..) {
        let [rules, _] = all_rules();
        let mut detector = detector(&rules);
        let (times, values) = columns(&steps.iter().map(|s| (s.1, s.2)).collect::<Vec<_>>());
        detector.feed(0, &times, &values, &mut Vec::new());
        let mut saved = detector.save();
        let at = at.index(saved.len());
        saved[at] ^= flip;
        prop_assert_eq!(Detector::load(&rules, &saved).unwrap_err(), LoadError::Damaged);
        saved.truncate(at);
        prop_assert_eq!(Detector::load(&rules, &saved).unwrap_err(), LoadError::Damaged);
    }
}

#[test]
fn a_state_of_other_rules_or_of_another_version_is_refused() {
    let [zscore, robust] = all_rules();
    let saved = detector(&zscore).save();
    assert_eq!(Detector::load(&robust, &saved).unwrap_err(), LoadError::OtherRules);
    let mut newer = saved[..saved.len() - 4].to_vec();
    newer[4] = 9;
    newer.extend_from_slice(&crc32c::crc32c(&newer).to_le_bytes());
    assert_eq!(Detector::load(&zscore, &newer).unwrap_err(), LoadError::Version(9));
}

#[test]
fn a_state_with_more_columns_than_are_allowed_now_is_loaded_up_to_the_limit() {
    let saved = detector(&rules("{}")).save();
    assert_eq!(Detector::load(&rules("max_columns: 2"), &saved).unwrap().len(), 2);
}

#[test]
fn a_column_goes_on_from_another_detector_that_has_seen_the_same_newest_sample() {
    let rules = rules("{}");
    let series = "vm_metrics,metric=cpu_usage,node_id=vm-1";
    let fed = |samples: &[(i64, f64)]| {
        let (mut detector, (times, values)) = (Detector::new(&rules), columns(samples));
        detector.add(1, watch(&rules, series));
        detector.feed(1, &times, &values, &mut Vec::new());
        detector
    };
    let (mut all, mut some, mut newer) =
        (fed(&[(1, 99.0), (2, 50.0), (3, 85.0)]), fed(&[(1, 99.0), (3, 85.0)]), fed(&[(4, 50.0)]));
    let expected = all.save();
    let standpoint = all.take(1).unwrap();
    assert!(all.is_empty() && some.save() != expected);
    assert!(!newer.adopt(1, standpoint.clone()) && !some.adopt(2, standpoint.clone()));
    assert!(some.adopt(1, standpoint));
    assert_eq!(some.save(), expected);
}

#[test]
fn a_column_is_overtaken_by_a_detector_that_has_seen_more_and_added_where_it_is_missing() {
    let rules = rules("max_columns: 1");
    let fed = |node: u32, samples: &[(i64, f64)]| {
        let (mut detector, (times, values)) = (Detector::new(&rules), columns(samples));
        detector.add(node, watch(&rules, &format!("vm_metrics,metric=cpu_usage,node_id=vm-{node}")));
        detector.feed(node, &times, &values, &mut Vec::new());
        detector
    };
    let all = [(1, 50.0), (2, 99.0), (3, 99.0)];
    let (mut full, mut behind, mut ahead) = (fed(1, &all), fed(1, &all[..1]), fed(1, &[(4, 50.0)]));
    let expected = full.save();
    let standpoint = full.take(1).unwrap();
    assert_eq!(standpoint.last(), Some(columns(&all).0[2]));
    assert!(!ahead.overtake(1, standpoint.clone()), "it has seen newer ones");
    assert!(!fed(2, &all).overtake(1, standpoint.clone()), "there is no room");
    assert!(behind.overtake(1, standpoint.clone()) && full.overtake(1, standpoint));
    assert_eq!((behind.save(), full.save()), (expected.clone(), expected));
    let mut found = Vec::new();
    behind.feed(1, &columns(&[(4, 50.0)]).0, &[50.0], &mut found);
    assert!(found.iter().any(|event| event.duration == Some(120.0)), "{found:?}");
}
